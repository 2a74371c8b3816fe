package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/transport/ssh"
)

func quiet(t *testing.T) *ui.View {
	t.Helper()
	v := ui.NewView("plan", ui.Text, ui.Stream{Writer: io.Discard}, ui.Stream{Writer: io.Discard})
	t.Cleanup(v.Close)
	return v
}

func end(name string) config.End { return config.End{Target: ssh.Target{Name: name}} }

// A login that was given up may still come to ask: after the end of the run no
// terminal is opened, which nobody would give back.
func TestNothingIsAskedAfterTheEnd(t *testing.T) {
	opened := 0
	q := newQuestions(func() (asker, error) { opened++; return &person{yes: true}, nil }, quiet(t))
	q.close()
	if _, err := q.confirm(t.Context(), "Go? "); !errors.Is(err, ui.ErrNoTerminal) || opened != 0 {
		t.Errorf("%v, opened %d times", err, opened)
	}
}

func TestPassword(t *testing.T) {
	refusals := map[string]struct {
		person *person
		open   error
		class  string
		want   string
		hint   string
	}{
		"none typed":    {person: &person{}, class: "auth", want: "no password was typed"},
		"no terminal":   {open: ui.ErrNoTerminal, class: "auth", want: "a password is wanted", hint: "--x-password-file or X_PASSWORD gives it"},
		"Ctrl-D":        {person: &person{err: io.EOF}, class: "internal", want: "EOF"},
		"Ctrl-C as key": {person: &person{err: ui.ErrInterrupted}, class: "internal", want: "interrupted"},
	}
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			q := newQuestions(func() (asker, error) { return c.person, c.open }, quiet(t))
			interrupts := 0
			q.interrupt = func() { interrupts++ }
			text, err := q.password(end("a@h:22"), "--x-password-file", "X_PASSWORD")(t.Context())
			if text != "" || err == nil {
				t.Fatalf("%q, %v", text, err)
			}
			f := orchestrator.Fail(err)
			if f.Class != c.class || !strings.Contains(f.Message, c.want) || !strings.Contains(f.Hint, c.hint) {
				t.Errorf("%+v", f)
			}
			if want := errors.Is(err, ui.ErrInterrupted); (interrupts == 1) != want {
				t.Errorf("%d interrupts", interrupts)
			}
		})
	}
	t.Run("typed", func(t *testing.T) {
		p := &person{secret: "s3cret"}
		q := newQuestions(func() (asker, error) { return p, nil }, quiet(t))
		got, err := q.password(end("a\x1b[1m@h:22"), "", "")(t.Context())
		if got != "s3cret" || err != nil || len(p.asked) != 1 || p.asked[0] != "a@h:22 password: " {
			t.Errorf("%q, %v, asked %q", got, err, p.asked)
		}
	})
	t.Run("given", func(t *testing.T) {
		env := config.Env{Getenv: func(string) string { return "s3cret" }, User: "a"}
		cfg, err := config.Flags{Client: "local", ClientAddress: "192.0.2.1", HSM: "h", Partitions: []string{"p"}, Timeout: 1, StepTimeout: 1}.Resolve(env)
		if err != nil {
			t.Fatal(err)
		}
		q := newQuestions(func() (asker, error) { return nil, errors.New("opened") }, quiet(t))
		if got, err := q.password(cfg.Links[0].HSM, "", "")(t.Context()); got != "s3cret" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// Both hosts may want a password at once: the prompts must not mix.
func TestOneQuestionAtATime(t *testing.T) {
	var mu sync.Mutex
	standing, most := 0, 0
	p := &person{secret: "x"}
	p.during = func() {
		mu.Lock()
		standing++
		most = max(most, standing)
		mu.Unlock()
		mu.Lock()
		standing--
		mu.Unlock()
	}
	opened := 0
	q := newQuestions(func() (asker, error) { opened++; return p, nil }, quiet(t))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := q.password(end("a@h:22"), "", "")(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most != 1 || opened != 1 || len(p.asked) != 8 {
		t.Errorf("%d at a time, opened %d times, asked %d times", most, opened, len(p.asked))
	}
}

func TestWaitingForATurnEnds(t *testing.T) {
	hold, standing := make(chan struct{}), make(chan struct{})
	p := &person{secret: "x", during: func() { close(standing); <-hold }}
	q := newQuestions(func() (asker, error) { return p, nil }, quiet(t))
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := q.password(end("a@h:22"), "", "")(t.Context()); err != nil {
			t.Error(err)
		}
	})
	<-standing
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the other host is down")
	cancel(cause)
	if _, err := q.password(end("b@h:22"), "", "")(ctx); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
	close(hold)
	wg.Wait()
	q.close()
	if !p.closed {
		t.Error("the terminal was not closed")
	}
}

// Both ends read the same known_hosts: what is wrong with it is said once.
func TestWarnedOnce(t *testing.T) {
	q := newQuestions(nil, nil)
	var said []string
	for range 2 {
		warn := q.once(func(text string) { said = append(said, text) })
		warn("one")
		warn("two")
	}
	if strings.Join(said, " ") != "one two" {
		t.Errorf("said %q", said)
	}
}
