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
	"ntl-setup/transport/posix"
	"ntl-setup/transport/ssh"
)

// runLink connects to both ends, looks, and plans or applies.
func runLink(ctx context.Context, j job) ui.Outcome {
	hosts, err := j.reach(ctx)
	if err != nil {
		return j.stopped(ctx, err)
	}
	defer hosts.close()
	site := hosts.site
	for _, note := range site.Notes(ctx) {
		j.view.Note(note)
	}
	o := j.outcome()
	o.Report = j.work(ctx, j.holding(orchestrator.Engine{
		Steps: site.All(), Observe: j.view.Observe, StepTimeout: j.config.StepTimeout,
	}, site))
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
		HSMCertificate:           l.HSMCertificate,
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
func (j job) connect(ctx context.Context, known credentials) (ends, error) {
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
	dial := func(end config.End, client bool, password *ssh.Password) {
		conn, err := j.dial(ctx, end, password)
		results <- dialled{j.evidence.wire(conn, client), err, client}
	}
	waiting := 1
	go dial(j.link.HSM, false, known.hsm)
	if !j.link.Client.Local {
		waiting++
		go dial(j.link.Client, true, known.client)
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
		e.client = posix.New(j.evidence.local(posix.Local(config.Local)), posix.Options{})
	}
	return e, nil
}

// What --step-timeout may make of the time that each stage of a connection has:
// cryptography and resolvers need some, and nobody waits longer for a greeting.
const shortestDial, longestDial = 5 * time.Second, 30 * time.Second

// dial connects to one end.
func (j job) dial(ctx context.Context, end config.End, password *ssh.Password) (conn transport.Conn, err error) {
	err = j.patiently(ctx, func() error {
		conn, err = ssh.Dial(ctx, end.Target, ssh.Options{
			Password:    password,
			Identities:  end.Identities,
			HostKeyPin:  end.HostKeyPin,
			PinFlag:     end.PinFlag,
			KnownHosts:  end.KnownHosts,
			AcceptNew:   end.AcceptNew,
			Legacy:      end.Legacy,
			Warn:        j.view.Warn,
			DialTimeout: min(longestDial, max(shortestDial, j.config.StepTimeout)),
		})
		return err
	})
	return conn, err
}
