package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/transport"
	"ntl-setup/transport/redact"
)

// questions asks on the terminal, which is opened when it is first needed. One
// question at a time: both hosts may want a password at the same moment.
type questions struct {
	open      func() (asker, error)
	view      *ui.View
	secrets   *redact.Set // learns every password; nil: nobody wants to know
	variables []string    // of the environment, that hold passwords besides the usual ones
	interrupt func()      // what a Ctrl-C does that the terminal handed over as a key
	turn      chan struct{}

	mu       sync.Mutex
	warned   map[string]bool // what was said once
	terminal asker
	closed   bool // no terminal is opened any more
}

func newQuestions(open func() (asker, error), view *ui.View) *questions {
	return &questions{open: open, view: view, interrupt: func() {}, warned: map[string]bool{}, turn: make(chan struct{}, 1)}
}

// once says each warning a single time in the run: several connections read the
// same files of this machine.
func (q *questions) once(warn func(string)) func(string) {
	return func(text string) {
		q.mu.Lock()
		said := q.warned[text]
		q.warned[text] = true
		q.mu.Unlock()
		if !said {
			warn(text)
		}
	}
}

// ready opens the terminal.
func (q *questions) ready() error {
	_, err := q.someone()
	return err
}

// someone is who can be asked.
func (q *questions) someone() (asker, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.terminal != nil:
		return q.terminal, nil
	case q.closed:
		return nil, ui.ErrNoTerminal
	}
	t, err := q.open()
	if err == nil {
		q.terminal = t
	}
	return t, err
}

// close gives the terminal back as it was, also while a question stands: a login
// that was given up may have asked it. None is asked any more.
func (q *questions) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.terminal != nil {
		_ = q.terminal.Close() // nothing was written that could be lost
	}
}

// ask waits for its turn and asks.
func (q *questions) ask(ctx context.Context, question func(asker) error) error {
	select {
	case q.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-q.turn }()
	person, err := q.someone()
	if err != nil {
		return err
	}
	err = q.view.Ask(func() error { return question(person) })
	if errors.Is(err, ui.ErrInterrupted) {
		q.interrupt()
	}
	return err
}

// somebody makes sure, before anything is connected, that there is a person to
// ask where one will be asked.
func somebody(name command, cfg config.Config, ask *questions) error {
	if name != apply || cfg.Yes || len(cfg.Links) == 0 {
		return nil
	}
	if err := ask.ready(); err != nil {
		return transport.Errorf(transport.ClassConfig, "", "apply asks before it changes anything: %w", err).
			WithHint("-y applies without asking; ntl-setup plan only looks")
	}
	return nil
}

func (q *questions) confirm(ctx context.Context, question string) (yes bool, err error) {
	err = q.ask(ctx, func(t asker) error {
		yes, err = t.Confirm(ctx, question)
		return err
	})
	return yes, err
}

// alike says that a password is asked for more hosts than one.
func alike(others int) string {
	switch others {
	case 0:
		return ""
	case 1:
		return " (and one more host)"
	}
	return fmt.Sprintf(" (and %d more hosts)", others)
}

// password is where the password of one end comes from: what was given, else
// the terminal. Its errors name no host, for hosts of one account share it.
func (q *questions) password(end config.End, flag, variable string) func(context.Context) (string, error) {
	return func(ctx context.Context) (text string, err error) {
		if end.Password != nil {
			return end.Password.Reveal(), nil
		}
		if end.Command != nil {
			return q.fromCommand(ctx, end)
		}
		err = q.ask(ctx, func(t asker) error {
			text, err = t.Secret(ctx, transport.Printable(end.Name())+alike(end.Others)+" password: ")
			return err
		})
		if errors.Is(err, ui.ErrNoTerminal) {
			return "", transport.Errorf(transport.ClassAuth, "", "a password is wanted: %w", err).
				WithHint("%s or %s gives it; -i gives a key instead", flag, variable)
		}
		if err == nil && text == "" {
			// An empty password would cost one of the few attempts before a lock-out.
			return "", transport.Errorf(transport.ClassAuth, "", "no password was typed, and none was tried")
		}
		q.secrets.Add(text)
		return text, err
	}
}
