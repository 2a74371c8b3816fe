package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// reportOf turns the outcome of one look into a report.
func reportOf(info Info, f Finding, err error) StepReport {
	s := StepReport{Info: info, Status: f.Status, Changes: f.Changes, Reason: f.Reason, Hint: f.Hint, Undo: f.Undo, Commands: f.Commands}
	if err != nil {
		s.Status, s.Err = Failed, Fail(err)
		if s.Err.Class == "conflict" { // looking itself met what a person must decide on
			s.Status = Conflict
		}
		s.Reason, s.Hint = s.Err.Message, s.Err.Hint
		return s
	}
	if f.Status == Conflict {
		s.Err = &Failure{Class: "conflict", Message: f.Reason, Hint: f.Hint}
	}
	return s
}

// settled is the report of a step that holds now: Changed if the first look
// found otherwise, whoever of this run's acts made it so.
func settled(planned StepReport, f Finding) StepReport {
	s := reportOf(planned.Info, f, nil)
	if planned.Status != OK {
		s.Status, s.Changes = Changed, planned.Changes
	}
	return s
}

// failed is the report of a step that does not hold and will not in this run.
func failed(planned StepReport, f Finding, why *Failure) StepReport {
	s := reportOf(planned.Info, f, nil)
	s.Status, s.Err = Failed, why
	if why != nil {
		s.Reason, s.Hint = why.Message, why.Hint
	}
	return s
}

// unconfirmed says what a second look still misses.
func unconfirmed(info Info, f Finding) *Failure {
	var missing []string
	for _, c := range f.Changes {
		missing = append(missing, fmt.Sprintf("%s: %s, wanted: %s", c.Field, c.Have, c.Want))
	}
	msg := "not confirmed by looking again"
	if info.Settle > 0 {
		msg += fmt.Sprintf(" for %s", info.Settle)
	}
	if len(missing) > 0 {
		msg += ": " + strings.Join(missing, "; ")
	}
	if f.Reason != "" {
		msg += " (" + f.Reason + ")"
	}
	return &Failure{Class: "remote", Message: msg, Hint: f.Hint}
}

// block marks every step that does not hold as not done.
func block(steps []StepReport, reason string) {
	for i := range steps {
		switch steps[i].Status {
		case WouldChange, Unknown:
			steps[i].Status, steps[i].Reason = Blocked, reason
		case OK, Changed, Conflict, Failed, Blocked, NotNeeded:
		}
	}
}

// stopReason names the step that keeps a run from beginning.
func stopReason(r Report) string {
	for _, s := range r.Steps {
		if s.Status == Conflict || s.Status == Failed {
			return s.Info.ID + " stopped the run"
		}
	}
	return "the run was stopped"
}

// resultOfLook judges a first look.
func (e Engine) resultOfLook(ctx context.Context, r Report) Result {
	for _, s := range r.Steps {
		if s.Status == Failed && s.Err != nil && s.Err.Class == "auth" {
			return Unreachable // nobody was let in as far as it takes
		}
		if s.Status == Failed {
			return e.resultOfStop(ctx, s)
		}
	}
	for _, s := range r.Steps {
		if s.Status == Conflict {
			return Conflicted
		}
	}
	if r.Pending() {
		return Changes
	}
	return Established
}

// resultOfStop judges the step that stopped a run.
func (e Engine) resultOfStop(ctx context.Context, s StepReport) Result {
	switch {
	case s.Status == Conflict:
		return Conflicted
	case ctx.Err() != nil && s.Err != nil && s.Err.Class == "interrupted":
		return Interrupted
	}
	return ResFailed
}

// stoppedBefore is the outcome of a run that ended between two steps: asked to
// stop, cancelled, or out of time.
func stoppedBefore(ctx context.Context, next Info) (Result, *Failure) {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return ResFailed, &Failure{Class: "timeout", Message: fmt.Sprintf("the run's time was up before %s (%v)", next.ID, cause), Hint: "a larger --timeout gives it more; a rerun goes on from here"}
	}
	return Interrupted, &Failure{Class: "interrupted", Message: "interrupted before " + next.ID}
}

// timeoutError is the cause of a look or an act that took too long.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string      { return fmt.Sprintf("no answer within %s", e.after) }
func (e timeoutError) ErrorClass() string { return "timeout" }
func (e timeoutError) ErrorHint() string  { return "a larger --step-timeout gives it more time" }

// endedError is an error that came with the end of a context: cause is why the
// context ended, err what the work said.
type endedError struct{ cause, err error }

func (e endedError) Error() string {
	if errors.Is(e.cause, context.Canceled) {
		const before = "interrupted before it had ended"
		doing := strings.TrimSuffix(strings.TrimSuffix(e.err.Error(), context.Canceled.Error()), ": ")
		if doing == "" {
			return before
		}
		return before + ": " + doing
	}
	return fmt.Sprintf("%v: %v", e.cause, e.err)
}

func (e endedError) Unwrap() []error { return []error{e.cause, e.err} }

// ErrorClass is "interrupted" when a person ended it, else "timeout".
func (e endedError) ErrorClass() string {
	if errors.Is(e.cause, context.Canceled) {
		return "interrupted"
	}
	return "timeout"
}

// ErrorHint is that of the cause, if it has one.
func (e endedError) ErrorHint() string {
	if errors.Is(e.cause, context.Canceled) {
		return "the same command looks again and goes on from there"
	}
	var h interface{ ErrorHint() string }
	if errors.As(e.cause, &h) {
		return h.ErrorHint()
	}
	return ""
}
