package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Engine runs a list of steps. The zero value of everything but Steps works.
type Engine struct {
	Steps   []Step
	Observe Observer
	// StepTimeout bounds one look and one act; 0: only the context does.
	StepTimeout time.Duration
	// Hold keeps everybody else from acting on the same hosts. It is asked once,
	// between the approval and the first act; release lets go again. nil: there
	// is nobody else.
	Hold func(ctx context.Context) (release func(), err error)
	// Before is asked before each step is made to hold, and may wait: for other
	// runs on the same hosts to come as far. nil: nobody is waited for.
	Before func(ctx context.Context, next Info) error
	// Record is told of each act before it begins, and of what came of it. An
	// error before the act stops the run there. nil: nothing is on record.
	Record func(Event) error
}

// Plan looks at every step and changes nothing. The result is Established,
// Changes, Conflicted, ResFailed or Interrupted.
func (e Engine) Plan(ctx context.Context) Report {
	r := e.look(ctx)
	r.Result = e.resultOfLook(ctx, r)
	return r
}

// Apply looks at every step, shows what it found to approve, and makes each
// step hold, in order. An error of approve declines the plan. approve is not
// asked when there is nothing to do or when the run may not begin.
//
// When stop is closed, the step at work ends and is confirmed, and the run
// stops there (Interrupted). When ctx ends, it stops at once.
func (e Engine) Apply(ctx context.Context, approve func(plan []StepReport) error, stop <-chan struct{}) Report {
	r := e.look(ctx)
	switch r.Result = e.resultOfLook(ctx, r); r.Result {
	case Established:
		return r
	case Changes:
	default:
		block(r.Steps, "nothing was done: "+stopReason(r))
		return r
	}
	if err := approve(r.Steps); err != nil {
		r.Result, r.Err = Declined, Fail(err)
		return r
	}
	shown := r.Steps
	if e.Hold != nil {
		release, err := e.hold(ctx)
		if err != nil {
			return e.notHeld(ctx, r, err)
		}
		defer release()
		if r = e.lookAgain(ctx, shown); r.Result != Changes {
			return r
		}
	}
	return e.work(ctx, shown, r, stop)
}

// work makes each step hold, in order. shown is what was approved, r the look
// that the work begins from.
func (e Engine) work(ctx context.Context, shown []StepReport, r Report, stop <-chan struct{}) Report {
	for i, step := range e.Steps {
		if stopped(ctx, stop) {
			r.Result, r.Err = stoppedBefore(ctx, step.Info())
			block(r.Steps[i:], "not done: "+r.Err.Message)
			return r
		}
		if err := e.before(ctx, step.Info()); err != nil {
			r.Steps[i] = failed(r.Steps[i], Finding{}, Fail(err))
			r.Result = e.resultOfStop(ctx, r.Steps[i])
			block(r.Steps[i+1:], "not done: "+err.Error())
			return r
		}
		began := time.Now()
		now := e.reconcile(ctx, step, shown[i], r.Steps[i], &r.Acted)
		now.Duration = r.Steps[i].Duration + time.Since(began)
		r.Steps[i] = now
		e.tell(Event{Kind: Completed, Info: now.Info, Step: now})
		if now.Status == Failed || now.Status == Conflict {
			r.Result = e.resultOfStop(ctx, now)
			block(r.Steps[i+1:], "not done: "+now.Info.ID+" stopped the run")
			return r
		}
	}
	r.Result = Established
	return r
}

// look is the first look at every step. A step that cannot be looked at ends
// it: what comes after could rest on what was not seen.
func (e Engine) look(ctx context.Context) Report {
	var r Report
	for i, step := range e.Steps {
		info := step.Info()
		e.tell(Event{Kind: Looking, Info: info})
		began := time.Now()
		f, err := e.inspect(ctx, step)
		s := reportOf(info, f, err)
		s.Duration = time.Since(began)
		r.Steps = append(r.Steps, s)
		e.tell(Event{Kind: Planned, Info: info, Step: s})
		if err == nil {
			continue
		}
		for _, rest := range e.Steps[i+1:] {
			r.Steps = append(r.Steps, StepReport{Info: rest.Info(), Status: Blocked, Reason: "not looked at: " + info.ID + " stopped the run"})
		}
		break
	}
	e.tell(Event{Kind: Looked, Plan: r.Steps})
	return r
}

// reconcile makes one step hold. shown is what was approved, planned what the
// look found that the work began from.
func (e Engine) reconcile(ctx context.Context, step Step, shown, planned StepReport, acted *bool) StepReport {
	f, err := e.inspect(ctx, step)
	if err != nil {
		return reportOf(planned.Info, f, err)
	}
	switch f.Status {
	case OK:
		return settled(planned, f)
	case NotNeeded, Conflict:
		return reportOf(planned.Info, f, nil)
	case WouldChange:
	default:
		return failed(planned, f, &Failure{Class: "internal", Message: "cannot be told even now: " + f.Reason})
	}
	if f.act == nil {
		return e.confirm(ctx, step, planned, f)
	}
	if shown.Status == OK {
		return stale(planned, f)
	}
	return e.act(ctx, step, planned, f, acted)
}

