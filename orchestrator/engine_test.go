package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func statuses(r Report) []Status {
	var all []Status
	for _, s := range r.Steps {
		all = append(all, s.Status)
	}
	return all
}

func TestPlanNeverActs(t *testing.T) {
	w := newWorld(3)
	w.holds[0] = true
	r := Engine{Steps: w.steps()}.Plan(t.Context())
	if d := cmp.Diff([]Status{OK, WouldChange, Unknown}, statuses(r)); d != "" {
		t.Error(d)
	}
	if r.Result != Changes || r.Acted || !r.Pending() {
		t.Errorf("result %s, acted %t, pending %t", r.Result, r.Acted, r.Pending())
	}
	if d := cmp.Diff([]int{0, 0, 0}, w.acts); d != "" {
		t.Error("plan acted:", d)
	}
	if want := []Change{{Field: "fact-1", Have: "no", Want: "yes"}}; !slices.Equal(want, r.Steps[1].Changes) {
		t.Errorf("changes %v", r.Steps[1].Changes)
	}
}

func TestApplyReportsChangedOnceConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(3)
		w.holds[0], w.slow = true, true
		w.shown[0] = true
		asked := 0
		r := Engine{Steps: w.steps()}.Apply(t.Context(), func(plan []StepReport) error {
			asked++
			if len(plan) != 3 || plan[1].Status != WouldChange {
				t.Errorf("shown: %v", plan)
			}
			return nil
		}, never())
		if d := cmp.Diff([]Status{OK, Changed, Changed}, statuses(r)); d != "" {
			t.Error(d)
		}
		if r.Result != Established || !r.Acted || asked != 1 {
			t.Errorf("result %s, acted %t, asked %d", r.Result, r.Acted, asked)
		}
	})
}

func TestApplyOfASettledWorldAsksNothing(t *testing.T) {
	w := newWorld(2)
	w.holds = []bool{true, true}
	r := Engine{Steps: w.steps()}.Apply(t.Context(), func([]StepReport) error {
		t.Error("asked although there is nothing to do")
		return nil
	}, never())
	if r.Result != Established || r.Acted {
		t.Errorf("result %s, acted %t", r.Result, r.Acted)
	}
}

func TestDeclinedDoesNothing(t *testing.T) {
	w := newWorld(2)
	r := Engine{Steps: w.steps()}.Apply(t.Context(), func([]StepReport) error { return errors.New("no") }, never())
	if r.Result != Declined || r.Acted || r.Err == nil || w.acts[0] != 0 {
		t.Errorf("%+v, acts %v", r, w.acts)
	}
}

// A conflict anywhere, also in the last step, stops the run before its first act.
func TestConflictStopsBeforeTheFirstAct(t *testing.T) {
	w := newWorld(2)
	refusing := w.step(0)
	refusing.Meta.ID = "refusing"
	refusing.Refuse = func(_, _ bool) Refusal { return Refusal{Reason: "taken by web10", Hint: "--name"} }
	r := Engine{Steps: append(w.steps(), refusing)}.Apply(t.Context(), func([]StepReport) error {
		t.Error("asked")
		return nil
	}, never())
	if d := cmp.Diff([]Status{Blocked, Blocked, Conflict}, statuses(r)); d != "" {
		t.Error(d)
	}
	last := r.Steps[2]
	if r.Result != Conflicted || r.Acted || last.Err == nil || last.Err.Class != "conflict" || last.Hint != "--name" {
		t.Errorf("%s %+v", r.Result, last)
	}
	if len(last.Changes) == 0 {
		t.Error("the conflict hides its difference")
	}
}

type classed struct{ class string }

func (c classed) Error() string      { return "class " + c.class }
func (c classed) ErrorClass() string { return c.class }
func (c classed) ErrorHint() string  { return "do this" }

