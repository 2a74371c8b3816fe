package matrix

import (
	"context"
	"errors"
	"sync"
	"time"

	"ntl-setup/fixtures/faults"
	"ntl-setup/orchestrator"
	"ntl-setup/steps"
	"ntl-setup/transport/lunash"
)

// The bounds of a run; that of a step is shorter than the command line's, and
// only its proportion to the rest matters under a clock of our own.
const (
	runTimeout  = 15 * time.Minute
	stepTimeout = 30 * time.Second
)

var errRunTimeout = errors.New("the run's time was up")

// outcome is how a run ended.
type outcome struct {
	report orchestrator.Report
	fail   *orchestrator.Failure // what went wrong, in a step or outside; nil: nothing
	took   time.Duration
	struck string // the step at work as the fault struck
	typed  []string
	bytes  int64
}

// run is one run of the program, with a fault or (nil) without.
func (s *site) run(f *faults.Fault) outcome {
	var o outcome
	at := &atWork{step: "connect"}
	if f != nil {
		s.inject = faults.New(*f, func() { o.struck = at.get() })
	} else {
		s.inject = faults.New(faults.Fault{At: "nowhere"}, nil)
	}
	inject := s.inject
	net := &network{}
	wire, client := newConn(s.app, inject, net), newHost(s, inject, net)
	ctx, cancel := context.WithTimeoutCause(context.Background(), runTimeout, errRunTimeout)
	defer cancel()
	if f != nil && f.At == faults.Clock {
		timer := time.AfterFunc(f.After, func() {
			if inject.Tick() == faults.Gone {
				net.vanish()
			} else {
				net.cut()
			}
		})
		defer timer.Stop()
	}
	began := time.Now()
	appliance := lunash.New(wire, lunash.Options{CommandTimeout: stepTimeout})
	o.report, o.fail = s.work(ctx, steps.Hosts{Client: client, HSM: appliance}, at)
	o.took = time.Since(began)
	if err := errors.Join(appliance.Close(), wire.Close()); err != nil {
		s.t.Error(err)
	}
	o.typed, o.bytes = inject.Typed(), inject.Bytes()
	if f != nil && !inject.Struck() {
		s.t.Errorf("the fault never struck: the run ended %s", o.report.Result)
	}
	return o
}

// work is what the program does once it is connected.
func (s *site) work(ctx context.Context, hosts steps.Hosts, at *atWork) (orchestrator.Report, *orchestrator.Failure) {
	open, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	at.set("recognise")
	opened, err := steps.Open(open, hosts, s.link())
	if err != nil {
		return orchestrator.Report{Result: orchestrator.ResFailed}, orchestrator.Fail(err)
	}
	engine := orchestrator.Engine{
		Steps: opened.All(), StepTimeout: stepTimeout, Observe: at.observe,
		Hold: func(ctx context.Context) (func(), error) {
			at.set("hold")
			return opened.Hold(ctx, steps.LockOptions{Owner: "alex@laptop", PID: s.stamps, Reason: "apply"})
		},
	}
	r := engine.Apply(ctx, func([]orchestrator.StepReport) error { return nil }, nil)
	if r.Err != nil {
		return r, r.Err
	}
	for _, step := range r.Steps {
		if step.Err != nil {
			return r, step.Err
		}
	}
	return r, nil
}

// atWork is the step that the run is at.
type atWork struct {
	mu   sync.Mutex
	step string
}

func (a *atWork) observe(e orchestrator.Event) {
	switch e.Kind {
	case orchestrator.Looking, orchestrator.Acting, orchestrator.Confirm:
		a.set(e.Info.ID)
	case orchestrator.Looked:
		a.set(stepIDs[0])
	case orchestrator.Completed:
		if next := e.Info.Number; next < len(stepIDs) {
			a.set(stepIDs[next])
		}
	case orchestrator.Planned:
	}
}

func (a *atWork) set(step string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.step = step
}

func (a *atWork) get() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.step
}