// act runs the act of a finding, once, and looks again.
func (e Engine) act(ctx context.Context, step Step, planned StepReport, f Finding, acted *bool) StepReport {
	e.tell(Event{Kind: Acting, Info: planned.Info, Step: reportOf(planned.Info, f, nil)})
	if err := e.record(Event{Kind: Acting, Info: planned.Info, Step: reportOf(planned.Info, f, nil)}); err != nil {
		return failed(planned, f, Fail(err))
	}
	*acted = true
	actErr := e.bounded(ctx, f.act)
	e.tell(Event{Kind: Confirm, Info: planned.Info})
	outcome := reportOf(planned.Info, f, actErr)
	_ = e.record(Event{Kind: Confirm, Info: planned.Info, Step: outcome}) // the deed is done; a full disk stops the next one
	if actErr == nil {
		return e.confirm(ctx, step, planned, f)
	}
	// The line may have dropped after the deed: only a look can tell.
	if again, err := e.inspect(ctx, step); err == nil && again.Status == OK {
		s := settled(planned, again)
		s.Changes = f.Changes
		if Fail(actErr).Class == "lock" { // others were let in meanwhile
			s.Status = OK
			s.Reason = fmt.Sprintf("%s; it holds now, and whether it was this run that made it so is not known: %s", again.Reason, actErr.Error())
			return s
		}
		s.Reason = fmt.Sprintf("%s (the act reported %q, yet it holds)", again.Reason, actErr.Error())
		return s
	}
	s := failed(planned, f, Fail(actErr))
	if s.Err.Class == "conflict" {
		s.Status, s.Reason, s.Hint = Conflict, s.Err.Message, s.Err.Hint
	}
	return s
}

// confirm looks until the step holds or its Settle has passed.
func (e Engine) confirm(ctx context.Context, step Step, planned StepReport, before Finding) StepReport {
	const first, most = 100 * time.Millisecond, 2 * time.Second
	deadline := time.Now().Add(planned.Info.Settle)
	if before.act == nil && before.after > 0 {
		if err := wait(ctx, min(before.after, planned.Info.Settle)); err != nil {
			return failed(planned, before, Fail(err))
		}
	}
	for pause := first; ; pause = min(2*pause, most) {
		forget(step)
		f, err := e.inspect(ctx, step)
		switch {
		case err != nil:
			return reportOf(planned.Info, f, err)
		case f.Status == OK:
			s := settled(planned, f)
			s.Changes = before.Changes
			return s
		case f.Status == Conflict:
			return reportOf(planned.Info, f, nil)
		}
		left := time.Until(deadline)
		if left <= 0 {
			return failed(planned, f, unconfirmed(planned.Info, f))
		}
		if err := wait(ctx, min(cmp.Or(f.after, pause), left)); err != nil {
			return failed(planned, f, Fail(err))
		}
	}
}

// inspect is one bounded look.
func (e Engine) inspect(ctx context.Context, step Step) (f Finding, err error) {
	err = e.bounded(ctx, func(ctx context.Context) error {
		f, err = step.Inspect(ctx)
		return err
	})
	return f, err
}

// bounded runs fn under the step timeout. An error of fn that came with the end
// of a context is reported as what ended that context; but at a deadline an
// error of class lock stays: it tells who was waited for.
func (e Engine) bounded(ctx context.Context, fn func(context.Context) error) error {
	stepCtx := ctx
	if e.StepTimeout > 0 {
		var cancel context.CancelFunc
		stepCtx, cancel = context.WithTimeoutCause(ctx, e.StepTimeout, timeoutError{e.StepTimeout})
		defer cancel()
	}
	err := fn(stepCtx)
	if err != nil && stepCtx.Err() != nil && !errors.Is(err, ErrNotYet) && !waited(stepCtx, err) {
		return endedError{cause: context.Cause(stepCtx), err: err}
	}
	return err
}

// waited reports whether err tells who was waited for until a deadline.
func waited(ctx context.Context, err error) bool {
	return Fail(err).Class == "lock" && !errors.Is(context.Cause(ctx), context.Canceled)
}

func (e Engine) before(ctx context.Context, next Info) error {
	if e.Before == nil {
		return nil
	}
	return e.Before(ctx, next)
}

// record puts an event on record.
func (e Engine) record(ev Event) error {
	if e.Record == nil {
		return nil
	}
	return e.Record(ev)
}

func (e Engine) tell(ev Event) {
	if e.Observe != nil {
		e.Observe(ev)
	}
}

// wait lets d pass, or returns what ended ctx.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return endedError{cause: context.Cause(ctx), err: ctx.Err()}
	}
}

func stopped(ctx context.Context, stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return ctx.Err() != nil
	}
}
