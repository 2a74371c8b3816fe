package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// What a person would type goes with a difference, and with what is not known
// yet, and with nothing else.
func TestTyped(t *testing.T) {
	yet := fmt.Errorf("later: %w", ErrNotYet)
	for name, c := range map[string]struct {
		have              int
		observe, want     error
		refuse            bool
		status            Status
		typed             string // "": nothing
		withoutAct, quiet bool
	}{
		"holds":                      {have: 1, status: OK},
		"differs":                    {have: 2, status: WouldChange, typed: "2 1"},
		"differs, nothing to do":     {have: 2, status: WouldChange, typed: "2 1", withoutAct: true},
		"observe not yet":            {have: 3, observe: yet, status: Unknown, typed: "3 0"},
		"want not yet":               {have: 3, want: yet, status: Unknown, typed: "3 1"},
		"refused":                    {have: 2, refuse: true, status: Conflict},
		"could not be looked at":     {have: 2, observe: errors.New("dark")},
		"differs, nothing to type":   {have: 2, status: WouldChange, quiet: true},
		"not yet, nothing to type":   {have: 2, observe: yet, status: Unknown, quiet: true},
		"wanted could not be told":   {have: 2, want: errors.New("dark")},
		"refused, though it is held": {have: 1, refuse: true, status: Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			r := Reconcile[int]{
				Observe: func(context.Context) (int, error) { return c.have, c.observe },
				Want:    func(context.Context) (int, error) { return 1, c.want },
				Diff: func(have, want int) []Change {
					if have == want {
						return nil
					}
					return []Change{{Field: "n"}}
				},
				Refuse: func(int, int) Refusal {
					if c.refuse {
						return Refusal{Reason: "no"}
					}
					return Refusal{}
				},
				Act:   func(context.Context, int, int) error { return nil },
				Typed: func(have, want int) []Command { return []Command{{Line: fmt.Sprint(have, want)}} },
			}
			if c.withoutAct {
				r.Act = nil
			}
			if c.quiet {
				r.Typed = nil
			}
			f, err := r.Inspect(t.Context())
			if dark := c.observe != nil && !errors.Is(c.observe, ErrNotYet) || c.want != nil && !errors.Is(c.want, ErrNotYet); (err != nil) != dark || f.Status != c.status {
				t.Fatalf("%s, %v", f.Status, err)
			}
			got := ""
			for _, s := range reportOf(Info{}, f, err).Commands {
				got += s.Line
			}
			if got != c.typed {
				t.Errorf("%q, want %q", got, c.typed)
			}
		})
	}
}
