package orchestrator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// holding is an engine whose Hold runs do and counts.
func holding(w *world, do func()) (Engine, *[]string) {
	var calls []string
	return Engine{
		Steps: w.steps(),
		Hold: func(context.Context) (func(), error) {
			calls = append(calls, "hold")
			do()
			return func() { calls = append(calls, "release") }, nil
		},
		Record: func(ev Event) error {
			calls = append(calls, string(ev.Kind)+" "+ev.Info.ID)
			return nil
		},
	}, &calls
}

func TestTheSiteIsHeldFromApprovalToTheLastAct(t *testing.T) {
	w := newWorld(2)
	e, calls := holding(w, func() {})
	approved := false
	r := e.Apply(t.Context(), func([]StepReport) error {
		approved = len(*calls) == 0
		return nil
	}, never())
	if r.Result != Established || !approved {
		t.Errorf("%s, approved before holding: %t", r.Result, approved)
	}
	want := []string{"hold", "acting fact-0", "confirm fact-0", "acting fact-1", "confirm fact-1", "release"}
	if d := cmp.Diff(want, *calls); d != "" {
		t.Error(d)
	}
}

func TestNothingToDoHoldsNothing(t *testing.T) {
	w := newWorld(1)
	w.holds[0] = true
	e, calls := holding(w, func() {})
	e.Apply(t.Context(), yes, never())
	e.Plan(t.Context())
	if len(*calls) != 0 {
		t.Errorf("%v", *calls)
	}
}

// Somebody else did it all while this run waited: everything holds, and none of
// it was this run's doing.
func TestSomebodyElseWasFaster(t *testing.T) {
	w := newWorld(2)
	e, _ := holding(w, func() { w.holds = []bool{true, true} })
	r := e.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{OK, OK}, statuses(r)); d != "" || r.Result != Established || r.Acted {
		t.Errorf("%s acted %t %s", r.Result, r.Acted, d)
	}
	if d := cmp.Diff([]int{0, 0}, w.acts); d != "" {
		t.Error(d)
	}
}

// Somebody else did a part of it: only the rest is done.
func TestTheRestIsDone(t *testing.T) {
	w := newWorld(2)
	e, _ := holding(w, func() { w.holds[0] = true })
	r := e.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{OK, Changed}, statuses(r)); d != "" || r.Result != Established {
		t.Error(r.Result, d)
	}
}

// Somebody else undid what held: nobody approved doing that again.
func TestTheWorldMovedWhileWaiting(t *testing.T) {
	w := newWorld(2)
	w.holds[0] = true
	e, calls := holding(w, func() { w.holds[0] = false })
	r := e.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{Conflict, Blocked}, statuses(r)); d != "" || r.Result != Conflicted || r.Acted {
		t.Errorf("%s acted %t %s", r.Result, r.Acted, d)
	}
	if d := cmp.Diff([]string{"hold", "release"}, *calls); d != "" {
		t.Error(d)
	}
}

// A difference of another kind than the one shown was not shown.
func TestAnotherDifferenceThanShown(t *testing.T) {
	w := newWorld(1)
	e, _ := holding(w, func() {})
	s := w.step(0)
	diff := s.Diff
	want := "yes"
	s.Diff = func(have, wanted bool) []Change {
		c := diff(have, wanted)
		if len(c) > 0 {
			c[0].Want = want
		}
		return c
	}
	e.Steps = []Step{s}
	r := e.Apply(t.Context(), func([]StepReport) error { want = "something else"; return nil }, never())
	if r.Result != Conflicted || w.acts[0] != 0 {
		t.Errorf("%s, acts %v", r.Result, w.acts)
	}
}

func TestHeldBySomebodyElse(t *testing.T) {
	w := newWorld(1)
	e := Engine{Steps: w.steps(), Hold: func(context.Context) (func(), error) { return nil, classed{"lock"} }}
	r := e.Apply(t.Context(), yes, never())
	if r.Result != ResFailed || r.Err == nil || r.Err.Class != "lock" || r.Steps[0].Status != Blocked || w.acts[0] != 0 {
		t.Errorf("%s %+v %v", r.Result, r.Err, statuses(r))
	}
}

// At the run's deadline an error that says who was waited for stays; one that
// says nothing is the deadline's.
func TestTheDeadlineWhileWaiting(t *testing.T) {
	for class, err := range map[string]error{"lock": classed{"lock"}, "timeout": errors.New("waiting")} {
		w := newWorld(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		e := Engine{Steps: w.steps(), Hold: func(ctx context.Context) (func(), error) { <-ctx.Done(); return nil, err }}
		r := e.Apply(ctx, yes, never())
		cancel()
		if r.Result != ResFailed || r.Err == nil || r.Err.Class != class || w.acts[0] != 0 {
			t.Errorf("%s: %s %+v", class, r.Result, r.Err)
		}
	}
}

func TestInterruptedWhileWaiting(t *testing.T) {
	w := newWorld(1)
	ctx, cancel := context.WithCancel(t.Context())
	e := Engine{Steps: w.steps(), Hold: func(ctx context.Context) (func(), error) { cancel(); return nil, ctx.Err() }}
	if r := e.Apply(ctx, yes, never()); r.Result != Interrupted || w.acts[0] != 0 {
		t.Errorf("%s", r.Result)
	}
}

// What cannot be put on record is not done.
func TestAFullDiskStopsBeforeTheAct(t *testing.T) {
	w := newWorld(2)
	full := errors.New("no space left on device")
	e := Engine{Steps: w.steps(), Record: func(ev Event) error {
		if ev.Info.ID == "fact-1" {
			return full
		}
		return nil
	}}
	r := e.Apply(t.Context(), yes, never())
	if d := cmp.Diff([]Status{Changed, Failed}, statuses(r)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{1, 0}, w.acts); d != "" {
		t.Error(d)
	}
}

// The record tells what came of an act, also of one that failed.
func TestTheRecordTellsTheOutcome(t *testing.T) {
	w := newWorld(1)
	w.at = func(_ int, what string) error {
		if what == "before fact-0" {
			return errLine
		}
		return nil
	}
	var last Event
	e := Engine{Steps: w.steps(), Record: func(ev Event) error { last = ev; return nil }}
	e.Apply(t.Context(), yes, never())
	if last.Kind != Confirm || last.Step.Err == nil || last.Step.Err.Message != errLine.Error() {
		t.Errorf("%+v", last)
	}
}
