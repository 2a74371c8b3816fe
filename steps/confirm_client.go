package steps

import (
	"context"
	"fmt"

	"ntl-setup/orchestrator"
	"ntl-setup/transport/lunash"
)

// confirmClient is step 6: what is registered is ours. A gate.
func confirmClient(link Link, see *eyes) orchestrator.Step {
	return orchestrator.Reconcile[verdict]{
		Meta: orchestrator.Info{
			Number: 6, ID: "confirm-client", Host: orchestrator.OnHSM,
			Title: "the registered certificate is the client's", Settle: settleAppliance,
		},
		Observe: func(ctx context.Context) (verdict, error) {
			reg, err := see.registered(ctx)
			if err != nil {
				return verdict{}, err
			}
			if !reg.listed {
				return verdict{}, fmt.Errorf("%s is not registered yet: %w", link.Name, orchestrator.ErrNotYet)
			}
			facts, err := see.client(ctx)
			if err != nil {
				return verdict{}, err
			}
			v := judge(link, reg, facts.pair.usableCert())
			if v.against != "" && !see.registering {
				return verdict{}, fmt.Errorf("list-clients says whose it is: %w", orchestrator.ErrNotYet)
			}
			return v, nil
		},
		Want: func(context.Context) (verdict, error) { return verdict{}, nil },
		Diff: func(_, _ verdict) []orchestrator.Change { return nil },
		Refuse: func(have, _ verdict) orchestrator.Refusal {
			if have.against == "" {
				return orchestrator.Refusal{}
			}
			return orchestrator.Refusal{
				Reason: have.against,
				Hint:   "choose another --name, or remove that registration on the appliance if it is no longer used (client delete)",
			}
		},
		Explain: func(have, _ verdict) string { return have.evidence },
		Typed: func(_, _ verdict) []orchestrator.Command {
			look := inLunash(lunash.FingerprintLine(link.Name))
			look.Note = "it must be that of " + link.certificateFile() + ": openssl x509 -noout -fingerprint -sha256 (or -sha1, -md5) -in ./" + link.certificateFile()
			return []orchestrator.Command{look}
		},
		Forgets: see.forgetRegistration,
	}
}
