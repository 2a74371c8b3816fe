package main

import (
	"context"
	"fmt"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
)

// together counts, for each host whose password will be asked for, the others
// that the answer is for.
func (f *fleet) together() {
	hosts := map[string]map[string]bool{}
	each := func(do func(account string, end *config.End)) {
		for i := range f.jobs {
			for side, end := range map[string]*config.End{"client": &f.jobs[i].link.Client, "hsm": &f.jobs[i].link.HSM} {
				if end.Password == nil && end.Command == nil && !end.Local {
					do(side+" "+end.Target.User, end)
				}
			}
		}
	}
	each(func(account string, end *config.End) {
		if hosts[account] == nil {
			hosts[account] = map[string]bool{}
		}
		hosts[account][end.Name()] = true
	})
	each(func(account string, end *config.End) { end.Others = len(hosts[account]) - 1 })
}

// first looks at every link before anything is done in any: against a saved plan,
// and for whoever is to be asked. It reports whether there is something to do;
// what that is stands in outcomes.
func (f *fleet) first(ctx context.Context, j job, view *ui.View, saved bool, outcomes []ui.Outcome) bool {
	for i := range f.jobs {
		f.jobs[i].command = plan
	}
	f.run(ctx, view, j.config.Parallel, outcomes, func(int) bool { return true })
	for i := range f.jobs {
		f.jobs[i].command = j.command
	}
	if saved && f.stale(outcomes) {
		return false
	}
	if j.config.Yes {
		return true
	}
	return f.approve(ctx, j, outcomes)
}

// approve shows what would change, and asks.
func (f *fleet) approve(ctx context.Context, j job, outcomes []ui.Outcome) (yes bool) {
	f.view.Plans(outcomes)
	change := 0
	for i, o := range outcomes {
		if o.Report.Result != orchestrator.Changes {
			continue
		}
		change++
		if f.jobs[i].approved == nil {
			f.jobs[i].approved = &savedLink{Result: o.Report.Result, Steps: shownSteps(o.Report.Steps), Files: o.Files}
		}
	}
	if change == 0 || ctx.Err() != nil {
		return change > 0 // nobody is asked any more; each link says that it was not begun
	}
	question := "Change this one link? [y/N] "
	if change > 1 {
		question = fmt.Sprintf("Change these %d links? [y/N] ", change)
	}
	yes, err := j.questions.confirm(ctx, question)
	if yes && err == nil {
		return true
	}
	for i := range outcomes {
		if r := &outcomes[i].Report; r.Result == orchestrator.Changes {
			r.Result = orchestrator.Declined
			if err != nil {
				r.Result, r.Err = orchestrator.Interrupted, &orchestrator.Failure{Class: "interrupted", Message: "interrupted at the question"}
			}
		}
	}
	return false
}
