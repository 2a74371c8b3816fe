//go:build unix

package posix

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"ntl-setup/transport"
)

// Of those who come at the same moment exactly one gets it: on a free lock, on
// one that a dead run left, and on one that died before it wrote a word.
func TestLockRace(t *testing.T) {
	const racers = 2
	for name, c := range map[string]struct {
		rounds  int
		prepare func(t *testing.T, lock string)
	}{
		"free": {50, func(*testing.T, string) {}},
		"left behind": {50, func(t *testing.T, lock string) {
			check(t, os.MkdirAll(lock+"/OLD", 0o755))
			write(t, lock+"/OLD/beat", "a dead run", 0o644)
			age(t, time.Minute, lock+"/OLD/beat", lock+"/OLD", lock)
		}},
		"left empty": {20, func(t *testing.T, lock string) {
			check(t, os.Mkdir(lock, 0o755))
			age(t, time.Minute, lock)
		}},
		"left without a word": {20, func(t *testing.T, lock string) {
			check(t, os.MkdirAll(lock+"/OLD", 0o755))
			age(t, time.Minute, lock+"/OLD", lock)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, dir := here(t)
			for round := range c.rounds {
				lock := fmt.Sprintf("%s/lock%d", dir, round)
				c.prepare(t, lock)
				if winners := race(t, h, lock, racers); len(winners) != 1 {
					t.Fatalf("round %d: winners %v, left %s", round, winners, namesIn(t, lock))
				} else if got := namesIn(t, lock); got != winners[0] {
					t.Fatalf("round %d: %s won, %s is there", round, winners[0], got)
				}
			}
		})
	}
}

// race lets so many try at once, and tells who got the lock. Losers try again:
// all may have stepped back for each other.
func race(t *testing.T, h transport.Host, lock string, racers int) (winners []string) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	start := make(chan struct{})
	for i := range racers {
		all.Go(func() {
			token := fmt.Sprintf("T%d", i)
			<-start
			for range 4 {
				if _, err := h.Do(t.Context(), transport.Lock(lock, token, []byte("I am "+token), expiry)); err == nil {
					mu.Lock()
					winners = append(winners, token)
					mu.Unlock()
					return
				}
			}
		})
	}
	close(start)
	all.Wait()
	return winners
}

// Many take it in turns, each several times: there are never two inside.
func TestLockKeepsOthersOut(t *testing.T) {
	h, dir := here(t)
	const runs, turns = 4, 5
	var all sync.WaitGroup
	var mu sync.Mutex
	inside, entered := 0, 0
	for run := range runs {
		all.Go(func() {
			for turn := range turns {
				token := fmt.Sprintf("R%dT%d", run, turn)
				for {
					if _, err := h.Do(t.Context(), transport.Lock(dir+"/lock", token, []byte(token), expiry)); err == nil {
						break
					}
				}
				mu.Lock()
				inside++
				entered++
				if inside != 1 {
					t.Errorf("%d inside", inside)
				}
				mu.Unlock()
				_, err := h.Do(t.Context(), transport.Beat(dir+"/lock", token, []byte("still")))
				mu.Lock()
				inside--
				mu.Unlock()
				if err != nil {
					t.Errorf("%s lost it: %v", token, err)
				}
				if _, err := h.Do(t.Context(), transport.Unlock(dir+"/lock", token)); err != nil {
					t.Errorf("%s: %v", token, err)
				}
			}
		})
	}
	all.Wait()
	if entered != runs*turns || namesIn(t, dir) != "" {
		t.Errorf("%d of %d turns, left %q", entered, runs*turns, namesIn(t, dir))
	}
}

// Taking it from a named holder: of many that do at once one succeeds, and the
// rest cannot take it from the one that did.
func TestTakeOverRace(t *testing.T) {
	h, dir := here(t)
	for round := range 30 {
		lock := fmt.Sprintf("%s/lock%d", dir, round)
		if taken, _ := attempt(t, h, transport.Lock(lock, "DEAD", []byte("beat 7"), expiry)); !taken {
			t.Fatal("a free lock was refused")
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		var winners []string
		for _, token := range []string{"A", "B"} {
			all.Go(func() {
				a := transport.TakeOver(transport.Lock(lock, token, []byte(token), expiry), "DEAD", []byte("beat 7"))
				if _, err := h.Do(t.Context(), a); err == nil {
					mu.Lock()
					defer mu.Unlock()
					winners = append(winners, token)
				}
			})
		}
		all.Wait()
		if len(winners) != 1 || namesIn(t, lock) != winners[0] {
			t.Fatalf("round %d: %v, left %s", round, winners, namesIn(t, lock))
		}
		if taken, _ := attempt(t, h, transport.Beat(lock, "DEAD", []byte("beat 8"))); taken {
			t.Fatal("the old holder still believes to hold it")
		}
	}
}

// A beat that comes while a waiter takes over decides it: whoever wins, they
// never both hold it.
func TestTakeOverAgainstABeat(t *testing.T) {
	h, dir := here(t)
	kept, lost := 0, 0
	for round := range 50 {
		lock := fmt.Sprintf("%s/lock%d", dir, round)
		check(t, os.MkdirAll(lock+"/OLD", 0o755))
		write(t, lock+"/OLD/beat", "slow", 0o644)
		age(t, time.Minute, lock+"/OLD/beat", lock+"/OLD", lock)
		var all sync.WaitGroup
		var beatErr, lockErr error
		acts := make([]transport.Action, round%10) // so that the beat comes at different moments
		for i := range acts {
			acts[i] = transport.Chmod(lock, 0o755)
		}
		acts = append(acts, transport.Beat(lock, "OLD", []byte("alive")))
		all.Go(func() { _, beatErr = h.Do(t.Context(), acts...) })
		all.Go(func() { _, lockErr = h.Do(t.Context(), transport.Lock(lock, "NEW", []byte("new"), expiry)) })
		all.Wait()
		again, _ := attempt(t, h, transport.Beat(lock, "OLD", []byte("and again")))
		switch {
		case again && lockErr == nil:
			t.Fatalf("round %d: both hold it: %s", round, namesIn(t, lock))
		case again:
			kept++
		case lockErr == nil:
			lost++
		default:
			t.Fatalf("round %d: nobody holds it: beat %v, lock %v, left %s", round, beatErr, lockErr, namesIn(t, lock))
		}
	}
	t.Logf("kept %d times, lost %d times", kept, lost)
}
