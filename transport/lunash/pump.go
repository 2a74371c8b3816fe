package lunash

import (
	"errors"
	"io"
	"sync/atomic"

	"ntl-setup/transport"
)

// pump carries a terminal's output to a matcher: stripped, counted, bounded. It
// knows how much text it has delivered, so that "nothing more has come" can be
// told from "not looked at yet".
type pump struct {
	stream  transport.Stream
	match   matcher
	fed     atomic.Int64  // bytes of text delivered, or about to be
	budget  atomic.Int64  // bytes that may still come
	over    atomic.Bool   // more came than that
	arrived chan struct{} // holds a token when text was delivered
	done    chan struct{} // closed at the end
	err     error         // why reading ended; nil at an orderly end. After done
}

const readSize = 32 << 10

func newPump(stream transport.Stream, m matcher, limit int64) *pump {
	p := &pump{stream: stream, match: m, arrived: make(chan struct{}, 1), done: make(chan struct{})}
	p.allow(limit)
	return p
}

// allow sets how many bytes may come from now on.
func (p *pump) allow(limit int64) { p.budget.Store(limit) }

// run pumps until the stream ends, the limit is passed or the matcher closes.
func (p *pump) run() {
	defer close(p.done)
	defer p.match.end()
	var strip stripper
	buf := make([]byte, readSize)
	for {
		n, err := p.stream.Read(buf)
		if p.budget.Add(-int64(n)) < 0 {
			p.over.Store(true)
			return
		}
		if text := strip.clean(buf[:n]); len(text) > 0 {
			// Counted first: whoever takes the text must not be ahead of the count.
			p.fed.Add(int64(len(text)))
			p.ring()
			if p.match.feed(text) != nil {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.err = err
			}
			return
		}
	}
}

func (p *pump) ring() {
	select {
	case p.arrived <- struct{}{}:
	default:
	}
}
