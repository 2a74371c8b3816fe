package ui

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/orchestrator"
)

// What is said while a question stands on the terminal must not tear it apart.
func TestAskHasTheTerminalToItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := &recorder{}
		v := NewView("apply", Text, Stream{Writer: io.Discard}, Stream{Writer: term, Width: 80})
		defer v.Close()
		v.Progress("connecting")
		wantErr := errors.New("answered")
		err := v.Ask(func() error {
			term.reset()
			v.Warn("meanwhile")
			v.Progress("still connecting")
			<-time.After(time.Minute) // fake time: the line would have moved 500 times
			if got := term.text(); got != "" {
				t.Errorf("written during the question: %q", got)
			}
			return wantErr
		})
		if !errors.Is(err, wantErr) {
			t.Errorf("error %v", err)
		}
		if got := term.text(); !strings.HasPrefix(got, "warning: meanwhile\n") {
			t.Errorf("after the question: %q", got)
		}
		term.reset()
		<-time.After(beat)
		synctest.Wait()
		if got := term.text(); !strings.Contains(got, "still connecting (1m0s)") {
			t.Errorf("the line does not come back: %q", got)
		}
	})
}

func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := &recorder{}
		v := NewView("apply", Text, Stream{Writer: term, Width: 40}, Stream{Writer: term, Width: 40})
		v.Observe(orchestrator.Event{Kind: orchestrator.Looking, Info: orchestrator.Info{Number: 3, ID: "add-server", Host: "client"}})
		<-time.After(beat)
		synctest.Wait()
		if got := term.text(); !strings.HasPrefix(got, "\r\x1b[K") || !strings.HasSuffix(got, " looking: add-server (client)") {
			t.Errorf("after one beat: %q", got)
		}
		term.reset()
		<-time.After(3 * time.Second)
		synctest.Wait()
		if got := term.text(); !strings.Contains(got, "(3s)") {
			t.Errorf("no seconds: %q", got)
		}
		term.reset()
		v.Warn("x")
		if got := term.text(); got != "\r\x1b[Kwarning: x\n" {
			t.Errorf("the line is not taken away first: %q", got)
		}
		v.Progress(strings.Repeat("long ", 20))
		term.reset()
		<-time.After(beat)
		synctest.Wait()
		shown := strings.TrimPrefix(term.text(), "\r\x1b[K")
		if n := len([]rune(shown)); n > 39 || !strings.HasSuffix(shown, "…") {
			t.Errorf("a line of %d columns on a terminal of 40: %q", n, shown)
		}
		term.reset()
		v.Close()
		if got := term.text(); got != "\r\x1b[K" {
			t.Errorf("closing leaves the line: %q", got)
		}
		v.Close()
	})
}

// Several goroutines talk at once; the race detector judges.
func TestViewFromSeveralGoroutines(t *testing.T) {
	term := &recorder{}
	v := NewView("apply", Text, Stream{Writer: term, Width: 80}, Stream{Writer: term, Width: 80})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				v.Warn("w")
				v.Note("n")
				v.Progress("p")
			}
		})
	}
	wg.Go(func() { playApply(v, sample()) })
	wg.Wait()
	v.Finish(done())
	v.Close()
	if n := strings.Count(term.text(), "warning: w\n"); n != 200 {
		t.Errorf("%d warnings, want 200", n)
	}
}

// recorder is a terminal's memory.
type recorder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.b.Reset()
}
