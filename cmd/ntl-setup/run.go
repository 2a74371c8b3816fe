package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/steps"
	"ntl-setup/steps/preflight"
	"ntl-setup/transport"
)

// command is a command that looks at hosts.
type command string

// The commands of a run.
const (
	apply  command = "apply"
	plan   command = "plan"
	status command = "status"
	doctor command = "doctor"
)

// job is one link to be worked on.
type job struct {
	command     command
	link        config.Link
	config      config.Config
	view        teller
	questions   *questions
	interrupted *interrupts
	evidence    *linkEvidence
	preflight   *preflights // nil: none is made
	collection  *collection // nil: nothing is collected
	patience    patience    // zero: what the flags give
	run         runner
	commands    bool // what a person would type is wanted

	// In a run over many links:
	shared   *sharedHosts                // the hosts, which other links use too; nil: the job's own
	pause    func(context.Context) error // before the gateway's steps; nil: nothing is waited for
	files    map[string]string           // the client's, as they were before the run did anything there
	approved *savedLink                  // what was shown; nil: it is shown and asked for by this job
}

// teller tells how the work on a link goes.
type teller interface {
	Progress(text string)
	Note(text string)
	Warn(text string)
	Checked(checks []preflight.Check)
	Plan(o ui.Outcome, steps []orchestrator.StepReport)
	Observe(ev orchestrator.Event)
}

// runner works on one link and tells how it ended. The end of ctx ends it.
type runner func(ctx context.Context, j job) ui.Outcome

// runCommand is one run: it checks what was typed, works on the link and sets
// the exit status. An error is wrong usage; nothing was connected then.
func (a *app) runCommand(ctx context.Context, name command) error {
	cfg, err := a.resolve()
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
	if err := somebody(name, cfg, ask); err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		view.Warn(w)
	}
	for _, n := range cfg.Notes {
		view.Note(n)
	}
	if a.planOut, err = newPlanFile(a.planTo); err != nil {
		return err
	}
	defer a.planOut.abandon()
	kept, err := a.keep(name, cfg, view)
	if err != nil {
		return err
	}
	ask.secrets, ask.variables = kept.secrets, cfg.SecretVariables
	gathered, err := a.gather(kept, len(cfg.Links))
	if err != nil {
		return err
	}

	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Timeout, tooLong{what: "the run", after: cfg.Timeout, flag: "--timeout"})
	defer cancel()
	ctx, stop := watch(ctx, a.signals, view)
	defer stop.end()
	ask.interrupt = stop.signal

	j := job{command: name, config: cfg, view: view, questions: ask, interrupted: stop, patience: a.patience, collection: gathered, run: inFile(a.run)}
	outcomes, err := a.work(ctx, j, view, kept)
	doc := ui.NewDocument(string(name), outcomes...)
	if err != nil {
		view.Failure("", orchestrator.Fail(err))
		if doc.Exit == ui.ExitOK || doc.Exit == ui.ExitChanges {
			doc.Exit = ui.ExitFailed // nobody may take it for a plan that was kept
		}
	}
	a.status, a.ended = doc.Exit, doc
	kept.end(doc)
	if err := view.Done(doc, a.out.Writer); err != nil && a.lost() == nil {
		view.Failure("", orchestrator.Fail(err))
		if a.status == ui.ExitOK {
			a.status = ui.ExitFailed
		}
	}
	return nil
}

// work works on the links, and keeps their plan if that is wanted.
func (a *app) work(ctx context.Context, j job, view *ui.View, kept *evidence) (outcomes []ui.Outcome, err error) {
	if j.commands = a.commands; j.commands {
		view.Runbook()
	}
	switch len(j.config.Links) {
	case 0: // a report, or a plan, in which nothing is left to do
	case 1:
		if a.alone != nil {
			a.alone()
		}
		outcomes = []ui.Outcome{j.one(ctx, view, kept, a.saved)}
	default:
		outcomes = j.many(ctx, view, kept, a.saved)
	}
	if a.planOut != nil {
		err = a.planOut.save(a.flags, j.config.FileText, outcomes)
	}
	return outcomes, err
}

// one works on the only link of a run, and tells and keeps what came of it.
func (j job) one(ctx context.Context, view *ui.View, kept *evidence, saved *savedPlan) ui.Outcome {
	j.link = j.config.Links[0]
	j.approved = saved.of(j.outcome())
	j.evidence = kept.link(j)
	view.Begin(j.outcome())
	o := j.run(ctx, j)
	o.Journal = kept.dir()
	j.evidence.end(o.Report)
	view.Finish(o)
	if troubled(o.Report) && o.Journal != "" {
		view.Note("the journal of this run is in " + o.Journal)
	}
	j.collection.finish(o, view)
	return o
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
		ID: j.link.ID, Client: j.link.Client.Name(), HSM: j.link.HSM.Name(), Name: j.link.Name,
		ClientAddress: j.link.ClientAddress, Partitions: j.link.Partitions,
	}
}

// verdict reports whether an error says what is wrong with a machine, and not only
// that the time was over: the end of the time goes before the latter alone.
func verdict(err error) bool {
	var classed interface{ ErrorClass() string }
	if errors.Is(err, steps.ErrAtWork) {
		return true // it names who was waited for, and what ended it
	}
	if !errors.As(err, &classed) {
		return false
	}
	class := transport.Class(classed.ErrorClass())
	if class == transport.ClassDialogue {
		return true // what it wants it said before the time was over
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	return class != transport.ClassTimeout && class != "internal" && class != "interrupted"
}

// stopped is the outcome of a link that ended before its first step. Ctrl-C goes
// before what the work then said, and so does the end of its time before what is
// no verdict.
func (j job) stopped(ctx context.Context, err error) ui.Outcome {
	o := j.outcome()
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.Canceled):
		err = ui.ErrInterrupted
	case cause != nil && !verdict(err):
		err = cause
	}
	o.Report = ui.Stopped(err)
	return o
}

// work lets an engine plan or apply, with the question in between.
func (j job) work(ctx context.Context, engine orchestrator.Engine) orchestrator.Report {
	engine = j.evidence.plug(engine)
	if j.command != apply {
		report := engine.Plan(ctx)
		found := impossible(j.preflight.look(ctx, report.Steps))
		if found != nil && j.command == plan && report.Result == orchestrator.Changes {
			// apply would not begin: a person must decide first.
			report.Result, report.Err = orchestrator.Conflicted, orchestrator.Fail(found)
		}
		return report
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
	case report.Result == orchestrator.Conflicted && !report.Acted:
		j.preflight.look(ctx, report.Steps)
	case report.Result != orchestrator.Declined:
	case stoppedByPreflight(declined), errors.As(declined, new(staleError)), errors.As(declined, new(unshownError)):
		report = notBegun(report)
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
	shown := j.outcome()
	shown.Preflight = j.preflight.look(ctx, steps)
	j.view.Plan(shown, steps)
	if j.approved != nil {
		if err := j.approved.check(steps, j.files, j.shared != nil && j.shared.client.acted); err != nil {
			return err
		}
	}
	if err := impossible(shown.Preflight); err != nil {
		return err
	}
	if !j.config.Yes && j.shared == nil { // many links are approved at once
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
