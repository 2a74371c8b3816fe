package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// world is a chain of facts, each made by one step and each (but the first)
// resting on the one before. It counts every touch and can fail at any of them.
type world struct {
	holds []bool
	acts  []int // how often each act took effect
	touch int   // observations and act borders so far
	// at is called at every touch with its number; what it returns is returned
	// to the engine, and it may panic.
	at func(touch int, what string) error
	// slow: a fact shows only at the second look after its act.
	slow  bool
	shown []bool
}

func newWorld(n int) *world {
	return &world{holds: make([]bool, n), acts: make([]int, n), shown: make([]bool, n)}
}

var errLine = errors.New("the line dropped")

func (w *world) touched(what string) error {
	w.touch++
	if w.at == nil {
		return nil
	}
	return w.at(w.touch, what)
}

func (w *world) steps() []Step {
	var all []Step
	for i := range w.holds {
		all = append(all, w.step(i))
	}
	return all
}

func (w *world) step(i int) Reconcile[bool] {
	id := fmt.Sprintf("fact-%d", i)
	return Reconcile[bool]{
		Meta: Info{Number: i + 1, ID: id, Host: OnClient, Settle: time.Second},
		Observe: func(context.Context) (bool, error) {
			if err := w.touched("observe " + id); err != nil {
				return false, err
			}
			if i > 0 && !w.holds[i-1] {
				return false, fmt.Errorf("needs fact-%d: %w", i-1, ErrNotYet)
			}
			if w.slow && w.holds[i] && !w.shown[i] {
				w.shown[i] = true
				return false, nil
			}
			return w.holds[i], nil
		},
		Want: func(context.Context) (bool, error) { return true, nil },
		Diff: func(have, want bool) []Change {
			if have == want {
				return nil
			}
			return []Change{{Field: id, Have: "no", Want: "yes"}}
		},
		Act: func(context.Context, bool, bool) error {
			if err := w.touched("before " + id); err != nil {
				return err
			}
			w.holds[i] = true
			w.acts[i]++
			return w.touched("after " + id)
		},
	}
}

func yes([]StepReport) error { return nil }

func never() <-chan struct{} { return nil }
