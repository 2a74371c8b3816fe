package lunash

import (
	"context"
	"regexp"
	"sync"

	"ntl-setup/transport"
)

// ownMatcher is a buffer with a bell.
type ownMatcher struct {
	mu     sync.Mutex
	buf    []byte
	ended  bool
	closed bool
	bell   chan struct{} // holds a token when something changed
}

func newOwnMatcher() *ownMatcher { return &ownMatcher{bell: make(chan struct{}, 1)} }

func (m *ownMatcher) feed(p []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return transport.ErrClosed
	}
	m.buf = append(m.buf, p...)
	m.ring()
	return nil
}

func (m *ownMatcher) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	m.ring()
}

func (m *ownMatcher) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.ring()
}

// ring wakes await up; a bell that rings already is enough.
func (m *ownMatcher) ring() {
	select {
	case m.bell <- struct{}{}:
	default:
	}
}

func (m *ownMatcher) await(ctx context.Context, re *regexp.Regexp) (string, error) {
	for {
		text, ready, err := m.take(re)
		if ready {
			return text, err
		}
		select {
		case <-m.bell:
		case <-ctx.Done():
			m.close()
			return m.rest(), context.Cause(ctx)
		}
	}
}

// take takes the whole text if it matches, or if no more can come.
func (m *ownMatcher) take(re *regexp.Regexp) (text string, ready bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.closed && m.found(re):
	case m.closed || m.ended:
		err = transport.ErrClosed
	default:
		return "", false, nil
	}
	text = string(m.buf)
	m.buf = m.buf[:0]
	return text, true, err
}

func (m *ownMatcher) found(re *regexp.Regexp) bool {
	tail := m.buf
	if len(tail) > searchDepth {
		tail = tail[len(tail)-searchDepth:]
	}
	return re.Match(tail)
}

func (m *ownMatcher) rest() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := string(m.buf)
	m.buf = nil
	return text
}
