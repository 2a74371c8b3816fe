package steps

import (
	"context"
	"fmt"
	"path"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// moment is how long a gateway that this run started is watched. One that runs
// when this run begins has stayed up since somebody else started it.
const moment = time.Second

// liveness is what is known of the running gateway's staying power.
type liveness struct {
	process transport.Process
	watched time.Duration // since this run saw it first
	fresh   bool          // this run started it
	count   int
}

// confirmGateway is step 11: the gateway is still the same process a moment
// later; one that cannot work ends soon after its start. A gate.
func confirmGateway(see *eyes) orchestrator.Step {
	return orchestrator.Reconcile[liveness]{
		Meta: orchestrator.Info{
			Number: 11, ID: "confirm-gateway", Host: orchestrator.OnClient,
			Title: "safenet_gw stays up", Settle: 5 * moment,
		},
		Applies: func() bool { return see.layout.NetScaler() },
		Observe: func(ctx context.Context) (liveness, error) {
			facts, err := see.client(ctx)
			if err != nil {
				return liveness{}, err
			}
			if len(facts.gateways) == 0 && !see.started {
				return liveness{}, fmt.Errorf("no safenet_gw runs yet: %w", orchestrator.ErrNotYet)
			}
			l := liveness{count: len(facts.gateways), fresh: see.started}
			if l.count == 1 {
				l.process = facts.gateways[0]
				l.watched = time.Since(see.seen[identityOf(l.process)])
			}
			return l, nil
		},
		Want: func(context.Context) (liveness, error) { return liveness{}, nil },
		Diff: func(have, _ liveness) []orchestrator.Change {
			if have.count == 1 && (!have.fresh || have.watched >= moment) {
				return nil
			}
			return []orchestrator.Change{{Field: "safenet_gw", Have: have.describe(), Want: "one, the same a moment later"}}
		},
		// One that ends meanwhile is missed then as well as at once.
		Lasts: func(have, _ liveness) time.Duration {
			if have.count != 1 {
				return 0
			}
			return moment - have.watched
		},
		Explain: func(have, _ liveness) string { return have.describe() },
		Typed: func(_, _ liveness) []orchestrator.Command {
			return []orchestrator.Command{{
				Where: orchestrator.OnClient, Line: shellLine("pgrep", "-x", path.Base(see.layout.Gateway)),
				Note: "one process, and a moment later the same",
			}}
		},
		Forgets: see.clientMemo.forget,
	}
}

func (l liveness) describe() string {
	if l.count != 1 {
		return fmt.Sprintf("%d of them running", l.count)
	}
	return fmt.Sprintf("process %d, up for %s", l.process.PID, l.process.Age)
}

// identityOf tells one start of a process from another that got its number.
func identityOf(p transport.Process) string { return fmt.Sprintf("%d %s", p.PID, p.Started) }

// remember notes when this run saw each gateway first.
func (e *eyes) remember(processes []transport.Process) {
	for _, p := range processes {
		if _, known := e.seen[identityOf(p)]; !known {
			e.seen[identityOf(p)] = time.Now()
		}
	}
}
