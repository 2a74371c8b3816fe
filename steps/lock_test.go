package steps

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

const lockPath = base + "/.ntl-setup.lock"

// Two runs at once: one works, the other waits, says for whom, and finds
// everything done.
func TestTwoRunsOneWorks(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		slow := &wire{Host: s.host, before: func(ctx context.Context, actions []transport.Action) error {
			if runs(actions) {
				return takes(ctx, 70*time.Second) // longer than a lock lives without its holder
			}
			return nil
		}}
		runs := []*run{s.run("alice@laptop", slow), s.run("bob@desk", slow)}
		reports := make([]orchestrator.Report, len(runs))
		var both sync.WaitGroup
		for i, r := range runs {
			both.Go(func() { reports[i] = r.apply(t.Context()) })
		}
		both.Wait()
		worked, waited := 0, 0
		for i, r := range reports {
			if r.Result != orchestrator.Established {
				t.Fatalf("%s: %s %+v", runs[i].options.Owner, r.Result, statusOf(r))
			}
			told := strings.Join(runs[i].told, "\n")
			switch {
			case r.Acted && told == "":
				worked++
			case !r.Acted && len(runs[i].told) == 1 && strings.Contains(told, runs[1-i].options.Owner) &&
				strings.Contains(told, "process 4711") && strings.Contains(told, "apply NS-web1") && strings.Contains(told, "--break-lock"):
				waited++
			}
		}
		if worked != 1 || waited != 1 {
			t.Errorf("%d worked, %d waited: %q %q", worked, waited, runs[0].told, runs[1].told)
		}
		if s.made != 1 || len(s.hsm.writes) != 3 {
			t.Errorf("%d pairs, writes %q", s.made, s.hsm.writes)
		}
		s.unlocked()
	})
}

func TestNothingToDoTakesNoLock(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.run("a", nil).apply(t.Context())
		if !slices.ContainsFunc(s.host.Acts, func(a transport.Action) bool { return a.Kind == transport.ActLock }) {
			t.Error("a run that changed something took no lock")
		}
		s.host.Acts = nil
		s.run("a", nil).apply(t.Context())
		s.run("a", nil).engine().Plan(t.Context())
		if len(s.host.Acts) != 0 {
			t.Errorf("%v", s.host.Acts)
		}
	})
}

// Every act on the client stands right behind a beat.
func TestEveryActIsFenced(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.run("a", nil).apply(t.Context())
		for i, a := range s.host.Acts {
			switch a.Kind {
			case transport.ActLock, transport.ActBeat, transport.ActUnlock:
			default:
				if before := s.host.Acts[i-1]; before.Kind != transport.ActBeat {
					t.Errorf("%s %s comes behind %s", a.Kind, a.Path, before.Kind)
				}
			}
		}
	})
}

// What a killed run left expires within thirty seconds, and no sooner than its
// beats allow.
func TestALockLeftBehindExpires(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.left("DEAD", deadRun)
		r := s.run("a", nil)
		began := time.Now()
		r.hold(t)()
		if took := time.Since(began); took < lockExpiry || took > 30*time.Second {
			t.Errorf("free after %v", took)
		}
		if len(r.told) != 1 || !strings.Contains(r.told[0], "bob@desk (process 99) since 2026-03-02T09:00:00Z, for apply NS-web9") {
			t.Errorf("told %q", r.told)
		}
		s.unlocked()
	})
}

func TestAnOldLockIsTakenAtOnce(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.left("DEAD", deadRun)
		if err := takes(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		r := s.run("a", nil)
		began := time.Now()
		r.hold(t)()
		if time.Since(began) != 0 || len(r.told) != 0 {
			t.Errorf("after %v, told %q", time.Since(began), r.told)
		}
	})
}

