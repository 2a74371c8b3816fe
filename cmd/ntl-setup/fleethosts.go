package main

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/orchestrator"
	"ntl-setup/steps"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/ssh"
	"ntl-setup/transport/sudo"
	"ntl-setup/transport/transcript"
)

// pool is what the links of a run share: each appliance over one connection and
// one lunash session, and each account's password, so that one that was refused
// is tried by nobody else.
type pool struct {
	mu         sync.Mutex
	appliances map[string]*slot
	accounts   map[string]account
	common     *credentials // passphrases and jump hosts' passwords
}

func newPool() *pool {
	return &pool{appliances: map[string]*slot{}, accounts: map[string]account{}}
}

// close ends the connections to the appliances.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.appliances {
		a.close()
	}
}

// account is one login with its password, and what sudo wants of it.
type account struct {
	password *ssh.Password
	sudo     *sudo.Password
}

// account is that of an end. Ends with the same user and the same source of the
// password are one account; so are those of one side that have none given and
// are asked for.
func (p *pool) account(side string, end config.End, rights config.Rights, make func() account) account {
	key := []string{side, end.Target.User}
	for _, secret := range []*config.Secret{end.Password, end.Command, rights.Password, rights.Command} {
		if secret == nil {
			key = append(key, "")
			continue
		}
		key = append(key, secret.Reveal())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	name := strings.Join(key, "\x00")
	known, there := p.accounts[name]
	if !there {
		known = make()
		p.accounts[name] = known
	}
	return known
}

// credentials are those of one link, shared with the links of the same accounts.
func (p *pool) credentials(j job) credentials {
	fresh := j.credentials()
	p.mu.Lock()
	if p.common == nil {
		p.common = &fresh
	}
	fresh.hops, fresh.passphrases = p.common.hops, p.common.passphrases
	p.mu.Unlock()
	client := p.account("client", j.link.Client, j.link.Rights, func() account { return account{fresh.client, fresh.sudo} })
	hsm := p.account("hsm", j.link.HSM, config.Rights{}, func() account { return account{password: fresh.hsm} })
	fresh.client, fresh.sudo, fresh.hsm = client.password, client.sudo, hsm.password
	return fresh
}

// appliance is the place of one appliance.
func (p *pool) appliance(name string) *slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.appliances[name] == nil {
		p.appliances[name] = &slot{}
	}
	return p.appliances[name]
}

// applianceHost is one appliance that links share.
type applianceHost struct {
	conn  transport.Conn
	shell lunash.Appliance
	words *transcript.Log // nil: none is kept
}

// slot is the place of an appliance in the pool.
type slot struct {
	mu      sync.Mutex // held while it is dialled
	known   bool
	err     error // of dialling; everybody's
	retried bool  // that was tried again
	shared  lunash.Appliance
	hosts   []*applianceHost // the present one is the last
}

// mostHosts is how often an appliance is dialled in a run: one that keeps losing
// its connections is not worth all links' time.
const mostHosts = 4

func (s *slot) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, host := range s.hosts {
		_ = host.shell.Close() // the connection ends next, and with it the shell
		_ = host.conn.Close()  // the run is over; what it did was confirmed by looking
		_ = host.words.Close() // a transcript fails nobody
	}
}

// doubt makes the next link dial anew: one that used this appliance has lost a
// connection. Those that are at work keep what they have.
func (s *slot) doubt(used lunash.Appliance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known && s.shared == used && s.err == nil && len(s.hosts) < mostHosts {
		s.known = false
	}
}

// again makes the next link dial an appliance that was not reached, once in a run.
// It reports whether there is a use in trying: after that, everybody has its error.
func (s *slot) again() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known && s.err != nil {
		if s.retried {
			return false
		}
		s.known, s.retried = false, true
	}
	return true
}

// get is the appliance, dialled by the first link that needs it. An appliance
// that was not reached is tried by no other link: they share its error.
func (s *slot) get(ctx context.Context, dial func(context.Context) (*applianceHost, error)) (lunash.Appliance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return s.shared, s.err
	}
	host, err := dial(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, err // the end of one link's time is no other's
	}
	s.known, s.shared, s.err = true, nil, err
	if err == nil {
		s.hosts = append(s.hosts, host)
		s.shared = lunash.Share(host.shell)
	}
	return s.shared, s.err
}

