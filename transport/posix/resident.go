package posix

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"ntl-setup/transport"
)

// Resident is a Runner on whose machine a shell may stay between exchanges: each
// is then one round trip, and not those of a session of its own too.
type Resident interface {
	transport.Runner
	// Shell starts sh as Exec of the line "sh" does. ok is false where it cannot
	// stay, now or at all: by other rights, say, than Exec has.
	Shell(ctx context.Context) (s transport.Stream, ok bool, err error)
}

// mostOutput bounds the answer to one script, in bytes.
const mostOutput = 16 << 20

// resident is the shell that stays; there is one at most.
type resident struct {
	runner Resident // nil: there is none

	mu       sync.Mutex // held by the exchange that uses it
	answered bool       // sh has answered there before: a script is safe with it
	shell    *sitting
}

// exchange has one exchange over the shell that stays; asked is false if there
// is none, or another exchange has it. Until sh has answered once, there is
// none: what is no sh may wait for the end of its input, and never answer.
func (r *resident) exchange(ctx context.Context, mark string, text []byte) (out transport.Output, asked bool, err error) {
	if r.runner == nil || ctx.Err() != nil || !r.mu.TryLock() {
		return out, false, nil
	}
	defer r.mu.Unlock()
	if !r.answered || !r.ready(ctx) {
		return out, false, nil
	}
	out, err = r.shell.ask(ctx, r.runner.Name(), mark, text)
	if err != nil || out.Status != 0 {
		_ = r.shell.stream.Close() // nobody knows what it would say next
		r.shell = nil
	}
	if ctx.Err() != nil {
		_, err = r.runner.Exec(ctx, "sh", nil) // begins nothing any more, and words the end
	}
	return out, true, err
}

// ready has a shell that waits, or opens one. One that cannot be opened is no
// error: the exchange has a session of its own then, and says why not.
func (r *resident) ready(ctx context.Context) bool {
	if r.shell != nil && !r.shell.waits() {
		_ = r.shell.stream.Close() // it has ended
		r.shell = nil
	}
	if r.shell != nil {
		return true
	}
	stream, ok, err := r.runner.Shell(ctx)
	if err != nil || !ok {
		r.answered = r.answered && err == nil // it is not tried again on a machine that gives none
		return false
	}
	r.shell = &sitting{stream: stream, news: make(chan struct{}, 1)}
	go r.shell.listen()
	return true
}

// learn notes that sh answers there.
func (r *resident) learn() {
	if r.runner != nil && r.mu.TryLock() {
		r.answered = true
		r.mu.Unlock()
	}
}

// sitting is one shell that stays.
type sitting struct {
	stream transport.Stream
	news   chan struct{} // holds a token when something came

	mu   sync.Mutex
	said []byte
	err  error // of the last read; nil while there are more
}

// listen reads until the shell ends, also when nothing is asked, so that its end
// is noticed.
func (s *sitting) listen() {
	buf := make([]byte, 32<<10)
	for {
		n, err := s.stream.Read(buf)
		s.mu.Lock()
		s.said = append(s.said, buf[:n]...)
		if s.err = err; err == nil && len(s.said) > mostOutput {
			s.err = transport.ErrTooLarge
		}
		err = s.err
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// waits reports whether the shell is there still. What came late, behind the end
// of an answer, is dropped.
func (s *sitting) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = nil
	return s.err == nil
}

// heard is what was said since the last script, and why there is no more of it.
func (s *sitting) heard() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said, s.err
}

// enclosed is a script for a shell that stays. It runs in a shell of its own, so
// that nothing of it is left over, without the input that the next one comes on;
// and however it ends, that is told.
func enclosed(mark string, text []byte) []byte {
	return slices.Concat([]byte("(\n"), text, []byte(") </dev/null\nprintf '\\n%s over\\n' "+mark+"\n"))
}

// ask has one script run. Status is 0 when the shell waits for the next one.
func (s *sitting) ask(ctx context.Context, name, mark string, text []byte) (transport.Output, error) {
	defer context.AfterFunc(ctx, func() { _ = s.stream.Close() })() // ends what waits below
	_, written := s.stream.Write(enclosed(mark, text))
	over := []byte("\n" + mark + " over\n")
	for looked := 0; ; {
		said, err := s.heard()
		if at := bytes.Index(said[looked:], over); at >= 0 {
			return transport.Output{Stdout: bytes.Clone(said[:looked+at+1])}, nil
		}
		looked = max(0, len(said)-len(over))
		if err == nil && written == nil {
			<-s.news // comes with the end at the latest, which Close makes
			continue
		}
		out := transport.Output{Stdout: bytes.Clone(said), Stderr: s.stream.Stderr(), Status: -1}
		switch {
		case errors.Is(err, transport.ErrTooLarge):
			return out, transport.Errorf(transport.ClassProtocol, name, "the command's output: %w", err)
		case errors.Is(err, io.EOF):
			status, err := s.stream.Wait()
			if err != nil {
				return out, err
			}
			out.Status = max(status, 1) // it has ended, however well
			if status < 0 {
				out.Status = status
			}
			return out, nil
		case err != nil:
			return out, transport.Errorf(transport.ClassConnect, name, "run a command: %w", err)
		}
		return out, transport.Errorf(transport.ClassConnect, name, "run a command: %w", written)
	}
}
