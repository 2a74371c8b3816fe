package transport

import (
	"context"
	"errors"
	"net"
)

// What a Dialer's failure means.
var (
	// ErrNoForwarding: the machine does not let its users reach further from it
	// (sshd's AllowTcpForwarding no, PermitOpen, or a server that knows no such
	// channel). It says nothing about the address that was asked for.
	ErrNoForwarding = errors.New("the machine does not forward connections")
	// ErrUnreached: the machine tried the address and did not get through.
	ErrUnreached = errors.New("not reached")
)

// Dialer opens TCP connections from a machine: what it resolves, routes and
// filters counts, and not what this one does. A Conn may be one.
type Dialer interface {
	// DialFrom connects to "host:port" as seen from the machine. The context
	// bounds the start; what was opened ends with its Close. ErrNoForwarding where
	// the machine does not do that for anybody; ErrUnreached (class connect, with
	// the machine's own words) where it tried and failed; any other error tells
	// nothing about the address.
	DialFrom(ctx context.Context, address string) (net.Conn, error)
}
