package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/steps"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/posix"
	"ntl-setup/transport/ssh"
)

// runLink connects to both ends, looks, and plans or applies.
func runLink(ctx context.Context, j job) ui.Outcome {
	j.view.Progress("connecting to " + j.link.Client.Name() + " and " + j.link.HSM.Name())
	ends, err := j.connect(ctx)
	defer ends.close()
	if err != nil {
		return j.stopped(ctx, err)
	}
	appliance := lunash.New(ends.hsm, lunash.Options{CommandTimeout: j.config.StepTimeout})
	defer func() { _ = appliance.Close() }() // the connection ends next, and with it the shell

	j.view.Progress("recognising both hosts")
	site, err := j.open(ctx, steps.Hosts{Client: ends.client, HSM: appliance})
	if err != nil {
		return j.stopped(ctx, err)
	}
	for _, note := range site.Notes(ctx) {
		j.view.Note(note)
	}
	o := j.outcome()
	o.Report = j.work(ctx, orchestrator.Engine{
		Steps: site.All(), Observe: j.view.Observe, StepTimeout: j.config.StepTimeout,
	})
	o.NetScaler = site.NetScaler()
	if o.Report.Result == orchestrator.Established {
		o.Serials = site.Serials(ctx)
	}
	if j.command == status && ctx.Err() == nil {
		o.ClientExpires, o.HSMExpires = site.Expiry(ctx)
	}
	return o
}

// open recognises both hosts within one step's time.
func (j job) open(ctx context.Context, hosts steps.Hosts) (*steps.Site, error) {
	const flag = "--step-timeout"
	ctx, cancel := context.WithTimeoutCause(ctx, j.config.StepTimeout,
		tooLong{what: "recognising the hosts", after: j.config.StepTimeout, flag: flag})
	defer cancel()
	site, err := steps.Open(ctx, hosts, j.wanted())
	var late tooLong
	if err != nil && errors.As(context.Cause(ctx), &late) {
		return nil, fmt.Errorf("%w: %w", late, err)
	}
	return site, err
}

// wanted is the link as the steps want it told.
func (j job) wanted() steps.Link {
	l := j.link
	return steps.Link{
		Name: l.Name, ClientAddress: l.ClientAddress, HSMAddress: l.HSMAddress,
		Partitions: l.Partitions, Kind: steps.Kind(l.Kind), Root: l.Root,
		ReplaceServerCertificate: l.ReplaceServerCertificate,
		RestartGateway:           l.RestartGateway,
		FixModes:                 l.FixModes,
		Deep:                     l.Deep,
		Stamp:                    time.Now().UTC().Format("20060102T150405Z"),
	}
}

// ends are the two connections; either may be nil.
type ends struct {
	client transport.Host
	wire   transport.Conn // of the client; nil when it is this machine
	hsm    transport.Conn
}

func (e ends) close() {
	for _, c := range []transport.Conn{e.wire, e.hsm} {
		if c != nil {
			_ = c.Close() // the run is over; what it did was confirmed by looking
		}
	}
}

// connect dials both ends side by side. The first that fails ends the other's
// attempt, and its error is the one that counts.
func (j job) connect(ctx context.Context) (ends, error) {
	if j.link.Client.Local && runtime.GOOS == "windows" {
		return ends{}, transport.Errorf(transport.ClassConfig, "", "--client local is not available on Windows")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type dialled struct {
		conn   transport.Conn
		err    error
		client bool
	}
	results := make(chan dialled, 2)
	dial := func(end config.End, client bool, flag, variable string) {
		conn, err := j.dial(ctx, end, flag, variable)
		results <- dialled{conn, err, client}
	}
	waiting := 1
	go dial(j.link.HSM, false, "--hsm-password-file", config.EnvHSMPassword)
	if !j.link.Client.Local {
		waiting++
		go dial(j.link.Client, true, "--client-password-file", config.EnvClientPassword)
	}
	var e ends
	var first error
	for range waiting {
		r := <-results
		switch {
		case r.err != nil:
			if first == nil {
				first = r.err
				cancel()
			}
		case r.client:
			e.wire = r.conn
		default:
			e.hsm = r.conn
		}
	}
	switch {
	case first != nil:
		return e, first
	case e.wire != nil:
		e.client = posix.New(e.wire, posix.Options{})
	default:
		e.client = posix.New(posix.Local(config.Local), posix.Options{})
	}
	return e, nil
}

// dial connects to one end.
func (j job) dial(ctx context.Context, end config.End, flag, variable string) (transport.Conn, error) {
	return ssh.Dial(ctx, end.Target, ssh.Options{
		Password:   ssh.NewPassword(j.questions.password(end, flag, variable)),
		Identities: end.Identities,
		HostKeyPin: end.HostKeyPin,
		PinFlag:    end.PinFlag,
		KnownHosts: end.KnownHosts,
		AcceptNew:  end.AcceptNew,
		Legacy:     end.Legacy,
		Warn:       j.view.Warn,
	})
}
