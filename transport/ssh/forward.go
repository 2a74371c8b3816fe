package ssh

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// DialFrom opens a TCP connection from the machine, by a channel of type
// direct-tcpip (RFC 4254, 7.2); see transport.Dialer. Deadlines cannot be set on
// what it returns; its Close ends a Read that waits.
func (c *conn) DialFrom(ctx context.Context, address string) (net.Conn, error) {
	doing := "reach " + address + " from there"
	raw, err := await(ctx, func() (net.Conn, error) { return c.client.DialContext(ctx, "tcp", address) },
		func(late net.Conn) { _ = late.Close() })
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) && ctx.Err() == nil {
		return nil, c.unreached(doing, refused)
	}
	if err != nil {
		return nil, c.fail(ctx, doing, err)
	}
	return newTunnel(raw), nil
}

// unreached words the refusal of a channel to another machine. OpenSSH answers
// "connect failed" with the system's words when it tried, and "administratively
// prohibited" when it may not.
func (c *conn) unreached(doing string, refused *ssh.OpenChannelError) error {
	if refused.Reason == ssh.Prohibited || refused.Reason == ssh.UnknownChannelType {
		return transport.Errorf(transport.ClassConnect, c.name, "%s: %w (%s)", doing,
			transport.ErrNoForwarding, transport.Printable(refused.Message))
	}
	words := transport.Printable(refused.Message)
	if words == "" {
		words = refused.Reason.String()
	}
	e := &transport.Error{Class: transport.ClassConnect, Host: c.name, Message: doing + ": " + words, Err: refused}
	if refused.Reason == ssh.ConnectionFailed {
		e.Err = errors.Join(transport.ErrUnreached, refused)
	}
	return e
}

// tunnel is a forwarded connection whose Close does not wait for the peer. A
// Read of x/crypto's own waits until the peer has agreed to the end, or the
// whole connection is over; so that happens in a goroutine.
type tunnel struct {
	net.Conn

	in    *io.PipeReader
	close sync.Once
}

func newTunnel(raw net.Conn) *tunnel {
	in, out := io.Pipe()
	go func() {
		_, err := io.Copy(out, raw)
		_ = out.CloseWithError(err) // nil is the end of the stream
	}()
	return &tunnel{Conn: raw, in: in}
}

// Read reads what the far side sent; net.ErrClosed after a Close.
func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.in.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = net.ErrClosed
	}
	return n, err
}

// Close ends the connection; it may be called twice.
func (t *tunnel) Close() error {
	t.close.Do(func() {
		_ = t.in.CloseWithError(net.ErrClosed)
		go func() { _ = t.Conn.Close() }() // the wire to a dead peer may be full
	})
	return nil
}
