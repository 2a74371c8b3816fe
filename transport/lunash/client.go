package lunash

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ntl-setup/transport"
)

// Options are the bounds of a conversation; zero values mean the defaults.
type Options struct {
	// CommandTimeout bounds one command, from its first byte (and, where a shell
	// must be opened for it, from that) to its prompt, and one file transfer.
	// Default two minutes.
	CommandTimeout time.Duration
	// Patience bounds the waiting for a session, to open a shell or to copy a
	// file, while the appliance has none to give. Default half of CommandTimeout, which bounds it too.
	Patience time.Duration
	// SettleQuiet is the silence after which a prompt without a trailer counts
	// as the end of a reply; what looks like a question is given twenty times
	// that, an empty reply forty times. Default 150 ms.
	SettleQuiet time.Duration
	// MaxReply bounds one reply, in bytes. Default 1 MiB: some thousands of
	// clients.
	MaxReply int64
}

func (o Options) withDefaults() Options {
	if o.CommandTimeout <= 0 {
		o.CommandTimeout = 2 * time.Minute
	}
	if o.Patience <= 0 {
		o.Patience = o.CommandTimeout / 2
	}
	if o.SettleQuiet <= 0 {
		o.SettleQuiet = 150 * time.Millisecond
	}
	if o.MaxReply <= 0 {
		o.MaxReply = 1 << 20
	}
	return o
}

// New makes an Appliance of a connection, which stays the caller's. Nothing is
// sent before the first call; the first command opens a shell, and so does the
// first after one that failed. No command that changes anything is ever sent
// twice by itself.
//
// Calls may come from several goroutines: commands wait for each other, file
// transfers run beside them. Errors are *ReplyError (the appliance's own words)
// and *transport.Error (everything before and around them).
func New(conn transport.Conn, o Options) Appliance {
	return newAppliance(conn, o, newMatcher)
}

func newAppliance(conn transport.Conn, o Options, m func() (matcher, error)) *appliance {
	a := &appliance{conn: conn, o: o.withDefaults(), newMatcher: m, turn: make(chan struct{}, 1)}
	a.files.conn = conn
	return a
}

type appliance struct {
	conn       transport.Conn
	o          Options
	newMatcher func() (matcher, error)
	turn       chan struct{} // holds a token while a command is at work
	files      copier
	single     atomic.Bool  // the appliance gives one session at a time
	mute       atomic.Bool  // copies end without a reason, however long one waits
	entered    atomic.Bool  // there was a shell on this connection
	trailers   atomic.Int32 // whether replies end with a trailer

	mu     sync.Mutex
	shell  *shell
	closed bool
}

// Name is how the user wrote the appliance.
func (a *appliance) Name() string { return a.conn.Name() }

// Close ends the shell, and with it a command that is at work; a login that is
// under way ends with its context.
func (a *appliance) Close() error {
	a.mu.Lock()
	s := a.shell
	a.shell, a.closed = nil, true
	a.mu.Unlock()
	if s != nil {
		s.close()
	}
	return nil
}

// Clients is `client list`.
func (a *appliance) Clients(ctx context.Context) ([]string, error) {
	return read(ctx, a, clientList, Cmd("client", "list"), ParseClients)
}

// Client is `client show`.
func (a *appliance) Client(ctx context.Context, name string) (Client, error) {
	line := Cmd("client", "show").Flag("-client", name)
	return read(ctx, a, clientShow, line, func(text string) (Client, error) {
		c, err := ParseClient(text)
		if err == nil && c.Name != name {
			return Client{}, notUnderstood("description of client "+name, text)
		}
		return c, err
	})
}

// Fingerprint is `client fingerprint`.
func (a *appliance) Fingerprint(ctx context.Context, name string) (Digest, error) {
	return read(ctx, a, clientFingerprint, FingerprintLine(name), ParseDigest)
}

// Partitions is `partition list`.
func (a *appliance) Partitions(ctx context.Context) ([]Partition, error) {
	return read(ctx, a, partitionList, Cmd("partition", "list"), ParsePartitions)
}

// Register is `client register`.
func (a *appliance) Register(ctx context.Context, r Registration) error {
	return a.change(ctx, clientRegister, RegisterLine(r))
}

// Assign is `client assignPartition`.
func (a *appliance) Assign(ctx context.Context, client, partition string) error {
	return a.change(ctx, clientAssign, AssignLine(client, partition))
}

// change runs a command that must be proved.
func (a *appliance) change(ctx context.Context, v verb, line Line) error {
	r, err := a.run(ctx, line)
	if err != nil {
		return err
	}
	return r.confirm(a.Name(), line, v)
}

// Whether an appliance ends its replies with a trailer, as far as it was seen.
const (
	trailersUnknown int32 = iota
	trailersShown
	trailersNever
)

