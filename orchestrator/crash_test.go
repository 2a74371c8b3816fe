package orchestrator

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// crash is what a killed run leaves: nothing but the world.
type crash struct{}

// run applies until the end, or until the world kills it.
func run(ctx context.Context, w *world) (r Report, crashed bool) {
	defer func() {
		if e := recover(); e != nil {
			if _, ok := e.(crash); !ok {
				panic(e)
			}
			crashed = true
		}
	}()
	return Engine{Steps: w.steps()}.Apply(ctx, yes, never()), false
}

// faults are the ways in which a run can be hit at one touch of the world.
func faults(cancel context.CancelFunc) map[string]func() error {
	return map[string]func() error{
		"killed":                 func() error { panic(crash{}) },
		"dropped":                func() error { return errLine },
		"cancelled":              func() error { cancel(); return context.Canceled },
		"cancelled, answer came": func() error { cancel(); return nil },
	}
}

// TestCrashAnywhere hits a run at every observation and before and after every
// act, in each way, and demands that one plain rerun reaches the same world
// with each act done exactly once, and that a third run does nothing.
func TestCrashAnywhere(t *testing.T) {
	const n = 5
	combinations := 0
	for _, slow := range []bool{false, true} {
		for fault := range faults(nil) {
			for at := 1; ; at++ {
				hit := false
				synctest.Test(t, func(t *testing.T) { hit = crashOnce(t, n, slow, fault, at) })
				if !hit {
					break
				}
				combinations++
			}
		}
	}
	if combinations < 200 {
		t.Errorf("only %d combinations were tried", combinations)
	}
}

// crashOnce runs into one fault, reruns, and runs a third time. It reports
// whether the run ever came to that touch.
func crashOnce(t *testing.T, n int, slow bool, fault string, at int) (hit bool) {
	t.Helper()
	w := newWorld(n)
	w.slow = slow
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	strike := faults(cancel)[fault]
	w.at = func(touch int, _ string) error {
		if touch != at {
			return nil
		}
		hit = true
		return strike()
	}
	first, crashed := run(ctx, w)
	if !hit {
		return false
	}
	if !crashed && first.Result == Established && w.holds[n-1] == false {
		t.Errorf("%s at %d: reported established while the last fact does not hold", fault, at)
	}
	w.at, w.slow = nil, false
	second, _ := run(t.Context(), w)
	if second.Result != Established {
		t.Errorf("%s at %d: the rerun ended %s", fault, at, second.Result)
	}
	once := []int{1, 1, 1, 1, 1}
	if d := cmp.Diff(once, w.acts); d != "" {
		t.Errorf("%s at %d (slow %t): acts not exactly once (-want +got):\n%s", fault, at, slow, d)
	}
	third, _ := run(t.Context(), w)
	if third.Result != Established || third.Acted {
		t.Errorf("%s at %d: the third run acted (%t) or ended %s", fault, at, third.Acted, third.Result)
	}
	if d := cmp.Diff(once, w.acts); d != "" {
		t.Errorf("%s at %d: the third run acted again:\n%s", fault, at, d)
	}
	return hit
}
