package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// command is a command that looks at hosts.
type command string

// The commands of a run.
const (
	apply  command = "apply"
	plan   command = "plan"
	status command = "status"
)

// job is one link to be worked on.
type job struct {
	command     command
	link        config.Link
	config      config.Config
	view        *ui.View
	questions   *questions
	interrupted *interrupts
	evidence    *linkEvidence
	patience    patience // zero: what the flags give
}

// runner works on one link and tells how it ended. The end of ctx ends it.
type runner func(ctx context.Context, j job) ui.Outcome

// runCommand is one run: it checks what was typed, works on the link and sets
// the exit status. An error is wrong usage; nothing was connected then.
func (a *app) runCommand(ctx context.Context, name command) error {
	cfg, err := a.flags.Resolve(a.env)
	if err != nil {
		return err
	}
	if name == apply && cfg.DryRun {
		name = plan
	}
	view := ui.NewView(string(name), cfg.Output, a.out, a.err)
	defer view.Close()
	ask := newQuestions(a.openTTY, view)
	defer ask.close()
	if name == apply && !cfg.Yes {
		if err := ask.ready(); err != nil {
			return transport.Errorf(transport.ClassConfig, "", "apply asks before it changes anything: %w", err).
				WithHint("-y applies without asking; ntl-setup plan only looks")
		}
	}
	for _, w := range cfg.Warnings {
		view.Warn(w)
	}
	kept, err := a.keep(name, cfg, view)
	if err != nil {
		return err
	}
	ask.secrets = kept.secrets

	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Timeout, tooLong{what: "the run", after: cfg.Timeout, flag: "--timeout"})
	defer cancel()
	ctx, stop := watch(ctx, a.signals, view)
	defer stop.end()
	ask.interrupt = stop.signal

	var outcomes []ui.Outcome
	for _, link := range cfg.Links {
		j := job{command: name, link: link, config: cfg, view: view, questions: ask, interrupted: stop, patience: a.patience}
		j.evidence = kept.link(j)
		o := a.run(ctx, j)
		o.Journal = kept.dir()
		j.evidence.end(o.Report)
		view.Finish(o)
		if troubled(o.Report) && o.Journal != "" {
			view.Note("the journal of this run is in " + o.Journal)
		}
		outcomes = append(outcomes, o)
	}
	doc := ui.NewDocument(string(name), outcomes...)
	a.status = doc.Exit
	kept.end(doc)
	if err := view.Done(doc, a.out.Writer); err != nil {
		view.Failure("", orchestrator.Fail(err))
		if a.status == ui.ExitOK {
			a.status = ui.ExitFailed
		}
	}
	return nil
}

// tooLong is the cause of a context whose time was over.
type tooLong struct {
	what  string
	after time.Duration
	flag  string // gives it more
}

func (e tooLong) Error() string { return fmt.Sprintf("%s was not done within %s", e.what, e.after) }

// ErrorClass is "timeout".
func (e tooLong) ErrorClass() string { return string(transport.ClassTimeout) }

// ErrorHint names the flag.
func (e tooLong) ErrorHint() string {
	return "a larger " + e.flag + " gives it more time; the same command goes on from there"
}

// outcome is the part of a link's outcome that is known from the start.
func (j job) outcome() ui.Outcome {
	return ui.Outcome{
		Client: j.link.Client.Name(), HSM: j.link.HSM.Name(), Name: j.link.Name,
		ClientAddress: j.link.ClientAddress, Partitions: j.link.Partitions,
	}
}

// stopped is the outcome of a link that ended before its first step. What ended
// ctx goes before what the work then said.
func (j job) stopped(ctx context.Context, err error) ui.Outcome {
	o := j.outcome()
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.Canceled) {
			cause = ui.ErrInterrupted
		}
		err = cause
	}
	o.Report = ui.Stopped(err)
	return o
}

// work lets an engine plan or apply, with the question in between.
func (j job) work(ctx context.Context, engine orchestrator.Engine) orchestrator.Report {
	engine = j.evidence.plug(engine)
	if j.command != apply {
		return engine.Plan(ctx)
	}
	var declined error
	report := engine.Apply(ctx, func(steps []orchestrator.StepReport) error {
		declined = j.approve(ctx, steps)
		if declined == nil && engine.Hold == nil {
			j.interrupted.act()
		}
		return declined
	}, j.interrupted.stop)
	switch {
	case report.Result != orchestrator.Declined:
	case errors.Is(declined, errDeclined):
		report.Err = nil // the result says it all
	case errors.Is(declined, ui.ErrInterrupted), errors.Is(declined, context.Canceled):
		report.Result = orchestrator.Interrupted
		report.Err = &orchestrator.Failure{Class: "interrupted", Message: "interrupted at the question"}
	}
	return report
}

// errDeclined is the answer no.
var errDeclined = errors.New("the plan was not approved")

// approve shows the plan and asks, unless -y was given.
func (j job) approve(ctx context.Context, steps []orchestrator.StepReport) error {
	j.view.Plan(j.outcome(), steps)
	if !j.config.Yes {
		yes, err := j.questions.confirm(ctx, ui.Question(steps))
		if err != nil {
			return err
		}
		if !yes {
			return errDeclined
		}
	}
	return nil
}
