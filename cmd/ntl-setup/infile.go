package main

import (
	"context"
	"slices"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
)

// inFile runs a link of a file so that what is said of it names the keys of the
// file, not the flags that -f excludes. The steps and transports know flags alone.
func inFile(run runner) runner {
	return func(ctx context.Context, j job) ui.Outcome {
		if j.link.ID == "" {
			return run(ctx, j)
		}
		t := fileTerms{teller: j.view, link: j.link}
		j.view = t
		o := run(ctx, j)
		o.Report.Steps = t.steps(o.Report.Steps)
		o.Report.Err = t.failure(o.Report.Err)
		o.Preflight = t.checks(o.Preflight)
		return o
	}
}

// fileTerms tells what it is told in the terms of the file that the link is in.
type fileTerms struct {
	teller
	link config.Link
}

// Note tells a remark.
func (t fileTerms) Note(text string) { t.teller.Note(t.link.InFile(text)) }

// Warn tells a warning.
func (t fileTerms) Warn(text string) { t.teller.Warn(t.link.InFile(text)) }

// Checked tells what lies between the hosts.
func (t fileTerms) Checked(checks []preflight.Check) { t.teller.Checked(t.checks(checks)) }

// Plan shows a plan.
func (t fileTerms) Plan(o ui.Outcome, steps []orchestrator.StepReport) {
	o.Preflight = t.checks(o.Preflight)
	t.teller.Plan(o, t.steps(steps))
}

// Observe tells how the engine's work goes.
func (t fileTerms) Observe(ev orchestrator.Event) {
	ev.Step, ev.Plan = t.step(ev.Step), t.steps(ev.Plan)
	t.teller.Observe(ev)
}

func (t fileTerms) steps(all []orchestrator.StepReport) []orchestrator.StepReport {
	all = slices.Clone(all)
	for i := range all {
		all[i] = t.step(all[i])
	}
	return all
}

// step is a report in the terms of the file. Its changes and commands are about
// the hosts, and stay as they are.
func (t fileTerms) step(s orchestrator.StepReport) orchestrator.StepReport {
	s.Reason, s.Hint, s.Err = t.link.InFile(s.Reason), t.link.InFile(s.Hint), t.failure(s.Err)
	return s
}

func (t fileTerms) failure(f *orchestrator.Failure) *orchestrator.Failure {
	if f == nil {
		return nil
	}
	return &orchestrator.Failure{Class: f.Class, Message: t.link.InFile(f.Message), Hint: t.link.InFile(f.Hint)}
}

func (t fileTerms) checks(all []preflight.Check) []preflight.Check {
	all = slices.Clone(all)
	for i := range all {
		all[i].Evidence, all[i].Hint = t.link.InFile(all[i].Evidence), t.link.InFile(all[i].Hint)
	}
	return all
}
