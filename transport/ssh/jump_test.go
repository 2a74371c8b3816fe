//go:build unix

package ssh_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// hopTo is a way through one server, which trusts and is let in.
func (s *sshd) hop(t *testing.T) *ssh.Jump {
	t.Helper()
	return &ssh.Jump{Target: s.Target, Options: s.trusting(t)}
}

// logged is what the server wrote.
func (s *sshd) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestJumpHosts(t *testing.T) {
	first := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "LogLevel DEBUG1")
	second := startSSHD(t, "127.0.0.1", []string{"ecdsa"}, "LogLevel DEBUG1")
	end := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "LogLevel DEBUG1")
	dials := 0
	counting := func(ctx context.Context, network, address string) (net.Conn, error) {
		dials++
		return new(net.Dialer).DialContext(ctx, network, address)
	}

	o := end.trusting(t)
	o.Dial, o.Jump = counting, first.hop(t)
	saysHello(t, dial(t, end.Target, o))
	holds(t, first.logged(t), "server_request_direct_tcpip")

	o.Jump = second.hop(t)
	o.Jump.Options.Jump = first.hop(t)
	saysHello(t, dial(t, end.Target, o))
	holds(t, second.logged(t), "server_request_direct_tcpip")
	if dials != 2 {
		t.Errorf("%d connections were made from here, want one for each login", dials)
	}
}

func saysHello(t *testing.T, c transport.Conn) {
	t.Helper()
	out, err := c.Exec(t.Context(), "echo hello", nil)
	if err != nil || strings.TrimSpace(string(out.Stdout)) != "hello" {
		t.Errorf("%q, %v", out.Stdout, err)
	}
}

// Closing the connection leaves none to the jump host.
func TestJumpHostIsLeft(t *testing.T) {
	first := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	end := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	ended := make(chan struct{})
	o := end.trusting(t)
	o.Jump = first.hop(t)
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return &noticed{Conn: c, closed: ended}, err
	}
	c, err := ssh.Dial(t.Context(), end.Target, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the connection to the jump host stays")
	}
}

// noticed tells when it is closed.
type noticed struct {
	net.Conn
	closed chan struct{}
	done   bool
}

func (n *noticed) Close() error {
	if !n.done {
		n.done = true
		close(n.closed)
	}
	return n.Conn.Close()
}

// Each error says at which machine it happened.
func TestJumpHostErrors(t *testing.T) {
	end := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	open := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	shut := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "AllowTcpForwarding no")
	other := target(t, freePort(t, "127.0.0.1"))
	other.User = "admin"

	tests := map[string]struct {
		class  transport.Class
		change func(o *ssh.Options, to *ssh.Target)
		error  []string
		hint   string
	}{
		"forwarding refused": {transport.ClassConnect, func(o *ssh.Options, _ *ssh.Target) { o.Jump = shut.hop(t) },
			[]string{"does not forward connections to " + end.address(), "administratively prohibited"}, "AllowTcpForwarding"},
		"nobody beyond": {transport.ClassConnect, func(_ *ssh.Options, to *ssh.Target) { to.Port = other.Port },
			[]string{"does not reach", "refused"}, "from the jump host"},
		"nobody there": {transport.ClassConnect, func(o *ssh.Options, _ *ssh.Target) { o.Jump.Target = other },
			[]string{"connection to", "refused"}, "port"},
		"not let in": {transport.ClassAuth, func(o *ssh.Options, _ *ssh.Target) {
			o.Jump.Options.Keys.Files = []string{newKey(t, "ed25519").file(t)}
		}, []string{"nobody is let in"}, "IdentityFile in ~/.ssh/config"},
		"unknown host key": {transport.ClassHostKey, func(o *ssh.Options, _ *ssh.Target) { o.Jump.Options.HostKeyPin = "" },
			[]string{"the host key is unknown", open.host["ed25519"].fingerprint()}, "connect to it once with ssh"},
		"host key changed": {transport.ClassHostKey, func(o *ssh.Options, _ *ssh.Target) {
			o.Jump.Options.HostKeyPin = ""
			o.Jump.Options.KnownHosts = []string{writeFile(t, "known_hosts", open.knows(newKey(t, "ed25519")))}
		}, []string{"has changed"}, "remove"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, to := end.trusting(t), end.Target
			o.Jump = open.hop(t)
			tt.change(&o, &to)
			e := refused(t, to, o, tt.class)
			if !strings.HasPrefix(e.Host, "jump host ") {
				t.Errorf("the error is about %q", e.Host)
			}
			holds(t, e.Error(), tt.error...)
			holds(t, e.Hint, tt.hint)
			if strings.Contains(e.Hint, "-i)") || strings.Contains(e.Hint, "pin ") {
				t.Errorf("the hint names a flag that is for the ends: %s", e.Hint)
			}
		})
	}
}

// The password is for the machine behind: the jump host sees none.
func TestJumpHostGetsNoPassword(t *testing.T) {
	through := newPeer(t)
	through.password("own")
	through.start(t)
	end := newPeer(t)
	end.password("secret")
	end.start(t)
	o := end.pinned(t, ssh.Options{Password: fixed("secret")})
	o.Jump = &ssh.Jump{Target: through.Target, Options: through.pinned(t, ssh.Options{})}
	e := refused(t, end.Target, o, transport.ClassAuth)
	holds(t, e.Host, "jump host ")
	if noted := through.noted(); len(noted) > 0 {
		t.Errorf("the jump host was told %q", noted)
	}
}

// A jump host that says nothing at all, and one that says nothing of the way on.
func TestJumpHostThatHangs(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	const limit = 300 * time.Millisecond
	mute := newPeer(t)
	mute.Target = listen(t, func(raw net.Conn) {
		defer closeQuietly(raw)
		_, channels, requests, err := xssh.NewServerConn(raw, mute.config)
		if err != nil {
			t.Error(err)
			return
		}
		go xssh.DiscardRequests(requests)
		var unanswered []xssh.NewChannel
		for ch := range channels {
			unanswered = append(unanswered, ch)
		}
		if len(unanswered) != 1 {
			t.Errorf("%d channels were wanted", len(unanswered))
		}
	})
	silent := listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }) // until the other end leaves
	for to, want := range map[ssh.Target]struct {
		class transport.Class
		text  string
	}{
		silent:      {transport.ClassTimeout, "not even a greeting"},
		mute.Target: {transport.ClassConnect, "no answer in time on whether it reaches 192.0.2.1:22"},
	} {
		hop := &ssh.Jump{Target: to, Options: ssh.Options{DialTimeout: limit, HostKeyPin: mute.key.fingerprint()}}
		within(t, "giving up", 10*time.Second, func() {
			e := refused(t, ssh.Target{User: "u", Host: "192.0.2.1"}, ssh.Options{DialTimeout: limit, Jump: hop}, want.class)
			holds(t, e.Error(), "jump host ", want.text)
		})
	}
}

// The end of the run ends the way through, too.
func TestContextEndsAJump(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	reached := make(chan struct{})
	silent := listen(t, func(c net.Conn) {
		close(reached)
		_, _ = c.Read(make([]byte, 64)) // the greeting
		_, _ = c.Read(make([]byte, 64))
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("somebody pressed Ctrl-C")
	go func() {
		<-reached
		cancel(why)
	}()
	_, err := ssh.Dial(ctx, ssh.Target{User: "u", Host: "192.0.2.1"}, ssh.Options{Jump: &ssh.Jump{Target: silent}})
	if !errors.Is(err, why) {
		t.Errorf("the error is %v", err)
	}
}
