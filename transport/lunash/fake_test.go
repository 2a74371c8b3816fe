package lunash

import (
	"bufio"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/transport"
)

// fakeConn is a connection in memory. Its terminals are played by scripts, one
// after the other; the last one is played again for every further terminal.
type fakeConn struct {
	scripts []script
	stream  func(line string) (transport.Stream, error)
	files   func() (transport.Files, error)

	mu     sync.Mutex
	opened int
	cols   int
	heard  []string // every line that any terminal was sent
}

// script plays the appliance's side of one terminal, in a goroutine of its own.
// When it returns the session ends; so does it when the session is closed.
type script func(t *terminal)

func (c *fakeConn) Name() string { return "admin@hsm.test:22" }

func (c *fakeConn) Exec(context.Context, string, []byte) (transport.Output, error) {
	return transport.Output{}, errors.New("fake: no exec")
}

func (c *fakeConn) Close() error { return nil }

func (c *fakeConn) Terminal(_ context.Context, cols, _ int) (transport.Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.scripts) == 0 {
		return nil, errors.New("fake: channel refused")
	}
	play := c.scripts[min(c.opened, len(c.scripts)-1)]
	c.opened++
	c.cols = cols
	return startTerminal(play, c.note), nil
}

func (c *fakeConn) Stream(_ context.Context, line string) (transport.Stream, error) {
	if c.stream == nil {
		return nil, errors.New("fake: exec refused")
	}
	return c.stream(line)
}

func (c *fakeConn) Files(context.Context) (transport.Files, error) {
	if c.files == nil {
		return nil, transport.ErrNoSFTP
	}
	return c.files()
}

func (c *fakeConn) note(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, line)
}

func (c *fakeConn) lines() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.heard...)
}

func (c *fakeConn) terminals() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened
}

// terminal is both ends of a session: a transport.Stream for the code under
// test, say and hear for the script.
type terminal struct {
	outR *io.PipeReader
	outW *io.PipeWriter
	inR  *io.PipeReader
	inW  *io.PipeWriter
	in   *bufio.Reader
	note func(string)
	done chan struct{} // the script has ended
	gone chan struct{} // the session was closed
	once sync.Once
	err  string // standard error
}

func startTerminal(play script, note func(string)) *terminal {
	t := &terminal{note: note, done: make(chan struct{}), gone: make(chan struct{})}
	t.outR, t.outW = io.Pipe()
	t.inR, t.inW = io.Pipe()
	t.in = bufio.NewReader(t.inR)
	go func() {
		defer close(t.done)
		defer t.outW.Close()
		defer t.inR.Close()
		play(t)
	}()
	return t
}

func (t *terminal) Read(p []byte) (int, error)  { return t.outR.Read(p) }
func (t *terminal) Write(p []byte) (int, error) { return t.inW.Write(p) }
func (t *terminal) CloseWrite() error           { return t.inW.Close() }
func (t *terminal) Stderr() []byte              { return []byte(t.err) }

func (t *terminal) Wait() (int, error) {
	<-t.done
	return 0, nil
}

func (t *terminal) Close() error {
	t.once.Do(func() { close(t.gone) })
	t.outR.Close()
	t.inW.Close()
	return nil
}

// say writes text; once the session is closed it ends the script.
func (t *terminal) say(text string) {
	if text == "" {
		return
	}
	if _, err := io.WriteString(t.outW, text); err != nil {
		runtime.Goexit()
	}
}

// hear waits for a line; once the session is closed it ends the script.
func (t *terminal) hear() string {
	line, err := t.in.ReadString('\n')
	if err != nil {
		if line != "" && t.note != nil {
			t.note(line)
		}
		runtime.Goexit()
	}
	line = strings.TrimSuffix(line, "\n")
	if t.note != nil {
		t.note(line)
	}
	return line
}

// pause lets (fake) time go by.
func (t *terminal) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.gone:
		runtime.Goexit()
	}
}

// hang waits for the end of the session.
func (t *terminal) hang() {
	for {
		t.hear()
	}
}

const hsmPrompt = "[hsm] lunash:>"

// answer is a script that logs in and gives one reply, word for word, to the
// first command, and then another to the next, and so on.
func answer(replies ...string) script {
	return func(t *terminal) {
		t.say(hsmPrompt)
		for _, r := range replies {
			t.hear()
			t.say(r)
		}
		t.hang()
	}
}

// open makes an appliance of scripts and closes it at the end of the test.
func open(t *testing.T, m func() (matcher, error), o Options, scripts ...script) (*appliance, *fakeConn) {
	t.Helper()
	conn := &fakeConn{scripts: scripts}
	a := newAppliance(conn, o, m)
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return a, conn
}

// classOf is the error class of an error, as reports show it.
func classOf(err error) string {
	var c interface{ ErrorClass() string }
	if errors.As(err, &c) {
		return c.ErrorClass()
	}
	return "none"
}
