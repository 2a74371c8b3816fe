//go:build unix

package ssh_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// kindOf is which of the two reasons to try again an error gives.
func kindOf(err error) string {
	switch {
	case errors.Is(err, transport.ErrNoSession):
		return "no session"
	case errors.Is(err, transport.ErrTurnedAway):
		return "turned away"
	}
	return "neither"
}

// A machine that refuses another channel has no session to give; one that does
// not know what a session is never will.
func TestRefusedChannels(t *testing.T) {
	for reason, want := range map[xssh.RejectionReason]string{
		xssh.ResourceShortage: "no session", xssh.Prohibited: "no session", xssh.ConnectionFailed: "no session",
		xssh.UnknownChannelType: "neither",
	} {
		t.Run(reason.String(), func(t *testing.T) {
			p := newPeer(t)
			p.Target = listen(t, func(raw net.Conn) {
				defer closeQuietly(raw)
				_, channels, requests, err := xssh.NewServerConn(raw, p.config)
				if err != nil {
					return
				}
				go xssh.DiscardRequests(requests)
				for offered := range channels {
					_ = offered.Reject(reason, "not now") // the client is there
				}
			})
			c := dial(t, p.Target, p.pinned(t, ssh.Options{}))
			_, exec := c.Exec(t.Context(), "true", nil)
			_, stream := c.Stream(t.Context(), "true")
			_, terminal := c.Terminal(t.Context(), 80, 25)
			_, files := c.Files(t.Context())
			for what, err := range map[string]error{"exec": exec, "stream": stream, "terminal": terminal, "files": files} {
				classed(t, err, transport.ClassConnect)
				if got := kindOf(err); got != want {
					t.Errorf("%s: %s, want %s: %v", what, got, want, err)
				}
			}
		})
	}
}

// A machine that ends the connection before it asked for anything.
func TestTurnedAway(t *testing.T) {
	away := listen(t, func(c net.Conn) { closeQuietly(c) })
	t.Setenv("HOME", t.TempDir())
	e := refused(t, away, ssh.Options{HostKeyPin: newKey(t, "ed25519").fingerprint()}, transport.ClassConnect)
	if kindOf(e) != "turned away" {
		t.Errorf("before the greeting: %v", e)
	}

	p := newPeer(t)
	p.config.NoClientAuth = false
	var raw net.Conn
	p.config.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) { return nil, errors.New("no") }
	p.config.AuthLogCallback = func(xssh.ConnMetadata, string, error) { closeQuietly(raw) } // at the first question about the user
	p.Target = listen(t, func(c net.Conn) { raw = c; p.serve(c) })
	e = refused(t, p.Target, p.pinned(t, ssh.Options{}), transport.ClassAuth)
	if kindOf(e) != "turned away" {
		t.Errorf("at the login: %v", e)
	}

	p = newPeer(t)
	p.password("right")
	p.start(t)
	e = refused(t, p.Target, p.pinned(t, ssh.Options{Password: counted("wrong", new(int))}), transport.ClassAuth)
	if kindOf(e) != "neither" {
		t.Errorf("a wrong password: %v", e)
	}
}

// One that has had enough of keys, or whose keyboard-interactive fails without a
// question, has not turned anybody away, and is not tried again.
func TestNotTurnedAway(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "KbdInteractiveAuthentication yes", "MaxAuthTries 2")
	o := s.trusting(t)
	for _, n := range []int{1, 2, 3} {
		o.Keys = ssh.Keys{}
		for _, key := range several(t, n) {
			o.Keys.Files = append(o.Keys.Files, key.file(t))
		}
		o.Password = fixed("never asked for")
		e := refused(t, s.Target, o, transport.ClassAuth)
		if n != 1 && kindOf(e) != "neither" || strings.Contains(e.Error(), "unexpected message") {
			t.Errorf("%d keys: %v (%s)", n, e, kindOf(e))
		}
	}
}
