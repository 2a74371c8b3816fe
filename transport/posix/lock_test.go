//go:build unix

package posix

import (
	"errors"
	"os"
	"strings"
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

// Somebody makes an entry in the very moment: seen, and left to them. Whether
// the name sorts before theirs or behind.
func TestLockWithTwoEntries(t *testing.T) {
	for _, token := range []string{"AMINE", "ZMINE"} {
		t.Run(token, func(t *testing.T) {
			h, dir := here(t)
			stub(t, "mkdir", `for p do :; done; case $p in */?MINE) /bin/mkdir "${p%/*}/OTHER" ;; esac; exec /bin/mkdir "$@"`)
			if taken, said := attempt(t, h, transport.Lock(dir+"/lock", token, nil, expiry)); taken || said != "OTHER\n" {
				t.Errorf("taken %t, said %q", taken, said)
			}
			if got := namesIn(t, dir+"/lock"); got != "OTHER" {
				t.Errorf("left %s", got)
			}
		})
	}
}

// A beat that comes after a dead run's lock was judged, and before it is cleared
// away, saves it.
func TestABeatInTheLastMoment(t *testing.T) {
	h, dir := here(t)
	lock := dir + "/lock"
	check(t, os.MkdirAll(lock+"/OLD", 0o755))
	write(t, lock+"/OLD/beat", "slow", 0o644)
	age(t, time.Minute, lock+"/OLD/beat", lock+"/OLD", lock)
	stub(t, "rm", `case "$*" in */OLD/last*) printf alive >`+lock+`/OLD/beat ;; esac; exec /bin/rm "$@"`)
	if taken, said := attempt(t, h, transport.Lock(lock, "NEW", []byte("new"), expiry)); taken || said != "OLD\nalive" {
		t.Errorf("taken %t, said %q", taken, said)
	}
	if taken, _ := attempt(t, h, transport.Beat(lock, "OLD", []byte("still"))); !taken {
		t.Error("the living holder lost it")
	}
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
