package steps

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/transporttest"
)

const leftover = base + "/cert/server/.ntl-setup-192.0.2.20-20260101T000000Z.pem"

// What a run that was cut off left is shown, and cleared away; nothing else is.
func TestLeftoversAreClearedAway(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		foreign := base + "/cert/server/.ntl-setup-;rm -rf x.pem"
		for _, f := range []string{leftover, foreign, base + "/cert/server/notes.pem"} {
			s.host.Put(f, []byte("x"), 0o644)
		}
		plan := stepOf(t, s.plan(), "add-server")
		shown := false
		for _, c := range plan.Changes {
			shown = shown || c.Field == leftover && c.Want == "gone"
			if strings.Contains(c.Field, "rm -rf") || strings.Contains(c.Field, "notes") {
				t.Errorf("shown as ours: %+v", c)
			}
		}
		if !shown {
			t.Errorf("the plan does not show it: %+v", plan.Changes)
		}
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Fatalf("%s %v", r.Result, statusOf(r))
		}
		if _, there := s.host.Get(leftover); there {
			t.Error("it is still there")
		}
		if _, there := s.host.Get(foreign); !there {
			t.Error("a file that is not ours is gone")
		}
		checkEstablished(t, s)
	})
}

// A leftover beside a link that stands is no reason to touch the gateway.
func TestLeftoversDoNotConcernTheGateway(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.apply()
		pid := s.host.Running[0].PID
		s.host.Put(leftover, []byte("x"), 0o644)
		acts := len(s.host.Acts)
		r := s.apply()
		every(t, r, orchestrator.OK, map[string]orchestrator.Status{"add-server": orchestrator.Changed})
		if s.host.Running[0].PID != pid {
			t.Error("the gateway was restarted")
		}
		for _, a := range s.host.Acts[acts:] {
			if a.Kind == transport.ActRemove && a.Path == leftover || strings.Contains(a.Path, "lock") {
				continue
			}
			t.Errorf("it did %s %s", a.Kind, a.Path)
		}
	})
}

// A vtl that was killed after it had extended the bundle does not lead to the
// same certificate in it twice, which OpenSSL before 1.1.1 refuses to load.
func TestNoCertificateIsTrustedTwice(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		other := certify("other", keys()[2], nextDecade)
		mine := s.hsm.files["server.pem"]
		s.host.Put(caFile, append(bytes.Clone(other), mine...), 0o644)
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Fatalf("%s %v", r.Result, statusOf(r))
		}
		bundle, _ := s.host.Get(caFile)
		if n := bytes.Count(bundle, mine); n != 1 || !bytes.HasPrefix(bundle, other) {
			t.Errorf("it is in the bundle %d times:\n%s", n, bundle)
		}
	})
}

// mute is a host that does not answer when it is asked for the lock.
type mute struct{ *transporttest.FakeHost }

func (m mute) Do(ctx context.Context, actions ...transport.Action) ([]transport.Output, error) {
	if actions[0].Kind == transport.ActLock {
		<-ctx.Done()
		return nil, transport.Errorf(transport.ClassTimeout, m.Name(), "no answer: %w", context.Cause(ctx))
	}
	return m.FakeHost.Do(ctx, actions...)
}

// A host that falls silent is not waited for until the end of the run, as
// another run's lock is.
func TestASilentHostIsNoLockThatIsHeld(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		opened, err := Open(t.Context(), Hosts{Client: mute{s.host}, HSM: s.hsm}, s.link)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = opened.Hold(t.Context(), LockOptions{Owner: "alex@laptop"})
		if f := orchestrator.Fail(err); f.Class != "timeout" || time.Since(began) > time.Minute {
			t.Errorf("after %s: %+v", time.Since(began), f)
		}
	})
}
