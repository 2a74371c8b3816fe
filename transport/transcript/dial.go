package transcript

import (
	"context"
	"net"

	"ntl-setup/transport"
)

// DialFrom reaches further from the machine, if the connection can, and logs
// that it did. What passes on such a connection is not on the log: it is not
// with this machine.
func (c *conn) DialFrom(ctx context.Context, address string) (net.Conn, error) {
	at := c.at.log.channel("tcp")
	at.say(started, "from there to "+address)
	d, ok := c.Conn.(transport.Dialer)
	if !ok {
		at.result("not started", transport.ErrNoForwarding)
		return nil, transport.ErrNoForwarding
	}
	far, err := d.DialFrom(ctx, address)
	at.result("connected", err)
	return far, err
}
