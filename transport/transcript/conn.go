package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"ntl-setup/transport"
)

// Runner is a Runner whose commands are on the log.
func (l *Log) Runner(r transport.Runner) transport.Runner {
	if l == nil {
		return r
	}
	return &runner{Runner: r, log: l}
}

// Conn is a connection whose channels are on the log.
func (l *Log) Conn(c transport.Conn) transport.Conn {
	if l == nil || c == nil {
		return c
	}
	at := l.channel("conn")
	at.say(started, "connected to "+c.Name())
	return &conn{Conn: c, runner: runner{Runner: c, log: l}, at: at}
}

type runner struct {
	transport.Runner

	log *Log
}

// Exec logs the line and what it is fed, then what came.
func (r *runner) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	c := r.log.channel("exec")
	c.say(started, line)
	c.whole(sent, c.withoutLibrary(withoutProgram(stdin)))
	out, err := r.Runner.Exec(ctx, line, stdin)
	c.whole(received, out.Stdout)
	c.whole(stderr, out.Stderr)
	c.result(fmt.Sprintf("status %d", out.Status), err)
	return out, err
}

type conn struct {
	transport.Conn

	runner runner
	at     channel
}

func (c *conn) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	return c.runner.Exec(ctx, line, stdin)
}

func (c *conn) Stream(ctx context.Context, line string) (transport.Stream, error) {
	at := c.at.log.channel("stream")
	at.say(started, line)
	s, err := c.Conn.Stream(ctx, line)
	return at.stream(s, err)
}

func (c *conn) Terminal(ctx context.Context, cols, rows int) (transport.Stream, error) {
	at := c.at.log.channel("terminal")
	at.say(started, fmt.Sprintf("the login shell, %d by %d", cols, rows))
	s, err := c.Conn.Terminal(ctx, cols, rows)
	return at.stream(s, err)
}

func (c *conn) Files(ctx context.Context) (transport.Files, error) {
	at := c.at.log.channel("sftp")
	f, err := c.Conn.Files(ctx)
	at.result("sftp", err)
	if err != nil {
		return f, err
	}
	return &files{Files: f, at: at}, nil
}

func (c *conn) Close() error {
	err := c.Conn.Close()
	c.at.result("closed", err)
	return err
}

// stream wraps a stream that was started, or tells that it was not.
func (c channel) stream(s transport.Stream, err error) (transport.Stream, error) {
	if err != nil {
		c.result("not started", err)
		return s, err
	}
	return &stream{Stream: s, at: c, sent: c.flow(sent), received: c.flow(received)}, nil
}

type stream struct {
	transport.Stream

	at             channel
	sent, received *flow
	close          sync.Once
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	_, _ = s.received.Write(p[:n]) // a flow fails nobody
	if err != nil {
		s.received.end()
		if !errors.Is(err, io.EOF) {
			s.at.result("reading", err)
		}
	}
	return n, err
}

// Write logs before it sends, so that a run that is killed has not said more
// than its log tells.
func (s *stream) Write(p []byte) (int, error) {
	_, _ = s.sent.Write(s.at.withoutLibrary(withoutProgram(p))) // a flow fails nobody
	n, err := s.Stream.Write(p)
	if err != nil {
		s.sent.end()
		s.at.result(fmt.Sprintf("sent %d of the last %d bytes", n, len(p)), err)
	}
	return n, err
}

func (s *stream) CloseWrite() error {
	s.sent.end()
	err := s.Stream.CloseWrite()
	s.at.result("no more is sent", err)
	return err
}

func (s *stream) Wait() (int, error) {
	status, err := s.Stream.Wait()
	s.at.result(fmt.Sprintf("status %d", status), err)
	return status, err
}

func (s *stream) Close() error {
	err := s.Stream.Close()
	s.close.Do(func() {
		s.sent.end()
		s.received.end()
		s.at.whole(stderr, s.Stderr())
		s.at.result("closed", err)
	})
	return err
}

type files struct {
	transport.Files

	at channel
}

func (f *files) ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, err := f.Files.ReadFile(ctx, name, limit)
	f.at.result(fmt.Sprintf("read %s: %d bytes", name, len(data)), err)
	f.certificate(received, data)
	return data, err
}

func (f *files) WriteFile(ctx context.Context, name string, data []byte) error {
	f.at.say(sent, fmt.Sprintf("write %s: %d bytes", name, len(data)))
	f.certificate(sent, data)
	err := f.Files.WriteFile(ctx, name, data)
	f.at.result("write "+name, err)
	return err
}

func (f *files) WriteNew(ctx context.Context, name string, data []byte) error {
	f.at.say(sent, fmt.Sprintf("write %s: %d bytes", name, len(data)))
	err := transport.WriteNew(ctx, f.Files, name, data)
	f.at.result("write "+name, err)
	return err
}

func (f *files) Close() error {
	err := f.Files.Close()
	f.at.result("closed", err)
	return err
}

// certificate logs the content of a file that is a certificate, which is no
// secret and mostly what a fault is about.
func (f *files) certificate(sign string, data []byte) {
	if bytes.Contains(data, []byte("-----BEGIN CERTIFICATE-----")) && !bytes.Contains(data, []byte("PRIVATE KEY")) {
		f.at.whole(sign, data)
	}
}
