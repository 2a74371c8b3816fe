package ui

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Whoever asked may be waited for no more: Close ends the question, gives back
// the settings, and nothing is asked after it.
func TestCloseWhileAPasswordIsAskedFor(t *testing.T) {
	person, program := pseudoTerminal(t)
	raw, err := program.in.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	before := settings(t, program)
	answers := make(chan answer, 1)
	go func() {
		text, err := program.Secret(t.Context(), "password: ")
		answers <- answer{text: text, err: err}
	}()
	readUntil(t, person, "password: ")
	if settings(t, program) == before {
		t.Error("what is typed is shown")
	}
	typeIn(t, person, "half of it")
	other := secondLook(t, program)
	if err := program.Close(); err != nil {
		t.Fatal(err)
	}
	if after := settings(t, other); after != before {
		t.Errorf("settings not restored:\n%s\n%s", before, after)
	}
	if got := <-answers; got.text != "" || !errors.Is(got.err, os.ErrClosed) {
		t.Errorf("%q, %v", got.text, got.err)
	}
	if err := raw.Control(func(uintptr) {}); err == nil {
		t.Error("the terminal is still open")
	}
	for range 2 {
		if _, err := program.Secret(t.Context(), "password: "); !errors.Is(err, os.ErrClosed) {
			t.Errorf("asked after the end: %v", err)
		}
		if _, err := program.Confirm(t.Context(), "Go? "); !errors.Is(err, os.ErrClosed) {
			t.Errorf("asked after the end: %v", err)
		}
		if err := program.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	}
	if after := settings(t, other); after != before {
		t.Error("a question after the end changed the terminal")
	}
}

func TestCloseWhileAnApprovalIsAskedFor(t *testing.T) {
	person, program := pseudoTerminal(t)
	answers := make(chan answer, 1)
	go func() {
		yes, err := program.Confirm(t.Context(), "Go? ")
		answers <- answer{yes: yes, err: err}
	}()
	readUntil(t, person, "Go? ")
	if err := program.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-answers; got.yes || !errors.Is(got.err, os.ErrClosed) {
		t.Errorf("%v, %v", got.yes, got.err)
	}
}

// A terminal that takes no output (Ctrl-S) must not keep the run from ending.
func TestCloseOnATerminalThatIsHeld(t *testing.T) {
	_, program := pseudoTerminal(t)
	before := settings(t, program)
	out := stuck{make(chan struct{}), make(chan struct{})}
	program.out = out
	answers := make(chan answer, 1)
	go func() {
		_, err := program.Secret(t.Context(), "password: ")
		answers <- answer{err: err}
	}()
	<-out.reached
	other := secondLook(t, program)
	if err := program.Close(); err != nil {
		t.Fatal(err)
	}
	if after := settings(t, other); after != before {
		t.Errorf("settings not restored:\n%s\n%s", before, after)
	}
	close(out.released)
	if got := <-answers; got.err == nil {
		t.Error("an answer out of nothing")
	}
	if settings(t, other) != before {
		t.Error("what was left behind changed the terminal")
	}
}

// stuck is an output that says that it was reached, and takes nothing until it is
// released.
type stuck struct{ reached, released chan struct{} }

func (s stuck) Write(p []byte) (int, error) {
	select {
	case s.reached <- struct{}{}:
	case <-s.released:
	}
	<-s.released
	return len(p), nil
}

// secondLook is the same terminal, opened once more.
func secondLook(t *testing.T, program *Terminal) *Terminal {
	t.Helper()
	if !strings.HasPrefix(program.in.Name(), "/dev/pts/") {
		t.Fatalf("%s is no terminal", program.in.Name())
	}
	tty, err := os.OpenFile(program.in.Name(), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() }) // nothing was written
	return newTerminal(tty, tty)
}
