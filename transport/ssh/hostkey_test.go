//go:build unix

package ssh_test

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"ntl-setup/transport"
)

func (s *sshd) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// knows writes a known_hosts line for each of those keys.
func (s *sshd) knows(keys ...keyPair) string {
	var text strings.Builder
	for _, k := range keys {
		text.WriteString(xknownhosts.Line([]string{s.address()}, k.PublicKey()) + "\n")
	}
	return text.String()
}

func (s *sshd) hashed(k keyPair) string {
	return xknownhosts.HashHostname(xknownhosts.Normalize(s.address())) + " " + k.authorized()
}

var allKinds = []string{"ed25519", "ecdsa", "rsa"}

func TestKnownHosts(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", allKinds)
	other := newKey(t, "ed25519")
	stranger := "elsewhere.example " + other.authorized()
	tests := map[string]string{
		"ed25519":             s.knows(s.host["ed25519"]),
		"ecdsa alone":         s.knows(s.host["ecdsa"]),
		"rsa alone":           s.knows(s.host["rsa"]), // the server would rather show others
		"rsa, hashed":         s.hashed(s.host["rsa"]),
		"ed25519, hashed":     stranger + s.hashed(s.host["ed25519"]),
		"all":                 s.knows(s.host["rsa"], s.host["ecdsa"], s.host["ed25519"]),
		"a stale one besides": s.knows(other, s.host["rsa"], s.host["ed25519"]),
		"a wildcard":          "127.0.0.* " + s.host["rsa"].authorized(),
		"comments and blanks": "# mine\n\n" + s.knows(s.host["ecdsa"]),
		"another key revoked": "@revoked * " + other.authorized() + s.knows(s.host["ecdsa"]),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			o := s.options(t)
			o.KnownHosts = []string{writeFile(t, "known_hosts", text)}
			for _, accept := range []bool{false, true} {
				o.AcceptNew = accept
				dial(t, s.Target, o)
			}
			after, err := os.ReadFile(o.KnownHosts[0])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(text, string(after)); diff != "" {
				t.Errorf("known_hosts was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestChangedHostKey(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", allKinds)
	tests := []struct {
		name  string
		known keyPair
		shown string
	}{
		{"same kind", newKey(t, "ed25519"), "ed25519"},
		{"same kind, not the preferred one", newKey(t, "rsa"), "rsa"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, text := range []string{s.knows(tt.known), s.hashed(tt.known)} {
				o := s.options(t)
				o.AcceptNew = true // must not help
				o.KnownHosts = []string{writeFile(t, "known_hosts", "# first line\n"+text)}
				e := refused(t, s.Target, o, transport.ClassHostKey)
				holds(t, e.Error(), "has changed", tt.known.fingerprint(), s.host[tt.shown].fingerprint(), o.KnownHosts[0]+":2")
				holds(t, e.Hint, o.KnownHosts[0]+":2", "--hsm-host-key "+s.host[tt.shown].fingerprint())
				after, err := os.ReadFile(o.KnownHosts[0])
				if err != nil {
					t.Fatal(err)
				}
				if string(after) != "# first line\n"+text {
					t.Errorf("known_hosts was changed:\n%s", after)
				}
			}
		})
	}
}

// A host that is known by one kind of key and now has only another has changed.
func TestChangedKindOfHostKey(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ecdsa"})
	o := s.options(t)
	o.AcceptNew = true
	known := newKey(t, "rsa")
	o.KnownHosts = []string{writeFile(t, "known_hosts", s.knows(known))}
	e := refused(t, s.Target, o, transport.ClassHostKey)
	holds(t, e.Error(), "has changed", known.fingerprint(), s.host["ecdsa"].fingerprint())
}

func TestUnknownHostKey(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", allKinds)
	o := s.options(t) // the file is missing
	e := refused(t, s.Target, o, transport.ClassHostKey)
	holds(t, e.Error(), "unknown", "ssh-ed25519", s.host["ed25519"].fingerprint())
	holds(t, e.Hint, "--accept-new-host-keys", "--hsm-host-key "+s.host["ed25519"].fingerprint())
	if _, err := os.Stat(o.KnownHosts[0]); err == nil {
		t.Error("known_hosts was made")
	}
	o.KnownHosts = nil
	refused(t, s.Target, o, transport.ClassHostKey)
	o.AcceptNew = true
	e = refused(t, s.Target, o, transport.ClassConfig)
	holds(t, e.Hint, "--known-hosts")
}
