package steps

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// moment is how long a gateway that this run started is watched, and one of which
// nobody knows that a run has watched it.
const moment = time.Second

// young is the age from which on a gateway has surely been there for a moment:
// ages may be two seconds too many.
const young = 2*time.Second + moment

// liveness is what is known of the running gateway's staying power.
type liveness struct {
	process transport.Process
	watched time.Duration // from when this run saw it first to when it asked for what it sees now
	fresh   bool          // nobody has watched it yet
	count   int
	ended   []int // those (PID) that ran meanwhile and do no more
}

// sighting is a gateway and when this run saw it first.
type sighting struct {
	process transport.Process
	at      time.Time
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
		Observe: see.gatewayLives,
		Want:    func(context.Context) (liveness, error) { return liveness{}, nil },
		Diff: func(have, _ liveness) []orchestrator.Change {
			if have.count == 1 && have.unwatched() == 0 {
				return nil
			}
			return []orchestrator.Change{{Field: "safenet_gw", Have: have.describe(), Want: "one, the same a moment later"}}
		},
		// One that ends meanwhile is missed then as well as at once.
		Lasts: func(have, _ liveness) time.Duration {
			return have.unwatched()
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

// gatewayLives looks at the gateway. One that this run did not start is watched in
// the look already: it needs nothing done, and a plan can tell.
func (e *eyes) gatewayLives(ctx context.Context) (liveness, error) {
	facts, err := e.client(ctx)
	if err != nil {
		return liveness{}, err
	}
	if rest := e.liveness(facts).unwatched(); rest > 0 && !e.started {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return liveness{}, fmt.Errorf("watching safenet_gw: %w", context.Cause(ctx))
		}
		e.clientMemo.forget()
		if facts, err = e.client(ctx); err != nil {
			return liveness{}, err
		}
	}
	if len(facts.gateways) == 0 && len(e.seen) == 0 && !e.started {
		return liveness{}, fmt.Errorf("no safenet_gw runs yet: %w", orchestrator.ErrNotYet)
	}
	return e.liveness(facts), nil
}

// liveness judges what was seen at the latest look and before it. Whoever enrolled
// the gateway has watched it; without that mark a young one may be about to end,
// and have a keeper that starts it again and again. While the client is held,
// another link of this run may have started it.
func (e *eyes) liveness(facts *clientFacts) liveness {
	l := liveness{count: len(facts.gateways), fresh: e.started}
	for _, s := range e.seen {
		if l.count == 1 && same(s.process, facts.gateways[0]) {
			// What is remembered grows no older by itself: whoever was held up since
			// then has not watched.
			l.watched = max(0, facts.asked.Sub(s.at))
		} else if !slices.ContainsFunc(facts.gateways, func(p transport.Process) bool { return same(s.process, p) }) {
			l.ended = append(l.ended, s.process.PID)
		}
	}
	if l.count == 1 {
		l.process = facts.gateways[0]
		l.fresh = l.fresh || l.process.Age < young && (e.held || !facts.enrolled)
	}
	return l
}

// unwatched is how long it has yet to be watched; 0 also when there is not one.
func (l liveness) unwatched() time.Duration {
	if l.count != 1 || !l.fresh {
		return 0
	}
	return max(0, moment-l.watched)
}

func (l liveness) describe() string {
	what := fmt.Sprintf("process %d, up for %s", l.process.PID, l.process.Age)
	if l.count != 1 {
		what = fmt.Sprintf("%d of them running", l.count)
	}
	switch len(l.ended) {
	case 0:
		return what
	case 1:
		return fmt.Sprintf("%s; process %d has ended", what, l.ended[0])
	}
	return fmt.Sprintf("%s; %d others have ended", what, len(l.ended))
}

// same tells one start of a process from another that got its number.
func same(a, b transport.Process) bool { return a.PID == b.PID && a.Started == b.Started }

// remember notes when this run saw each gateway first.
func (e *eyes) remember(processes []transport.Process) {
	for _, p := range processes {
		if !slices.ContainsFunc(e.seen, func(s sighting) bool { return same(s.process, p) }) {
			e.seen = append(e.seen, sighting{p, time.Now()})
		}
	}
}
