package main

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
	"ntl-setup/transport"
)

// preflights is the preflight of one link: made once, and only where the link
// does not hold yet, so that a run with nothing to do costs no more.
type preflights struct {
	run    func(ctx context.Context) []preflight.Check
	view   teller
	done   bool
	checks []preflight.Check
}

// lookout makes the preflight of a link whose hosts are reached; nil if it is
// not wanted.
func (j job) lookout(hosts *reached) *preflights {
	if j.link.SkipPreflight && j.command != doctor {
		return nil
	}
	return &preflights{view: j.view, run: func(ctx context.Context) []preflight.Check {
		ctx, cancel := context.WithTimeoutCause(ctx, j.config.StepTimeout,
			tooLong{what: "the preflight", after: j.config.StepTimeout, flag: "--step-timeout"})
		defer cancel()
		j.view.Progress("preflight: port, clocks and addresses between the hosts")
		return hosts.site.Preflight(ctx, hosts.dialer())
	}}
}

// look makes the preflight where a first look at the steps calls for it.
func (p *preflights) look(ctx context.Context, steps []orchestrator.StepReport) []preflight.Check {
	if p == nil || p.done || ctx.Err() != nil || holds(steps) {
		return p.made()
	}
	return p.make(ctx)
}

// make makes it in any case.
func (p *preflights) make(ctx context.Context) []preflight.Check {
	p.checks, p.done = p.run(ctx), true
	p.view.Checked(p.checks)
	return p.checks
}

// made is what was found so far; nil if nothing was looked at.
func (p *preflights) made() []preflight.Check {
	if p == nil {
		return nil
	}
	return p.checks
}

// holds reports whether the client reaches its partitions already: then nothing
// between the hosts is in the way.
func holds(steps []orchestrator.StepReport) bool {
	for _, s := range steps {
		if s.Info.ID == "verify-link" {
			return s.Status == orchestrator.OK
		}
	}
	return false
}

// dialer opens connections from the client; nil if that cannot be.
func (e ends) dialer() transport.Dialer {
	if e.wire == nil {
		return here{}
	}
	d, _ := e.wire.(transport.Dialer)
	return d
}

// here dials from this machine, which is the client.
type here struct{}

// DialFrom is transport.Dialer's.
func (here) DialFrom(ctx context.Context, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		words := err
		var errno syscall.Errno
		if errors.As(err, &errno) {
			words = errno // the address is told already
		}
		return nil, &transport.Error{
			Class: transport.ClassConnect, Host: config.Local, Message: "reach " + address + " from there: " + words.Error(),
			Err: errors.Join(transport.ErrUnreached, err),
		}
	}
	return conn, nil
}

// impossibleError is a preflight that found the link cannot work.
type impossibleError struct{ problems []preflight.Check }

func (e impossibleError) Error() string {
	var all []string
	for _, c := range e.problems {
		all = append(all, c.Evidence)
	}
	return "the link cannot work as things are: " + strings.Join(all, "; ")
}

// ErrorClass is "conflict": a person must mend it, or decide otherwise.
func (impossibleError) ErrorClass() string { return "conflict" }

// ErrorHint is that of the first problem, and the flag that decides.
func (e impossibleError) ErrorHint() string {
	return e.problems[0].Hint + "; --skip-preflight applies all the same, up to the step that proves the link"
}

// impossible is the error of checks that found a problem, else nil.
func impossible(checks []preflight.Check) error {
	var problems []preflight.Check
	for _, c := range checks {
		if c.Status == preflight.Problem {
			problems = append(problems, c)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return impossibleError{problems}
}

// stoppedByPreflight reports whether a plan was not approved because of that.
func stoppedByPreflight(err error) bool {
	var e impossibleError
	return errors.As(err, &e)
}

// notBegun is the report of a run that the preflight stopped before its first
// act, like that of any conflict in the first look.
func notBegun(r orchestrator.Report) orchestrator.Report {
	r.Result = orchestrator.Conflicted
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Status == orchestrator.WouldChange || s.Status == orchestrator.Unknown {
			s.Status, s.Reason = orchestrator.Blocked, "nothing was done"
		}
	}
	return r
}
