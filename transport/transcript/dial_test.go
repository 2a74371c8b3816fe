package transcript

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"ntl-setup/transport"
)

// gate is a peer that can be dialled from.
type gate struct {
	*peer

	far net.Conn
	err error
}

func (g *gate) DialFrom(context.Context, string) (net.Conn, error) { return g.far, g.err }

// That somebody was reached from there is on the log, and why not.
func TestDialFromIsLogged(t *testing.T) {
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	for name, c := range map[string]struct {
		conn transport.Conn
		err  error
		says string
	}{
		"reached":     {&gate{peer: &peer{}, far: near}, nil, "connected"},
		"not reached": {&gate{peer: &peer{}, err: transport.ErrUnreached}, transport.ErrUnreached, "connected: not reached"},
		"no dialer":   {&peer{}, transport.ErrNoForwarding, "not started: the machine does not forward connections"},
	} {
		m := &memory{}
		conn := logTo(m).Conn(c.conn)
		got, err := conn.(transport.Dialer).DialFrom(t.Context(), "192.0.2.20:1792")
		if !errors.Is(err, c.err) || (err == nil) != (got == near) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if said := m.said(); !strings.Contains(said, "from there to 192.0.2.20:1792") || !strings.Contains(said, c.says) {
			t.Errorf("%s: %s", name, said)
		}
	}
}
