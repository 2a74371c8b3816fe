package ssh

import (
	"bytes"
	"sync"

	"ntl-setup/transport"
)

// limited is a buffer of at most limit bytes. What goes beyond is an error, and
// reported to over, if that is not nil.
type limited struct {
	limit int64
	over  func()

	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes all of p or nothing.
func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int64(l.buf.Len())+int64(len(p)) > l.limit {
		if l.over != nil {
			l.over()
		}
		return 0, transport.ErrTooLarge
	}
	return l.buf.Write(p)
}

// Bytes is a copy of what has come so far.
func (l *limited) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.buf.Bytes())
}

// maxHead is how much a head keeps.
const maxHead = 4 << 10

// head keeps the first maxHead bytes and lets the rest go by.
type head struct {
	mu  sync.Mutex
	buf []byte
}

// Write never fails.
func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.buf = append(h.buf, p[:min(len(p), maxHead-len(h.buf))]...)
	return len(p), nil
}

// Bytes is a copy of what was kept.
func (h *head) Bytes() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bytes.Clone(h.buf)
}
