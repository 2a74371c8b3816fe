package steps

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// --break-lock takes the lock at once, and the run that held it acts no more,
// on either host.
func TestBreakLock(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		alice, bob := s.run("alice@laptop", nil), s.run("bob@desk", nil)
		release := alice.hold(t)
		bob.options.Break = true
		began := time.Now()
		releaseBob := bob.hold(t)
		if time.Since(began) != 0 || len(bob.told) != 1 || !strings.Contains(bob.told[0], "took the lock of alice@laptop") {
			t.Errorf("after %v, told %q", time.Since(began), bob.told)
		}
		before := s.world()
		for _, act := range []func() error{ // the appliance first: it has no beat of its own to find out by
			func() error { return alice.do.assign(t.Context(), "partition6") },
			func() error { _, err := alice.do.client(t.Context(), transport.MakeDir("/made")); return err },
		} {
			err := act()
			if err == nil || classOf(err) != "lock" || !strings.Contains(err.Error(), "held by bob@desk") {
				t.Errorf("%v", err)
			}
		}
		if after := s.world(); len(after) != len(before) || s.host.Mode("/made") != 0 || len(s.hsm.writes) != 0 {
			t.Error("a run without its lock changed something")
		}
		release() // must not take bob's away
		if _, err := bob.do.client(t.Context(), transport.MakeDir("/bobs")); err != nil {
			t.Errorf("bob: %v", err)
		}
		releaseBob()
		s.unlocked()
	})
}

// Breaking means the holder that was there, not one who comes after.
func TestBreakLockMeansOneHolder(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.left("DEAD", deadRun)
		third := s.run("carol@desk", nil)
		var release func()
		sly := &wire{Host: s.host, before: func(_ context.Context, actions []transport.Action) error {
			if actions[0].From == "DEAD" && release == nil { // somebody else breaks it a moment sooner
				third.options.Break = true
				release = third.hold(t)
				time.AfterFunc(time.Minute, release)
			}
			return nil
		}}
		r := s.run("a", sly)
		r.options.Break = true
		began := time.Now()
		r.hold(t)()
		if took := time.Since(began); took < time.Minute || took > time.Minute+2*time.Second {
			t.Errorf("had it after %v", took)
		}
		synctest.Wait()
		s.unlocked()
	})
}

// A beat that finds the lock gone ends the act under way.
func TestALostLockEndsTheAct(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		slow := &wire{Host: s.host, before: func(ctx context.Context, actions []transport.Action) error {
			if !runs(actions) {
				return nil
			}
			time.AfterFunc(25*time.Second, func() { // somebody removes it
				if _, err := s.host.Do(context.Background(), transport.Unlock(lockPath, actions[0].To)); err != nil {
					t.Error(err)
				}
			})
			return takes(ctx, time.Hour)
		}}
		r := s.run("a", slow)
		began := time.Now()
		report := r.apply(t.Context())
		if took := time.Since(began); took > 31*time.Second {
			t.Errorf("ended after %v", took)
		}
		if report.Result != orchestrator.ResFailed || report.Steps[0].Err == nil || report.Steps[0].Err.Class != "lock" || s.made != 0 {
			t.Errorf("%s %+v, made %d", report.Result, report.Steps[0].Err, s.made)
		}
		if !strings.Contains(report.Steps[0].Err.Message, "somebody has removed it") {
			t.Errorf("%s", report.Steps[0].Err.Message)
		}
	})
}

var errDropped = transport.Errorf(transport.ClassConnect, "h", "connection lost")

// Two beats without an answer end the acts before the lock expires; one does not.
func TestMissedBeats(t *testing.T) {
	for name, c := range map[string]struct {
		miss int           // beats that get no answer, from the first on
		err  error         // nil: not even an error comes
		ends time.Duration // the act; 0: never
	}{
		"one is lost":        {miss: 1, err: errDropped},
		"two are lost":       {miss: 2, err: errDropped, ends: 20 * time.Second},
		"two hang":           {miss: 2, ends: 25 * time.Second},
		"no session to beat": {miss: 5, err: transport.Errorf(transport.ClassConnect, "h", "%w", transport.ErrNoSession)},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				missed := 0
				w := &wire{Host: s.host, before: func(ctx context.Context, actions []transport.Action) error {
					switch {
					case runs(actions):
						return takes(ctx, time.Minute)
					case beats(actions) && missed < c.miss && c.err != nil:
						missed++
						return c.err
					case beats(actions) && missed < c.miss:
						missed++
						return takes(ctx, time.Hour)
					}
					return nil
				}}
				r := s.run("a", w)
				began := time.Now()
				release := r.hold(t)
				_, err := r.do.client(t.Context(), transport.Run(vtlPath, "createCert", "-n", "192.0.2.10"))
				took := time.Since(began)
				switch {
				case c.ends == 0 && (err != nil || took != time.Minute):
					t.Errorf("after %v: %v", took, err)
				case c.ends > 0 && (took != c.ends || took >= lockExpiry || err == nil || classOf(err) != "lock"):
					t.Errorf("after %v: %v", took, err)
				}
				if c.ends > 0 {
					if _, err := r.do.client(t.Context(), transport.MakeDir("/x")); err == nil || s.host.Mode("/x") != 0 {
						t.Errorf("acted on: %v", err)
					}
				}
				release()
				s.unlocked()
			})
		})
	}
}

