package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// ErrInterrupted: Ctrl-C was typed at a question.
var ErrInterrupted = errors.New("interrupted")

// ErrNoTerminal: there is nobody to ask.
var ErrNoTerminal = errors.New("no terminal to ask on")

// longest is the most bytes of an answer.
const longest = 1024

// farewell is how long Close waits for a question that stands.
const farewell = time.Second

// Terminal asks a person. One question at a time; Close may come at any time.
type Terminal struct {
	in  *os.File
	out io.Writer

	closing chan struct{} // closed by Close; every question ends with it

	mu     sync.Mutex
	closed bool
	hidden *term.State   // the settings to go back to while a password is asked for; else nil
	asking chan struct{} // of the last question: closed when it has ended; nil: none ever stood
}

// newTerminal is a terminal whose two ends are open.
func newTerminal(in *os.File, out io.Writer) *Terminal {
	return &Terminal{in: in, out: out, closing: make(chan struct{})}
}

// OpenTerminal opens the controlling terminal; ErrNoTerminal if there is none.
func OpenTerminal() (*Terminal, error) {
	in, out, err := openTTY()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	return newTerminal(in, out), nil
}

// Close gives the terminal back as it was, also while a question stands whose
// asker nobody waits for any more. That question ends; should it not do so
// within a second (output that is held back by Ctrl-S), it is left behind.
func (t *Terminal) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	close(t.closing)
	asking := t.asking
	t.mu.Unlock()
	if asking != nil {
		timer := time.NewTimer(farewell)
		defer timer.Stop()
		select {
		case <-asking: // it has also taken back what was typed so far
		case <-timer.C:
		}
	}
	return errors.Join(t.show(), t.in.Close())
}

// begin begins a question; end must be called.
func (t *Terminal) begin() (end func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, fmt.Errorf("ask on the terminal: %w", os.ErrClosed)
	}
	asking := make(chan struct{})
	t.asking = asking
	return func() { close(asking) }, nil
}

// hide makes the terminal show nothing of what is typed, until show.
func (t *Terminal) hide() (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return os.ErrClosed
	}
	t.hidden, err = t.control(func(fd int) (*term.State, error) { return term.MakeRaw(fd) })
	return err
}

// show brings back the settings from before hide, once.
func (t *Terminal) show() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hidden == nil {
		return nil
	}
	_, err := t.control(func(fd int) (*term.State, error) { return nil, term.Restore(fd, t.hidden) })
	t.hidden = nil
	return err
}

// Confirm asks a yes-or-no question; only y or yes is yes. What was typed before
// the question stood there is no answer to it. The end of ctx ends the question.
func (t *Terminal) Confirm(ctx context.Context, question string) (bool, error) {
	end, err := t.begin()
	if err != nil {
		return false, err
	}
	defer end()
	if t.in.SetReadDeadline(time.Now()) == nil {
		t.drain()
	}
	if _, err := io.WriteString(t.out, question); err != nil {
		return false, fmt.Errorf("ask on the terminal: %w", err)
	}
	answer, err := t.read(ctx, func() (string, error) { return cooked(t.in) })
	if err != nil {
		_, _ = io.WriteString(t.out, "\n") // the cursor stands behind the question
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}

// Secret asks for a password and shows nothing of it. The terminal's settings
// are restored in any case. ErrInterrupted on Ctrl-C; io.EOF on Ctrl-D.
func (t *Terminal) Secret(ctx context.Context, prompt string) (secret string, err error) {
	end, err := t.begin()
	if err != nil {
		return "", err
	}
	defer end()
	if err := t.hide(); err != nil {
		return "", fmt.Errorf("ask for a password: %w", err)
	}
	defer func() {
		restoreErr := t.show()
		_, _ = io.WriteString(t.out, "\n")
		if err == nil && restoreErr != nil {
			err = fmt.Errorf("restore the terminal: %w", restoreErr)
		}
	}()
	if _, err := io.WriteString(t.out, prompt); err != nil {
		return "", fmt.Errorf("ask for a password: %w", err)
	}
	return t.read(ctx, func() (string, error) { return hiddenLine(t.in) })
}

// control runs fn on the descriptor. By SyscallConn, because File.Fd would
// switch it to blocking mode, and then no deadline could end a read.
func (t *Terminal) control(fn func(fd int) (*term.State, error)) (*term.State, error) {
	raw, err := t.in.SyscallConn()
	if err != nil {
		return nil, err
	}
	var state *term.State
	var fnErr error
	err = raw.Control(func(fd uintptr) { state, fnErr = fn(int(fd)) }) //nolint:gosec // a file descriptor fits an int
	if err == nil {
		err = fnErr
	}
	return state, err
}

// read runs a reader of the terminal until it has an answer, ctx ends, or Close
// comes. Where the system has no deadline for terminals, a reader is left behind
// then; the process is about to end.
func (t *Terminal) read(ctx context.Context, reader func() (string, error)) (string, error) {
	type reply struct {
		text string
		err  error
	}
	replies := make(chan reply, 1)
	go func() {
		text, err := reader()
		replies <- reply{text, err}
	}()
	why := os.ErrClosed
	select {
	case r := <-replies:
		return r.text, r.err
	case <-ctx.Done():
		why = context.Cause(ctx)
	case <-t.closing:
	}
	if t.in.SetReadDeadline(time.Now()) == nil {
		<-replies
		t.drain()
	}
	return "", why
}

// drain takes what was typed so far: half a password must not become the answer
// to the next question, or a word in the shell.
func (t *Terminal) drain() {
	const soon = 20 * time.Millisecond
	// The deadline could be set before, so it can be set now.
	_ = t.in.SetReadDeadline(time.Now().Add(soon))
	rest := make([]byte, longest)
	for {
		if _, err := t.in.Read(rest); err != nil {
			break
		}
	}
	_ = t.in.SetReadDeadline(time.Time{})
}

// cooked reads a line that the terminal's own line editor made.
func cooked(r io.Reader) (string, error) {
	var answer []byte
	one := make([]byte, 1)
	for len(answer) < longest {
		n, err := r.Read(one)
		switch {
		case n == 1 && one[0] == '\n':
			return string(answer), nil
		case n == 1:
			answer = append(answer, one[0])
		case err != nil:
			return "", err
		}
	}
	return "", fmt.Errorf("answer longer than %d bytes", longest)
}

// Control characters that a raw terminal hands over.
const (
	ctrlC     = 0x03
	ctrlD     = 0x04
	backspace = 0x08
	ctrlU     = 0x15
	del       = 0x7f
)

// hiddenLine reads a line from a raw terminal: backspace and Ctrl-U edit, other
// control characters are ignored.
func hiddenLine(r io.Reader) (string, error) {
	var answer []byte
	one := make([]byte, 1)
	for len(answer) < longest {
		n, err := r.Read(one)
		if n == 0 {
			if err != nil {
				return "", err
			}
			continue
		}
		switch c := one[0]; {
		case c == '\r', c == '\n':
			return string(answer), nil
		case c == ctrlC:
			return "", ErrInterrupted
		case c == ctrlD:
			return "", io.EOF
		case c == backspace, c == del:
			_, size := utf8.DecodeLastRune(answer)
			answer = answer[:len(answer)-size]
		case c == ctrlU:
			answer = answer[:0]
		case c < 0x20:
		default:
			answer = append(answer, c)
		}
	}
	return "", fmt.Errorf("answer longer than %d bytes", longest)
}