// meet is reach over hosts that other links use too.
func (j job) meet(ctx context.Context) (*reached, error) {
	known := j.shared.pool.credentials(j)
	j.view.Progress("connecting to " + j.link.Client.Name() + " and " + j.link.HSM.Name())
	r := &reached{lent: true}
	hsm := make(chan error, 1)
	go func() {
		var err error
		j.shared.used, err = j.shared.pool.appliance(j.link.HSM.Name()).get(ctx, func(ctx context.Context) (*applianceHost, error) {
			return j.dialAppliance(ctx, known)
		})
		hsm <- err
	}()
	e, err := j.shared.client.get(func() (ends, error) { return j.dialClient(ctx, known) })
	if hsmErr := <-hsm; err == nil {
		err = hsmErr
	}
	if err != nil {
		return nil, err
	}
	r.ends, r.appliance = e, watching(j.shared.used, &j.shared.lost)
	j.view.Progress("recognising both hosts")
	r.site, err = j.open(ctx, steps.Hosts{Client: r.client, Elevate: r.elevate, HSM: r.appliance, Probe: probes(), Held: j.shared.client.users > 0})
	return r, err
}

// dialAppliance connects to the appliance, for all links that want it.
func (j job) dialAppliance(ctx context.Context, known credentials) (*applianceHost, error) {
	conn, err := j.dial(ctx, j.link.HSM, known.hsm, known)
	if err != nil {
		return nil, err
	}
	words := j.evidence.sharedTranscript(j.link.HSM.Name())
	conn = words.Conn(conn)
	return &applianceHost{conn: conn, words: words, shell: lunash.New(conn, lunash.Options{
		CommandTimeout: j.config.StepTimeout, Patience: j.patient().full / 2, // within the step's own time
	})}, nil
}

// dialClient connects to the client host.
func (j job) dialClient(ctx context.Context, known credentials) (e ends, err error) {
	if !j.link.Client.Local {
		if e.wire, err = j.dial(ctx, j.link.Client, known.client, known); err != nil {
			return ends{}, err
		}
		e.wire = j.evidence.wire(e.wire, true)
	}
	return j.asHost(e, known), nil
}

// clientHost is one client host that its links share, one after the other.
type clientHost struct {
	ends  ends
	there bool
	err   error // of dialling

	acted  bool // one of its links has changed something
	holder *steps.Site
	users  int
	free   func()
}

func (c *clientHost) close() { c.ends.close() }

// get is the client, dialled by the first of its links.
func (c *clientHost) get(dial func() (ends, error)) (ends, error) {
	if !c.there && c.err == nil {
		c.ends, c.err = dial()
		c.there = c.err == nil
	}
	return c.ends, c.err
}

// judge gives up a connection over which a link failed, so that the next link
// has one of its own.
func (c *clientHost) judge(r orchestrator.Report) {
	c.acted = c.acted || r.Acted
	if c.there && c.users == 0 && (r.Result == orchestrator.ResFailed || r.Result == orchestrator.Unreachable) {
		c.ends.close()
		c.ends, c.there = ends{}, false
	}
}

// hold takes the client's lock for the first link that acts, and shares it with
// the others; the last to let go gives it back.
func (c *clientHost) hold(site *steps.Site, take func() (func(), error)) (release func(), err error) {
	leave := func() {}
	if c.users == 0 {
		if c.free, err = take(); err != nil {
			return nil, err
		}
		c.holder = site
	} else {
		leave = site.Join(c.holder)
	}
	c.users++
	return func() {
		leave()
		if c.users--; c.users == 0 {
			c.free()
		}
	}, nil
}

// sharedHosts are the hosts of one link of a run over many.
type sharedHosts struct {
	pool   *pool
	client *clientHost
	used   lunash.Appliance // once it was reached
	lost   atomic.Bool      // its connection ended while this link used it
}
