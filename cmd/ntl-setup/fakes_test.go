package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
)

// person is somebody at a terminal, who notes what was asked.
type person struct {
	yes    bool
	secret string
	err    error
	during func() // runs while the question stands

	mu     sync.Mutex
	asked  []string
	closed bool
}

func (p *person) note(question string) {
	p.mu.Lock()
	p.asked = append(p.asked, question)
	p.mu.Unlock()
	if p.during != nil {
		p.during()
	}
}

func (p *person) Confirm(_ context.Context, question string) (bool, error) {
	p.note(question)
	return p.yes, p.err
}

func (p *person) Secret(_ context.Context, prompt string) (string, error) {
	p.note(prompt)
	return p.secret, p.err
}

func (p *person) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// world is the fact that a test's one step keeps.
type world struct {
	holds    bool
	conflict string
	lookErr  error
	actErr   error
	during   func(ctx context.Context) error // runs in the act
	acted    int
}

func (w *world) step(number int, id string) orchestrator.Step {
	return orchestrator.Reconcile[bool]{
		Meta:    orchestrator.Info{Number: number, ID: id, Title: id, Host: orchestrator.OnClient},
		Observe: func(ctx context.Context) (bool, error) { return w.holds, errors.Join(w.lookErr, ctx.Err()) },
		Want:    func(context.Context) (bool, error) { return true, nil },
		Diff: func(have, want bool) []orchestrator.Change {
			if have == want {
				return nil
			}
			return []orchestrator.Change{{Field: id, Have: "no", Want: "yes"}}
		},
		Refuse: func(bool, bool) orchestrator.Refusal {
			return orchestrator.Refusal{Reason: w.conflict, Hint: "decide"}
		},
		Act: func(ctx context.Context, _, _ bool) error {
			w.acted++
			if w.during != nil {
				if err := w.during(ctx); err != nil {
					return err
				}
			}
			w.holds = w.actErr == nil
			return w.actErr
		},
	}
}

// bench is an app around worlds, with a person at the terminal.
type bench struct {
	app     *app
	person  *person
	signals chan os.Signal
	out     strings.Builder
	err     strings.Builder
	ran     int
	jobs    []job
}

// newBench is a program whose only link has one step for each world.
func newBench(t *testing.T, worlds ...*world) *bench {
	t.Helper()
	b := &bench{person: &person{}, signals: make(chan os.Signal, 2)}
	b.app = &app{
		out:     ui.Stream{Writer: &b.out},
		err:     ui.Stream{Writer: &b.err},
		env:     config.Env{Getenv: func(string) string { return "" }, User: "alex", State: t.TempDir()},
		openTTY: func() (asker, error) { return b.person, nil },
		signals: b.signals, patience: patience{full: time.Second, away: time.Second, pause: time.Second},
		run: func(ctx context.Context, j job) ui.Outcome {
			b.ran++
			b.jobs = append(b.jobs, j)
			o := j.outcome()
			var steps []orchestrator.Step
			for i, w := range worlds {
				steps = append(steps, w.step(i+1, "step-"+string(rune('a'+i))))
			}
			o.Report = j.work(ctx, orchestrator.Engine{Steps: steps, Observe: j.view.Observe, StepTimeout: j.config.StepTimeout})
			return o
		},
	}
	return b
}

// link is the shortest right command line, with more words.
func link(more ...string) []string {
	return append([]string{"--client", "root@192.0.2.10", "--hsm", "admin@192.0.2.20", "--partition", "part1"}, more...)
}

func (b *bench) main(t *testing.T, args ...string) int {
	t.Helper()
	return b.app.main(t.Context(), args)
}
