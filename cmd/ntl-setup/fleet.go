package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

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
	var ids []string
	for _, u := range units {
		for _, at := range u.at {
			ids = append(ids, f.jobs[at].link.ID)
		}
	}
	f.view = view.Fleet(len(ids))
	f.view.Expect(ids)
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
	begin := func(at int, more bool, pass int) {
		t := &turn{paused: make(chan struct{}), resume: make(chan struct{}), ended: make(chan struct{})}
		go func() {
			defer close(t.ended)
			outcomes[at] = f.link(ctx, at, c, t, more, pass)
		}()
		select {
		case <-t.paused:
			waiting = append(waiting, t)
		case <-t.ended:
		}
	}
	var lost []int
	for n, at := range u.at {
		begin(at, n < len(u.at)-1 || len(lost) > 0, f.pass)
		if f.retriable(at, outcomes[at].Report) {
			lost = append(lost, at)
		}
	}
	for _, at := range lost {
		if len(waiting) > 0 && f.again(ctx, at, outcomes[at].Report) {
			begin(at, true, f.pass+1)
		}
	}
	for _, t := range waiting {
		close(t.resume)
		<-t.ended
	}
	f.leftOut(u, outcomes)
}

// link works on one link.
func (f *fleet) link(ctx context.Context, at int, c *clientHost, t *turn, more bool, pass int) ui.Outcome {
	j := f.jobs[at]
	view := f.view.Link(at, j.link.ID, j.outcome())
	hosts := &sharedHosts{pool: f.hosts, client: c}
	j.view, j.shared = view, hosts
	j.evidence = f.kept.part(j, at, pass)
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
	f.count(o.Report, 1)
	c.judge(o.Report)
	if hosts.lost.Load() {
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
		return notBegunError{fmt.Sprintf("--max-failures %d is reached", most)}
	}
	return nil
}

// count counts what --max-failures counts: links that failed or were not
// reached. A conflict is a question to somebody, not a failure.
func (f *fleet) count(r orchestrator.Report, by int) {
	if r.Result == orchestrator.ResFailed || r.Result == orchestrator.Unreachable {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.failures += by
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

// many works on the links of a run. With a saved plan, and without -y, it looks at
// all of them first; then it does exactly what was shown.
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
	if j.command == apply && (saved != nil || !j.config.Yes) {
		if !f.first(ctx, j, view, saved != nil, outcomes) {
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
