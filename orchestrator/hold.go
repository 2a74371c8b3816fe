package orchestrator

import (
	"context"
	"errors"
)

// hold asks for the site. Waiting for it is bounded by the run alone: somebody
// else's run may take as long as ours. At the run's deadline, an error with a
// class of its own stays: it tells who was waited for.
func (e Engine) hold(ctx context.Context) (release func(), err error) {
	for _, step := range e.Steps {
		forget(step) // nobody looks until the site is held; what is read ahead then is fresh
	}
	release, err = e.Hold(ctx)
	var classed interface{ ErrorClass() string }
	if err != nil && ctx.Err() != nil && (errors.Is(context.Cause(ctx), context.Canceled) || !errors.As(err, &classed)) {
		err = endedError{cause: context.Cause(ctx), err: err}
	}
	return release, err
}

// notHeld is the outcome of a run that could not get hold of the site.
func (e Engine) notHeld(ctx context.Context, r Report, err error) Report {
	r.Err = Fail(err)
	r.Result = e.resultOfStop(ctx, StepReport{Status: Failed, Err: r.Err})
	block(r.Steps, "not done: "+r.Err.Message)
	return r
}

// lookAgain looks at every step once more, now that nobody else acts, and
// compares with what was shown. Whatever is left of that may be done; anything
// that was not shown may not.
func (e Engine) lookAgain(ctx context.Context, shown []StepReport) Report {
	quiet := e
	quiet.Observe = nil // the plan was shown already
	r := quiet.look(ctx)
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Status == WouldChange && !covers(shown[i], s.Changes) {
			*s = stale(*s, Finding{Changes: s.Changes, Reason: s.Reason})
		}
	}
	if r.Result = e.resultOfLook(ctx, r); r.Result != Changes && r.Result != Established {
		block(r.Steps, "nothing was done: "+stopReason(r))
	}
	for _, s := range r.Steps {
		if r.Result != Changes {
			e.tell(Event{Kind: Completed, Info: s.Info, Step: s})
		}
	}
	return r
}

// covers reports whether the changes are among those shown. What was unknown
// when it was shown was shown as such.
func covers(shown StepReport, changes []Change) bool {
	if shown.Status == Unknown {
		return true
	}
	for _, c := range changes {
		found := false
		for _, s := range shown.Changes {
			found = found || s.Field == c.Field && s.Want == c.Want
		}
		if !found {
			return false
		}
	}
	return true
}

// stale is a step whose world moved after it was shown.
func stale(planned StepReport, f Finding) StepReport {
	s := failed(planned, f, nil)
	s.Status, s.Hint = Conflict, "run again: it will look anew"
	s.Reason = "it is not as it was shown any more, something else is at work there: " + f.Reason
	s.Err = &Failure{Class: "conflict", Message: s.Reason, Hint: s.Hint}
	return s
}

// forget makes a step's next look reach the world.
func forget(step Step) {
	if forgetful, ok := step.(interface{ Forget() }); ok {
		forgetful.Forget()
	}
}
