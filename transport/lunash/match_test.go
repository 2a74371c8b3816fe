package lunash

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/transport"
)

// bubble runs a test of every matcher under a clock of its own.
func bubble(t *testing.T, test func(t *testing.T, m matcher)) {
	t.Helper()
	for name, newMatcher := range matchers() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, err := newMatcher()
				if err != nil {
					t.Fatal(err)
				}
				defer m.close()
				test(t, m)
			})
		})
	}
}

func feed(t *testing.T, m matcher, text string) {
	t.Helper()
	if err := m.feed([]byte(text)); err != nil {
		t.Errorf("feed %q: %v", text, err)
	}
}

var promptAtEnd = regexp.MustCompile(`lunash:> ?\z`)

func TestMatcherTakesWhatIsThere(t *testing.T) {
	bubble(t, func(t *testing.T, m matcher) {
		feed(t, m, "banner\n[hsm] lunash:>")
		got, err := m.await(t.Context(), promptAtEnd)
		if err != nil || got != "banner\n[hsm] lunash:>" {
			t.Fatalf("%q, %v", got, err)
		}
		feed(t, m, "more\nlunash:> ")
		got, err = m.await(t.Context(), promptAtEnd)
		if err != nil || got != "more\nlunash:> " {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

func TestMatcherWaitsForThePieces(t *testing.T) {
	bubble(t, func(t *testing.T, m matcher) {
		const text = "one\ntwo lunash:> three\n[hsm] lunash:>"
		go func() {
			for _, c := range []byte(text) {
				<-time.After(time.Second)
				feed(t, m, string(c))
			}
		}()
		var all strings.Builder
		for !strings.HasSuffix(all.String(), "[hsm] lunash:>") {
			got, err := m.await(t.Context(), promptAtEnd)
			if err != nil || got == "" {
				t.Fatalf("after %q: %q, %v", all.String(), got, err)
			}
			all.WriteString(got)
		}
		if all.String() != text {
			t.Errorf("got %q, want %q", all.String(), text)
		}
	})
}

func TestMatcherEndsWithTheText(t *testing.T) {
	bubble(t, func(t *testing.T, m matcher) {
		go func() {
			feed(t, m, "good")
			feed(t, m, "bye")
			m.end()
		}()
		start := time.Now()
		got, err := m.await(t.Context(), promptAtEnd)
		if !errors.Is(err, transport.ErrClosed) || got != "goodbye" {
			t.Errorf("%q, %v", got, err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("the end was seen after %v", d)
		}
		if _, err := m.await(t.Context(), anything); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestMatcherFindsTheLastTextBeforeTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T, m matcher) {
		go func() {
			feed(t, m, "x lunash:>")
			m.end()
		}()
		if got, err := m.await(t.Context(), promptAtEnd); err != nil || got != "x lunash:>" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// The context is the only clock, however much the far side talks.
func TestMatcherObeysTheContext(t *testing.T) {
	bubble(t, func(t *testing.T, m matcher) {
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			for {
				<-time.After(100 * time.Millisecond)
				if m.feed([]byte(".")) != nil {
					return
				}
			}
		}()
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 450*time.Millisecond, cause)
		defer cancel()
		start := time.Now()
		got, err := m.await(ctx, promptAtEnd)
		if !errors.Is(err, cause) || got != "...." {
			t.Errorf("%q, %v", got, err)
		}
		if d := time.Since(start); d > 500*time.Millisecond {
			t.Errorf("took %v", d)
		}
		<-gone // the matcher is closed: feeding it fails
	})
}

func TestMatcherClosesUnderAwait(t *testing.T) {
	bubble(t, func(t *testing.T, m matcher) {
		feed(t, m, "half")
		go func() {
			<-time.After(time.Second)
			m.close()
			m.close()
		}()
		if got, err := m.await(t.Context(), promptAtEnd); !errors.Is(err, transport.ErrClosed) || got != "half" {
			t.Errorf("%q, %v", got, err)
		}
		if err := m.feed([]byte("x")); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("feed after close: %v", err)
		}
	})
}

func TestMatcherCarriesAnyAmount(t *testing.T) {
	bubble(t, func(t *testing.T, m matcher) {
		line := strings.Repeat("x", 99) + "\n"
		go func() {
			for range 100 {
				feed(t, m, strings.Repeat(line, 20))
			}
			feed(t, m, "lunash:>")
		}()
		got, err := m.await(t.Context(), promptAtEnd)
		if want := strings.Repeat(line, 2000) + "lunash:>"; err != nil || got != want {
			t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
		}
	})
}

// One wake-up over a full buffer without a prompt: what every chunk of a long
// reply costs. The matcher of our own must not allocate for it.
func BenchmarkMatcherMiss(b *testing.B) {
	m := newOwnMatcher()
	if err := m.feed([]byte(strings.Repeat("registered client 1: some-name\n", 30000))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ready, _ := m.take(wake); ready {
			b.Fatal("found a prompt")
		}
	}
}

// Judging a reply of a megabyte.
func BenchmarkJudge(b *testing.B) {
	text := strings.Repeat("registered client 1: some-name\n", 30000)
	whole := text + "\nCommand Result : 0 (Success)\n[hsm] lunash:>"
	b.ReportAllocs()
	for b.Loop() {
		if judgeReply(text, "client list") != unfinished || judgeReply(whole, "client list") != proved {
			b.Fatal("misjudged")
		}
	}
}

// The regexp package keeps its machines in a pool, which the race detector
// empties at will: a few allocations are its own, one for each line would not be.
func TestJudgingDoesNotAllocateByTheLine(t *testing.T) {
	const pooled = 4
	m := newOwnMatcher()
	feed(t, m, strings.Repeat("registered client 1: some-name\n", 1000))
	if n := testing.AllocsPerRun(100, func() { m.take(wake) }); n > pooled {
		t.Errorf("%v allocations for a look at the buffer", n)
	}
	text := strings.Repeat("registered client 1: some-name\n", 1000) + "Command Result : 0 (Success)\n[hsm] lunash:>"
	if n := testing.AllocsPerRun(100, func() { judgeReply(text, "client list") }); n > pooled {
		t.Errorf("%v allocations for a judgement", n)
	}
}
