package steps

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
)

// linux is a Linux host with the Luna client of its packages, or with the
// minimal client. It is whatever has sh and is nothing else, so it stands last.
func linux() clientKind {
	return clientKind{
		kind: Linux,
		is:   func(string, transport.Facts) bool { return true },
		places: func(root string) []Layout {
			var all []Layout
			for _, base := range []string{"/usr/safenet/lunaclient", "/usr/lunasa", "/opt/safenet/lunaclient"} {
				l := unixLayout(Linux, root, base)
				// Members of hsmusers may write below cert, and not to what is above it.
				l.Locks = path.Dir(l.Certs)
				all = append(all, l)
			}
			return all
		},
		further: furtherOnLinux,
		found:   foundOnLinux,
		queries: func(l Layout, link Link) []transport.Query {
			return []transport.Query{
				programQuery(l, link),
				transport.Dir(l.Certs), transport.Stat(l.Locks), transport.Stat(path.Dir(l.Conf)), transport.Holders(linuxLibrary),
			}
		},
		lacks:   lacksOnLinux,
		install: "install the Luna client there first (install.sh of the client package), or name the right host with --client; for a minimal client, --client-config-path names the directory of its Chrystoki.conf",
	}
}

// linuxLibrary is what the programs on a Linux client load.
const linuxLibrary = "libCryptoki2_64.so"

// confInUse is the configuration that the tools read: the variable goes before
// /etc. unusual: the variable is set, and names another one.
func confInUse(root string, facts transport.Facts) (conf string, unusual bool) {
	usual := path.Join(root, "/etc/Chrystoki.conf")
	dir := facts[transport.System()].ConfigDir
	if !plainPath(dir) {
		return usual, false
	}
	conf = path.Join(dir, "Chrystoki.conf")
	return conf, conf != usual
}

// furtherOnLinux asks for a configuration that is not at its usual place, and
// for what it names.
func furtherOnLinux(link Link, facts transport.Facts) []transport.Query {
	conf, _ := confInUse(link.Root, facts)
	if _, asked := facts[transport.File(conf)]; !asked {
		return []transport.Query{transport.File(conf)}
	}
	var all []transport.Query
	for _, l := range foundOnLinux(link.Root, facts) {
		all = append(append(all, queries(l, link)...), transport.Dir(path.Dir(l.Vtl)))
	}
	return all
}

// foundOnLinux are the places that the configuration in use speaks of. A usual
// place with the usual configuration needs no word of it.
func foundOnLinux(root string, facts transport.Facts) []Layout {
	conf, unusual := confInUse(root, facts)
	usual := linux().places(root)
	if !unusual && slices.ContainsFunc(usual, func(l Layout) bool { return hasVtl(l, facts) }) {
		return nil
	}
	file, err := chrystoki.Parse(facts[transport.File(conf)].Data)
	if err != nil || facts[transport.File(conf)].Missing {
		return nil
	}
	var all []Layout
	for _, tool := range toolsOf(file, path.Dir(conf), usual) {
		l := Layout{
			Kind: Linux, Base: path.Dir(conf), Locks: path.Dir(conf), Vtl: tool, Conf: conf,
			Certs: dirOf(file, "ClientCertFile", path.Join(path.Dir(conf), "cert/client")),
			Trust: dirOf(file, "ServerCAFile", path.Join(path.Dir(conf), "cert/server")),
		}
		if !unusual { // packages at another place
			l.Base = path.Dir(path.Dir(tool))
			l.Locks = path.Dir(l.Certs)
		}
		all = append(all, l)
	}
	return all
}

// toolsOf is where vtl may lie: where the configuration has its tools, beside its
// library (bin beside lib; bin/64 beside libs/64 on the minimal client), by the
// configuration's own directory, or where packages put it.
func toolsOf(file *chrystoki.File, dir string, usual []Layout) []string {
	tools, _ := file.Get("Misc", "ToolsDir")
	lib := path.Dir(file.Library())
	guesses := []string{tools, path.Join(dir, "bin/64"), path.Join(path.Dir(dir), "bin/64")}
	switch {
	case path.Base(lib) == "lib":
		guesses = append(guesses, path.Join(path.Dir(lib), "bin"))
	case path.Base(path.Dir(lib)) == "libs":
		guesses = append(guesses, path.Join(path.Dir(path.Dir(lib)), "bin", path.Base(lib)))
	}
	for _, l := range usual {
		guesses = append(guesses, path.Dir(l.Vtl))
	}
	var all []string
	for _, g := range guesses {
		if tool := path.Join(g, "vtl"); plainPath(g) && !slices.Contains(all, tool) {
			all = append(all, tool)
		}
	}
	return all
}

// dirOf is the directory that an entry names: that of a file, or itself, as it
// stands on a minimal client before its first `vtl createCert`.
func dirOf(file *chrystoki.File, key, otherwise string) string {
	value, _ := file.Get(luna, key)
	switch {
	case !plainPath(value):
		return otherwise
	case strings.HasSuffix(value, ".pem"):
		return path.Dir(value)
	}
	return path.Clean(value)
}

// lacksOnLinux lists what the user who looks may not do and must be able to.
func lacksOnLinux(l Layout, facts transport.Facts) lacks {
	var no lacks
	for _, q := range []transport.Query{transport.File(l.Conf), transport.File(l.CAFile()), transport.Dir(l.Certs), transport.Dir(l.Trust), transport.Stat(l.Locks)} {
		f := facts[q]
		switch {
		case f.Missing:
		case strings.Contains(f.Problem, "Permission denied"):
			no.read = append(no.read, q.Path)
		case f.Unwritable:
			no.write = append(no.write, q.Path)
		}
	}
	return no
}

// closedToGroup is a remark on a file that root made in a directory which a group
// shares: programs of the group's members cannot use the link.
func closedToGroup(what string, dir, file transport.Fact) []string {
	shared := dir.Mode&fs.ModeSetgid != 0 && dir.Mode&0o070 != 0 && dir.Group != "0"
	if !shared || file.Missing || file.Mode&0o040 != 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s has mode %04o in a directory that group %s shares: its members' programs cannot use the link until it is made readable for them (chgrp, chmod 640)", what, file.Mode.Perm(), dir.Group)}
}

// closedTrust are such remarks on what the client trusts servers by: a root with
// a strict umask has vtl leave them so.
func closedTrust(link Link, c *clientFacts, facts transport.Facts) []string {
	var notes []string
	for _, file := range []string{c.trust.path, c.layout.ServerCert(link.HSMAddress)} {
		notes = append(notes, closedToGroup(file, facts[transport.Dir(path.Dir(file))], facts[transport.File(file)])...)
	}
	return notes
}

// generated is how files say that something else writes them.
var generated = regexp.MustCompile(`(?i)^\s*#.*(?:generated|managed by|do not edit|maintained by)`)

// remarksOnLinux are remarks on a Linux client's configuration.
func remarksOnLinux(l Layout, root string, facts transport.Facts) []string {
	var remarks []string
	usual := path.Join(root, "/etc/Chrystoki.conf")
	if there := facts[transport.File(usual)]; l.Conf != usual && there.Data != nil {
		remarks = append(remarks, fmt.Sprintf("there are two configurations, %s and %s; the first counts, for ChrystokiConfigurationPath names it", l.Conf, usual))
	}
	for line := range strings.Lines(string(facts[transport.File(l.Conf)].Data)) {
		if generated.MatchString(line) {
			return append(remarks, fmt.Sprintf("%s says that something else writes it, which may undo what is changed there: %s", l.Conf, transport.Printable(strings.TrimSpace(line))))
		}
	}
	return remarks
}
