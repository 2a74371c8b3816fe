package redact

import (
	"bytes"
	"io"
	"sync"
)

// piece bounds how much of one Write is worked on at a time, in bytes.
const piece = 32 << 10

// Writer passes on what is written to it, without the secrets of a Set. What it
// keeps back (an end that may be the beginning of a secret) comes with the next
// Write or with Close. Its methods may be called from several goroutines.
type Writer struct {
	set *Set
	to  io.Writer

	mu     sync.Mutex
	held   []byte // not let through yet
	hidden []bool // for each byte of held: it belongs to a secret that was seen
	before byte   // the byte before held; 0 at the beginning
	hiding bool   // that byte was part of a secret, and its placeholder is out
	out    []byte // room for one piece of output, kept
}

// Writer makes a Writer to another writer.
func (s *Set) Writer(to io.Writer) *Writer { return &Writer{set: s, to: to} }

// Write takes all of p or returns the error of the writer behind.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for done := 0; done < len(p); done += piece {
		part := p[done:min(done+piece, len(p))]
		w.held = append(w.held, part...)
		w.hidden = append(w.hidden, make([]bool, len(part))...)
		if err := w.pass(false); err != nil {
			return done, err
		}
	}
	return len(p), nil
}

// Close lets through what is kept back; nothing more comes. The writer behind
// is not closed. It may be written to again, as the beginning of a new text.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.pass(true)
	w.before, w.hiding = 0, false
	return err
}

// pass hides what is known to be secret and lets through what is known to be
// settled: all of it at the end.
func (w *Writer) pass(end bool) error {
	forms := w.set.known()
	settled := len(w.held)
	for _, f := range forms {
		w.hide(f, end)
		if !end {
			settled = min(settled, w.open(f))
		}
	}
	w.out = w.out[:0]
	for i := range settled {
		switch {
		case !w.hidden[i]:
			w.out = append(w.out, w.held[i])
		case !w.hiding:
			w.out = append(w.out, Placeholder...)
		}
		w.hiding = w.hidden[i]
	}
	if settled > 0 {
		w.before = w.held[settled-1]
	}
	w.held = append(w.held[:0], w.held[settled:]...)
	w.hidden = append(w.hidden[:0], w.hidden[settled:]...)
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.to.Write(w.out)
	return err
}

// hide marks every place where a form stands whole, overlapping ones too.
func (w *Writer) hide(f form, end bool) {
	for from, marked := 0, 0; ; from++ {
		at := bytes.Index(w.held[from:], f.text)
		if at < 0 {
			return
		}
		from += at
		if f.alone && !w.alone(from, from+len(f.text), end) {
			continue
		}
		for marked = max(marked, from); marked < from+len(f.text); marked++ {
			w.hidden[marked] = true
		}
	}
}

// alone reports whether neither neighbour of held[from:to] is a letter or digit.
// Without a neighbour yet, it is too early to tell, unless this is the end.
func (w *Writer) alone(from, to int, end bool) bool {
	before := w.before
	if from > 0 {
		before = w.held[from-1]
	}
	if to == len(w.held) {
		return end && !wordByte(before)
	}
	return !wordByte(before) && !wordByte(w.held[to])
}

// open is where an end begins that may be the beginning of a form, or a whole
// one whose neighbour is still to come.
func (w *Writer) open(f form) int {
	longest := len(f.text) - 1
	if f.alone {
		longest++
	}
	for n := min(longest, len(w.held)); n > 0; n-- {
		if bytes.HasPrefix(f.text, w.held[len(w.held)-n:]) {
			return len(w.held) - n
		}
	}
	return len(w.held)
}
