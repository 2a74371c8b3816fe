package steps

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"ntl-setup/transport"
)

// windows is a Windows host with the Luna client of its installer. Its paths are
// told with slashes ("C:/Program Files/…"); what speaks to the host, and the
// editor of crystoki.ini, write them as Windows does.
func windows() clientKind {
	return clientKind{
		kind:   Windows,
		system: "Windows",
		is:     func(string, transport.Facts) bool { return true },
		places: func(string) []Layout {
			return []Layout{windowsLayout("C:/Program Files/SafeNet/LunaClient"), windowsLayout("C:/Program Files/LunaSA")}
		},
		further: furtherOnWindows,
		found:   foundOnWindows,
		strange: strangeOnWindows,
		unseen:  "give ChrystokiConfigurationPath there a path of plain letters: the short name of the directory, as `dir /x` shows it, will do",
		install: "install the Luna client there first (its installer, with the feature NETWORK), or name the right host with --client",
	}
}

// windowsLayout is where a Luna client below base has its things on Windows. The
// tools and the configuration are in the directory itself.
func windowsLayout(base string) Layout {
	return Layout{
		Kind: Windows, Base: base, Vtl: path.Join(base, "vtl.exe"), Conf: path.Join(base, "crystoki.ini"),
		Certs: path.Join(base, "cert/client"), Trust: path.Join(base, "cert/server"),
	}
}

// furtherOnWindows asks at the place that ChrystokiConfigurationPath names, if
// it is another than the usual ones.
func furtherOnWindows(link Link, facts transport.Facts) []transport.Query {
	var more []transport.Query
	for _, l := range foundOnWindows(link.Root, facts) {
		more = append(append(more, queries(l, link)...), transport.Dir(path.Dir(l.Vtl)))
	}
	return more
}

// foundOnWindows are the places that ChrystokiConfigurationPath speaks of, which
// goes before all others. The installer sets it to the client's own directory;
// where it names another one, that has the configuration, and it may have all.
func foundOnWindows(_ string, facts transport.Facts) []Layout {
	dir := facts[transport.System()].ConfigDir
	if !plainDrivePath(dir) {
		return nil
	}
	all := []Layout{windowsLayout(dir)}
	for _, l := range windows().places("") {
		if strings.EqualFold(l.Base, dir) {
			return []Layout{l}
		}
		l.Conf = all[0].Conf
		all = append(all, l)
	}
	return all
}

// strangeOnWindows says why what ChrystokiConfigurationPath names is not asked for.
func strangeOnWindows(facts transport.Facts) string {
	dir := facts[transport.System()].ConfigDir
	if dir == "" || plainDrivePath(dir) {
		return ""
	}
	return fmt.Sprintf("ChrystokiConfigurationPath names %q, which is no plain path with a drive", dir)
}

// hasDrive: "C:/" and more, as the paths of a Windows host are told.
func hasDrive(p string) bool {
	return len(p) > 3 && (p[0] >= 'A' && p[0] <= 'Z' || p[0] >= 'a' && p[0] <= 'z') && p[1] == ':' && p[2] == '/'
}

// plainDrivePath is plainPath for a Windows host: with a drive, without "..", and
// of plain characters, for others read differently by code page.
func plainDrivePath(p string) bool {
	return hasDrive(p) && !slices.Contains(strings.Split(p, "/"), "..") &&
		!strings.ContainsFunc(p, func(r rune) bool {
			return r > unicode.MaxASCII || !unicode.IsPrint(r) || strings.ContainsRune(`"<>|*?%!`, r)
		})
}

// keyAccess says who may read a private key that `vtl createCert` made on
// Windows, which no mode tells: whoever made it, and no service beside.
func keyAccess(key string) string {
	if !hasDrive(key) {
		return ""
	}
	return "only the user that made the key may read it; a service of another account needs `icacls " + nativePath(key) + ` /grant "<account>":R` + "`"
}

// nativePath is a path as a person types it on Windows, in quotes.
func nativePath(p string) string { return `"` + strings.ReplaceAll(p, "/", `\`) + `"` }

// cmdLine is shellLine for cmd.exe: the few words that undoing needs, in its own.
func cmdLine(words []string) string {
	own := map[string]string{"rm": "del", "mv": "move", "cp": "copy /y"}
	line, known := own[words[0]]
	if !known {
		return "# by hand: " + transport.Printable(strings.Join(words, " "))
	}
	for _, w := range words[1:] {
		switch {
		case w == "-p": // copy keeps what there is to keep
		case plainDrivePath(w):
			line += " " + nativePath(w)
		default:
			return "# by hand, for a name cannot be shown: " + transport.Printable(strings.Join(words, " "))
		}
	}
	return line
}
