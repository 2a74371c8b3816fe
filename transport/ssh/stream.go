package ssh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// stream is a command or a terminal at work. x/crypto's own reads and writes
// cannot be interrupted without the peer's help; so they happen in goroutines
// that are left behind by Close, and end when the peer answers or the
// connection ends.
type stream struct {
	conn    *conn
	session *ssh.Session
	stdin   io.WriteCloser
	stdout  *io.PipeReader
	stderr  head

	close  func()
	closed chan struct{} // closed by Close
	cut    bool          // Close came before the far side's end; valid once closed

	done   chan struct{} // closed when the peer has ended the channel
	status int           // valid then
	err    error         // valid then

	write sync.Mutex // one Write at a time, or pieces could change places
}

// Stream starts a command line without a terminal. The context bounds the
// start; Close ends the stream.
func (c *conn) Stream(ctx context.Context, line string) (transport.Stream, error) {
	return c.stream(ctx, "start a command", func(s *ssh.Session) error { return start(s, line) })
}

// Terminal starts the login shell on a pseudo-terminal. The context bounds the
// start; Close ends the terminal. The terminal type is vt100: there is no
// appliance that does not know it, and none that needs more.
func (c *conn) Terminal(ctx context.Context, cols, rows int) (transport.Stream, error) {
	return c.stream(ctx, "open a terminal", func(s *ssh.Session) error {
		if err := s.RequestPty("vt100", rows, cols, ssh.TerminalModes{ssh.ECHO: 0}); err != nil {
			return err
		}
		return s.Shell()
	})
}

func (c *conn) stream(ctx context.Context, doing string, start func(*ssh.Session) error) (transport.Stream, error) {
	s, err := c.session(ctx)
	if err != nil {
		return nil, c.fail(ctx, doing, err)
	}
	st, err := await(ctx, func() (*stream, error) { return c.begin(ctx, s, start) }, func(st *stream) { _ = st.Close() })
	if err != nil {
		c.closeSession(s)
		return nil, c.fail(ctx, doing, err)
	}
	return st, nil
}

func (c *conn) begin(ctx context.Context, s *ssh.Session, start func(*ssh.Session) error) (*stream, error) {
	st := &stream{conn: c, session: s, closed: make(chan struct{}), done: make(chan struct{})}
	var err error
	if st.stdin, err = s.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.Stderr = &st.stderr
	if err := start(s); err != nil {
		return nil, err
	}
	var out *io.PipeWriter
	st.stdout, out = io.Pipe()
	st.close = sync.OnceFunc(func() {
		select {
		case <-st.done:
		default:
			st.cut = true
		}
		close(st.closed)
		_ = st.stdout.Close() // always nil
		c.closeSession(s)
	})
	go func() {
		_, err := io.Copy(out, stdout)
		_ = out.CloseWithError(err) // always nil; a nil err is io.EOF
	}()
	go st.awaitEnd(context.WithoutCancel(ctx))
	return st, nil
}

// awaitEnd waits for the exit status and the end of standard error.
func (s *stream) awaitEnd(ctx context.Context) {
	defer close(s.done)
	s.status, s.err = s.conn.exitStatus(ctx, s.session.Wait())
}

// Read gives standard output, and what the terminal shows.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.stdout.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = transport.ErrClosed
	}
	return n, err
}

// Write feeds standard input.
func (s *stream) Write(p []byte) (int, error) {
	if s.isClosed() {
		return 0, transport.ErrClosed
	}
	own := bytes.Clone(p) // the write may be left behind, and p belongs to the caller
	var n int
	var err error
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.write.Lock()
		defer s.write.Unlock()
		n, err = s.stdin.Write(own)
	}()
	select {
	case <-written:
		if err != nil && s.isClosed() {
			err = transport.ErrClosed
		}
		return n, err
	case <-s.closed:
		return 0, transport.ErrClosed
	}
}

func (s *stream) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// CloseWrite ends standard input. It is no error if the far side has ended.
func (s *stream) CloseWrite() error {
	if err := s.stdin.Close(); err != nil && !errors.Is(err, io.EOF) {
		return s.conn.fail(context.Background(), "end the input", err)
	}
	return nil
}

// Stderr is the first 4 KiB of standard error so far.
func (s *stream) Stderr() []byte { return s.stderr.Bytes() }

// Wait waits for the end; see transport.Stream. After Close it is
// transport.ErrClosed, unless the far side had ended before.
func (s *stream) Wait() (int, error) {
	select {
	case <-s.done:
	case <-s.closed:
	}
	if s.isClosed() && s.cut {
		return -1, transport.ErrClosed
	}
	if s.err != nil {
		return -1, s.conn.fail(context.Background(), "wait for a command", s.err)
	}
	return s.status, nil
}

// Close ends the stream without waiting for the far side.
func (s *stream) Close() error {
	s.close()
	return nil
}
