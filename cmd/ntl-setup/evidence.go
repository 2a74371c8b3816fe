package main

import (
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/orchestrator/journal"
	"ntl-setup/transport"
	"ntl-setup/transport/redact"
	"ntl-setup/transport/transcript"
)

// evidence is what a run leaves on this machine for people: a journal, and
// transcripts of both wires. Nothing is ever decided by it.
type evidence struct {
	journal *journal.Journal // nil: none is kept
	secrets *redact.Set
	view    *ui.View
	links   int

	mu     sync.Mutex
	shared int // transcripts of appliances that links share
}

// keep begins the evidence of a run. Without a journal apply does not begin,
// for nothing is changed without a record; what only looks goes on.
func (a *app) keep(name command, cfg config.Config, view *ui.View) (*evidence, error) {
	e := &evidence{secrets: &redact.Set{}, view: view}
	if cfg.Passphrase != nil {
		e.secrets.Add(cfg.Passphrase.Reveal())
	}
	for _, l := range cfg.Links {
		if l.Rights.Password != nil {
			e.secrets.Add(l.Rights.Password.Reveal())
		}
		for _, end := range []config.End{l.Client, l.HSM} {
			if end.Password != nil {
				e.secrets.Add(end.Password.Reveal())
			}
		}
	}
	var err error
	e.journal, err = a.begin(name, e.secrets)
	switch {
	case err == nil:
	case name == apply:
		return nil, err
	default:
		view.Warn(err.Error())
	}
	return e, nil
}

// begin begins the journal.
func (a *app) begin(name command, secrets *redact.Set) (*journal.Journal, error) {
	dir, err := a.runs()
	if err != nil {
		return nil, err
	}
	info, _ := debug.ReadBuildInfo()
	return journal.Begin(dir, journal.Run{
		Command: string(name), Version: versionLine(info), Args: recordable(a.args),
	}, journal.Options{Redact: secrets.String})
}

// runs is the directory that has one directory a run.
func (a *app) runs() (string, error) {
	if a.env.State == "" {
		return "", transport.Errorf(transport.ClassConfig, "", "there is no home directory, so no place for the journal").
			WithHint("XDG_STATE_HOME names a place")
	}
	return filepath.Join(a.env.State, "runs"), nil
}

// recordable is a command line without what may hold a secret: a command that
// prints a password may be one that has it written in it.
func recordable(args []string) []string {
	const instead = "(not recorded)"
	out := append([]string{}, args...)
	for i, arg := range out {
		for _, flag := range []string{"--client-password-command", "--hsm-password-command", config.SudoPasswordCommand} {
			switch {
			case arg == flag && i+1 < len(out):
				out[i+1] = instead
			case strings.HasPrefix(arg, flag+"="):
				out[i] = flag + "=" + instead
			}
		}
	}
	return out
}

// dir is the directory of the run; empty if no journal is kept.
func (e *evidence) dir() string { return e.journal.Dir() }

// link begins the evidence of one link.
func (e *evidence) link(j job) *linkEvidence {
	e.links++
	l := &linkEvidence{recorder: e.journal.Link(journal.Link{
		Client: j.link.Client.Name(), HSM: j.link.HSM.Name(), Name: j.link.Name,
		ClientAddress: j.link.ClientAddress, Partitions: j.link.Partitions,
	})}
	if e.journal == nil {
		return l
	}
	suffix := ".log"
	if e.links > 1 {
		suffix = "-" + strconv.Itoa(e.links) + suffix
	}
	l.client = e.transcript("client"+suffix, j.link.Client.Name())
	l.hsm = e.transcript("hsm"+suffix, j.link.HSM.Name())
	return l
}

// part begins the evidence of one link of many, whose place is at, in one pass
// over them: its own journal and what is said to its client. Links share their
// appliances.
func (e *evidence) part(j job, at, pass int) *linkEvidence {
	l := &linkEvidence{all: e, recorder: e.journal.Link(journal.Link{
		Client: j.link.Client.Name(), HSM: j.link.HSM.Name(), Name: j.link.Name,
		ClientAddress: j.link.ClientAddress, Partitions: j.link.Partitions,
	})}
	if e.journal != nil {
		name := "client-" + strconv.Itoa(at+1)
		if pass > 1 {
			name += "-" + strconv.Itoa(pass)
		}
		l.client = e.transcript(name+".log", j.link.Client.Name())
	}
	return l
}

// sharedTranscript is the transcript of an appliance that links share.
func (l *linkEvidence) sharedTranscript(name string) *transcript.Log {
	if l == nil || l.all == nil || l.all.journal == nil {
		return nil
	}
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	l.all.shared++
	return l.all.transcript("hsm-"+strconv.Itoa(l.all.shared)+".log", name)
}

// transcript makes one transcript; without it the run goes on all the same.
func (e *evidence) transcript(name, about string) *transcript.Log {
	l, err := transcript.Create(filepath.Join(e.dir(), name), about, transcript.Options{Secrets: e.secrets})
	if err != nil {
		e.view.Warn(err.Error())
		return nil
	}
	return l
}

// end ends the evidence of a run.
func (e *evidence) end(doc ui.Document) {
	if err := e.journal.End(doc.Result, doc.Exit); err != nil {
		e.view.Warn(err.Error())
	}
}

// linkEvidence is the evidence of one link. nil keeps none.
type linkEvidence struct {
	all         *evidence // of the run
	recorder    *journal.Recorder
	client, hsm *transcript.Log // nil: none
}

// plug puts an engine's events on record.
func (l *linkEvidence) plug(engine orchestrator.Engine) orchestrator.Engine {
	if l == nil {
		return engine
	}
	observe := engine.Observe
	engine.Observe = func(ev orchestrator.Event) {
		l.recorder.Observe(ev)
		if observe != nil {
			observe(ev)
		}
	}
	engine.Record = l.recorder.Record
	return engine
}

// wire puts a connection's words on record.
func (l *linkEvidence) wire(conn transport.Conn, client bool) transport.Conn {
	switch {
	case l == nil || conn == nil:
		return conn
	case client:
		return l.client.Conn(conn)
	}
	return l.hsm.Conn(conn)
}

// local does the same for this machine as the client.
func (l *linkEvidence) local(r transport.Runner) transport.Runner {
	if l == nil {
		return r
	}
	return l.client.Runner(r)
}

// end ends the evidence of a link.
func (l *linkEvidence) end(r orchestrator.Report) {
	l.recorder.End(r.Result, r.Err)
	for _, wire := range []*transcript.Log{l.client, l.hsm} {
		_ = wire.Close() // a transcript fails nobody
	}
}

// troubled reports whether a link ended in a way that its evidence may explain.
func troubled(r orchestrator.Report) bool {
	switch r.Result {
	case orchestrator.ResFailed, orchestrator.Unreachable, orchestrator.Interrupted:
		return true
	case orchestrator.Conflicted:
		return r.Acted
	default:
		return false
	}
}
