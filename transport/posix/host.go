package posix

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"ntl-setup/transport"
)

// Options are what may differ between machines.
type Options struct {
	// Shell is the line that makes the login shell start a POSIX shell which
	// reads a script on its standard input; empty: "sh".
	Shell string
	// Adds knows the lines that what starts the shell may print late, when the
	// script answers already; nil: it prints none.
	Adds func(line string) bool
}

// host is a machine with a POSIX shell.
type host struct {
	runner transport.Runner
	shell  string
	adds   func(line string) bool
	mark   func() string
	stays  resident
}

// New makes a Host of a machine on which commands can be run.
func New(r transport.Runner, o Options) transport.Host {
	if o.Shell == "" {
		o.Shell = "sh"
	}
	h := &host{runner: r, shell: o.Shell, adds: o.Adds, mark: newMark}
	if stays, ok := r.(Resident); ok && o.Shell == "sh" {
		h.stays.runner = stays
	}
	return h
}

// newMark is a word that no output can hold by chance or by guessing.
func newMark() string { return "@" + rand.Text() }

// Name is how the user wrote the machine.
func (h *host) Name() string { return h.runner.Name() }

// Look answers all queries by one script.
func (h *host) Look(ctx context.Context, queries ...transport.Query) (transport.Facts, error) {
	asked := unique(queries)
	if len(asked) == 0 {
		return transport.Facts{}, nil
	}
	mark := h.mark()
	sections, err := h.exchange(ctx, mark, renderLook(mark, asked))
	if err != nil {
		return nil, err
	}
	return h.facts(asked, sections)
}

// facts are the answers to queries that are all different.
func (h *host) facts(asked []transport.Query, sections []section) (transport.Facts, error) {
	facts := transport.Facts{}
	for i, q := range asked {
		var err error
		if facts[q], err = readFact(q, sectionsOf(sections, i)); err != nil {
			return nil, transport.Errorf(transport.ClassProtocol, h.Name(), "looking at %s %s: %w", q.Kind, q.Path, err)
		}
	}
	return facts, nil
}

// unique is the list without repetitions, in its order.
func unique(queries []transport.Query) []transport.Query {
	var once []transport.Query
	for _, q := range queries {
		if !slices.Contains(once, q) {
			once = append(once, q)
		}
	}
	return once
}

func sectionsOf(all []section, index int) []section {
	var of []section
	for _, s := range all {
		if s.index == index {
			of = append(of, s)
		}
	}
	return of
}

func readFact(q transport.Query, sections []section) (transport.Fact, error) {
	if q.Kind == transport.QueryProcesses {
		return processFact(sections)
	}
	var f transport.Fact
	if len(sections) == 0 {
		return f, errors.New("no answer")
	}
	for _, s := range sections {
		if err := s.addTo(&f); err != nil {
			return f, err
		}
	}
	return f, nil
}

// Do does the actions by one script.
func (h *host) Do(ctx context.Context, actions ...transport.Action) ([]transport.Output, error) {
	if len(actions) == 0 {
		return nil, nil
	}
	mark := h.mark()
	text, err := h.renderDo(mark, actions)
	if err != nil {
		return nil, err
	}
	sections, failure := h.exchange(ctx, mark, text)
	return h.outcome(actions, sections, failure)
}

// DoAndLook is transport.Follower's: two scripts, sent as one.
func (h *host) DoAndLook(ctx context.Context, actions []transport.Action, queries []transport.Query) ([]transport.Output, transport.Facts, error) {
	done, seen := h.mark(), h.mark()
	text, err := h.renderDo(done, actions)
	if err != nil {
		return nil, nil, err
	}
	asked := unique(queries)
	out, failure := h.run(ctx, done, inTurn(text, renderLook(seen, asked)))
	var sections []section
	if failure == nil {
		sections, failure = h.read(done, out)
	}
	outputs, err := h.outcome(actions, sections, failure)
	var facts transport.Facts
	if answers, unread := parseReply(seen, out.Stdout, h.adds); unread == nil {
		if facts, unread = h.facts(asked, answers); unread != nil {
			facts = nil
		}
	}
	return outputs, facts, err
}

func (h *host) renderDo(mark string, actions []transport.Action) ([]byte, error) {
	text, err := renderDo(mark, actions)
	if err != nil {
		return nil, transport.Errorf(transport.ClassConfig, h.Name(), "%w", err)
	}
	return text, nil
}

