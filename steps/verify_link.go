package steps

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/chrystoki"
	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
)

// proof is the link as the client sees it.
type proof struct {
	client   *clientFacts
	wanted   *chrystoki.File // the configuration as it should be
	telling                  // how its rows are told
	asked    bool            // vtl verify was asked
	verified vtl.Verified
	slots    slots // what the client's PKCS#11 library says
}

// verifyLink is step 8: the configuration has the right entries, and `vtl
// verify` reaches every wanted partition. It is the proof of steps 1 to 7.
func verifyLink(link Link, see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[proof]{
		Meta: orchestrator.Info{
			Number: 8, ID: "verify-link", Host: orchestrator.OnClient,
			Title: "the client reaches its partitions", Settle: settleLink,
		},
		Observe: func(ctx context.Context) (proof, error) {
			have, err := see.proof(ctx)
			if err == nil {
				err = have.client.barred(have.confChanges())
			}
			return have, err
		},
		Want: func(context.Context) (proof, error) { return proof{}, nil },
		Diff: func(have, _ proof) []orchestrator.Change {
			changes := have.confChanges()
			for _, p := range have.unreached(link) {
				changes = append(changes, orchestrator.Change{Field: "vtl verify", Have: "does not list " + p, Want: "lists " + p})
			}
			return changes
		},
		Refuse:  func(have, _ proof) orchestrator.Refusal { return have.client.closed(have.confChanges()) },
		Explain: func(have, _ proof) string { return have.explain(link) + have.evidence(link) + see.holding(have) },
		Waits:   func(have, _ proof) bool { return len(have.confChanges()) == 0 },
		Undo:    func(have, _ proof) []string { return undoConf(link, have.client.conf) },
		Typed:   func(have, _ proof) []orchestrator.Command { return have.typed(do) },
		Act: func(ctx context.Context, have, _ proof) error {
			_, err := do.reconfigure(ctx, "the configuration", do.writeConf(have.client.conf, have.wanted.Bytes())...)
			return err
		},
		Forgets: see.verifyMemo.forget,
	}
}

// proof reads the configuration and, where it can be of use, asks vtl verify.
func (e *eyes) proof(ctx context.Context) (proof, error) {
	facts, err := e.client(ctx)
	if err != nil {
		return proof{}, err
	}
	p := proof{client: facts}
	if p.wanted, err = expectedConf(e.link, facts); err != nil {
		return p, err
	}
	if p.telling, err = e.telling(ctx, facts); err != nil {
		return p, err
	}
	reg, err := e.registered(ctx)
	if err != nil {
		return p, err
	}
	if !facts.pair.usable() || !facts.lists(e.link.HSMAddress) || !reg.listed || len(p.confChanges()) > 0 {
		return p, nil // vtl verify could only fail, after its time-outs
	}
	p.asked = true
	if p.verified, err = e.verified(ctx); err == nil && len(p.unreached(e.link)) == 0 {
		p.slots = e.slots(ctx, facts)
	}
	return p, err
}

// confChanges is the difference between the configuration and what it should be.
func (p proof) confChanges() []orchestrator.Change {
	c := p.client
	have, want := c.effective.Bytes(), p.wanted.Bytes()
	if bytes.Equal(have, want) {
		return nil
	}
	return []orchestrator.Change{{
		Field: c.conf.path, Have: "without the entries of this link", Want: "with them",
		Diff: chrystoki.Diff(c.conf.path, have, want),
	}}
}

// typed is the same by hand.
func (p proof) typed(do *hands) []orchestrator.Command {
	t, c := do.typist(p.client), p.client
	var actions []transport.Action
	if len(p.confChanges()) > 0 {
		conf := c.conf
		conf.raw, conf.present = c.effective.Bytes(), true // once step 1 has restored it
		t.note = "vtl has written some of it by now; what is not as in the difference, write"
		actions = do.writeConf(conf, p.wanted.Bytes())
	}
	verify := transport.VtlVerify(c.layout.Vtl)
	all := t.actions(append(actions, transport.Run(append([]string{verify.Path}, verify.ArgList()...)...))...)
	all[len(all)-1].Note = "it must list " + strings.Join(p.unreached(do.link), ", ")
	return all
}

// unreached lists the wanted partitions that vtl verify does not list.
func (p proof) unreached(link Link) []string {
	var missing []string
	for _, name := range link.Partitions {
		if !p.asked || !p.reaches(p.verified, name) {
			missing = append(missing, p.named(name))
		}
	}
	return missing
}

func (p proof) explain(link Link) string {
	if !p.asked {
		return "the link is not complete yet, so vtl verify was not asked"
	}
	if missing := p.unreached(link); len(missing) > 0 {
		return fmt.Sprintf("vtl verify does not list %s: %s; if it stays so, look at port 1792 from the client to the HSM, "+
			"%sNAT (ntls ipcheck on the appliance) and the clocks of both", strings.Join(missing, ", "), p.whyUnreached(link), nameAdvice(link))
	}
	var reached []string
	for _, name := range link.Partitions {
		reached = append(reached, p.named(name))
	}
	return fmt.Sprintf("vtl verify lists %s, %s", strings.Join(reached, ", "), p.how())
}

// whyUnreached is what vtl said instead of the wanted partitions.
func (p proof) whyUnreached(link Link) string {
	for _, name := range link.Partitions {
		if why := p.unclear(p.verified, name); why != "" {
			return why
		}
	}
	if p.verified.Reason != "" {
		return transport.Printable(p.verified.Reason)
	}
	return fmt.Sprintf("it lists %d other partition(s)", len(p.verified.Slots))
}
