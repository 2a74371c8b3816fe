package steps

import (
	"context"
	"strings"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/transporttest"
)

// A run that was held up between two steps (nobody read what it said) has not
// watched the gateway meanwhile.
func TestAHeldUpRunHasNotWatched(t *testing.T) {
	for name, c := range map[string]struct {
		held time.Duration
		dies bool
		want orchestrator.Status
	}{
		"it stays":                  {0, false, orchestrator.Changed},
		"it stays, held up":         {5 * moment, false, orchestrator.Changed},
		"it ends":                   {0, true, orchestrator.Failed},
		"it ends, held up":          {5 * moment, true, orchestrator.Failed},
		"it ends, a little held up": {moment / 2, true, orchestrator.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				r := orchestrator.Engine{Steps: s.open().All(), Observe: func(ev orchestrator.Event) {
					if ev.Info.ID != "start-gateway" || ev.Kind != orchestrator.Completed {
						return
					}
					<-time.After(c.held)
					if c.dies {
						s.host.Running = nil
					}
				}}.Apply(t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
				if step := stepOf(t, r, "confirm-gateway"); step.Status != c.want {
					t.Errorf("%s %q", step.Status, step.Reason)
				}
			})
		})
	}
}

// looked is a host on which something happens before every look.
type looked struct {
	*transporttest.FakeHost
	first func(h *transporttest.FakeHost)
}

func (l looked) Look(ctx context.Context, queries ...transport.Query) (transport.Facts, error) {
	l.first(l.FakeHost)
	return l.FakeHost.Look(ctx, queries...)
}

// again is a keeper, who starts the gateway again as often as it ends: no two
// looks see the same.
func again(h *transporttest.FakeHost) {
	if h.Running != nil {
		h.Running = nil
		h.Launch(gwPath, "")
	}
}

// No run takes that for staying up, and none has it started at boot.
func TestAKeptGatewayIsNotUp(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		for _, run := range []string{"the run that starts it", "a rerun", "one more"} {
			r := orchestrator.Engine{Steps: s.openBy(looked{s.host, again}).All()}.Apply(t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
			step := stepOf(t, r, "confirm-gateway")
			if step.Status != orchestrator.Failed || !strings.Contains(step.Reason, "ended") {
				t.Errorf("%s: %s %q", run, step.Status, step.Reason)
			}
			if _, there := s.host.Get(marker); there {
				t.Fatalf("%s: enrolled", run)
			}
		}
	})
}

// One that nobody has enrolled was perhaps watched by nobody; one that is old has
// stayed up all the same. Either way there is nothing to do, which a plan can tell.
func TestWhoWatchesAnOlderGateway(t *testing.T) {
	for name, c := range map[string]struct {
		enrolled bool
		age      time.Duration
		watched  bool
	}{
		"young":             {false, 0, true},
		"not surely old":    {false, 2 * time.Second, true},
		"old":               {false, 3 * time.Second, false},
		"young, enrolled":   {true, 0, false},
		"old, and enrolled": {true, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				s.apply()
				s.host.Running = nil
				s.host.Advance(time.Minute)
				s.host.Launch(gwPath, "")
				s.host.Advance(c.age)
				if !c.enrolled {
					s.host.Delete(marker)
				}
				began := time.Now()
				if step := stepOf(t, s.plan(), "confirm-gateway"); step.Status != orchestrator.OK {
					t.Errorf("%s %q", step.Status, step.Reason)
				}
				if took := time.Since(began); took >= moment != c.watched {
					t.Errorf("looking took %s", took)
				}
				if step := stepOf(t, s.apply(), "confirm-gateway"); step.Status != orchestrator.OK {
					t.Errorf("%s %q", step.Status, step.Reason)
				}
			})
		})
	}
}

// One that ends while a plan watches it is told of in the plan.
func TestAGatewayThatEndsUnderAPlan(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.apply()
		s.host.Delete(marker)
		looks := 0
		ends := looked{s.host, func(h *transporttest.FakeHost) {
			if looks++; looks > 1 {
				h.Running = nil
			}
		}}
		step := stepOf(t, orchestrator.Engine{Steps: s.openBy(ends).All()}.Plan(t.Context()), "confirm-gateway")
		if step.Status != orchestrator.WouldChange || !strings.Contains(step.Reason, "has ended") {
			t.Errorf("%s %q", step.Status, step.Reason)
		}
	})
}

// One of a client's links starts the gateway, and the others are done behind it.
func TestTheOtherLinksWatchToo(t *testing.T) {
	for _, held := range []bool{true, false} {
		facts := &clientFacts{enrolled: true, gateways: []transport.Process{{PID: 1, Age: 2 * time.Second}}}
		if l := (&eyes{held: held}).liveness(facts); l.fresh != held {
			t.Errorf("held %t: fresh %t", held, l.fresh)
		}
	}
}