// read runs a command whose answer is proved by its shape, and by its trailer
// where the appliance gives one. An answer that lacks it may be the beginning of
// one: it is asked for once more, on a fresh shell, and nothing is concluded from
// two of them. Of an appliance that never shows one, the shape has to do.
func read[T any](ctx context.Context, a *appliance, v verb, line Line, parse func(string) (T, error)) (T, error) {
	taken := a.trailers.Load() == trailersNever
	answer, r, err := readOnce(ctx, a, v, line, parse)
	if taken && a.trailers.Load() == trailersShown { // so what was taken for whole may not be
		var none T
		return none, transport.Errorf(transport.ClassProtocol, a.Name(),
			"'%s' was answered with a Command Result, and what was asked before it without one, twice: that may not have been whole", line).
			WithHint(notWholeHint)
	}
	if r.code != noTrailer || saidNo(err) || a.trailers.Load() == trailersNever {
		return answer, err
	}
	answer, r, err = readOnce(ctx, a, v, line, parse)
	if r.code != noTrailer || saidNo(err) || a.trailers.CompareAndSwap(trailersUnknown, trailersNever) {
		return answer, err
	}
	var none T
	return none, transport.Errorf(transport.ClassProtocol, a.Name(),
		"'%s': the answer ended twice without its Command Result, so it may not be whole: %s", line, shorten(r.text)).
		WithHint(notWholeHint)
}

const notWholeHint = "nothing is concluded from it; run again, and if it stays so, look at what the appliance answers by hand"

// saidNo reports whether err is the appliance's own refusal, which may lack a
// trailer.
func saidNo(err error) bool {
	var refusal *ReplyError
	return errors.As(err, &refusal)
}

// readOnce is one answer. Of an exchange that failed there is nothing to ask
// again.
func readOnce[T any](ctx context.Context, a *appliance, v verb, line Line, parse func(string) (T, error)) (T, reply, error) {
	var none T
	r, err := a.run(ctx, line)
	if err != nil {
		return none, reply{}, err
	}
	if r.refused() {
		return none, r, r.fail(a.Name(), line, v, nil)
	}
	answer, err := parse(r.text)
	if err == nil {
		return answer, r, nil
	}
	// An appliance may refuse in words alone: "Unknown command" and no trailer.
	if refusal := r.fail(a.Name(), line, v, nil); refusal.Kind != nil {
		return none, r, refusal
	}
	var shape *transport.Error
	if errors.As(err, &shape) {
		shape.Host, shape.Message = a.Name(), "'"+line.String()+"': "+shape.Message
	}
	return none, r, err
}

// run sends a line when its turn has come.
func (a *appliance) run(ctx context.Context, line Line) (reply, error) {
	if err := line.Err(); err != nil {
		return reply{}, err
	}
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return reply{}, transport.Errorf(transport.ClassTimeout, a.Name(), "'%s' was not sent: %w", line, context.Cause(ctx))
	}
	defer func() { <-a.turn }()
	ctx, cancel := a.limit(ctx)
	defer cancel()
	s, err := a.ready(ctx)
	if err != nil {
		return reply{}, err
	}
	r, err := s.run(ctx, line)
	if err != nil || r.code == noTrailer {
		a.drop(s)
	} else {
		a.trailers.Store(trailersShown)
	}
	return r, err
}

// limit gives one command, or transfer, its deadline.
func (a *appliance) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, a.o.CommandTimeout, noEndError{a.o.CommandTimeout})
}

// noEndError is the cause of a deadline that came before the end of an answer.
type noEndError struct{ after time.Duration }

func (e noEndError) Error() string { return fmt.Sprintf("no end within %v", e.after) }
func (e noEndError) Unwrap() error { return context.DeadlineExceeded }

// ready is a shell that waits at its prompt: the present one, or a fresh one.
func (a *appliance) ready(ctx context.Context) (*shell, error) {
	a.mu.Lock()
	s := a.shell
	a.mu.Unlock()
	if s != nil {
		if s.idle(ctx) {
			return s, nil
		}
		a.drop(s)
	}
	if a.isClosed() {
		return nil, transport.Errorf(transport.ClassConnect, a.Name(), "%w", transport.ErrClosed)
	}
	err := patiently(ctx, a.o.Patience, a.wantsShell, func() (err error) {
		s, err = a.openShell(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	a.entered.Store(true)
	a.files.learn(softwareVersion(s.banner))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		s.close()
		return nil, transport.Errorf(transport.ClassConnect, a.Name(), "%w", transport.ErrClosed)
	}
	a.shell = s
	return s, nil
}

func (a *appliance) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// drop gives a shell up.
func (a *appliance) drop(s *shell) {
	s.close()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shell == s {
		a.shell = nil
	}
}
