package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

const (
	// keepAlive is how often an idle connection is asked whether it lives, and
	// how long the answer may take: below the idle limits of firewalls.
	keepAlive = 15 * time.Second
	// maxOutput bounds what a command may print, on each of its two streams.
	maxOutput = 16 << 20
)

// conn is one connection.
type conn struct {
	name   string
	client *ssh.Client
	stop   context.CancelFunc // ends the keep-alive
	idle   chan struct{}      // closed when it has ended

	mu    sync.Mutex
	lost  error     // why the connection was given up here; nil if it was not
	freed time.Time // when a session of ours ended last
}

func newConn(ctx context.Context, name string, client *ssh.Client) *conn {
	// The context of the dialling ends the dialling.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &conn{name: name, client: client, stop: stop, idle: make(chan struct{})}
	go func() {
		defer close(c.idle)
		c.keepAlive(ctx)
	}()
	return c
}

// Name is the Target's.
func (c *conn) Name() string { return c.name }

// Close ends the connection and everything on it.
func (c *conn) Close() error {
	c.stop()
	err := c.client.Close()
	<-c.idle
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		return transport.Errorf(transport.ClassConnect, c.name, "close the connection: %w", err)
	}
	return nil
}

func (c *conn) keepAlive(ctx context.Context) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := c.ping(ctx); err != nil {
			if ctx.Err() == nil {
				c.giveUp(err)
			}
			return
		}
	}
}

// ping asks the peer for any answer at all.
func (c *conn) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, keepAlive, errors.New("the machine does not answer any more"))
	defer cancel()
	_, err := await(ctx, func() (bool, error) {
		ok, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil)
		return ok, err
	}, nil)
	return err
}

// giveUp closes a connection whose peer is gone, which ends what waits for it.
func (c *conn) giveUp(cause error) {
	c.mu.Lock()
	if c.lost == nil {
		c.lost = cause
	}
	c.mu.Unlock()
	_ = c.client.Close() // it is dead
}

func (c *conn) lostCause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// fail words an error of a channel: the context's end, a lost connection, or
// what else it was.
func (c *conn) fail(ctx context.Context, doing string, err error) error {
	if e := ended(ctx, c.name, doing); e != nil {
		return e
	}
	if lost := c.lostCause(); lost != nil {
		return transport.Errorf(transport.ClassConnect, c.name, "%s: connection lost: %w", doing, lost)
	}
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) {
		e := transport.Errorf(transport.ClassConnect, c.name, "%s: the machine refuses another channel (%s): %s",
			doing, refused.Reason, transport.Printable(refused.Message)).
			WithHint("it may allow fewer sessions at a time; close others")
		if e.Err = err; refused.Reason != ssh.UnknownChannelType {
			e.Err = errors.Join(transport.ErrNoSession, err)
		}
		return e
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) { // which tell people nothing
		e := transport.Errorf(transport.ClassConnect, c.name, "%s: connection lost", doing)
		e.Err = err
		return e
	}
	return transport.Errorf(transport.ClassConnect, c.name, "%s: %w", doing, err)
}

// start starts a command line; the error of a refusal does not repeat the line.
func start(s *ssh.Session, line string) error {
	err := s.Start(line)
	if err != nil && !errors.Is(err, io.EOF) {
		return errors.New("the machine refuses to run commands")
	}
	return err
}

// Exec runs a command line to its end; see transport.Runner. Each output stream
// may have 16 MiB (transport.ErrTooLarge beyond). When the context ends, what
// was said until then comes with the error.
func (c *conn) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	const doing = "run a command"
	none := transport.Output{Status: -1}
	s, err := c.session(ctx)
	if err != nil {
		return none, c.fail(ctx, doing, err)
	}
	defer c.closeSession(s)

	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := func() { cancel(transport.ErrTooLarge) }
	stdout, stderr := &limited{limit: maxOutput, over: over}, &limited{limit: maxOutput, over: over}
	s.Stdout, s.Stderr = stdout, stderr
	in, err := s.StdinPipe()
	if err != nil {
		return none, c.fail(ctx, doing, err)
	}
	if _, err := await(inner, func() (none struct{}, _ error) { return none, start(s, line) }, nil); err != nil {
		return none, c.fail(ctx, doing, err)
	}
	// A command may end before it has read all: its status tells, not the write.
	go func() {
		_, _ = in.Write(stdin)
		_ = in.Close()
	}()
	_, err = await(inner, func() (none struct{}, _ error) { return none, s.Wait() }, nil)
	out := transport.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Status: -1}
	if errors.Is(context.Cause(inner), transport.ErrTooLarge) {
		return out, transport.Errorf(transport.ClassProtocol, c.name, "the command's output: %w", transport.ErrTooLarge)
	}
	if out.Status, err = c.exitStatus(ctx, err); err != nil {
		return out, c.fail(ctx, doing, err)
	}
	return out, nil
}

// exitStatus turns the error of a wait into a status. A channel that ended
// without one may have been closed by the peer, or be a casualty of the
// connection: the peer is asked.
func (c *conn) exitStatus(ctx context.Context, err error) (int, error) {
	var exit *ssh.ExitError
	var missing *ssh.ExitMissingError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit) && exit.Signal() != "":
		return -1, nil
	case errors.As(err, &exit):
		return exit.ExitStatus(), nil
	case errors.As(err, &missing):
		if err := c.ping(ctx); err != nil {
			return -1, fmt.Errorf("connection lost: %w", err)
		}
		return -1, nil
	}
	return -1, err
}
