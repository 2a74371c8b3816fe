package orchestrator

import (
	"context"
	"errors"
	"time"
)

// Status is what one step reports.
type Status string

// The statuses of the command line's contract.
const (
	OK          Status = "ok"           // holds already
	Changed     Status = "changed"      // made so in this run, and confirmed by looking again
	WouldChange Status = "would-change" // plan: it does not hold, and the act is known
	Unknown     Status = "unknown"      // plan: depends on an earlier step
	Conflict    Status = "conflict"     // a person must decide
	Failed      Status = "failed"       // looking or acting went wrong
	Blocked     Status = "blocked"      // not done, because the run stopped before it
	NotNeeded   Status = "n/a"          // the step is not for this kind of host
)

// Where a step works.
const (
	OnClient = "client"
	OnHSM    = "hsm"
)

// Info is what is fixed about a step.
type Info struct {
	Number int    // of the published procedure, 1 to 12
	ID     string // a stable word, used in JSON and in --help
	Title  string // what is true afterwards, in a few words
	Host   string // OnClient or OnHSM
	// Settle is how long the world may take to show what an act did; 0 means
	// that it shows at once. Looked at again with a back-off from 100 ms.
	Settle time.Duration
}

// Change is one difference between what is and what should be.
type Change struct {
	Field string `json:"field"`
	Have  string `json:"have"`
	Want  string `json:"want"`
	// Diff is a unified diff where the difference is in a text file, else empty.
	Diff string `json:"diff,omitempty"`
}

// Finding is what a look found.
type Finding struct {
	Status  Status // OK, WouldChange, Unknown, Conflict or NotNeeded
	Changes []Change
	// Reason is the evidence: what was seen, what is wanted, why. One line.
	Reason string
	// Hint is the flag or command that decides a conflict; else empty.
	Hint string
	// Undo are the commands that would undo the act, in the order in which to
	// give them on the step's host. They are for people: nothing here runs them.
	Undo []string
	// Commands are what a person would type to do the act by hand, in order; of an
	// Unknown finding, what would follow. They are for people, as Undo is.
	Commands []Command

	act   func(context.Context) error // nil: nothing to do but look again
	after time.Duration               // looking again is of no use before; 0: nobody knows
}

// Step keeps one fact of the world true.
type Step interface {
	Info() Info
	// Inspect reads and never writes.
	Inspect(ctx context.Context) (Finding, error)
}

// ErrNotYet is returned (wrapped with the reason) by Observe or Want when the
// answer depends on an earlier step that is not done yet.
var ErrNotYet = errors.New("depends on an earlier step")

// Refusal is why a step must not act; the zero value means that it may.
type Refusal struct {
	Reason string // what was found, by name
	Hint   string // which flag or command decides
}

// Reconcile is a Step made of small functions: Observe and Act touch the wire;
// Want, Diff, Refuse and Explain are pure. S is the fact that the step keeps.
type Reconcile[S any] struct {
	Meta Info
	// Applies is false where the step is not for this kind of host; nil: always.
	Applies func() bool
	// Observe reads the fact as it is.
	Observe func(context.Context) (S, error)
	// Want says how it should be; ErrNotYet makes the finding Unknown.
	Want func(context.Context) (S, error)
	// Diff lists what differs; empty means that the fact holds.
	Diff func(have, want S) []Change
	// Refuse names a reason not to act. It is asked also when nothing differs.
	// nil: never.
	Refuse func(have, want S) Refusal
	// Explain is the evidence in one line; nil: none.
	Explain func(have, want S) string
	// Act makes it so. nil: a gate, nothing to do but look until Settle has passed.
	Act func(ctx context.Context, have, want S) error
	// Waits is true for a difference that Act has no part in, so that there is
	// nothing to do but look again; nil: never.
	Waits func(have, want S) bool
	// Lasts is how long a difference will last at the least, where that is known:
	// nobody looks again before. nil, or 0: it is not known.
	Lasts func(have, want S) time.Duration
	// Undo lists the commands that would undo Act, in the order in which to give
	// them; pure, and for people alone. nil: there is nothing to undo.
	Undo func(have, want S) []string
	// Typed lists what a person would type to do by hand what Act does, and to see
	// that it holds; pure, and for people alone. It is asked too where Observe or
	// Want told ErrNotYet, with as much as they returned. nil: nothing.
	Typed func(have, want S) []Command
	// Forgets drops what Observe may have remembered, so that the next look
	// reaches the world; nil: it remembers nothing.
	Forgets func()
}

// Info is the fixed part.
func (r Reconcile[S]) Info() Info { return r.Meta }

// Inspect looks, compares, and packs the act into what it found.
func (r Reconcile[S]) Inspect(ctx context.Context) (Finding, error) {
	if r.Applies != nil && !r.Applies() {
		return Finding{Status: NotNeeded, Reason: "not for this kind of client"}, nil
	}
	have, err := r.Observe(ctx)
	if err != nil {
		var none S
		return r.notYet(have, none, err)
	}
	want, err := r.Want(ctx)
	if err != nil {
		return r.notYet(have, want, err)
	}
	f := Finding{Status: OK, Changes: r.Diff(have, want)}
	if r.Explain != nil {
		f.Reason = r.Explain(have, want)
	}
	if len(f.Changes) > 0 {
		f.Status = WouldChange
		f.Commands = r.typed(have, want)
		if r.Lasts != nil {
			f.after = max(0, r.Lasts(have, want))
		}
		if r.Act != nil && (r.Waits == nil || !r.Waits(have, want)) {
			f.act = func(ctx context.Context) error { return r.Act(ctx, have, want) }
			if r.Undo != nil {
				f.Undo = r.Undo(have, want)
			}
		}
	}
	if r.Refuse != nil {
		if no := r.Refuse(have, want); no.Reason != "" {
			return Finding{Status: Conflict, Changes: f.Changes, Reason: no.Reason, Hint: no.Hint}, nil
		}
	}
	return f, nil
}

// Forget makes the next Inspect look at the world anew. The engine calls it
// while it waits for a difference to settle.
func (r Reconcile[S]) Forget() {
	if r.Forgets != nil {
		r.Forgets()
	}
}

// notYet turns ErrNotYet into a finding and leaves other errors alone.
func (r Reconcile[S]) notYet(have, want S, err error) (Finding, error) {
	if errors.Is(err, ErrNotYet) {
		return Finding{Status: Unknown, Reason: err.Error(), Commands: r.typed(have, want)}, nil
	}
	return Finding{}, err
}

func (r Reconcile[S]) typed(have, want S) []Command {
	if r.Typed == nil {
		return nil
	}
	return r.Typed(have, want)
}
