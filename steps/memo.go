package steps

import (
	"context"
	"sync"
)

// memo remembers what was read until it is told to forget. Errors are
// remembered too, so that a host that does not answer is waited for once, but
// not those that came with the end of a context.
type memo[T any] struct {
	mu    sync.Mutex
	known bool
	value T
	err   error
}

// get is the remembered value, or what read reads now.
func (m *memo[T]) get(ctx context.Context, read func(context.Context) (T, error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.known {
		m.value, m.err = read(ctx)
		m.known = ctx.Err() == nil
	}
	return m.value, m.err
}

// forget makes the next get read.
func (m *memo[T]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = false
}
