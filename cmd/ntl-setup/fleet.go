package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/steps"
)

// fleet is a run over many links. Links of different clients are worked on side
// by side, those of one client in the order of the file.
type fleet struct {
	jobs  []job // one a link, in the order of the file
	hosts *pool
	kept  *evidence
	view  *ui.Fleet
	pass  int // how often the links are gone through, this time included

	mu       sync.Mutex
	failures int
}

// unit is the links of one client, by their places.
type unit struct{ at []int }

// units groups the links that are wanted by their clients.
func (f *fleet) units(wanted func(int) bool) []unit {
	var all []unit
	place := map[string]int{}
	for i, j := range f.jobs {
		if !wanted(i) {
			continue
		}
		client := j.link.Client.Name() + "\n" + j.link.Root
		n, known := place[client]
		if !known {
			n = len(all)
			place[client] = n
			all = append(all, unit{})
		}
		all[n].at = append(all[n].at, i)
	}
	return all
}

// run works on the links that are wanted, as their jobs say, and leaves how each
// ended in outcomes.
func (f *fleet) run(ctx context.Context, view *ui.View, parallel int, outcomes []ui.Outcome, wanted func(int) bool) {
	units := f.units(wanted)
	total := 0
	for _, u := range units {
		total += len(u.at)
	}
	f.view = view.Fleet(total)
	f.pass++
	queue := make(chan unit)
	var workers sync.WaitGroup
	for range min(parallel, len(units)) {
		workers.Go(func() {
			for u := range queue {
				f.client(ctx, u, outcomes)
			}
		})
	}
	for _, u := range units {
		queue <- u
	}
	close(queue)
	workers.Wait()
}

// turn is one link of a client, at work in a goroutine of its own so that it can
// wait for the others before the gateway's steps.
type turn struct {
	paused chan struct{} // it waits at the gateway's steps
	resume chan struct{} // it may go on
	ended  chan struct{}
}

// client works on the links of one client: each up to the gateway's steps, and
// once all have come there the rest, so that the gateway starts once.
func (f *fleet) client(ctx context.Context, u unit, outcomes []ui.Outcome) {
	c := &clientHost{}
	defer c.close()
	var waiting []*turn
	for n, at := range u.at {
		t := &turn{paused: make(chan struct{}), resume: make(chan struct{}), ended: make(chan struct{})}
		go func() {
			defer close(t.ended)
			outcomes[at] = f.link(ctx, at, c, t, n < len(u.at)-1)
		}()
		select {
		case <-t.paused:
			waiting = append(waiting, t)
		case <-t.ended:
		}
	}
	for _, t := range waiting {
		close(t.resume)
		<-t.ended
	}
}

// link works on one link.
func (f *fleet) link(ctx context.Context, at int, c *clientHost, t *turn, more bool) ui.Outcome {
	j := f.jobs[at]
	view := f.view.Link(at, j.link.ID, j.outcome())
	hosts := &sharedHosts{pool: f.hosts, client: c}
	j.view, j.shared = view, hosts
	j.evidence = f.kept.part(j, at, f.pass)
	if more {
		j.pause = t.pause
	}
	var o ui.Outcome
	if err := f.stopped(ctx, j); err != nil {
		o = j.outcome()
		o.Report = orchestrator.Report{Result: orchestrator.Interrupted, Err: orchestrator.Fail(err)}
	} else {
		o = j.run(ctx, j)
	}
	o.Journal = f.kept.dir()
	f.count(o.Report)
	c.judge(o.Report)
	if hosts.used != nil && lostConnection(o.Report) {
		f.hosts.appliance(j.link.HSM.Name()).doubt(hosts.used)
	}
	j.evidence.end(o.Report)
	view.End(o)
	return o
}

// pause lets the other links of the client come as far.
func (t *turn) pause(ctx context.Context) error {
	close(t.paused)
	select {
	case <-t.resume:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the client's other links: %w", context.Cause(ctx))
	}
}

// notBegunError is why a link was not begun.
type notBegunError struct{ why string }

func (e notBegunError) Error() string { return "not begun: " + e.why }

// ErrorClass is "interrupted".
func (notBegunError) ErrorClass() string { return "interrupted" }

// stopped is why no other link is begun; nil if nothing speaks against it.
func (f *fleet) stopped(ctx context.Context, j job) error {
	select {
	case <-j.interrupted.stop:
		return notBegunError{"the run was interrupted"}
	default:
	}
	if ctx.Err() != nil {
		return notBegunError{context.Cause(ctx).Error()}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if most := j.config.MaxFailures; most > 0 && f.failures >= most {
		return notBegunError{fmt.Sprintf("%d links failed (--max-failures %d)", f.failures, most)}
	}
	return nil
}

// count counts what --max-failures counts: links that failed or were not
// reached. A conflict is a question to somebody, not a failure.
func (f *fleet) count(r orchestrator.Report) {
	if r.Result == orchestrator.ResFailed || r.Result == orchestrator.Unreachable {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.failures++
	}
}

// waiting makes an engine wait, before the first of the gateway's steps, for the
// client's other links.
func (j job) waiting(site *steps.Site) func(context.Context, orchestrator.Info) error {
	const first = "persist-config"
	if j.pause == nil || !site.NetScaler() {
		return nil
	}
	return func(ctx context.Context, next orchestrator.Info) error {
		if next.ID != first {
			return nil
		}
		j.shared.client.acted = true
		err := j.pause(ctx)
		site.Forget() // the others have changed what it remembers
		return err
	}
}

// many works on the links of a run. Without -y it looks at all of them first,
// shows what would change, asks once, and does exactly that.
func (j job) many(ctx context.Context, view *ui.View, kept *evidence, saved *savedPlan) []ui.Outcome {
	f := &fleet{hosts: newPool(), kept: kept}
	defer f.hosts.close()
	var ids []string
	for _, link := range j.config.Links {
		one := j
		one.link = link
		one.approved = saved.of(one.outcome())
		f.jobs = append(f.jobs, one)
		ids = append(ids, link.ID)
	}
	f.together()
	outcomes := make([]ui.Outcome, len(f.jobs))
	wanted := func(int) bool { return true }
	defer func() {
		f.view.Table(ids, outcomes)
		if slices.ContainsFunc(outcomes, func(o ui.Outcome) bool { return troubled(o.Report) }) && kept.dir() != "" {
			view.Note("the journal of this run is in " + kept.dir())
		}
	}()
	if j.command == apply && !j.config.Yes {
		if !f.approve(ctx, j, view, outcomes) {
			return outcomes
		}
		wanted = func(i int) bool { return outcomes[i].Report.Result == orchestrator.Changes }
	}
	f.run(ctx, view, j.config.Parallel, outcomes, wanted)
	if j.command != apply {
		f.view.Plans(outcomes)
	}
	return outcomes
}

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

// approve looks at every link, shows what would change, and asks. What is left
// to do is in the outcomes.
func (f *fleet) approve(ctx context.Context, j job, view *ui.View, outcomes []ui.Outcome) (yes bool) {
	for i := range f.jobs {
		f.jobs[i].command = plan
	}
	f.run(ctx, view, j.config.Parallel, outcomes, func(int) bool { return true })
	f.view.Plans(outcomes)
	change := 0
	for i, o := range outcomes {
		f.jobs[i].command = j.command
		if o.Report.Result != orchestrator.Changes {
			continue
		}
		change++
		if f.jobs[i].approved == nil {
			f.jobs[i].approved = &savedLink{Steps: shownSteps(o.Report.Steps)}
		}
	}
	if change == 0 || ctx.Err() != nil {
		return false
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
