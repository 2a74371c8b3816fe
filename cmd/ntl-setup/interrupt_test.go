package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
)

// Ctrl-C while a step acts: it ends, is confirmed, and no other begins.
func TestFirstInterruptLetsTheActEnd(t *testing.T) {
	second := &world{}
	var b *bench
	first := &world{during: func(ctx context.Context) error {
		b.signals <- os.Interrupt
		<-b.jobs[0].interrupted.stop
		return ctx.Err() // it must not be cut off
	}}
	b = newBench(t, first, second)
	if got := b.main(t, link("-y")...); got != 130 {
		t.Errorf("exit %d, want 130", got)
	}
	if !first.holds || second.acted != 0 {
		t.Errorf("first holds: %v; second acted: %d times", first.holds, second.acted)
	}
	for _, want := range []string{"done:      step-a", "not done:  step-b", "One change was made"} {
		if !strings.Contains(b.out.String(), want) {
			t.Errorf("no %q:\n%s", want, b.out.String())
		}
	}
	if !strings.Contains(b.err.String(), "once more stops at once") {
		t.Errorf("the second way is not told:\n%s", b.err.String())
	}
}

func TestSecondInterruptStopsAtOnce(t *testing.T) {
	var b *bench
	w := &world{during: func(ctx context.Context) error {
		b.signals <- os.Interrupt
		b.signals <- os.Interrupt
		<-ctx.Done()
		return ctx.Err()
	}}
	b = newBench(t, w)
	if got := b.main(t, link("-y", "-o", "json")...); got != 130 {
		t.Errorf("exit %d, want 130\n%s", got, b.err.String())
	}
	if d := document(t, b); d.Result != orchestrator.Interrupted {
		t.Errorf("result %s", d.Result)
	}
}

// Looking may be cut off anywhere, so there one Ctrl-C is enough.
func TestOneInterruptEndsALook(t *testing.T) {
	for _, name := range []string{"plan", "apply"} {
		b := newBench(t, &world{})
		inner := b.app.run
		b.app.run = func(ctx context.Context, j job) ui.Outcome {
			b.signals <- os.Interrupt
			<-ctx.Done()
			return inner(ctx, j)
		}
		if got := b.main(t, append([]string{name}, link("-o", "json")...)...); got != 130 {
			t.Errorf("%s: exit %d, want 130\n%s", name, got, b.err.String())
		}
		if d := document(t, b); d.Result != orchestrator.Interrupted {
			t.Errorf("%s: result %s", name, d.Result)
		}
	}
}

func TestInterruptAtTheQuestion(t *testing.T) {
	for name, err := range map[string]error{
		"as a key":    ui.ErrInterrupted,
		"as a signal": context.Canceled,
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			b := newBench(t, w)
			b.person.err = err
			if got := b.main(t, link("-o", "json")...); got != 130 || w.acted != 0 {
				t.Errorf("exit %d, want 130; %d acts", got, w.acted)
			}
			if d := document(t, b); d.Result != orchestrator.Interrupted || d.Links[0].Error.Class != "interrupted" {
				t.Errorf("%+v", d)
			}
		})
	}
}
