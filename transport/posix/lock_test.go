//go:build unix

package posix

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/transport"
)

const expiry = 28 * time.Second

// attempt is one action about a lock: taken, or what the refusal says.
func attempt(t *testing.T, h transport.Host, a transport.Action) (taken bool, said string) {
	t.Helper()
	out, err := h.Do(t.Context(), a)
	if err == nil {
		return true, ""
	}
	var refused *transport.ActionError
	if !errors.As(err, &refused) || len(out) != 1 || out[0].Status != transport.LockHeld {
		t.Fatalf("%s %s: %v", a.Kind, a.To, err)
	}
	return false, string(out[0].Stdout)
}

// age makes everything in a tree so old.
func age(t *testing.T, d time.Duration, paths ...string) {
	t.Helper()
	then := time.Now().Add(-d)
	for _, p := range paths {
		check(t, os.Chtimes(p, then, then))
	}
}

// Of those who come at the same moment exactly one gets it: on a free lock, on
// one that a dead run left, and on one that died before it wrote a word.
func TestLockRace(t *testing.T) {
	const rounds, racers = 50, 2
	for name, prepare := range map[string]func(t *testing.T, lock string){
		"free": func(*testing.T, string) {},
		"left behind": func(t *testing.T, lock string) {
			check(t, os.MkdirAll(lock+"/OLD", 0o755))
			write(t, lock+"/OLD/beat", "a dead run", 0o644)
			age(t, time.Minute, lock+"/OLD/beat", lock+"/OLD", lock)
		},
		"left empty": func(t *testing.T, lock string) {
			check(t, os.Mkdir(lock, 0o755))
			age(t, time.Minute, lock)
		},
		"left without a word": func(t *testing.T, lock string) {
			check(t, os.MkdirAll(lock+"/OLD", 0o755))
			age(t, time.Minute, lock+"/OLD", lock)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, dir := here(t)
			for round := range rounds {
				lock := fmt.Sprintf("%s/lock%d", dir, round)
				prepare(t, lock)
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

// A find that knows no times of day, or no such option at all, expires nothing;
// a text that did not change while it was watched does.
func TestLockWithoutNewermt(t *testing.T) {
	h, dir := here(t)
	stub(t, "find", `case "$*" in *newermt*) echo 'find: unrecognized: -newermt' >&2; exit 1 ;; esac; exec /usr/bin/find "$@"`)
	lock := dir + "/lock"
	check(t, os.MkdirAll(lock+"/OLD", 0o755))
	write(t, lock+"/OLD/beat", "beat 3", 0o644)
	age(t, time.Hour, lock+"/OLD/beat", lock+"/OLD", lock)
	mine := transport.Lock(lock, "NEW", []byte("new"), expiry)
	if taken, said := attempt(t, h, mine); taken || said != "OLD\nbeat 3" {
		t.Fatalf("taken %t, said %q", taken, said)
	}
	if taken, _ := attempt(t, h, transport.TakeOver(mine, "OLD", []byte("beat 2"))); taken {
		t.Fatal("taken over though the text changed")
	}
	if got := read(t, lock+"/OLD/beat"); got != "beat 3" {
		t.Fatalf("a refused take-over left %q", got)
	}
	if taken, said := attempt(t, h, transport.TakeOver(mine, "OLD", []byte("beat 3"))); !taken {
		t.Fatalf("not taken over: %q", said)
	}
	if got := namesIn(t, lock); got != "NEW" {
		t.Errorf("left %s", got)
	}
}

func TestLockOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	h := New(Local("full"), Options{Shell: "trap '' XFSZ; ulimit -f 0; exec sh"})
	out, err := h.Do(t.Context(), transport.Lock(dir+"/lock", "A", []byte("text"), expiry))
	if err == nil || out[0].Status == transport.LockHeld || !strings.Contains(string(out[0].Stdout), "cannot be written") {
		t.Errorf("%v, %v", out, err)
	}
	if got := namesIn(t, dir); got != "" {
		t.Errorf("left %s", got)
	}
	roomy, _ := here(t)
	if taken, _ := attempt(t, roomy, transport.Lock(dir+"/lock", "A", []byte("text"), expiry)); !taken {
		t.Fatal("refused")
	}
	age(t, time.Minute, dir+"/lock/A/beat", dir+"/lock/A", dir+"/lock")
	if _, err := h.Do(t.Context(), transport.Beat(dir+"/lock", "A", []byte("more"))); err != nil {
		t.Errorf("a beat without room for it: %v", err)
	}
	if taken, said := attempt(t, roomy, transport.Lock(dir+"/lock", "B", []byte("b"), expiry)); taken || said != "A\ntext" {
		t.Errorf("the beat without room was none: taken %t, said %q", taken, said)
	}
}

func TestLockOutOfReach(t *testing.T) {
	h, dir := ordinary(t)
	write(t, dir+"/file", "x", 0o644)
	check(t, os.Mkdir(dir+"/locked", 0o755))
	check(t, os.Chmod(dir+"/locked", 0o555))
	for _, path := range []string{dir + "/no/lock", dir + "/file", dir + "/file/lock", dir + "/locked/lock"} {
		out, err := h.Do(t.Context(), transport.Lock(path, "A", []byte("x"), expiry))
		if err == nil || len(out) != 1 || out[0].Status == transport.LockHeld || len(out[0].Stdout) == 0 {
			t.Errorf("%s: %v, %v", path, out, err)
		}
	}
}

func TestLockCalls(t *testing.T) {
	mine := transport.Lock("/l", "T1", []byte("x"), 1500*time.Millisecond)
	for want, a := range map[string]transport.Action{
		"do_lock '/l' T1 data_4 2":                mine,
		"do_lock '/l' T1 data_4 2 OLD what_ever":  transport.TakeOver(mine, "OLD", nil),
		"do_lock '/l' T1 data_4 2 OLD just old_4": transport.TakeOver(mine, "OLD", []byte{}),
		"do_beat '/l' T1 data_4":                  transport.Beat("/l", "T1", nil),
		"do_unlock '/l' T1":                       transport.Unlock("/l", "T1"),
		"do_lock '/l' T1 data_4 1":                transport.Lock("/l", "T1", nil, 0),
	} {
		if _, call, err := actCall(4, a); err != nil || call != want {
			t.Errorf("%s, %v, want %s", call, err, want)
		}
	}
	for _, a := range []transport.Action{
		transport.Lock("/l", "", nil, 0), transport.Lock("/l", "../x", nil, 0), transport.Lock("/l", "a b", nil, 0),
		transport.Lock("/l", strings.Repeat("a", 65), nil, 0), transport.Lock("l", "T", nil, 0), transport.Beat("/l", "$T", nil),
		transport.Unlock("/l", "-T"), transport.TakeOver(mine, "a/b", nil), transport.Beat("/l", "T", []byte("a\x00")),
		transport.TakeOver(mine, "O", []byte{0}),
	} {
		if _, call, err := actCall(0, a); err == nil {
			t.Errorf("%s %q %q: %s", a.Kind, a.To, a.From, call)
		}
	}
}
