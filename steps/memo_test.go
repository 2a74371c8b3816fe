package steps

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Many ask at once, one reads; nobody's wait is longer than its own context.
func TestMemoReadsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m memo[int]
		reads := 0
		read := func(ctx context.Context) (int, error) {
			reads++
			return reads, takes(ctx, time.Second)
		}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if v, err := m.get(t.Context(), read); v != 1 || err != nil {
					t.Errorf("%d, %v", v, err)
				}
			})
		}
		synctest.Wait()
		hasty, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := m.get(hasty, read); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		all.Wait()
		if reads != 1 {
			t.Errorf("read %d times", reads)
		}
	})
}

// What was being read when it was told to forget serves whoever asked, and
// nobody after; to forget waits for nothing.
func TestMemoForgetsWhatIsBeingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m memo[int]
		world := 1
		read := func(ctx context.Context) (int, error) {
			saw := world
			return saw, takes(ctx, time.Second)
		}
		var first sync.WaitGroup
		first.Go(func() {
			if v, err := m.get(t.Context(), read); v != 1 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
		})
		synctest.Wait()
		world = 2
		m.forget()
		if v, err := m.get(t.Context(), read); v != 2 || err != nil {
			t.Errorf("after the change: %d, %v", v, err)
		}
		first.Wait()
	})
}

// An error is remembered, but not one that came with the end of a context.
func TestMemoOfErrors(t *testing.T) {
	var m memo[int]
	bad := errors.New("bad")
	reads := 0
	fails := func(context.Context) (int, error) { reads++; return 0, bad }
	for range 2 {
		if _, err := m.get(t.Context(), fails); !errors.Is(err, bad) {
			t.Error(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	m.forget()
	_, _ = m.get(ended, fails)
	if v, err := m.get(t.Context(), func(context.Context) (int, error) { return 7, nil }); v != 7 || err != nil || reads != 2 {
		t.Errorf("%d, %v after %d readings", v, err, reads)
	}
}
