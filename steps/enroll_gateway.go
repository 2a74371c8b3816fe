package steps

import (
	"context"
	"fmt"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// enrollGateway is step 12: the marker exists that makes safenet_gw start at
// boot.
func enrollGateway(see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[*clientFacts]{
		Meta: orchestrator.Info{
			Number: 12, ID: "enroll-gateway", Host: orchestrator.OnClient,
			Title: "safenet_gw starts at boot",
		},
		Applies: func() bool { return see.layout.NetScaler() },
		Observe: see.client,
		Want:    see.client,
		Diff: func(have, _ *clientFacts) []orchestrator.Change {
			if have.enrolled {
				return nil
			}
			return []orchestrator.Change{{Field: have.layout.Enrolled, Have: "missing", Want: "there"}}
		},
		Explain: func(have, _ *clientFacts) string {
			if have.enrolled {
				return fmt.Sprintf("%s is there, so safenet_gw starts at boot", have.layout.Enrolled)
			}
			return fmt.Sprintf("without %s safenet_gw does not start at boot", have.layout.Enrolled)
		},
		Act: func(ctx context.Context, have, _ *clientFacts) error {
			_, err := do.client(ctx, have.enrol())
			return err
		},
		Typed: func(have, _ *clientFacts) []orchestrator.Command { return do.typist(have).actions(have.enrol()) },
		Undo:  func(have, _ *clientFacts) []string { return []string{shellLine("rm", have.layout.Enrolled)} },
	}
}

// enrol makes the marker.
func (c *clientFacts) enrol() transport.Action {
	return transport.Create(c.layout.Enrolled, nil, 0o644)
}
