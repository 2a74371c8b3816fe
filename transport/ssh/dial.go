package ssh

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// defaultDialTimeout is long enough for a resolver that is down and reverse
// look-ups of the far side, and short enough to wait for.
const defaultDialTimeout = 30 * time.Second

// Options is how to dial.
type Options struct {
	// Password is offered if a server asks for one; nil: none.
	Password *Password
	// Keys are the private keys that are offered, before a password.
	Keys Keys
	// HostKeyPin is the only host key to accept, "SHA256:…". It goes before
	// KnownHosts, except for keys that are marked there as revoked.
	HostKeyPin string
	// PinFlag is what hints call the way to set HostKeyPin: "--hsm-host-key".
	PinFlag string
	// HostKeyAlias is the name by which KnownHosts has the machine, and which the
	// certificates of its key name; empty: what the Target says.
	HostKeyAlias string
	// KnownHosts are files in OpenSSH's format; they need not exist. Empty: none.
	KnownHosts []string
	// AcceptNew adds the key of a host that KnownHosts do not know to the first of
	// them (mode 0600, its folder 0700 if they are made). A changed key is refused.
	AcceptNew bool
	// Legacy adds algorithms with known weaknesses at the end of what is offered.
	Legacy bool
	// DialTimeout bounds each stage: the network connection, the handshake, and
	// each step of the login, less the time that the password's source takes.
	// 0 is 30 seconds.
	DialTimeout time.Duration
	// Warn is told one line about what a person should know; nil: nobody is.
	Warn func(string)
	// Jump is the machine that the connection goes through; nil: none.
	Jump *Jump
	// Dial makes the network connection, to the machine or to the first that it
	// is reached through; nil: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	hop bool // this is about a jump host
}

// keyHint is how hints call the way to another key.
func (o *Options) keyHint() string {
	if o.hop {
		return "ssh-agent, or IdentityFile in ~/.ssh/config"
	}
	return "-i"
}

func (o *Options) warn(text string) {
	if o.Warn != nil {
		o.Warn(text)
	}
}

// Dial connects to a machine, checks its host key and logs in. The context
// bounds the dialling alone, not the connection. Errors are *transport.Error
// (connect, host-key, auth, dialogue, timeout, config), or wrap the context's
// cause when that is not a deadline.
func Dial(ctx context.Context, t Target, o Options) (transport.Conn, error) {
	client, err := dialClient(ctx, t, o)
	if err != nil {
		return nil, err
	}
	return newConn(ctx, t.name(), client), nil
}

// dialClient is Dial without the watch over the connection.
func dialClient(ctx context.Context, t Target, o Options) (*ssh.Client, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = defaultDialTimeout
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	keys, err := newHostKeys(t, &o)
	if err != nil {
		return nil, err
	}
	ring, err := gather(ctx, t.name(), &o)
	if err != nil {
		return nil, err
	}
	late := false
	for {
		keys.begin()
		d := &dialling{target: t, o: &o, keys: keys, ring: ring}
		client, err := d.connect(ctx)
		switch {
		case err == nil:
			if weak := weakNegotiated(client.Conn); len(weak) > 0 {
				o.warn(t.name() + ": the connection uses weak algorithms: " + strings.Join(weak, ", "))
			}
			return client, nil
		case keys.tryAnother() && len(keys.algorithms()) > 0:
			// Nothing about the user was sent yet; there is one attempt for
			// each kind of host key at most.
		case errors.Is(err, errMoreKeys):
			// Each attempt offers others, and there is an end to them.
		case errors.Is(err, errTooLate) && !late:
			late = true // the password is there now
			ring.begin()
		default:
			return nil, err
		}
	}
}

// errTooLate: the far side gave up while the password was being typed.
var errTooLate = errors.New("the connection ended while the password was awaited")

// stage is how far an attempt has come; used in messages.
type stage int

const (
	stageReach stage = iota
	stageHandshake
	stageLogin
)

// dialling is one attempt.
type dialling struct {
	target Target
	o      *Options
	keys   *hostKeys
	ring   *keyring

	wire  *wire
	watch *watch
	stage stage
	login login
}

func (d *dialling) connect(ctx context.Context) (*ssh.Client, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.watch = startWatch(d.o.DialTimeout, cancel)
	defer d.watch.pause()

	raw, err := d.reach(ctx)
	if err != nil {
		return nil, d.explainDial(ctx, err)
	}
	d.wire = &wire{Conn: raw}
	d.stage = stageHandshake
	d.watch.restart()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() }) // unblocks the handshake; there is nothing to lose
	conn, channels, requests, err := ssh.NewClientConn(d.wire, d.target.address(), d.config(ctx))
	if !stop() && err == nil {
		_ = conn.Close() // closed already
		err = context.Cause(ctx)
	}
	d.login.finish(err)
	if err != nil {
		return nil, d.explain(ctx, err)
	}
	return ssh.NewClient(conn, channels, requests), nil
}

// reach makes the network connection. Jump hosts have bounds of their own.
func (d *dialling) reach(ctx context.Context) (net.Conn, error) {
	if d.o.Jump == nil {
		return d.o.Dial(ctx, "tcp", d.target.address())
	}
	d.watch.pause()
	hop, err := d.o.Jump.dial(ctx, d.o)
	if err != nil {
		return nil, err
	}
	d.watch.restart()
	return hop.through(ctx, d.target.address())
}

func (d *dialling) config(ctx context.Context) *ssh.ClientConfig {
	return &ssh.ClientConfig{
		Config:            wireConfig(d.o.Legacy),
		User:              d.target.User,
		HostKeyCallback:   d.keys.check,
		HostKeyAlgorithms: d.keys.algorithms(),
		BannerCallback:    func(words string) error { d.login.hear(words); return nil },
		AuthCallback: func(a *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
			d.stage = stageLogin
			d.watch.restart()
			return d.method(ctx, a), nil
		},
	}
}

// errSlow is the cause when a stage took longer than Options.DialTimeout.
var errSlow = errors.New("no answer in time")

// watch ends an attempt whose present stage takes too long.
type watch struct {
	limit time.Duration
	timer *time.Timer
}

func startWatch(limit time.Duration, cancel context.CancelCauseFunc) *watch {
	return &watch{limit: limit, timer: time.AfterFunc(limit, func() { cancel(errSlow) })}
}

func (w *watch) restart() { w.timer.Reset(w.limit) }
func (w *watch) pause()   { w.timer.Stop() }

// wire is the network connection, watched: it keeps the first bytes that came,
// to tell what a peer is that does not speak SSH, and knows whether the far
// side has ended.
type wire struct {
	net.Conn
	greeting head
	ended    atomic.Bool
}

// Read reads and remembers.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		_, _ = w.greeting.Write(p[:n]) // never fails
	}
	if err != nil {
		w.ended.Store(true)
	}
	return n, err
}
