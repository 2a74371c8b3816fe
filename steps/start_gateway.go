package steps

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// stopPatience is how long a gateway may take to end when it is asked to.
const stopPatience = 20 * time.Second

// gateway is what runs, and whether it has the present configuration.
type gateway struct {
	client *clientFacts
	old    string // why the running one is out of date; empty: it is not
}

// startGateway is step 10: exactly one safenet_gw runs, with the present
// configuration. One that is out of date carries production TLS: it is
// restarted only with --restart-gateway.
func startGateway(link Link, see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[gateway]{
		Meta: orchestrator.Info{
			Number: 10, ID: "start-gateway", Host: orchestrator.OnClient,
			Title: "safenet_gw runs with this configuration", Settle: settleGateway,
		},
		Applies: func() bool { return see.layout.NetScaler() },
		Observe: see.gateway,
		Want:    func(context.Context) (gateway, error) { return gateway{}, nil },
		Diff:    func(have, _ gateway) []orchestrator.Change { return have.changes() },
		Refuse: func(have, _ gateway) orchestrator.Refusal {
			if link.RestartGateway || len(have.client.gateways) == 0 || len(have.changes()) == 0 {
				return orchestrator.Refusal{}
			}
			return orchestrator.Refusal{
				Reason: have.explain() + "; production TLS hangs on it, so nothing is restarted unasked",
				Hint:   "when traffic allows it, run again with --restart-gateway",
			}
		},
		Explain: func(have, _ gateway) string { return have.explain() },
		Undo:    func(have, _ gateway) []string { return undoGateway(have.client) },
		Typed:   func(have, _ gateway) []orchestrator.Command { return do.typist(have.client).actions(have.actions()...) },
		Act: func(ctx context.Context, have, _ gateway) error {
			see.started, see.seen = true, nil // those that it ends are seen no more
			_, err := do.client(ctx, have.actions()...)
			return err
		},
		Forgets: see.clientMemo.forget,
	}
}

// gateway judges what runs. In a plan it also foresees what the steps before it
// are going to change.
func (e *eyes) gateway(ctx context.Context) (gateway, error) {
	facts, err := e.client(ctx)
	if err != nil {
		return gateway{}, err
	}
	g := gateway{client: facts}
	for _, p := range facts.gateways {
		switch what, stale := e.stale[p.PID]; {
		case len(p.Newer) > 0:
			g.old = fmt.Sprintf("it started (%s) before the last change of %s", p.Started, transport.Printable(strings.Join(p.Newer, ", ")))
		case stale:
			g.old = "this run changed " + what
		}
	}
	if g.old == "" && len(facts.gateways) > 0 {
		g.old, err = e.foreseen(ctx, facts)
	}
	return g, err
}

// foreseen says what the steps before this one are going to change of what a
// gateway reads, "" if nothing.
func (e *eyes) foreseen(ctx context.Context, c *clientFacts) (string, error) {
	coming, err := expectedConf(e.link, c)
	if err != nil {
		return "", err
	}
	switch {
	case len(certificateChanges(e.link, c)) > 0 && !c.pair.usable():
		return "this run is to make the client pair", nil
	case !bytes.Equal(coming.Bytes(), c.effective.Bytes()), !bytes.Equal(coming.Bytes(), c.persisted.raw):
		return "this run is to change the configuration", nil
	}
	trust, err := e.serverTrust(ctx, c)
	if err != nil {
		return "", err
	}
	if len(trust.changes(e.link)) > 0 {
		return "this run is to change the servers' certificates", nil
	}
	return "", nil
}

// actions end what runs, and start one.
func (g gateway) actions() (actions []transport.Action) {
	for _, p := range g.client.gateways {
		actions = append(actions, transport.Stop(p.PID, g.client.layout.Gateway, stopPatience))
	}
	return append(actions, transport.Start("/bin/sh", g.client.layout.StartGateway))
}

func (g gateway) changes() []orchestrator.Change {
	const field = "safenet_gw"
	switch n := len(g.client.gateways); {
	case n == 0:
		return []orchestrator.Change{{Field: field, Have: "not running", Want: "running"}}
	case n > 1:
		return []orchestrator.Change{{Field: field, Have: fmt.Sprintf("running %d times", n), Want: "running once"}}
	case g.old != "":
		return []orchestrator.Change{{Field: field, Have: "running with an older configuration", Want: "restarted"}}
	}
	return nil
}

func (g gateway) explain() string {
	switch n := len(g.client.gateways); {
	case n == 0:
		return "no safenet_gw runs"
	case n > 1:
		return fmt.Sprintf("%d safenet_gw run", n)
	}
	p := g.client.gateways[0]
	if g.old != "" {
		return fmt.Sprintf("safenet_gw (process %d) runs with an older configuration: %s", p.PID, g.old)
	}
	said := fmt.Sprintf("safenet_gw runs as process %d since %s", p.PID, p.Started)
	if why := g.client.ageUnknown; why != "" {
		said += "; whether its files are newer could not be told: " + transport.Printable(why)
	}
	return said
}
