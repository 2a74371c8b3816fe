package windows

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/transport"
)

// isHeld checks that an action about a lock is refused, and what is said of the
// holder.
func isHeld(t *testing.T, h transport.Host, a transport.Action, said string) {
	t.Helper()
	_, err := h.Do(t.Context(), a)
	var failed *transport.ActionError
	if !errors.As(err, &failed) || failed.Output.Status != transport.LockHeld {
		t.Fatalf("%s %s: %v, want status %d", a.Kind, a.To, err, transport.LockHeld)
	}
	if got := string(failed.Output.Stdout); got != said {
		t.Errorf("%s %s: told of %q, want %q", a.Kind, a.To, got, said)
	}
}

func testLock(t *testing.T, w *wineWire, h transport.Host, base string) {
	root := base + "/locks"
	do(t, h, transport.MakeDir(root))
	lock := root + "/.the lock"
	text := func(s string) []byte { return []byte(s) }
	mine, yours := transport.Lock(lock, "MINE", text("me: it's 1\n"), time.Second), transport.Lock(lock, "YOURS", text("you"), time.Second)
	refuses(t, h, transport.Lock(root+"/no/lock", "MINE", nil, time.Second))
	do(t, h, mine)
	isHeld(t, h, yours, "MINE\nme: it's 1\n")
	do(t, h, transport.Beat(lock, "MINE", text("me: 2")))
	isHeld(t, h, yours, "MINE\nme: 2")
	isHeld(t, h, transport.Beat(lock, "YOURS", text("you")), "MINE\nme: 2")
	do(t, h, transport.Unlock(lock, "YOURS"), transport.Unlock(lock, "MINE"), transport.Unlock(lock, "MINE"))
	w.only(t, root)
	isHeld(t, h, transport.Beat(lock, "MINE", text("me")), "")

	// It changes hands by the holder's name, and by a text that stayed the same.
	do(t, h, transport.Lock(lock, "OLD", text("beat 1"), time.Second), transport.Beat(lock, "OLD", text("beat 2")))
	isHeld(t, h, transport.TakeOver(mine, "OTHER", nil), "OLD\nbeat 2")
	isHeld(t, h, transport.TakeOver(mine, "OLD", text("beat 1")), "OLD\nbeat 2")
	do(t, h, transport.TakeOver(mine, "OLD", text("beat 2")))
	isHeld(t, h, transport.Beat(lock, "OLD", text("beat 4")), "MINE\nme: it's 1\n")
	do(t, h, transport.TakeOver(yours, "MINE", nil))
	isHeld(t, h, transport.Beat(lock, "MINE", text("me")), "YOURS\nyou")

	// A beat that is refused stops what comes after it.
	do(t, h, transport.Beat(lock, "YOURS", nil), transport.MakeDir(root+"/one"))
	out, err := h.Do(t.Context(), transport.Beat(lock, "MINE", nil), transport.MakeDir(root+"/two"))
	if err == nil || len(out) != 1 {
		t.Errorf("%v, %v", out, err)
	}
	do(t, h, transport.Unlock(lock, "YOURS"))
	w.only(t, root, "one")
}

// A lock that is lost between the beat and the action is noticed by the line
// that acts.
func testGuard(t *testing.T, w *wineWire, h transport.Host, base string) {
	root := base + "/locks"
	lock := root + "/lock"
	do(t, h, transport.MakeDir(root), transport.Lock(lock, "MINE", nil, time.Second))
	taken := false
	w.before = func(line string) {
		if !taken && strings.Contains(line, "mkdir") {
			taken = true
			if err := os.RemoveAll(w.prefix.Host(lock)); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := h.Do(t.Context(), transport.Beat(lock, "MINE", nil), transport.MakeDir(root+"/one"))
	var failed *transport.ActionError
	if !errors.As(err, &failed) || failed.Action.Kind != transport.ActBeat || failed.Output.Status != transport.LockHeld || !taken {
		t.Errorf("%v", err)
	}
	w.only(t, root)
}

// Of many that come at once, never do two get it.
func testRace(t *testing.T, _ *wineWire, h transport.Host, base string) {
	root := base + "/locks"
	do(t, h, transport.MakeDir(root))
	var mu sync.Mutex
	var holders []string
	var all sync.WaitGroup
	for _, token := range []string{"A", "B", "C", "D"} {
		all.Go(func() {
			if _, err := h.Do(t.Context(), transport.Lock(root+"/lock", token, []byte(token), time.Second)); err == nil {
				mu.Lock()
				holders = append(holders, token)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(holders) > 1 {
		t.Errorf("%q hold it together", holders)
	}
}