// The outputs are those of the actions, and the errors are about them.
func TestFencedOutputs(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		r := s.run("a", nil)
		release := r.hold(t)
		out, err := r.do.client(t.Context(), transport.Run(vtlPath, "listServers"), transport.MakeDir("/d"), transport.Remove("/d"), transport.MakeDir("/e"))
		var failed *transport.ActionError
		if !errors.As(err, &failed) || failed.Action.Kind != transport.ActRemove || len(out) != 3 || s.host.Mode("/e") != 0 {
			t.Errorf("%v, %v", out, err)
		}
		if !strings.Contains(string(out[0].Stdout), "no servers") || out[2].Status == 0 {
			t.Errorf("%v", out)
		}
		release()
	})
}

// The lock goes also when the run has failed, or was stopped at once.
func TestReleaseAfterTheEnd(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.hsm.errs["store"] = errDropped
		if r := s.run("a", nil).apply(t.Context()); r.Result != orchestrator.ResFailed {
			t.Fatalf("%s", r.Result)
		}
		s.unlocked()
		ctx, cancel := context.WithCancel(t.Context())
		r := s.run("a", nil)
		release, err := r.Hold(ctx, r.options)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		release()
		s.unlocked()
		if len(r.told) != 0 {
			t.Errorf("told %q", r.told)
		}
	})
}

func TestReleaseOverADeadLine(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		dead := false
		r := s.run("a", &wire{Host: s.host, before: func(ctx context.Context, _ []transport.Action) error {
			if dead {
				return takes(ctx, time.Hour)
			}
			return nil
		}})
		release := r.hold(t)
		dead = true
		began := time.Now()
		release()
		if took := time.Since(began); took > lockGoodbye {
			t.Errorf("took %v", took)
		}
		if len(r.told) != 1 || !strings.Contains(r.told[0], "could not be removed") {
			t.Errorf("told %q", r.told)
		}
	})
}

// A dead run's vtl is still at work when its lock has expired: it is waited for,
// and what it made is taken for what it is.
func TestAKilledRunsVtlIsNotOverlapped(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		a := s.run("a", nil)
		s.left("DEAD", deadRun)
		overlapped := false
		s.host.Launch(vtlPath, vtlPath+" createCert -n 192.0.2.10")
		time.AfterFunc(50*time.Second, func() { // it ends, and leaves the pair
			if _, err := s.host.Do(context.Background(), transport.Run(vtlPath, "createCert", "-n", "192.0.2.10"), transport.Stop(s.host.Running[0].PID, vtlPath, 0)); err != nil {
				t.Error(err)
			}
		})
		s.host.Before = func(act transport.Action) error {
			overlapped = overlapped || act.Kind == transport.ActBackup && len(s.host.Running) > 0
			return nil
		}
		r := a.apply(t.Context())
		if r.Result != orchestrator.Established || s.made != 1 || overlapped {
			t.Errorf("%s, %d pairs, overlapped %t: %v", r.Result, s.made, overlapped, statusOf(r))
		}
		s.unlocked()
	})
}

// What a lock says comes from a stranger.
func TestTheHolderIsShownSafely(t *testing.T) {
	for text, want := range map[string]string{
		deadRun:                          "bob@desk (process 99) since 2026-03-02T09:00:00Z, for apply NS-web9",
		"":                               "a run that has not said who it is",
		"junk":                           "a run that has not said who it is",
		`{"owner":"x\u001b[31m\u0007y"}`: "xy (process 0) since , for",
		`{"owner":"` + strings.Repeat("x", 5000) + `"}`: "a run that has not said who it is",
	} {
		var w watched
		w.see([]byte("T\n" + text))
		if got := w.who.String(); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}

// An act on the appliance needs no beat of its own right behind one; a moment
// later it does.
func TestAFreshBeatSpeaksForAnActElsewhere(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		alice := s.run("alice@laptop", nil)
		defer alice.hold(t)()
		beats := func() (n int) {
			for _, a := range s.host.Acts {
				if a.Kind == transport.ActBeat {
					n++
				}
			}
			return n
		}
		act := func() {
			t.Helper()
			if err := alice.do.appliance(t.Context(), func(context.Context) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			after time.Duration
			beats int
		}{{0, 1}, {lockFresh - time.Millisecond, 0}, {time.Millisecond, 1}, {lockFresh, 1}} {
			<-time.After(c.after) // virtual time
			before := beats()
			if act(); beats()-before != c.beats {
				t.Errorf("%v later: %d beats, want %d", c.after, beats()-before, c.beats)
			}
		}
		if _, err := alice.do.client(t.Context(), transport.MakeDir("/made")); err != nil {
			t.Fatal(err)
		}
		before := beats()
		if act(); beats() != before {
			t.Error("a beat right behind an act on the client")
		}
	})
}

// Neither clock alone is believed: one stands still while a laptop sleeps.
func TestFreshByBothClocks(t *testing.T) {
	var l lease
	now := time.Now()
	if l.fresh(now) {
		t.Error("fresh before any beat")
	}
	l.shown(now)
	l.shown(now.Add(-time.Minute)) // answered late
	for after, want := range map[time.Duration]bool{0: true, time.Second: true, lockFresh: false, time.Hour: false, -time.Hour: false} {
		if got := l.fresh(now.Round(0).Add(after)); got != want {
			t.Errorf("%v on the wall: %v", after, got)
		}
	}
	if l.fresh(now.Add(lockFresh)) {
		t.Error("fresh for longer")
	}
}
