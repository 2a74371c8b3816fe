package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"
)

// pseudoTerminal is a real one: the person's end, and the program's.
func pseudoTerminal(t *testing.T) (person *os.File, program *Terminal) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() }) // may be closed by the test itself
	var number, unlock uint32
	for request, arg := range map[uintptr]*uint32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlock} {
		raw, err := person.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var errno syscall.Errno
		err = raw.Control(func(fd uintptr) {
			_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(arg))) //nolint:gosec // the ioctl wants a pointer
		})
		if err != nil || errno != 0 {
			t.Fatal(err, errno)
		}
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return person, newTerminal(tty, tty)
}

// readUntil is what the program writes, up to and with some text.
func readUntil(t *testing.T, person *os.File, text string) string {
	t.Helper()
	if err := person.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	one := make([]byte, 1)
	for !strings.HasSuffix(got.String(), text) {
		if _, err := person.Read(one); err != nil {
			t.Fatalf("waiting for %q after %q: %v", text, got.String(), err)
		}
		got.Write(one)
	}
	return got.String()
}

func typeIn(t *testing.T, person *os.File, text string) {
	t.Helper()
	if _, err := io.WriteString(person, text); err != nil {
		t.Fatal(err)
	}
}

type answer struct {
	text string
	yes  bool
	err  error
}

// settings are the terminal's, to compare.
func settings(t *testing.T, program *Terminal) string {
	t.Helper()
	state, err := program.control(func(fd int) (*term.State, error) { return term.GetState(fd) })
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v", *state)
}

func TestSecretOnATerminal(t *testing.T) {
	for name, c := range map[string]struct {
		typed, want string
		err         error
	}{
		"answered":    {"correct h\x7fhorse\r", "correct horse", nil},
		"interrupted": {"corr\x03", "", ErrInterrupted},
		"ended":       {"\x04", "", io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			person, program := pseudoTerminal(t)
			before := settings(t, program)
			answers := make(chan answer, 1)
			go func() {
				text, err := program.Secret(t.Context(), "admin@h:22 password: ")
				answers <- answer{text: text, err: err}
			}()
			readUntil(t, person, "password: ")
			typeIn(t, person, c.typed)
			got := <-answers
			if got.text != c.want || !errors.Is(got.err, c.err) {
				t.Errorf("%q, %v; want %q, %v", got.text, got.err, c.want, c.err)
			}
			if shown := readUntil(t, person, "\n"); strings.Trim(shown, "\r\n") != "" {
				t.Errorf("the terminal shows %q of the answer", shown)
			}
			if after := settings(t, program); after != before {
				t.Errorf("settings not restored:\n%s\n%s", before, after)
			}
		})
	}
}

func TestSecretEndsWithItsContext(t *testing.T) {
	person, program := pseudoTerminal(t)
	before := settings(t, program)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the other host is down")
	answers := make(chan answer, 1)
	go func() {
		text, err := program.Secret(ctx, "password: ")
		answers <- answer{text: text, err: err}
	}()
	readUntil(t, person, "password: ")
	typeIn(t, person, "half of it")
	cancel(cause)
	if got := <-answers; got.text != "" || !errors.Is(got.err, cause) {
		t.Errorf("%q, %v", got.text, got.err)
	}
	if after := settings(t, program); after != before {
		t.Errorf("settings not restored:\n%s\n%s", before, after)
	}
	// The terminal is of use again, also for another question.
	go func() {
		yes, err := program.Confirm(t.Context(), "Make this change? [y/N] ")
		answers <- answer{yes: yes, err: err}
	}()
	readUntil(t, person, "[y/N] ")
	typeIn(t, person, "y\n") // nothing of the half answer stands before it
	if got := <-answers; !got.yes || got.err != nil {
		t.Errorf("%v, %v", got.yes, got.err)
	}
}

func TestConfirmOnATerminal(t *testing.T) {
	for typed, want := range map[string]bool{
		"y\n": true, "Y\n": true, "yes\n": true, " YES \n": true,
		"\n": false, "n\n": false, "no\n": false, "yess\n": false, "ja\n": false, "y n\n": false,
	} {
		t.Run(strings.TrimSpace(typed), func(t *testing.T) {
			person, program := pseudoTerminal(t)
			answers := make(chan answer, 1)
			go func() {
				yes, err := program.Confirm(t.Context(), "Go? [y/N] ")
				answers <- answer{yes: yes, err: err}
			}()
			readUntil(t, person, "[y/N] ")
			typeIn(t, person, typed)
			if got := <-answers; got.yes != want || got.err != nil {
				t.Errorf("%v, %v; want %v", got.yes, got.err, want)
			}
		})
	}
}

// What was typed before the question stood there approves nothing.
func TestTypedAheadIsNoAnswer(t *testing.T) {
	person, program := pseudoTerminal(t)
	typeIn(t, person, "y\n")
	answers := make(chan answer, 1)
	go func() {
		yes, err := program.Confirm(t.Context(), "Go? [y/N] ")
		answers <- answer{yes: yes, err: err}
	}()
	readUntil(t, person, "[y/N] ")
	typeIn(t, person, "n\n")
	if got := <-answers; got.yes || got.err != nil {
		t.Errorf("%v, %v", got.yes, got.err)
	}
}

func TestConfirmEnds(t *testing.T) {
	person, program := pseudoTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan answer, 1)
	ask := func(ctx context.Context) {
		yes, err := program.Confirm(ctx, "Go? ")
		answers <- answer{yes: yes, err: err}
	}
	go ask(ctx)
	readUntil(t, person, "Go? ")
	cancel()
	if got := <-answers; got.yes || !errors.Is(got.err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", got.yes, got.err)
	}
	readUntil(t, person, "\n")
	go ask(t.Context())
	readUntil(t, person, "Go? ")
	if err := person.Close(); err != nil { // the window is closed
		t.Fatal(err)
	}
	if got := <-answers; got.yes || got.err == nil {
		t.Errorf("hung up: %v, %v", got.yes, got.err)
	}
}

func TestStreamOnATerminal(t *testing.T) {
	_, program := pseudoTerminal(t)
	environment := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for name, c := range map[string]struct {
		env   func(string) string
		color bool
	}{
		"colour":        {environment("TERM", "xterm"), true},
		"NO_COLOR":      {environment("TERM", "xterm", "NO_COLOR", "1"), false},
		"dumb terminal": {environment("TERM", "dumb"), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewStream(program.in, c.env)
			if s.Width == 0 || s.Color != c.color {
				t.Errorf("width %d, color %v; want a width, %v", s.Width, s.Color, c.color)
			}
		})
	}
}
