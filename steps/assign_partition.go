package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// grants are the partitions of the client and of the appliance.
type grants struct {
	assigned []string
	known    []string // all partitions of the appliance; nil when this user may not ask
	evidence string
}

// assignPartition is step 7: every wanted partition is assigned. None is taken
// away.
func assignPartition(link Link, see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[grants]{
		Meta: orchestrator.Info{
			Number: 7, ID: "assign-partition", Host: orchestrator.OnHSM,
			// Where this user may not ask `client show`, NTLS decides when it shows.
			Title: "the partitions are assigned to the client", Settle: settleLink,
		},
		Observe: see.grants,
		Want:    func(context.Context) (grants, error) { return grants{assigned: link.Partitions}, nil },
		Diff: func(have, want grants) []orchestrator.Change {
			var changes []orchestrator.Change
			for _, p := range have.without(want) {
				changes = append(changes, orchestrator.Change{Field: "partition " + p, Have: "not assigned", Want: "assigned to " + link.Name})
			}
			return changes
		},
		Refuse: func(have, want grants) orchestrator.Refusal {
			if have.known == nil {
				return orchestrator.Refusal{}
			}
			return unknownPartition(have.known, want.assigned)
		},
		Explain: func(have, _ grants) string { return have.evidence },
		Act: func(ctx context.Context, have, want grants) error {
			for _, p := range have.without(want) {
				if err := assignmentError(do.assign(ctx, p), p, have.known); err != nil {
					return err
				}
			}
			return nil
		},
		Undo: func(have, want grants) []string { return undoAssignment(link, have, want) },
		Typed: func(have, want grants) (all []orchestrator.Command) {
			for _, p := range have.without(want) {
				all = append(all, inLunash(lunash.AssignLine(link.Name, p)))
			}
			return all
		},
		Forgets: func() { see.registrationMemo.forget(); see.verifyMemo.forget() },
	}
}

// without lists the wanted partitions that are not assigned.
func (g grants) without(want grants) []string {
	var missing []string
	for _, p := range want.assigned {
		if !slices.Contains(g.assigned, p) {
			missing = append(missing, p)
		}
	}
	return missing
}

// grants reads what the client has. Where this user may not ask `client show`,
// what `vtl verify` reaches is what is assigned.
func (e *eyes) grants(ctx context.Context) (grants, error) {
	var g grants
	rows, err := e.partitions(ctx)
	switch {
	case errors.Is(err, lunash.ErrNotAllowed):
	case err != nil:
		return g, err
	default:
		g.known = []string{}
		for _, row := range rows {
			g.known = append(g.known, row.Name)
		}
	}
	reg, err := e.registered(ctx)
	if err != nil {
		return g, err
	}
	switch {
	case !reg.listed:
		g.evidence = "the client is not registered yet"
	case reg.client != nil:
		g.assigned = reg.client.Partitions
		g.evidence = fmt.Sprintf("%s has %s", e.link.Name, listed(g.assigned))
	default:
		return g, e.grantsByVerify(ctx, &g)
	}
	return g, nil
}

// grantsByVerify takes what `vtl verify` reaches for what is assigned.
func (e *eyes) grantsByVerify(ctx context.Context, g *grants) error {
	facts, err := e.client(ctx)
	if err != nil {
		return err
	}
	tell, err := e.telling(ctx, facts)
	if err != nil {
		return err
	}
	reached, err := e.verified(ctx)
	if err != nil {
		return err
	}
	why := ""
	for _, p := range e.link.Partitions {
		if tell.reaches(reached, p) {
			g.assigned = append(g.assigned, p)
		} else if more := tell.unclear(reached, p); more != "" {
			why = "; " + more
		}
	}
	g.evidence = fmt.Sprintf("this user may not ask `client show`; vtl verify reaches %s%s", listed(g.assigned), why)
	return nil
}

// listed is a list of names for people.
func listed(names []string) string {
	if len(names) == 0 {
		return "no partition"
	}
	return transport.Printable(strings.Join(names, ", "))
}

// unknownPartition refuses a name that the appliance does not have.
func unknownPartition(known, wanted []string) orchestrator.Refusal {
	for _, p := range wanted {
		if !slices.Contains(known, p) {
			return orchestrator.Refusal{
				Reason: fmt.Sprintf("the HSM has no partition %s; it has %s", p, listed(known)),
				Hint:   "name one of these with --partition, or have the partition created",
			}
		}
	}
	return orchestrator.Refusal{}
}

// assignmentError accepts "has it already" and explains an unknown partition.
func assignmentError(err error, partition string, known []string) error {
	switch {
	case errors.Is(err, lunash.ErrAlreadyAssigned):
		return nil
	case errors.Is(err, lunash.ErrNoSuchPartition):
		no := unknownPartition(known, []string{partition})
		if no.Reason == "" {
			return conflict{reason: err.Error(), hint: "look at `partition list` on the appliance"}
		}
		return conflict{reason: no.Reason, hint: no.Hint}
	}
	return err
}
