package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/transport"
)

// busy is an error of a machine, for a reason to try again or for none.
func busy(kind error) error {
	e := transport.Errorf(transport.ClassConnect, "hsm", "nobody came in")
	e.Err = kind
	return e
}

// What says that it is full is tried for one wait's time; what says nothing for
// half the run at most; anything else once.
func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		good int // the attempt that succeeds; 0: none
		want time.Duration
		told bool
	}{
		"full, for good":  {err: busy(transport.ErrNoSession), want: 2 * time.Minute, told: true},
		"away, for good":  {err: busy(transport.ErrTurnedAway), want: 90 * time.Second, told: true},
		"full, then not":  {err: busy(transport.ErrNoSession), good: 4, want: 3500 * time.Millisecond, told: true},
		"away, then not":  {err: busy(transport.ErrTurnedAway), good: 3, want: 1500 * time.Millisecond, told: true},
		"something else":  {err: busy(nil)},
		"at the first go": {good: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out, said strings.Builder
				view := ui.NewView("apply", ui.Text, ui.Stream{Writer: &out}, ui.Stream{Writer: &said})
				j := job{config: config.Config{StepTimeout: 2 * time.Minute, Timeout: 3 * time.Minute}, view: view}
				began, tries := time.Now(), 0
				err := j.patiently(t.Context(), func() error {
					if tries++; tries == c.good {
						return nil
					}
					return c.err
				})
				took := time.Since(began)
				if c.good == 0 && !errors.Is(err, c.err) || c.good > 0 && err != nil {
					t.Errorf("%v", err)
				}
				if took > c.want || took < c.want-5*time.Second || c.good > 0 && took != c.want {
					t.Errorf("took %v, want %v", took, c.want)
				}
				if n := strings.Count(said.String(), "trying again"); (n == 1) != c.told || n > 1 {
					t.Errorf("told %d times: %s", n, said.String())
				}
				view.Close()
			})
		})
	}
}

func TestPatienceEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, said strings.Builder
		view := ui.NewView("apply", ui.Text, ui.Stream{Writer: &out}, ui.Stream{Writer: &said})
		defer view.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		j := job{config: config.Config{StepTimeout: 2 * time.Minute}, view: view}
		if err := j.patiently(ctx, func() error { return busy(transport.ErrNoSession) }); !errors.Is(err, transport.ErrNoSession) {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
