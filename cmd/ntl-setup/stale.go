package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
)

// staleError is a plan that the world does not fit any more.
type staleError struct{ what string }

func (e staleError) Error() string {
	return "the plan is stale: " + e.what + "; nothing was done"
}

// ErrorClass is "conflict": a person must look at what it is now.
func (staleError) ErrorClass() string { return "conflict" }

// ErrorHint says how.
func (staleError) ErrorHint() string { return "make a new plan and look at it" }

// elsewhereError is a link that is as it was shown, beside one that is not: a
// plan is done as a whole or not at all.
type elsewhereError struct{ stale []string }

func (e elsewhereError) Error() string {
	const most = 3
	names := strings.Join(e.stale[:min(len(e.stale), most)], ", ")
	if more := len(e.stale) - most; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "not done: the plan is stale in " + names
}

// ErrorClass is "conflict", as that of the link which is stale.
func (elsewhereError) ErrorClass() string { return "conflict" }

// ErrorHint is that of the link which is stale.
func (elsewhereError) ErrorHint() string { return staleError{}.ErrorHint() }

// unshownError is a link of which a plan shows nothing that could be done.
type unshownError struct{ was orchestrator.Result }

func (e unshownError) Error() string {
	return fmt.Sprintf("the plan shows no step of this link (it was %s when the plan was made); nothing was done", e.was)
}

// ErrorClass is "conflict": nobody has approved of anything here.
func (unshownError) ErrorClass() string { return "conflict" }

// ErrorHint says what to do.
func (unshownError) ErrorHint() string { return "make a new plan, now that it can be looked at" }

// of is what was shown of a link; nil if the plan has none like it.
func (p *savedPlan) of(o ui.Outcome) *savedLink {
	if p == nil {
		return nil
	}
	for i, l := range p.Links {
		if l.ID == o.ID && l.Client == o.Client && l.HSM == o.HSM && l.Name == o.Name {
			return &p.Links[i]
		}
	}
	return nil
}

// same refuses a plan that shows other links than those that would be worked on.
// What it was made of is in it, so that can only be a file of this machine which
// the names of hosts also depend on, or a plan that nobody was shown.
func (p *savedPlan) same(links []config.Link) error {
	if p == nil {
		return nil
	}
	for _, l := range links {
		if o := (job{link: l}).outcome(); p.of(o) == nil {
			return staleError{fmt.Sprintf("it does not show the link of %s with %s as %s (see ~/.ssh/config too)", o.Client, o.HSM, o.Name)}
		}
	}
	if len(links) != len(p.Links) {
		return staleError{fmt.Sprintf("it shows %d links, and what it was made of says %d now", len(p.Links), len(links))}
	}
	return nil
}

// resolve is what was typed, checked; beside a saved plan, against that too.
func (a *app) resolve() (config.Config, error) {
	cfg, err := a.flags.Resolve(a.env)
	if err == nil {
		err = a.saved.same(cfg.Links)
	}
	return cfg, err
}

// check compares what was shown with what is found now: the client's files, nil
// where they do not count, and every step. follows: another link of the same
// client was worked on since, by this run; then less may be left to do, in files
// that hold more, but nothing else than was shown.
func (l *savedLink) check(now []orchestrator.StepReport, files map[string]string, follows bool) error {
	if l == nil {
		return staleError{"it does not show this link"}
	}
	if !seen(orchestrator.Report{Result: l.Result}) || len(l.Steps) == 0 {
		return unshownError{l.Result}
	}
	if path := l.moved(files); path != "" && !follows {
		return staleError{path + " was changed since the plan was made"}
	}
	for i, s := range shownSteps(now) {
		switch {
		case i >= len(l.Steps) || l.Steps[i].ID != s.ID:
			return staleError{"the list of steps is not as it was shown any more"}
		case follows && l.Steps[i].covers(s):
		case !reflect.DeepEqual(l.Steps[i], s):
			return staleError{s.ID + " is not as it was shown any more"}
		}
	}
	return nil
}

// moved is the first of the client's files that does not hold what it held.
func (l *savedLink) moved(files map[string]string) string {
	if l.Files == nil || files == nil {
		return ""
	}
	paths := slices.Concat(slices.Collect(maps.Keys(l.Files)), slices.Collect(maps.Keys(files)))
	slices.Sort(paths)
	for _, path := range paths {
		if l.Files[path] != files[path] {
			return path
		}
	}
	return ""
}

// covers reports whether what is found is no more than what was shown.
func (shown savedStep) covers(now savedStep) bool {
	switch {
	case shown.Status == orchestrator.Unknown, now.Status == orchestrator.OK:
		return true
	case shown.Status != now.Status:
		return false
	}
	for _, c := range now.Changes {
		if !slices.ContainsFunc(shown.Changes, func(s orchestrator.Change) bool { return s.Field == c.Field && s.Want == c.Want }) {
			return false
		}
	}
	return true
}

// seen reports whether a link was looked at to its end, so that it can be held
// against a plan.
func seen(r orchestrator.Report) bool {
	switch r.Result {
	case orchestrator.ResFailed, orchestrator.Unreachable, orchestrator.Interrupted:
		return false
	default:
		return true
	}
}

// stale holds every link that was looked at against the plan. If one is not as
// it was shown, nothing is done in any: those that have something to do say so.
// A link that cannot be looked at now is its own failure.
func (f *fleet) stale(outcomes []ui.Outcome) bool {
	var moved []string
	for i, o := range outcomes {
		r := &outcomes[i].Report
		if r.Result == orchestrator.Established || len(r.Steps) == 0 || !seen(*r) {
			continue
		}
		err := f.jobs[i].approved.check(r.Steps, o.Files, false)
		if err == nil {
			continue
		}
		if _, is := err.(staleError); is { //nolint:errorlint // check returns it as it is
			moved = append(moved, o.ID)
		}
		*r = notBegun(*r)
		r.Err = orchestrator.Fail(err)
	}
	if len(moved) == 0 {
		return false
	}
	for i := range outcomes {
		if r := &outcomes[i].Report; r.Result == orchestrator.Changes {
			*r = notBegun(*r)
			r.Err = orchestrator.Fail(elsewhereError{moved})
		}
	}
	return true
}
