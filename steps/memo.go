package steps

import (
	"context"
	"fmt"
	"sync"

	"ntl-setup/transport"
)

// memo remembers what was read until it is told to forget. Errors are
// remembered too, so that a host that does not answer is waited for once, but
// not those that came with the end of a context. Many may ask at once: one
// reads, and the others wait for that.
type memo[T any] struct {
	mu     sync.Mutex
	known  bool
	value  T
	err    error
	rounds int           // how often it was forgotten
	busy   chan struct{} // closed when the reading at work has ended; nil: none is
}

// get is the remembered value, or what read reads now.
func (m *memo[T]) get(ctx context.Context, read func(context.Context) (T, error)) (T, error) {
	for {
		m.mu.Lock()
		if m.known {
			defer m.mu.Unlock()
			return m.value, m.err
		}
		if m.busy == nil {
			break
		}
		busy := m.busy
		m.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			var none T
			return none, fmt.Errorf("waiting for another look: %w", context.Cause(ctx))
		}
	}
	done, round := make(chan struct{}), m.rounds
	m.busy = done
	m.mu.Unlock()

	value, err := read(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy = nil
	close(done)
	// What was read before it was told to forget may be out of date.
	if ctx.Err() == nil && m.rounds == round {
		m.known, m.value, m.err = true, value, err
	}
	return value, err
}

// forget makes the next get read.
func (m *memo[T]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = false
	m.rounds++
}

// glance is what was seen of the client right behind an act, in the same
// exchange. It is for the next look alone, and unlike a memory it is not
// forgotten when the engine wants the world: it is of the world after the act.
type glance struct {
	mu    sync.Mutex
	facts transport.Facts
}

// keep is for facts of right now; nil drops what there was.
func (g *glance) keep(facts transport.Facts) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.facts = facts
}

// take gives the facts away; nil if there are none.
func (g *glance) take() transport.Facts {
	g.mu.Lock()
	defer g.mu.Unlock()
	facts := g.facts
	g.facts = nil
	return facts
}
