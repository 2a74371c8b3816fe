package main

import (
	"reflect"
	"slices"

	"ntl-setup/orchestrator"
)

// staleError is a plan that the world does not fit any more.
type staleError struct{ what string }

func (e staleError) Error() string {
	return "the plan is stale: " + e.what + " is not as it was shown any more; nothing was done"
}

// ErrorClass is "conflict": a person must look at what it is now.
func (staleError) ErrorClass() string { return "conflict" }

// ErrorHint says how.
func (staleError) ErrorHint() string { return "make a new plan and look at it" }

// check compares what was shown with what is found now. follows: another link of
// the same client was worked on since, by this run; then less may be left to do,
// in files that hold more, but nothing else than was shown.
func (l *savedLink) check(now []orchestrator.StepReport, follows bool) error {
	for i, s := range shownSteps(now) {
		switch {
		case i >= len(l.Steps) || l.Steps[i].ID != s.ID:
			return staleError{"the list of steps"}
		case follows && l.Steps[i].covers(s):
		case !reflect.DeepEqual(l.Steps[i], s):
			return staleError{s.ID}
		}
	}
	return nil
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
