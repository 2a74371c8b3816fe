package ssh

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// Jump is a machine that forwards a connection (direct-tcpip, RFC 4254 section
// 7.2), as `ssh -J` uses it. It is dialled like any other: with a host key check
// and a login of its own, of which the machine behind it learns nothing; nor does
// it learn anything of the login there. Options.Jump is the machine before it.
type Jump struct {
	Target  Target
	Options Options
}

// hop is an established connection to a jump host.
type hop struct {
	name   string
	client *ssh.Client
}

// dial connects to the jump host. It reaches the network in the way that is
// meant for what lies behind it, unless it has a way of its own.
func (j *Jump) dial(ctx context.Context, behind *Options) (*hop, error) {
	t, o := j.Target, j.Options
	t.Name = "jump host " + t.name()
	o.hop = true
	if o.Dial == nil {
		o.Dial = behind.Dial
	}
	client, err := dialClient(ctx, t, o)
	if err != nil {
		return nil, err
	}
	return &hop{t.Name, client}, nil
}

// through opens a connection to an address beyond. Its end is the hop's.
func (h *hop) through(ctx context.Context, address string) (net.Conn, error) {
	c, err := await(ctx, func() (net.Conn, error) { return h.client.Dial("tcp", address) }, nil)
	if err == nil {
		return &hopped{c, h.client}, nil
	}
	_ = h.client.Close() // also ends what was left behind
	if errors.Is(err, errSlow) {
		return nil, transport.Errorf(transport.ClassConnect, h.name, "%w on whether it reaches %s", err, address).
			WithHint("a firewall between the jump host and that address may drop what is sent to it; check there")
	}
	if ctx.Err() != nil {
		return nil, err
	}
	var refused *ssh.OpenChannelError
	if !errors.As(err, &refused) {
		return nil, transport.Errorf(transport.ClassConnect, h.name, "the connection was lost on the way to %s: %w", address, err)
	}
	said := transport.Printable(refused.Message)
	if refused.Reason == ssh.Prohibited || refused.Reason == ssh.UnknownChannelType {
		return nil, transport.Errorf(transport.ClassConnect, h.name, "it does not forward connections to %s (%s: %s)", address, refused.Reason, said).
			WithHint("its sshd must allow it: AllowTcpForwarding, PermitOpen and DisableForwarding decide, also those of the key or the group")
	}
	return nil, transport.Errorf(transport.ClassConnect, h.name, "it does not reach %s (%s: %s)", address, refused.Reason, said).
		WithHint("the address is looked up and connected to from the jump host: check it there, and the firewall between the two")
}

// hopped is a forwarded connection, which takes the one that it goes through
// along when it ends.
type hopped struct {
	net.Conn
	hop *ssh.Client
}

// Close ends both at once: closing the channel alone would wait for the hop.
func (c *hopped) Close() error { return c.hop.Close() }
