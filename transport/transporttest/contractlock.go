package transporttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"ntl-setup/transport"
)

// free is longer than any test takes.
const free = 28 * time.Second

// held does an action about a lock that must be refused because of another
// holder, and checks what is said of that one.
func (b *bench) held(a transport.Action, said string) {
	b.t.Helper()
	out, err := b.Do(context.Background(), a)
	var failed *transport.ActionError
	if !errors.As(err, &failed) || failed.Output.Status != transport.LockHeld || len(out) != 1 {
		b.t.Fatalf("%s %s: %v, %v, want status %d", a.Kind, a.To, out, err, transport.LockHeld)
	}
	if got := string(failed.Output.Stdout); got != said {
		b.t.Errorf("%s %s: told of %q, want %q", a.Kind, a.To, got, said)
	}
}

func testLock(_ *testing.T, b *bench) {
	lock := b.at(".the lock's place")
	mine := transport.Lock(lock, "MINE", []byte("me: it's 1\n"), free)
	yours := transport.Lock(lock, "YOURS", []byte("you"), free)
	b.refuses(transport.Lock(b.at("no/dir/lock"), "MINE", nil, free))
	b.do(mine)
	b.held(yours, "MINE\nme: it's 1\n")
	b.do(transport.Beat(lock, "MINE", []byte("me: 2")))
	b.held(yours, "MINE\nme: 2")
	b.held(transport.Beat(lock, "YOURS", []byte("you")), "MINE\nme: 2")
	b.do(transport.Unlock(lock, "YOURS"))
	b.held(yours, "MINE\nme: 2")
	b.do(transport.Unlock(lock, "MINE"), transport.Unlock(lock, "MINE"))
	b.onlyNames()
	b.held(transport.Beat(lock, "MINE", []byte("me")), "")
	b.onlyNames()
	b.do(yours)
	b.held(transport.Lock(lock, "THIRD", nil, free), "YOURS\nyou")
	b.do(transport.Unlock(lock, "YOURS"))
	b.onlyNames()
}

// A take-over means one holder, and, if it says so, one text of that holder.
func testTakeOver(_ *testing.T, b *bench) {
	lock := b.at("lock")
	mine := transport.Lock(lock, "MINE", []byte("me"), free)
	b.do(transport.Lock(lock, "OLD", []byte("beat 1"), free), transport.Beat(lock, "OLD", []byte("beat 2")))
	b.held(transport.TakeOver(mine, "OTHER", nil), "OLD\nbeat 2")
	b.held(transport.TakeOver(mine, "OLD", []byte("beat 1")), "OLD\nbeat 2")
	b.do(transport.Beat(lock, "OLD", []byte("beat 3")))
	b.do(transport.TakeOver(mine, "OLD", []byte("beat 3")))
	b.held(transport.Beat(lock, "OLD", []byte("beat 4")), "MINE\nme")
	b.held(transport.TakeOver(transport.Lock(lock, "THIRD", nil, free), "OLD", nil), "MINE\nme")
	b.do(transport.TakeOver(transport.Lock(lock, "THIRD", []byte("third"), free), "MINE", nil))
	b.held(transport.Beat(lock, "MINE", []byte("me")), "THIRD\nthird")
	b.do(transport.Beat(lock, "THIRD", []byte("third")), transport.Unlock(lock, "MINE"), transport.Unlock(lock, "THIRD"))
	b.onlyNames()
}

// A beat that is refused stops what comes after it in the same exchange: that
// is what keeps a run from acting that has lost its lock.
func testFence(t *testing.T, b *bench) {
	lock := b.at("lock")
	b.do(transport.Lock(lock, "MINE", nil, free))
	b.do(transport.Beat(lock, "MINE", nil), transport.MakeDir(b.at("one")))
	b.do(transport.Unlock(lock, "MINE"))
	out, err := b.Do(context.Background(), transport.Beat(lock, "MINE", nil), transport.MakeDir(b.at("two")))
	if err == nil || len(out) != 1 {
		t.Errorf("%v, %v", out, err)
	}
	b.onlyNames("one")
}
