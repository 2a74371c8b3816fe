//go:build unix

package ssh_test

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// What an agent does wrong holds up nothing, and is told where it matters.
func TestAgentsThatMisbehave(t *testing.T) {
	replies := map[string]struct {
		reply []byte
		text  string
	}{
		"leaves":            {nil, "ask ssh-agent"},
		"is no agent":       {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "ask ssh-agent"},
		"endless reply":     {[]byte{0x7f, 0xff, 0xff, 0xff, 12}, "ask ssh-agent"},
		"more than it has":  {[]byte{0, 0, 0, 5, 12, 0xff, 0xff, 0xff, 0xff}, "ask ssh-agent"},
		"answers twice":     {[]byte{0, 0, 0, 5, 12, 0, 0, 0, 0, 0, 0, 0, 5, 12, 0, 0, 0, 0}, ""},
		"keys that are not": {append([]byte{0, 0, 0, 20, 12, 0, 0, 0, 1, 0, 0, 0, 3}, "abc\x00\x00\x00\x00\x00\x00\x00\x00"...), ""},
	}
	for name, tt := range replies {
		t.Run(name, func(t *testing.T) {
			socket := unixListen(t, func(c net.Conn) {
				_, _ = io.ReadFull(c, make([]byte, 5))
				_, _ = c.Write(tt.reply) // the test looks at the other end
			})
			p := keyPeer(t)
			e := refused(t, p.Target, p.pinned(t, ssh.Options{Keys: ssh.Keys{Agent: socket}}), transport.ClassAuth)
			holds(t, e.Error(), tt.text)
		})
	}
	t.Run("is not there", func(t *testing.T) {
		p := keyPeer(t)
		e := refused(t, p.Target, p.pinned(t, ssh.Options{Keys: ssh.Keys{Agent: filepath.Join(t.TempDir(), "gone")}}), transport.ClassAuth)
		holds(t, e.Error(), "not tried", "reach ssh-agent")
	})
	t.Run("hangs", func(t *testing.T) {
		socket := unixListen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		p := keyOrSecret(t)
		within(t, "dialling", 20*time.Second, func() {
			dial(t, p.Target, p.pinned(t, ssh.Options{Password: fixed("secret"), Keys: ssh.Keys{Agent: socket}}))
		})
	})
}

// An agent that lists a key, but signs with SHA-1 or not at all.
func TestAgentThatCannotSign(t *testing.T) {
	key := newKey(t, "rsa")
	private, err := xssh.ParseRawPrivateKey(key.pem)
	if err != nil {
		t.Fatal(err)
	}
	for name, wrong := range map[string]func(agent.Agent) agent.Agent{
		"SHA-1":   func(a agent.Agent) agent.Agent { return struct{ agent.Agent }{a} }, // one that knows no flags
		"refuses": func(a agent.Agent) agent.Agent { return unwilling{a} },
	} {
		t.Run(name, func(t *testing.T) {
			ring := agent.NewKeyring()
			if err := ring.Add(agent.AddedKey{PrivateKey: private, Comment: "old\x1b[2J"}); err != nil {
				t.Fatal(err)
			}
			socket := unixListen(t, func(c net.Conn) { _ = agent.ServeAgent(wrong(ring), c) })
			p := keyOrSecret(t, key)
			o := p.pinned(t, ssh.Options{Keys: ssh.Keys{Agent: socket}})
			e := refused(t, p.Target, o, transport.ClassAuth)
			holds(t, e.Error(), "not tried", "the agent's key")
			if strings.Contains(e.Error(), "\x1b") {
				t.Errorf("a control character is shown: %q", e)
			}
			o.Password = fixed("secret") // the login goes on without it
			dial(t, p.Target, o)
		})
	}
}

type unwilling struct{ agent.Agent }

func (unwilling) Sign(xssh.PublicKey, []byte) (*xssh.Signature, error) { return nil, io.EOF }
