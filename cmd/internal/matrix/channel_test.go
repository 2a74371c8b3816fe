package matrix

import (
	"context"
	"io"
	"sync"
	"time"

	"ntl-setup/fixtures/faults"
	"ntl-setup/fixtures/luna"
	"ntl-setup/transport"
)

// channel is the near end of a channel in memory.
type channel struct {
	conn     *conn
	inR      *io.PipeReader // what the program sends
	inW      *io.PipeWriter
	outR     *io.PipeReader // what the appliance sends
	outW     *io.PipeWriter
	ended    chan struct{}
	once     sync.Once
	dribbles bool // of the far end alone
}

func newChannel(c *conn) *channel {
	ch := &channel{conn: c, ended: make(chan struct{})}
	ch.inR, ch.inW = io.Pipe()
	ch.outR, ch.outW = io.Pipe()
	return ch
}

func (ch *channel) Read(p []byte) (int, error)  { return ch.outR.Read(p) }
func (ch *channel) Write(p []byte) (int, error) { return ch.inW.Write(p) }
func (ch *channel) CloseWrite() error           { return ch.inW.Close() }
func (ch *channel) Stderr() []byte              { return nil }

func (ch *channel) Wait() (int, error) {
	<-ch.ended
	return 0, nil
}

// Close is the program's end of a channel.
func (ch *channel) Close() error {
	ch.cut()
	return ch.outR.Close()
}

// cut ends the channel; what was sent before is still read, as pipes do.
func (ch *channel) cut() {
	ch.once.Do(func() { close(ch.ended) })
	_ = ch.outW.Close()
	_ = ch.inR.CloseWithError(io.EOF)
	_ = ch.inW.Close()
}

// writeCloser keeps sftp from closing more than the input.
type writeCloser struct{ ch *channel }

func (w writeCloser) Write(p []byte) (int, error) { return w.ch.Write(p) }
func (w writeCloser) Close() error                { return w.ch.CloseWrite() }

// farEnd is the appliance's end.
type farEnd struct{ ch *channel }

func (f farEnd) Read(p []byte) (int, error) { return f.ch.inR.Read(p) }

func (f farEnd) Close() error {
	f.ch.cut()
	return nil
}

// Write carries bytes to the program, with the faults of the wire.
func (f farEnd) Write(p []byte) (int, error) {
	ch := f.ch
	if ch.conn.net.isGone() {
		<-ch.ended
		return 0, luna.ErrDropped
	}
	at, what := ch.conn.inject.Carry(len(p))
	if what == "" {
		return ch.send(p)
	}
	if n, err := ch.send(p[:at]); err != nil {
		return n, err
	}
	switch what {
	case faults.Stall:
		<-ch.ended
		return at, luna.ErrDropped
	case faults.Dribble:
		ch.dribbles = true
		return ch.send(p[at:])
	default:
		ch.conn.cut()
		return at, luna.ErrDropped
	}
}

func (ch *channel) send(p []byte) (int, error) {
	if !ch.dribbles {
		return ch.outW.Write(p)
	}
	for n := range p {
		pass(crumb)
		if _, err := ch.outW.Write(p[n : n+1]); err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// pass lets time go by.
func pass(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	<-t.C
}

// network is what both connections of a run have in common: the laptop.
type network struct {
	mu   sync.Mutex
	gone bool
	cuts []func()
}

func (n *network) onCut(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts = append(n.cuts, f)
}

// cut ends all connections, as the death of the program does.
func (n *network) cut() {
	n.mu.Lock()
	cuts := n.cuts
	n.mu.Unlock()
	for _, f := range cuts {
		f()
	}
}

// vanish silences all connections.
func (n *network) vanish() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = true
}

func (n *network) isGone() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.gone
}

// reach waits for as long as ctx lasts where the network is gone.
func (n *network) reach(ctx context.Context, host string) error {
	if !n.isGone() {
		return nil
	}
	return silence(ctx, host)
}

func silence(ctx context.Context, host string) error {
	<-ctx.Done()
	return transport.Errorf(transport.ClassTimeout, host, "no answer: %w", context.Cause(ctx))
}
