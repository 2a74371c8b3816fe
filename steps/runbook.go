package steps

import (
	"bytes"
	"context"
	"net"
	"path"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// This file writes what the acts of the steps do as lines that a person types:
// the very actions and lunash lines that an act is made of, so that the two
// cannot differ. Nothing in the program runs what is written here.

// typist writes the lines of one step.
type typist struct {
	link    Link
	layout  Layout
	client  end
	hsm     end
	scp     []string        // begins a copy to or from the appliance
	home    bool            // what comes by scp lands where the login ends, and is put in its place from there
	missing map[string]bool // files that are not there, so that nothing is copied of them
	sources []*source
	note    string // beside a difference
}

// source is a content that need not be typed: it lies in a file.
type source struct {
	data  []byte
	path  string                 // on the client; empty: it comes by way of the laptop
	local string                 // on the laptop
	first []orchestrator.Command // brings it to the laptop; given once
}

// end is one of the two hosts for ssh and scp.
type end struct {
	name, port string // user@host; empty port: the usual one
	local      bool   // it is the laptop itself
}

// endOf understands a host as the user wrote it: user@host:port, or local.
func endOf(name string) end {
	if name == "local" {
		return end{name: name, local: true}
	}
	at := strings.LastIndexByte(name, '@') + 1
	host, port, err := net.SplitHostPort(name[at:])
	if err != nil {
		return end{name: name}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "22" {
		port = ""
	}
	return end{name: name[:at] + host, port: port}
}

// user is who logs in.
func (e end) user() string { return e.name[:max(0, strings.LastIndexByte(e.name, '@'))] }

// ssh is the line that logs in.
func (e end) ssh() string {
	words := []string{"ssh"}
	if e.port != "" {
		words = append(words, "-p", e.port)
	}
	return shellLine(append(words, strings.NewReplacer("[", "", "]", "").Replace(e.name))...)
}

// scp begins a copy to or from a host.
func (e end) scp(words ...string) []string {
	if e.port == "" {
		return words
	}
	return append(words, "-P", e.port)
}

// typist for a client as it was found.
func (h *hands) typist(c *clientFacts) *typist {
	t := &typist{
		link: h.link, layout: c.layout, client: endOf(h.host.Name()), hsm: endOf(h.hsm.Name()),
		note: "so that it reads as in the difference",
		missing: map[string]bool{
			c.conf.path: !c.conf.present, c.persisted.path: !c.persisted.present, c.trust.path: !c.trust.present,
		},
	}
	words := []string{"scp"}
	if !lunash.CopiesBySFTP(h.hsm) {
		words = append(words, "-O") // a newer scp speaks SFTP without it
	}
	t.scp = t.hsm.scp(words...)
	t.home = t.client.local || c.layout.Kind == Windows || t.throughSudo(c)
	return t
}

// throughSudo reports whether the client's user works there with root's rights,
// which scp does not have.
func (t *typist) throughSudo(c *clientFacts) bool {
	return c.layout.Kind == Linux && c.user == "0" && t.client.user() != "root"
}

// laptop, onClient and inLunash are one line each.
func laptop(words ...string) orchestrator.Command {
	return orchestrator.Command{Where: orchestrator.OnLaptop, Line: shellLine(words...)}
}

func (t *typist) onClient(words ...string) orchestrator.Command {
	return orchestrator.Command{Where: orchestrator.OnClient, Line: t.shell(words)}
}

func inLunash(line lunash.Line) orchestrator.Command {
	if err := line.Err(); err != nil {
		return orchestrator.Command{Where: orchestrator.OnHSM, Line: "# by hand: " + transport.Printable(err.Error())}
	}
	return orchestrator.Command{Where: orchestrator.OnHSM, Line: line.String()}
}

// lies: this content is in a file of the client's.
func (t *typist) lies(data []byte, file string) {
	t.sources = append(t.sources, &source{data: data, path: file})
}

// comes: this content comes from the appliance, through a file on the laptop.
func (t *typist) comes(data []byte, remote, local, note string) {
	fetch := laptop(append(t.scp[:len(t.scp):len(t.scp)], t.hsm.name+":"+remote, "./"+local)...)
	fetch.Note = note
	t.sources = append(t.sources, &source{data: data, local: local, first: []orchestrator.Command{fetch}})
}

// deliver copies a file of the client to the appliance, through the laptop and
// under a name.
func (t *typist) deliver(file, name string) []orchestrator.Command {
	local := "./" + name
	from := file
	var all []orchestrator.Command
	if t.home || !plainWord(file) {
		from = name
		all = append(all, t.onClient("cp", file, from))
	}
	if !t.client.local {
		all = append(all, laptop(append(t.client.scp("scp"), t.client.name+":"+from, local)...))
	}
	return append(all, laptop(append(t.scp[:len(t.scp):len(t.scp)], local, t.hsm.name+":"+name)...))
}

// actions are the lines that do what actions do, in their order.
func (t *typist) actions(actions ...transport.Action) []orchestrator.Command {
	var all []orchestrator.Command
	var guards []string // names that the next tool must not find taken
	for _, a := range actions {
		switch a.Kind {
		case transport.ActAbsent:
			guards = append(guards, a.Path)
		case transport.ActRun, transport.ActStart:
			all = append(all, orchestrator.Command{Where: orchestrator.OnClient, Line: t.unless(guards, t.tool(a.Argv))})
			guards = nil
		case transport.ActReplace, transport.ActCreate:
			all = append(all, t.write(a)...)
		default:
			all = append(all, t.plain(a)...)
		}
	}
	return all
}

// plain is an action that is one line.
func (t *typist) plain(a transport.Action) []orchestrator.Command {
	var line string
	once := false
	switch a.Kind {
	case transport.ActBackup:
		if t.missing[a.Path] {
			return nil
		}
		line, once = t.unless([]string{a.To}, []string{"cp", "-p", a.Path, a.To}), true // the first copy is the one to keep
	case transport.ActMove:
		line = t.shell([]string{"mv", a.Path, a.To})
	case transport.ActRemove:
		line = t.shell([]string{"rm", a.Path})
	case transport.ActMakeDir:
		line, once = t.makeDir(a.Path), true
	case transport.ActChmod:
		line = t.shell([]string{"chmod", octal(a.Mode), a.Path})
	case transport.ActStop:
		return []orchestrator.Command{{
			Where: orchestrator.OnClient, Line: t.shell([]string{"kill", decimal(a.PID)}),
			Note: "wait until it has ended: ps -p " + decimal(a.PID),
		}}
	default: // locks and what is brought along are no business of a person's
		return nil
	}
	return []orchestrator.Command{{Where: orchestrator.OnClient, Line: line, Once: once}}
}

// write is a file that is made or exchanged: copied where its content lies
// somewhere already, else edited.
func (t *typist) write(a transport.Action) []orchestrator.Command {
	for _, s := range t.sources {
		if bytes.Equal(s.data, a.Data) {
			return t.copied(s, a.Path)
		}
	}
	if a.Kind == transport.ActCreate && len(a.Data) == 0 {
		return []orchestrator.Command{t.onClient("touch", a.Path)}
	}
	return []orchestrator.Command{{
		Where: orchestrator.OnClient, Line: t.shell([]string{"vi", a.Path}),
		Note: t.note, Diff: chrystoki.Diff(a.Path, a.Old, a.Data),
	}}
}

// copied puts a content that lies in a file to its place.
func (t *typist) copied(s *source, to string) []orchestrator.Command {
	if s.path != "" {
		return []orchestrator.Command{t.onClient("cp", s.path, to)}
	}
	all := s.first
	s.first = nil
	switch {
	case t.client.local:
		return append(all, t.onClient("cp", s.local, to))
	case t.home || !plainWord(to):
		return append(all, laptop(append(t.client.scp("scp"), "./"+s.local, t.client.name+":"+s.local)...), t.onClient("cp", s.local, to))
	}
	return append(all, laptop(append(t.client.scp("scp"), "./"+s.local, t.client.name+":"+to)...))
}

// tool is a tool's own argv, with the place of its configuration where that is
// not the usual one.
func (t *typist) tool(argv []string) []string {
	usual := path.Join(t.link.Root, "/etc/Chrystoki.conf")
	if t.layout.Kind != Linux || t.layout.Conf == usual {
		return argv
	}
	return append([]string{"env", "ChrystokiConfigurationPath=" + path.Dir(t.layout.Conf)}, argv...)
}

// Seats are the places where the lines of a runbook are typed, and how a person
// gets there with ssh.
func (s *Site) Seats(ctx context.Context) []orchestrator.Seat {
	facts, err := s.see.client(ctx)
	if err != nil {
		return nil // what could not be looked at has no lines either
	}
	t := s.do.typist(facts)
	on := orchestrator.Seat{Where: orchestrator.OnClient, Prompt: "client#", How: t.client.ssh()}
	switch {
	case t.client.local:
		on.How = "this machine, as root"
	case t.layout.Kind == Windows:
		on.Prompt, on.How = "client>", on.How+", in cmd.exe"
	case t.layout.NetScaler() && t.client.user() != "root":
		on.How += ", then shell"
	case t.throughSudo(facts):
		on.How += ", then sudo -s"
	}
	return []orchestrator.Seat{
		{Where: orchestrator.OnLaptop, Prompt: "laptop$", How: "this machine"}, on,
		{Where: orchestrator.OnHSM, Prompt: "lunash:>", How: t.hsm.ssh()},
	}
}