// A host that cannot tell a beat's age: the waiter sees for itself whether the
// text changes. A living holder is never taken for a dead one.
func TestExpiryByWatching(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		blind := &wire{Host: s.host}
		s.left("DEAD", deadRun)
		s.host.Now = func() time.Time { return time.Unix(0, 0) } // nothing grows old there
		opened := s.openBy(blind)
		began := time.Now()
		first, err := opened.Hold(t.Context(), LockOptions{Owner: "first"})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < lockExpiry || took > 30*time.Second {
			t.Errorf("free after %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		if _, err := s.openBy(blind).Hold(ctx, LockOptions{Owner: "second"}); err == nil {
			t.Error("a living holder was taken for a dead one")
		}
		first()
		s.unlocked()
	})
}

// openBy opens the site over a wire, and leaves the clock as it is.
func (s *site) openBy(w transport.Host) *Site {
	s.t.Helper()
	opened, err := Open(s.t.Context(), Hosts{Client: w, HSM: s.hsm}, s.link)
	if err != nil {
		s.t.Fatal(err)
	}
	return opened
}

// Several wait for a dead run's lock: they get it one after the other.
func TestSeveralWaiters(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.left("DEAD", deadRun)
		var inside, had int
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, r := range []*run{s.run("a", nil), s.run("b", nil), s.run("c", nil), s.run("d", nil)} {
			all.Go(func() {
				release := r.hold(t)
				mu.Lock()
				inside++
				had++
				if inside != 1 {
					t.Errorf("%d hold it", inside)
				}
				mu.Unlock()
				if err := takes(t.Context(), time.Minute); err != nil { // longer than a lock lives unbeaten
					t.Error(err)
				}
				mu.Lock()
				inside--
				mu.Unlock()
				release()
			})
		}
		all.Wait()
		if had != 4 {
			t.Errorf("%d of 4 had it", had)
		}
		s.unlocked()
	})
}

// classOf is the class of an error, as a report shows it.
func classOf(err error) string { return orchestrator.Fail(err).Class }

func TestTheWaitEndsWithTheRun(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		release := s.run("alice@laptop", nil).hold(t)
		tooLong := errors.New("the run was not done within 1m")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, tooLong)
		defer cancel()
		r := s.run("bob@desk", nil).apply(ctx)
		if r.Result != orchestrator.ResFailed || r.Err == nil || r.Err.Class != "lock" || r.Acted {
			t.Fatalf("%s %+v", r.Result, r.Err)
		}
		for _, want := range []string{"alice@laptop (process 4711)", "apply NS-web1", lockPath, tooLong.Error()} {
			if !strings.Contains(r.Err.Message, want) {
				t.Errorf("no %q in %q", want, r.Err.Message)
			}
		}
		if !strings.Contains(r.Err.Hint, "--break-lock") {
			t.Errorf("hint %q", r.Err.Hint)
		}

		stop, interrupt := context.WithCancel(t.Context())
		waiting := s.run("bob@desk", nil)
		time.AfterFunc(time.Minute, interrupt)
		if r := waiting.apply(stop); r.Result != orchestrator.Interrupted || r.Err.Class != "interrupted" {
			t.Errorf("interrupted: %s %+v", r.Result, r.Err)
		}
		release()
		s.unlocked()
		synctest.Wait()
	})
}

// Somebody else may have been at work until the lock was had.
func TestHoldingForgetsWhatWasSeen(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		r := s.run("a", nil)
		if _, err := r.see.client(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.host.Looked = nil
		s.hsm.partitions = nil
		release := r.hold(t)
		if _, err := r.see.client(t.Context()); err != nil || len(s.host.Looked) == 0 {
			t.Errorf("%d looks at the client, %v", len(s.host.Looked), err)
		}
		if rows, err := r.see.partitions(t.Context()); err != nil || len(rows) != 0 {
			t.Errorf("the appliance was not looked at: %v, %v", rows, err)
		}
		release()
	})
}

// No lock, no act: the client user may not write there.
func TestALockThatCannotBeMade(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		r := s.run("a", nil)
		s.host.Delete(base)
		s.host.Put(base, []byte("a file"), 0o644)
		_, err := r.Hold(t.Context(), r.options)
		if err == nil || classOf(err) != "remote" || !strings.Contains(orchestrator.Fail(err).Hint, base) {
			t.Errorf("%v", err)
		}
	})
}
