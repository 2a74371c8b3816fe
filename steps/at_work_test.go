package steps

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// busyFor has a vtl make a pair for that long; 0: for good.
func (s *site) busyFor(d time.Duration) {
	s.host.Launch(vtlPath, vtlPath+" createCert -n 192.0.2.10")
	if d == 0 {
		return
	}
	pid := s.host.Running[len(s.host.Running)-1].PID
	time.AfterFunc(d, func() {
		if _, err := s.host.Do(context.Background(), transport.Run(vtlPath, "createCert", "-n", "192.0.2.10"), transport.Stop(pid, vtlPath, 0)); err != nil {
			s.t.Error(err)
		}
	})
}

// A healthy run's vtl may take longer than anybody would guess. It is waited for
// by looks at the processes alone, and then everything is looked at anew.
func TestASlowVtlIsWaitedFor(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		var told []string
		s.busyFor(10 * time.Minute)
		began := time.Now()
		opened, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm, Waiting: func(what string) { told = append(told, what) }}, s.link)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 10*time.Minute || took > 10*time.Minute+3*time.Second {
			t.Errorf("took %v", took)
		}
		if facts, err := opened.see.client(t.Context()); err != nil || !facts.pair.certThere {
			t.Errorf("the pair that was made meanwhile is not seen: %v", err)
		}
		if len(told) == 0 || !strings.HasPrefix(told[0], "root@192.0.2.10:22: vtl is at work there and is waited for: process ") || !strings.Contains(told[0], "createCert -n 192.0.2.10") {
			t.Fatalf("told %q", told)
		}
		full := 0
		for _, asked := range s.host.Looked {
			if len(asked) > 1 {
				full++
			}
		}
		if few := len(s.host.Looked) - full; full > 3 || few < 100 {
			t.Errorf("%d full looks and %d at the processes alone", full, few)
		}
	})
}

// late is a deadline of the command line, with the flag in its hint.
type late struct{}

func (late) Error() string     { return "the run was not done within 15m0s" }
func (late) ErrorHint() string { return "a larger --timeout gives it more time" }

// The end of the context is the end of the wait, and the error tells who was
// waited for and what ended it.
func TestAVtlThatHangs(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.busyFor(0)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 15*time.Minute, late{})
		defer cancel()
		began := time.Now()
		_, err := Open(ctx, Hosts{Client: s.host, HSM: s.hsm}, s.link)
		if took := time.Since(began); took != 15*time.Minute {
			t.Errorf("took %v", took)
		}
		if !errors.Is(err, ErrAtWork) || !errors.Is(err, late{}) || classOf(err) != "lock" {
			t.Fatalf("%v, class %s", err, classOf(err))
		}
		f := orchestrator.Fail(err)
		for _, want := range []string{"root@192.0.2.10:22", "process ", "createCert -n 192.0.2.10", "not done within 15m0s"} {
			if !strings.Contains(f.Message, want) {
				t.Errorf("no %q in %q", want, f.Message)
			}
		}
		if !strings.Contains(f.Hint, "end it on the client") || !strings.Contains(f.Hint, "--timeout") {
			t.Errorf("hint %q", f.Hint)
		}
	})
}

// What is wrong with the appliance ends the wait for the client, and is told.
func TestAFaultOfTheApplianceEndsTheWait(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.busyFor(0)
		s.hsm.errs["client list"] = s.hsm.refuse("client list", lunash.ErrNeedsLogin)
		began := time.Now()
		_, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
		if took := time.Since(began); took > time.Second || !errors.Is(err, lunash.ErrNeedsLogin) || errors.Is(err, ErrAtWork) {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// Within the engine the step's own time bounds the wait. Nobody has to decide
// anything: it failed, for want of a client at rest.
func TestAVtlThatHangsInTheLookAfterTheLock(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		r := s.run("a", nil)
		e := r.engine()
		e.StepTimeout = 2 * time.Minute
		hold := e.Hold
		e.Hold = func(ctx context.Context) (func(), error) {
			s.busyFor(0)
			return hold(ctx)
		}
		report := e.Apply(t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
		step := report.Steps[0]
		if report.Result != orchestrator.ResFailed || step.Status != orchestrator.Failed || step.Err == nil || step.Err.Class != "lock" {
			t.Fatalf("%s, %s %+v", report.Result, step.Status, step.Err)
		}
		if !strings.Contains(step.Err.Message, "createCert") || !strings.Contains(step.Err.Hint, "--step-timeout") || report.Acted {
			t.Errorf("acted %t: %+v", report.Acted, step.Err)
		}
		s.unlocked()
	})
}

// A person who ends the wait is not told of a lock.
func TestInterruptedWhileAVtlIsAtWork(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		r := s.run("a", nil)
		s.busyFor(0)
		r.see.forget()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		report := r.engine().Plan(ctx)
		if report.Result != orchestrator.Interrupted || report.Steps[0].Err.Class != "interrupted" {
			t.Errorf("%s %+v", report.Result, report.Steps[0].Err)
		}
	})
}

// psLost is a machine that cannot list its processes any more from some time on.
type psLost struct {
	transport.Host
	from time.Time
}

func (h psLost) Look(ctx context.Context, queries ...transport.Query) (transport.Facts, error) {
	facts, err := h.Host.Look(ctx, queries...)
	for q := range facts {
		if q.Kind == transport.QueryProcesses && time.Now().After(h.from) {
			facts[q] = transport.Fact{Problem: "ps: no such device"}
		}
	}
	return facts, err
}

// Nobody knows any more what is at work: that is told at once.
func TestTheListOfProcessesIsLost(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.busyFor(0)
		_, err := Open(t.Context(), Hosts{Client: psLost{s.host, time.Now().Add(time.Minute)}, HSM: s.hsm}, s.link)
		if err == nil || errors.Is(err, ErrAtWork) || !strings.Contains(err.Error(), "ps: no such device") {
			t.Errorf("%v", err)
		}
	})
}

// A run that was killed at its very end leaves its lock. Looking does not take it
// away; it tells of it, with the one look that there is anyway.
func TestALockThatIsThereIsNoted(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Fatal(r.Result)
		}
		before := len(s.host.Looked)
		if notes := s.open().Notes(t.Context()); len(notes) != 0 {
			t.Errorf("without a lock: %q", notes)
		}
		without := len(s.host.Looked) - before
		s.left("DEAD", deadRun)
		before = len(s.host.Looked)
		notes := s.open().Notes(t.Context())
		if len(notes) != 1 || !strings.HasPrefix(notes[0], "root@192.0.2.10:22: "+lockPath+" is there: ") {
			t.Errorf("%q", notes)
		}
		if with := len(s.host.Looked) - before; with != without {
			t.Errorf("%d exchanges, %d without the lock", with, without)
		}
		every(t, s.plan(), orchestrator.OK, nil)
		if _, there := s.host.Get(lockPath + "/DEAD/beat"); !there {
			t.Error("looking took it away")
		}
	})
}
