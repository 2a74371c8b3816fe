package journal

import (
	"time"

	"ntl-setup/orchestrator"
)

// Kind says what an entry is about.
type Kind string

// The kinds of entries, in the order of a run.
const (
	KindRun       Kind = "run"       // the run begins: Run is set
	KindLink      Kind = "link"      // work on a link begins: Of is set
	KindSeen      Kind = "seen"      // the first look at a step has ended: Step is set
	KindActing    Kind = "acting"    // an act is about to begin: Step is set, with its Undo
	KindActed     Kind = "acted"     // the act has ended, looking again: Step is set, Error if it failed
	KindCompleted Kind = "completed" // a step has its final status: Step is set
	KindLinkEnd   Kind = "link-end"  // work on a link has ended: End is set
	KindEnd       Kind = "end"       // the run has ended: End is set
)

// Entry is one line of a journal. Fields are only ever added.
type Entry struct {
	Time time.Time `json:"time"` // UTC
	Kind Kind      `json:"kind"`
	// Link counts the links of the run from 1; 0 in entries about the run.
	Link int   `json:"link,omitempty"`
	Run  *Run  `json:"run,omitempty"`
	Of   *Link `json:"of,omitempty"`
	Step *Step `json:"step,omitempty"`
	End  *End  `json:"end,omitempty"`
}

// Run is how a run was started.
type Run struct {
	Command string   `json:"command"` // apply, plan, status
	Version string   `json:"version"`
	Args    []string `json:"args"` // the command line, without secrets
	PID     int      `json:"pid"`
}

// Link is what a run worked on.
type Link struct {
	Client        string   `json:"client"` // user@host:port, or local
	HSM           string   `json:"hsm"`    // user@host:port
	Name          string   `json:"name"`   // the client's name on the HSM
	ClientAddress string   `json:"client_address"`
	Partitions    []string `json:"partitions"`
}

// Step is a step as it was seen or left.
type Step struct {
	N          int                   `json:"n"`
	ID         string                `json:"id"`
	Host       string                `json:"host"` // client or hsm
	Status     orchestrator.Status   `json:"status"`
	Changes    []orchestrator.Change `json:"changes,omitempty"`
	Reason     string                `json:"reason,omitempty"`
	Hint       string                `json:"hint,omitempty"`
	DurationMS int64                 `json:"duration_ms,omitempty"`
	Error      *orchestrator.Failure `json:"error,omitempty"`
	Undo       []string              `json:"undo,omitempty"` // in the order in which to give them on Host
}

// End is how a link or a run ended.
type End struct {
	Result orchestrator.Result   `json:"result"`
	Exit   int                   `json:"exit,omitempty"` // of a run
	Error  *orchestrator.Failure `json:"error,omitempty"`
}

// stepOf is a report as an entry has it.
func stepOf(s orchestrator.StepReport) *Step {
	return &Step{
		N: s.Info.Number, ID: s.Info.ID, Host: s.Info.Host, Status: s.Status, Changes: s.Changes,
		Reason: s.Reason, Hint: s.Hint, DurationMS: s.Duration.Milliseconds(), Error: s.Err, Undo: s.Undo,
	}
}

// redacted is an entry with every text that may hold what a host said, or a user
// typed, gone through clean. What e points to is left as it is.
func (e Entry) redacted(clean func(string) string) Entry {
	list := func(texts []string) []string {
		out := make([]string, len(texts))
		for i, t := range texts {
			out[i] = clean(t)
		}
		return out
	}
	failure := func(f *orchestrator.Failure) *orchestrator.Failure {
		if f == nil {
			return nil
		}
		return &orchestrator.Failure{Class: f.Class, Message: clean(f.Message), Hint: clean(f.Hint)}
	}
	if e.Run != nil {
		run := *e.Run
		run.Args = list(run.Args)
		e.Run = &run
	}
	if e.Of != nil {
		e.Of = &Link{
			Client: clean(e.Of.Client), HSM: clean(e.Of.HSM), Name: clean(e.Of.Name),
			ClientAddress: clean(e.Of.ClientAddress), Partitions: list(e.Of.Partitions),
		}
	}
	if e.Step != nil {
		step := *e.Step
		step.Reason, step.Hint, step.Error = clean(step.Reason), clean(step.Hint), failure(step.Error)
		step.Undo = list(step.Undo)
		step.Changes = nil
		for _, c := range e.Step.Changes {
			step.Changes = append(step.Changes, orchestrator.Change{
				Field: clean(c.Field), Have: clean(c.Have), Want: clean(c.Want), Diff: clean(c.Diff),
			})
		}
		e.Step = &step
	}
	if e.End != nil {
		end := *e.End
		end.Error = failure(end.Error)
		e.End = &end
	}
	return e
}
