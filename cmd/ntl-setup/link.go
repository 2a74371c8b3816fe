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
	"ntl-setup/transport/shells"
	"ntl-setup/transport/ssh"
	"ntl-setup/transport/sudo"
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
	j.files = site.Digests(ctx)
	j.preflight = j.lookout(hosts)
	if j.command == doctor {
		return j.diagnose(ctx, o, hosts)
	}
	o.Report = j.work(ctx, j.holding(orchestrator.Engine{
		Steps: site.All(), Observe: j.view.Observe, StepTimeout: j.config.StepTimeout, Before: j.waiting(site),
	}, site))
	o.Files = j.files
	o.NetScaler, o.Preflight = site.NetScaler(), j.preflight.made()
	if j.commands {
		o.Seats = site.Seats(ctx)
	}
	if o.Report.Result == orchestrator.Established {
		o.Serials = site.Serials(ctx)
	}
	if j.command == status && ctx.Err() == nil {
		o.ClientExpires, o.HSMExpires = site.Expiry(ctx)
	}
	return o
}

// open recognises both hosts within one step's time. That begins anew whenever a
// vtl is seen at work on the client: the host answers, and somebody else's run
// takes what it takes. The run's own time ends that.
func (j job) open(ctx context.Context, hosts steps.Hosts) (*steps.Site, error) {
	late := tooLong{what: "recognising the hosts", after: j.config.StepTimeout, flag: "--step-timeout"}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(j.config.StepTimeout, func() { cancel(late) })
	defer timer.Stop()
	note := onceEach(j.view.Note)
	hosts.Waiting = func(what string) {
		timer.Reset(j.config.StepTimeout)
		note(what)
	}
	site, err := steps.Open(ctx, hosts, j.wanted())
	var over tooLong // late, or the run
	if err != nil && errors.As(context.Cause(ctx), &over) && !verdict(err) {
		return nil, fmt.Errorf("%w: %w", over, err)
	}
	return site, err
}

// wanted is the link as the steps want it told.
func (j job) wanted() steps.Link {
	l := j.link
	return steps.Link{
		Name: l.Name, ClientAddress: l.ClientAddress, HSMAddress: l.HSMAddress, MapHostIP: l.MapHostIP,
		Partitions: l.Partitions, Kind: steps.Kind(l.Kind), Root: l.Root,
		ReplaceServerCertificate: l.ReplaceServerCertificate,
		RestartGateway:           l.RestartGateway,
		FixModes:                 l.FixModes,
		Deep:                     l.Deep,
		ProbeDir:                 j.probeDir(),
		HSMCertificate:           l.HSMCertificate,
		Sudo:                     l.Rights.Sudo,
		Stamp:                    time.Now().UTC().Format("20060102T150405Z"),
	}
}

// ends are the two connections; either may be nil.
type ends struct {
	client transport.Host
	rights *sudo.Runner   // of the client
	wire   transport.Conn // of the client; nil when it is this machine
	hsm    transport.Conn
}

// elevate takes root's rights on the client, as far as there is a way.
func (e ends) elevate(ctx context.Context) error {
	return placed(e.rights.Elevate(ctx), e.rights.Name())
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
		conn, err := j.dial(ctx, end, password, known)
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
	if first != nil {
		return e, first
	}
	return j.asHost(e, known), nil
}

// asHost adds what the client can be asked and told by.
func (j job) asHost(e ends, known credentials) ends {
	if e.wire != nil {
		e.rights = j.rights(e.wire, known)
		e.client = shells.New(e.rights.Conn(e.wire), posix.Options{})
		return e
	}
	e.rights = j.rights(j.evidence.local(posix.Local(config.Local, j.config.SecretVariables...)), known)
	e.client = posix.New(e.rights, posix.Options{})
	return e
}

// What --step-timeout may make of the time that each stage of a connection has:
// cryptography and resolvers need some, and nobody waits longer for a greeting.
const shortestDial, longestDial = 5 * time.Second, 30 * time.Second

// dial connects to one end.
func (j job) dial(ctx context.Context, end config.End, password *ssh.Password, known credentials) (conn transport.Conn, err error) {
	err = j.patiently(ctx, func() error {
		conn, err = ssh.Dial(ctx, end.Target, j.dialOptions(end, password, known))
		return err
	})
	return conn, placed(err, end.Name())
}

// placed names the host of an error that names none: that of a password's source,
// which many hosts may share.
func placed(err error, host string) error {
	var known *transport.Error
	if !errors.As(err, &known) || known.Host != "" || known.Class != transport.ClassAuth || known.Error() != err.Error() {
		return err
	}
	own := *known // the others get the same one
	own.Host = host
	return &own
}

// dialOptions is how one end, or a jump host before it, is dialled. A jump host
// never gets the password of an end, but one that is typed for it.
func (j job) dialOptions(end config.End, password *ssh.Password, known credentials) ssh.Options {
	o := ssh.Options{
		Password:     password,
		Keys:         end.Keys,
		HostKeyPin:   end.HostKeyPin,
		PinFlag:      end.PinFlag,
		HostKeyAlias: end.HostKeyAlias,
		KnownHosts:   end.KnownHosts,
		AcceptNew:    end.AcceptNew,
		Legacy:       end.Legacy,
		Warn:         j.questions.once(j.view.Warn),
		DialTimeout:  min(longestDial, max(shortestDial, j.config.StepTimeout)),
	}
	if end.Patience > 0 {
		o.DialTimeout = min(end.Patience, max(shortestDial, j.config.StepTimeout))
	}
	o.Keys.Passphrases = known.passphrases
	if end.Jump != nil {
		o.Jump = &ssh.Jump{Target: end.Jump.Target, Options: j.dialOptions(*end.Jump, known.hops.of(*end.Jump), known)}
	}
	return o
}