// outcome is what became of actions, by what the script told and why it told no
// more.
func (h *host) outcome(actions []transport.Action, sections []section, failure error) ([]transport.Output, error) {
	outputs, err := readOutputs(sections, len(actions))
	if err != nil {
		return outputs, transport.Errorf(transport.ClassProtocol, h.Name(), "%w", err)
	}
	if n := len(outputs); n > 0 && failed(actions[n-1], outputs[n-1].Status) {
		return outputs, &transport.ActionError{Host: h.Name(), Action: actions[n-1], Output: outputs[n-1]}
	}
	if failure == nil && len(outputs) < len(actions) {
		return outputs, transport.Errorf(transport.ClassProtocol, h.Name(),
			"%d of %d actions were answered", len(outputs), len(actions))
	}
	return outputs, failure
}

// failed reports whether the script stopped at an action: the function of that
// name in act.sh, over here.
func failed(a transport.Action, status int) bool {
	if a.Kind == transport.ActRun {
		return status == notExecutable || status == notFound
	}
	return status != 0
}

// The statuses by which a shell says that it could not start a program.
const (
	notExecutable = 126
	notFound      = 127
)

// readOutputs are the outputs of the actions that ended, in their order.
func readOutputs(sections []section, most int) ([]transport.Output, error) {
	var outputs []transport.Output
	var said []byte
	for _, s := range sections {
		switch {
		case s.index != len(outputs) || s.index >= most:
			return outputs, fmt.Errorf("the answer tells of action %d out of turn", s.index+1)
		case s.name == "output":
			said = s.data
		case s.name == "status":
			status, err := strconv.Atoi(string(s.data))
			if err != nil {
				return outputs, fmt.Errorf("action %d: %w", s.index+1, err)
			}
			outputs = append(outputs, transport.Output{Stdout: said, Status: status})
			said = nil
		}
	}
	return outputs, nil
}

// exchange runs one script. Complete sections are returned also with an error.
func (h *host) exchange(ctx context.Context, mark string, text []byte) ([]section, error) {
	out, err := h.run(ctx, mark, text)
	if err != nil {
		return nil, err
	}
	return h.read(mark, out)
}

// run has a script run, by the shell that stays or by a session of its own.
func (h *host) run(ctx context.Context, mark string, text []byte) (transport.Output, error) {
	out, asked, err := h.stays.exchange(ctx, mark, text)
	if !asked {
		out, err = h.runner.Exec(ctx, h.shell, text)
	}
	return out, err
}

// read is what a script answered.
func (h *host) read(mark string, out transport.Output) ([]section, error) {
	sections, err := parseReply(mark, out.Stdout, h.adds)
	if err != nil {
		return sections, h.explain(err, out)
	}
	h.stays.learn()
	return sections, nil
}

// explain says why a reply could not be read, in the words of what came.
func (h *host) explain(err error, out transport.Output) error {
	said := transport.Printable(firstOf(out.Stdout, out.Stderr))
	switch {
	case errors.Is(err, errNoShell) && changeDemand.Match(slices.Concat(out.Stdout, out.Stderr)):
		return transport.Errorf(transport.ClassDialogue, h.Name(), "the login wants a new password before anything else: %s",
			transport.Printable(firstOf(out.Stdout)+" "+firstOf(out.Stderr))).
			WithHint("log in by hand once, as this user, and change the password; ntl-setup never sets one")
	case errors.Is(err, errNoShell) && noLogin.Match(slices.Concat(out.Stdout, out.Stderr)):
		said := transport.Printable(firstOf(out.Stdout) + " " + firstOf(out.Stderr))
		return transport.Errorf(transport.ClassAuth, h.Name(), "%s (that is all that the login shell of this user answers)", said).
			WithHint("log in as a user whose login shell can start sh, or have this one given such a shell")
	case errors.Is(err, errShort), out.Status < 0 && said == "":
		return transport.Errorf(transport.ClassConnect, h.Name(), "the session ended before the answer was complete").
			WithHint("the connection was lost or the shell was killed; run the command again")
	case errors.Is(err, errNoShell):
		return transport.Errorf(transport.ClassProtocol, h.Name(), "no POSIX shell answered `%s`: %w", h.shell, &NoShellError{Answer: out}).
			WithHint("the login shell of this user must be able to start sh")
	}
	return transport.Errorf(transport.ClassProtocol, h.Name(), "%w: %s", err, said)
}

// changeDemand is how sshd and PAM refuse a command to a user whose password or
// account is over its time ("Password change required but no TTY available.").
var changeDemand = regexp.MustCompile(`(?i)password (?:has |is )?expired|must change your password|required to change your password|password change required|account has expired`)

// noLogin is what nologin says, the shell of accounts that nobody is to log in to.
var noLogin = regexp.MustCompile(`(?i)\baccount is (?:currently )?not available|\b(?:account|login) (?:is |has been )?disabled`)

// firstOf is the start of the first text that is not empty.
func firstOf(texts ...[]byte) string {
	const most = 200
	for _, t := range texts {
		if len(t) > 0 {
			return string(t[:min(len(t), most)])
		}
	}
	return ""
}