func TestFailureWhileLookingBlocksTheRest(t *testing.T) {
	w := newWorld(3)
	w.holds = []bool{true, true, false}
	w.at = func(touch int, _ string) error {
		if touch == 2 {
			return classed{"protocol"}
		}
		return nil
	}
	r := Engine{Steps: w.steps()}.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{OK, Failed, Blocked}, statuses(r)); d != "" {
		t.Error(d)
	}
	if e := r.Steps[1].Err; r.Result != ResFailed || e.Class != "protocol" || e.Hint != "do this" {
		t.Errorf("%s %+v", r.Result, e)
	}
	if w.touch != 2 {
		t.Errorf("looked %d times", w.touch)
	}
}

func TestFailedActStopsAndSaysWhatWasDone(t *testing.T) {
	w := newWorld(3)
	w.at = func(_ int, what string) error {
		if what == "before fact-1" {
			return classed{"remote"}
		}
		return nil
	}
	r := Engine{Steps: w.steps()}.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{Changed, Failed, Blocked}, statuses(r)); d != "" {
		t.Error(d)
	}
	if r.Result != ResFailed || !strings.Contains(r.Steps[2].Reason, "fact-1") {
		t.Errorf("%s, blocked because %q", r.Result, r.Steps[2].Reason)
	}
}

// The answer of an act may be lost after the deed.
func TestLostAnswerIsLookedAtOnceMore(t *testing.T) {
	w := newWorld(1)
	w.at = func(_ int, what string) error {
		if what == "after fact-0" {
			return errLine
		}
		return nil
	}
	r := Engine{Steps: w.steps()}.Apply(t.Context(), yes, never())
	if s := r.Steps[0]; s.Status != Changed || !strings.Contains(s.Reason, errLine.Error()) {
		t.Errorf("%s %q", s.Status, s.Reason)
	}
}

// Whoever lost the lock in an act was not alone: what holds then is not said to
// be this run's work.
func TestWhatHoldsWithoutTheLockMayBeAnothersWork(t *testing.T) {
	w := newWorld(2)
	w.at = func(_ int, what string) error {
		if what == "after fact-0" || what == "before fact-1" {
			return classed{"lock"}
		}
		return nil
	}
	r := Engine{Steps: w.steps()}.Apply(t.Context(), yes, never())
	if s := r.Steps[0]; s.Status != OK || !strings.Contains(s.Reason, "it holds now, and whether it was this run") || len(s.Changes) == 0 || !r.Acted {
		t.Errorf("%s %q", s.Status, s.Reason)
	}
	if s := r.Steps[1]; s.Status != Failed || r.Result != ResFailed {
		t.Errorf("%s: %s %q", r.Result, s.Status, s.Reason)
	}
}

func TestConflictFoundByTheActIsAConflict(t *testing.T) {
	w := newWorld(2)
	w.at = func(_ int, what string) error {
		if what == "before fact-1" {
			return classed{"conflict"}
		}
		return nil
	}
	r := Engine{Steps: w.steps()}.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{Changed, Conflict}, statuses(r)); d != "" {
		t.Error(d)
	}
	if r.Result != Conflicted || r.Steps[1].Hint != "do this" {
		t.Errorf("%s %+v", r.Result, r.Steps[1])
	}
}

// What held when it was shown is not acted on later: nobody approved that.
func TestAStepThatWasShownInOrderIsNotActedOn(t *testing.T) {
	w := newWorld(2)
	w.holds[1] = true
	free := w.step(1)
	free.Observe = func(context.Context) (bool, error) { return w.holds[1], nil }
	w.at = func(_ int, what string) error {
		if what == "after fact-0" {
			w.holds[1] = false
		}
		return nil
	}
	r := Engine{Steps: []Step{w.step(0), free}}.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{Changed, Conflict}, statuses(r)); d != "" {
		t.Error(d)
	}
	if w.acts[1] != 0 {
		t.Error("acted on what was shown in order")
	}
}

func TestUnconfirmedActFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		s := w.step(0)
		forgot := 0
		s.Forgets = func() { forgot++ }
		s.Act = func(context.Context, bool, bool) error { return nil } // claims success, does nothing
		began := time.Now()
		r := Engine{Steps: []Step{s}}.Apply(t.Context(), yes, never())
		if r.Result != ResFailed || !strings.Contains(r.Steps[0].Err.Message, "fact-0: no, wanted: yes") {
			t.Errorf("%s %+v", r.Result, r.Steps[0].Err)
		}
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("settled for %s, want the step's own second", took)
		}
		if forgot < 3 {
			t.Errorf("looked anew only %d times", forgot)
		}
	})
}

// A gate has no act: the engine looks until it holds, or Settle has passed.
func TestGateIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		gate := w.step(0)
		gate.Act = nil
		looks := 0
		gate.Observe = func(context.Context) (bool, error) { looks++; return looks > 3, nil }
		r := Engine{Steps: []Step{gate}}.Apply(t.Context(), yes, never())
		if r.Result != Established || r.Steps[0].Status != Changed || r.Acted {
			t.Errorf("%s %s acted %t", r.Result, r.Steps[0].Status, r.Acted)
		}
	})
}

// What is known to last is waited for in one piece, and not past Settle.
func TestLastsIsWaitedForAtOnce(t *testing.T) {
	for _, c := range []struct {
		lasts, took time.Duration
		looks       int
		result      Result
	}{
		{10 * time.Second, 10 * time.Second, 3, Established}, // the plan, the step, and at its end
		{time.Hour, time.Minute, 3, ResFailed},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, looks := time.Now(), 0
			gate := newWorld(1).step(0)
			gate.Act, gate.Meta.Settle = nil, time.Minute
			gate.Lasts = func(_, _ bool) time.Duration { return c.lasts - time.Since(began) }
			gate.Observe = func(context.Context) (bool, error) { looks++; return time.Since(began) >= c.lasts, nil }
			r := Engine{Steps: []Step{gate}}.Apply(t.Context(), yes, never())
			if took := time.Since(began); r.Result != c.result || looks != c.looks || took != c.took {
				t.Errorf("%s after %v and %d looks", r.Result, took, looks)
			}
		})
	}
}

func TestWaitsSuppressesTheAct(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		s := w.step(0)
		s.Waits = func(_, _ bool) bool { return true }
		r := Engine{Steps: []Step{s}}.Apply(t.Context(), yes, never())
		if r.Result != ResFailed || w.acts[0] != 0 {
			t.Errorf("%s, acts %v", r.Result, w.acts)
		}
	})
}

func TestNotApplicable(t *testing.T) {
	w := newWorld(2)
	s := w.step(1)
	s.Applies = func() bool { return false }
	r := Engine{Steps: []Step{w.step(0), s}}.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{Changed, NotNeeded}, statuses(r)); d != "" || r.Result != Established {
		t.Error(d, r.Result)
	}
}

func TestStepTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := newWorld(1).step(0)
		hang.Observe = func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() }
		r := Engine{Steps: []Step{hang}, StepTimeout: time.Minute}.Plan(t.Context())
		if e := r.Steps[0].Err; r.Result != ResFailed || e.Class != "timeout" || !strings.Contains(e.Hint, "--step-timeout") {
			t.Errorf("%s %+v", r.Result, e)
		}
	})
}

func TestStopEndsAfterTheCurrentStep(t *testing.T) {
	w := newWorld(3)
	stop := make(chan struct{})
	w.at = func(_ int, what string) error {
		if what == "before fact-0" {
			close(stop)
		}
		return nil
	}
	r := Engine{Steps: w.steps()}.Apply(t.Context(), yes, stop)
	if d := cmp.Diff([]Status{Changed, Blocked, Blocked}, statuses(r)); d != "" {
		t.Error(d)
	}
	if r.Result != Interrupted || r.Err == nil || r.Err.Class != "interrupted" {
		t.Errorf("%s %+v", r.Result, r.Err)
	}
}

func TestRunDeadlineIsATimeoutNotAnInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		hang := newWorld(1).step(0)
		hang.Observe = func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() }
		r := Engine{Steps: []Step{hang}}.Plan(ctx)
		if r.Result != ResFailed || r.Steps[0].Err.Class != "timeout" {
			t.Errorf("%s %+v", r.Result, r.Steps[0].Err)
		}
	})
}

func TestRunDeadlineBetweenTwoSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := newWorld(2)
		slow := w.step(0)
		act := slow.Act
		slow.Act = func(_ context.Context, have, want bool) error {
			late := time.NewTimer(2 * time.Second)
			<-late.C
			return act(t.Context(), have, want)
		}
		r := Engine{Steps: []Step{slow, w.step(1)}}.Apply(ctx, yes, never())
		if r.Result != ResFailed || r.Err == nil || r.Err.Class != "timeout" || r.Steps[1].Status != Blocked {
			t.Errorf("%s %+v %v", r.Result, r.Err, statuses(r))
		}
	})
}

func TestEventsComeInOrder(t *testing.T) {
	w := newWorld(2)
	w.holds[0] = true
	var got []string
	Engine{Steps: w.steps(), Observe: func(e Event) {
		got = append(got, strings.TrimSpace(string(e.Kind)+" "+e.Info.ID))
	}}.Apply(t.Context(), yes, never())
	want := []string{
		"looking fact-0", "planned fact-0", "looking fact-1", "planned fact-1", "looked",
		"completed fact-0", "acting fact-1", "confirm fact-1", "completed fact-1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFail(t *testing.T) {
	if f := Fail(errors.New("x")); f.Class != "internal" || f.Message != "x" {
		t.Errorf("%+v", f)
	}
	if f := Fail(classed{"auth"}); f.Class != "auth" || f.Hint != "do this" {
		t.Errorf("%+v", f)
	}
}

// What a Ctrl-C cut off is told as a sentence, with what to do next.
func TestInterruptedInASentence(t *testing.T) {
	for want, err := range map[string]error{
		"interrupted before it had ended: root@h:22: run a command": fmt.Errorf("root@h:22: run a command: %w", context.Canceled),
		"interrupted before it had ended":                           context.Canceled,
		"interrupted before it had ended: it broke":                 errors.New("it broke"),
	} {
		f := Fail(endedError{cause: context.Canceled, err: err})
		if f.Message != want || f.Class != "interrupted" || f.Hint != "the same command looks again and goes on from there" {
			t.Errorf("%+v, want %q", f, want)
		}
	}
}

// At a deadline, an error that names who was waited for stays what it is.
func TestTheEndOfAWaitInALook(t *testing.T) {
	for want, err := range map[string]error{"lock": classed{"lock"}, "timeout": classed{"remote"}} {
		w := newWorld(1)
		s := w.step(0)
		s.Observe = func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, err }
		r := Engine{Steps: []Step{s}, StepTimeout: time.Millisecond}.Plan(t.Context())
		if r.Result != ResFailed || r.Steps[0].Err == nil || r.Steps[0].Err.Class != want {
			t.Errorf("%s: %s %+v", want, r.Result, r.Steps[0].Err)
		}
	}
}

// letIn is an error of logging in.
type letIn struct{ error }

func (letIn) ErrorClass() string { return "auth" }

// Who is not let in as far as a step needs is not a host's failure: the first look
// ends as unreachable, and what comes after is blocked.
func TestALookThatIsNotLetIn(t *testing.T) {
	w := newWorld(3)
	w.at = func(_ int, what string) error {
		if what == "observe fact-1" {
			return letIn{errLine}
		}
		return nil
	}
	for name, r := range map[string]Report{
		"plan":  Engine{Steps: w.steps()}.Plan(t.Context()),
		"apply": Engine{Steps: w.steps()}.Apply(t.Context(), yes, never()),
	} {
		if r.Result != Unreachable || r.Acted || r.Steps[1].Status != Failed || r.Steps[2].Status != Blocked {
			t.Errorf("%s: %s %+v", name, r.Result, r.Steps)
		}
	}
}
