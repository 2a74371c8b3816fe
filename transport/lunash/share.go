package lunash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"ntl-setup/transport"
)

// Share makes one Appliance serve many links at once: over one session, and with
// what is the same for all of them (`client list`, `partition list`,
// `client hostip show`, server.pem, and of an Inspector its clock and how it
// checks addresses) read once.
//
// The list of clients is kept up to date by what is registered through it. After
// a change that failed, or may have, what it touches is read anew. So a reader
// may miss what somebody else did meanwhile: the appliance itself refuses a name
// or an address that is taken, and every registration is confirmed by
// `client show`, which is never remembered.
//
// What only reads is asked once more where the session turned out to be closed.
//
// Close does nothing: the session is the owner's of the Appliance given here.
func Share(a Appliance) Appliance {
	return &shared{
		Appliance: a, clients: newOnce[[]string](), partitions: newOnce[[]Partition](),
		hostIPs: newOnce[[]HostIP](), server: newOnce[[]byte](),
		clock: newOnce[clockReading](), ipCheck: newOnce[bool](),
	}
}

type shared struct {
	Appliance
	clients    *once[[]string]
	partitions *once[[]Partition]
	hostIPs    *once[[]HostIP]
	server     *once[[]byte]
	clock      *once[clockReading]
	ipCheck    *once[bool]
}

// serverFile is the appliance's own certificate, the same for every user.
const serverFile = "server.pem"

func (s *shared) Close() error { return nil }

func (s *shared) Clients(ctx context.Context) ([]string, error) {
	names, err := s.clients.get(ctx, again(s.Appliance.Clients))
	return slices.Clone(names), err
}

func (s *shared) Partitions(ctx context.Context) ([]Partition, error) {
	rows, err := s.partitions.get(ctx, again(s.Appliance.Partitions))
	return slices.Clone(rows), err
}

func (s *shared) HostIPs(ctx context.Context) ([]HostIP, error) {
	rows, err := s.hostIPs.get(ctx, again(s.Appliance.HostIPs))
	return slices.Clone(rows), err
}

// Client is `client show`.
func (s *shared) Client(ctx context.Context, name string) (Client, error) {
	return again(func(ctx context.Context) (Client, error) { return s.Appliance.Client(ctx, name) })(ctx)
}

// Fingerprint is `client fingerprint`.
func (s *shared) Fingerprint(ctx context.Context, name string) (Digest, error) {
	return again(func(ctx context.Context) (Digest, error) { return s.Appliance.Fingerprint(ctx, name) })(ctx)
}

// again asks once more, over a fresh session, where the one that many links share
// turned out to be closed: some appliances give a session so many commands and no
// more. It is for questions alone; a command that changes something is never sent
// twice.
func again[T any](ask func(context.Context) (T, error)) func(context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		answer, err := ask(ctx)
		if ctx.Err() != nil || !errors.Is(err, transport.ErrClosed) ||
			errors.Is(err, transport.ErrTurnedAway) || errors.Is(err, transport.ErrNoSession) {
			return answer, err
		}
		return ask(ctx)
	}
}

func (s *shared) Fetch(ctx context.Context, name string) ([]byte, error) {
	if name != serverFile {
		return s.Appliance.Fetch(ctx, name)
	}
	text, err := s.server.get(ctx, func(ctx context.Context) ([]byte, error) { return s.Appliance.Fetch(ctx, name) })
	return slices.Clone(text), err
}

// Register is `client register`.
func (s *shared) Register(ctx context.Context, r Registration) error {
	if err := s.Appliance.Register(ctx, r); err != nil {
		s.clients.forget()
		return err
	}
	s.clients.update(func(names []string) []string {
		if slices.Contains(names, r.Name) {
			return names
		}
		return append(slices.Clone(names), r.Name)
	})
	return nil
}

// MapHostIP is `client hostip map`.
func (s *shared) MapHostIP(ctx context.Context, client, address string) error {
	defer s.hostIPs.forget()
	return s.Appliance.MapHostIP(ctx, client, address)
}

// once is an answer that many wait for and one asks for. An error is everybody's
// who waited, and nobody's after; but one that came with the end of the asker's
// own context is the asker's alone, and the next in line asks.
type once[T any] struct {
	turn chan struct{} // holds a token while somebody asks

	mu      sync.Mutex
	known   bool
	value   T
	err     error
	answers int // that came, good and bad
	changes int // that were made to what is asked about
}

func newOnce[T any]() *once[T] { return &once[T]{turn: make(chan struct{}, 1)} }

func (o *once[T]) get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	value, before, done, err := o.look(-1)
	if done {
		return value, err
	}
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return value, fmt.Errorf("waiting for another's answer: %w", context.Cause(ctx))
	}
	if value, _, done, err = o.look(before); done {
		return value, err
	}
	o.mu.Lock()
	changes := o.changes
	o.mu.Unlock()
	value, err = ask(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil && ctx.Err() != nil {
		return value, err
	}
	o.answers++
	o.value, o.err = value, err
	o.known = err == nil && o.changes == changes // what changed meanwhile may not be in it
	return value, err
}

// look is the answer if there is one, or the error that came since there were
// before answers.
func (o *once[T]) look(before int) (value T, answers int, done bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	failed := before >= 0 && o.answers != before && o.err != nil
	return o.value, o.answers, o.known || failed, o.err
}

func (o *once[T]) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known, o.err = false, nil
	o.changes++
}

// update changes the answer, or tells whoever asks now that it is out of date.
func (o *once[T]) update(change func(T) T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changes++
	if o.known {
		o.value = change(o.value)
	}
}
