package main

import (
	"context"
	"slices"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// retriable reports whether a link of an apply ended for want of a connection, or
// of time: a moment later it may go well.
func (f *fleet) retriable(at int, r orchestrator.Report) bool {
	if f.jobs[at].command != apply || r.Result != orchestrator.ResFailed && r.Result != orchestrator.Unreachable {
		return false
	}
	why := endedBy(r)
	return why != nil && (why.Class == string(transport.ClassConnect) || why.Class == string(transport.ClassTimeout))
}

// endedBy is what a link ended by; nil if nothing went wrong.
func endedBy(r orchestrator.Report) *orchestrator.Failure {
	if r.Err != nil {
		return r.Err
	}
	for _, s := range r.Steps {
		if s.Err != nil {
			return s.Err
		}
	}
	return nil
}

// again makes ready to try such a link once more, while the client's other links
// wait at the gateway's steps: a gateway that starts without its HSM would have to
// be restarted for it. It reports whether there is still time, and a use.
func (f *fleet) again(ctx context.Context, at int, r orchestrator.Report) bool {
	j := f.jobs[at]
	if f.stopped(ctx, j) != nil || !f.hosts.appliance(j.link.HSM.Name()).again() {
		return false
	}
	f.count(r, -1)
	f.view.Again(j.link.ID, r.Result, "trying once more, before the client's gateway is started without this HSM")
	return true
}

// leftOut tells the links of a client that failed what it means for them that its
// gateway was started for the others.
func (f *fleet) leftOut(u unit, outcomes []ui.Outcome) {
	started := slices.ContainsFunc(u.at, func(at int) bool {
		return slices.ContainsFunc(outcomes[at].Report.Steps, func(s orchestrator.StepReport) bool {
			return s.Info.ID == "start-gateway" && s.Status == orchestrator.Changed
		})
	})
	if !started {
		return
	}
	for _, at := range u.at {
		r := &outcomes[at].Report
		if r.Result == orchestrator.Established || configured(r.Steps) || f.jobs[at].link.RestartGateway {
			continue
		}
		hinted(r, "safenet_gw was started without this HSM, and reads its configuration only when it starts: the next run will need --restart-gateway")
	}
}

// configured reports whether a link came as far as the client's configuration:
// then a gateway that was started after it has read that.
func configured(steps []orchestrator.StepReport) bool {
	return slices.ContainsFunc(steps, func(s orchestrator.StepReport) bool {
		return s.Info.ID == "add-server" && (s.Status == orchestrator.OK || s.Status == orchestrator.Changed)
	})
}

// hinted adds a hint to the failure that a link ended by.
func hinted(r *orchestrator.Report, hint string) {
	add := func(f *orchestrator.Failure) *orchestrator.Failure {
		more := *f
		if more.Hint != "" {
			more.Hint += "; "
		}
		more.Hint += hint
		return &more
	}
	if r.Err != nil {
		r.Err = add(r.Err)
		return
	}
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Err != nil {
			s.Err = add(s.Err)
			s.Hint = s.Err.Hint
			return
		}
	}
}
