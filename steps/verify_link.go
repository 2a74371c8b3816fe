package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/chrystoki"
	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// proof is the link as the client sees it.
type proof struct {
	client   *clientFacts
	wanted   *chrystoki.File    // the configuration as it should be
	rows     []lunash.Partition // the appliance's partitions; nil when this user may not ask
	asked    bool               // vtl verify was asked
	verified vtl.Verified
}

// verifyLink is step 8: the configuration has the right entries, and `vtl
// verify` reaches every wanted partition. It is the proof of steps 1 to 7.
func verifyLink(link Link, see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[proof]{
		Meta: orchestrator.Info{
			Number: 8, ID: "verify-link", Host: orchestrator.OnClient,
			Title: "the client reaches its partitions", Settle: settleLink,
		},
		Observe: see.proof,
		Want:    func(context.Context) (proof, error) { return proof{}, nil },
		Diff: func(have, _ proof) []orchestrator.Change {
			changes := have.confChanges()
			for _, p := range have.unreached(link) {
				changes = append(changes, orchestrator.Change{Field: "vtl verify", Have: "does not list " + p, Want: "lists " + p})
			}
			return changes
		},
		Explain: func(have, _ proof) string { return have.explain(link) },
		Waits:   func(have, _ proof) bool { return len(have.confChanges()) == 0 },
		Undo:    func(have, _ proof) []string { return undoConf(link, have.client.conf) },
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
	if p.rows, err = e.partitions(ctx); err != nil && !errors.Is(err, lunash.ErrNotAllowed) {
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
	p.verified, err = e.verified(ctx)
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

// unreached lists the wanted partitions that vtl verify does not list.
func (p proof) unreached(link Link) []string {
	var missing []string
	for _, name := range link.Partitions {
		if !p.asked || !reaches(p.verified, name, p.rows) {
			missing = append(missing, named(name, p.rows))
		}
	}
	return missing
}

// reaches reports whether vtl lists a partition: by its serial number, which is
// its identity, or by its label where the appliance does not tell the serial.
func reaches(v vtl.Verified, partition string, rows []lunash.Partition) bool {
	serial := serialOf(partition, rows)
	for _, slot := range v.Slots {
		if serial != "" && slot.Serial == serial || serial == "" && slot.Label == partition {
			return true
		}
	}
	return false
}

func serialOf(partition string, rows []lunash.Partition) string {
	for _, row := range rows {
		if row.Name == partition {
			return row.Serial
		}
	}
	return ""
}

// named is a partition with its serial number, if that is known.
func named(partition string, rows []lunash.Partition) string {
	if serial := serialOf(partition, rows); serial != "" {
		return fmt.Sprintf("%s (%s)", partition, serial)
	}
	return partition
}

func (p proof) explain(link Link) string {
	if !p.asked {
		return "the link is not complete yet, so vtl verify was not asked"
	}
	if missing := p.unreached(link); len(missing) > 0 {
		why := transport.Printable(p.verified.Reason)
		if why == "" {
			why = fmt.Sprintf("it lists %d other partition(s)", len(p.verified.Slots))
		}
		return fmt.Sprintf("vtl verify does not list %s: %s; if it stays so, look at port 1792 from the client to the HSM, "+
			"NAT (ntls ipcheck on the appliance) and the clocks of both", strings.Join(missing, ", "), why)
	}
	var reached []string
	for _, name := range link.Partitions {
		reached = append(reached, named(name, p.rows))
	}
	how := "by serial number"
	if p.rows == nil {
		how = "by label, since this user may not ask for serial numbers"
	}
	return fmt.Sprintf("vtl verify lists %s, %s", strings.Join(reached, ", "), how)
}
