//go:build !windows

package lunash

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	expect "github.com/google/goexpect"

	"ntl-setup/transport"
)

// goexpectMatcher keeps goexpect to what it does well, finding a pattern in
// what has arrived, and away from the rest:
//   - its timeout restarts with every byte, so it is set to an hour and the
//     context is the clock;
//   - without PartialMatch it throws away what follows a match;
//   - it loses bytes that arrive together with the end, and looks for the end
//     every two seconds; it reads from a pipe that gives one or the other, and
//     looks every ten milliseconds;
//   - its Send swallows errors and may block for ever: nothing is sent by it.
type goexpectMatcher struct {
	exp  *expect.GExpect
	src  *pipeSource
	pw   *io.PipeWriter
	quit chan struct{} // closed by close
	once sync.Once
	done <-chan error // goexpect's own goroutines have ended
}

const (
	expectForever = time.Hour
	expectCheck   = 10 * time.Millisecond
	expectBuffer  = 32 << 10
)

// pipeSource is the reading end of the pipe. done turns true only when goexpect
// itself has read the end, so that its liveness check never hides text that is
// still in the pipe.
type pipeSource struct {
	r    *io.PipeReader
	done atomic.Bool
}

func (s *pipeSource) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil {
		s.done.Store(true)
	}
	return n, err // goexpect compares with io.EOF
}

// noInput takes what goexpect would send: nothing ever does.
type noInput struct{}

func (noInput) Write([]byte) (int, error) { return 0, transport.ErrClosed }
func (noInput) Close() error              { return nil }

// newMatcher gives the matcher of this platform.
func newMatcher() (matcher, error) {
	pr, pw := io.Pipe()
	m := &goexpectMatcher{src: &pipeSource{r: pr}, pw: pw, quit: make(chan struct{})}
	exp, done, err := expect.SpawnGeneric(&expect.GenOptions{
		In:    noInput{},
		Out:   m.src,
		Wait:  func() error { <-m.quit; return nil },
		Close: pr.Close,
		Check: func() bool { return !m.src.done.Load() },
	}, expectForever, expect.PartialMatch(true), expect.CheckDuration(expectCheck), expect.BufferSize(expectBuffer))
	if err != nil {
		return nil, fmt.Errorf("start goexpect: %w", err)
	}
	m.exp, m.done = exp, done
	return m, nil
}

func (m *goexpectMatcher) feed(p []byte) error {
	if _, err := m.pw.Write(p); err != nil {
		return fmt.Errorf("%w: %w", transport.ErrClosed, err)
	}
	return nil
}

func (m *goexpectMatcher) end() { _ = m.pw.Close() } // never fails

func (m *goexpectMatcher) await(ctx context.Context, re *regexp.Regexp) (string, error) {
	stop := context.AfterFunc(ctx, m.close)
	defer stop()
	text, _, err := m.exp.Expect(re, expectForever)
	switch {
	case err == nil:
		return text, nil
	case ctx.Err() != nil:
		return text, context.Cause(ctx)
	default:
		return text, transport.ErrClosed
	}
}

// close also waits for goexpect's goroutines, which end with the pipe.
func (m *goexpectMatcher) close() {
	m.once.Do(func() {
		_ = m.exp.Close() // closes a pipe, which cannot fail
		close(m.quit)
		<-m.done //nolint:errcheck // its end is waited for, not its outcome
	})
}
