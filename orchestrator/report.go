package orchestrator

import (
	"errors"
	"time"
)

// Result is what became of a link.
type Result string

// The results of the command line's contract.
const (
	Established Result = "established" // every step holds, in any command
	Changes     Result = "changes"     // plan, status: something does not hold yet
	Conflicted  Result = "conflict"
	ResFailed   Result = "failed"
	Unreachable Result = "unreachable" // a host was not reached, or let nobody in
	Declined    Result = "declined"    // the plan was shown and not approved
	Interrupted Result = "interrupted"
)

// Failure is an error as reports carry it.
type Failure struct {
	Class   string `json:"class"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// StepReport is the outcome of one step.
type StepReport struct {
	Info     Info
	Status   Status
	Changes  []Change
	Reason   string
	Hint     string
	Undo     []string      // what would undo the act that was found; for people
	Commands []Command     // what would do it by hand, or would follow; for people
	Duration time.Duration // spent on this step in this run: looking, acting, confirming
	Err      *Failure      // of a Failed or Conflict step, else nil
}

// Report is the outcome of a run over the steps of one link, one entry a step.
type Report struct {
	Result Result
	Steps  []StepReport
	// Acted: at least one act was begun, whatever came of it.
	Acted bool
	// Err is what went wrong outside any step (declined, interrupted); else nil.
	Err *Failure
}

// Pending reports whether some step does not hold yet.
func (r Report) Pending() bool {
	for _, s := range r.Steps {
		switch s.Status {
		case OK, Changed, NotNeeded:
		default:
			return true
		}
	}
	return false
}

// Fail turns any error into a Failure: the class and hint of an error that has
// them (methods ErrorClass and ErrorHint), else "internal".
func Fail(err error) *Failure {
	f := &Failure{Class: "internal", Message: err.Error()}
	var c interface{ ErrorClass() string }
	if errors.As(err, &c) {
		f.Class = c.ErrorClass()
	}
	var h interface{ ErrorHint() string }
	if errors.As(err, &h) {
		f.Hint = h.ErrorHint()
	}
	return f
}

// Event is one thing that happened in a run.
type Event struct {
	Kind EventKind
	Info Info       // the step; zero for events of the whole run
	Step StepReport // Planned, Completed
	// Plan is every step as the first look found it: event Looked alone.
	Plan []StepReport
}

// EventKind names an event.
type EventKind string

// The events, in the order of a run.
const (
	Looking   EventKind = "looking"   // a step is about to be inspected for the first time
	Planned   EventKind = "planned"   // the first look at a step has ended
	Looked    EventKind = "looked"    // the first look at all steps has ended
	Acting    EventKind = "acting"    // a step's act is about to begin
	Confirm   EventKind = "confirm"   // the act has ended, looking again
	Completed EventKind = "completed" // a step has its final status
)

// Observer is told what happens, in order, from one goroutine. It must not block
// for long. nil is allowed wherever an Observer is wanted.
type Observer func(Event)
