//go:build unix

package ssh_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

func TestRevokedHostKey(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	o := s.options(t)
	o.AcceptNew = true
	o.KnownHosts = []string{writeFile(t, "known_hosts", s.knows(s.host["ed25519"])+"@revoked * "+s.host["ed25519"].authorized())}
	for _, pin := range []string{"", s.host["ed25519"].fingerprint()} {
		o.HostKeyPin = pin
		e := refused(t, s.Target, o, transport.ClassHostKey)
		holds(t, e.Error(), "revoked", o.KnownHosts[0]+":2", s.host["ed25519"].fingerprint())
	}
}

func TestHostKeyPin(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", allKinds)
	for kind, key := range s.host { // each of them, whichever the server prefers
		o := s.options(t)
		o.HostKeyPin = key.fingerprint()
		o.KnownHosts = []string{writeFile(t, "known_hosts", s.knows(newKey(t, kind)))} // overruled
		dial(t, s.Target, o)
		o.HostKeyPin += "="
		dial(t, s.Target, o)
	}
	o := s.options(t)
	o.HostKeyPin = newKey(t, "ed25519").fingerprint()
	o.AcceptNew = true
	dials := 0
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials++
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	e := refused(t, s.Target, o, transport.ClassHostKey)
	holds(t, e.Error(), "not the pinned one", o.HostKeyPin)
	for _, key := range s.host {
		holds(t, e.Error(), key.fingerprint())
	}
	holds(t, e.Hint, "--hsm-host-key")
	if dials > 5 {
		t.Errorf("%d connections for three keys", dials)
	}
	log, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), "Failed publickey") {
		t.Errorf("something was sent to a host that is not the pinned one:\n%s", log)
	}
}

func TestNothingIsSentToAHostThatIsNotTrusted(t *testing.T) {
	p := newPeer(t)
	p.password("right")
	p.start(t)
	fetched := 0
	for _, pin := range []string{"", newKey(t, "rsa").fingerprint()} {
		o := p.pinned(t, ssh.Options{Password: counted("right", &fetched)})
		o.HostKeyPin = pin
		refused(t, p.Target, o, transport.ClassHostKey)
	}
	if fetched > 0 || len(p.noted()) > 0 {
		t.Errorf("fetched %d times, offered %q", fetched, p.noted())
	}
}

func TestPinMustBeAFingerprint(t *testing.T) {
	good := newKey(t, "ed25519").fingerprint()
	for _, pin := range []string{"x", "MD5:00:11", "SHA256:", "SHA256:abc", good + "x", strings.TrimPrefix(good, "SHA256:"), strings.ToLower(good[:6]) + good[6:]} {
		_, err := ssh.Dial(t.Context(), ssh.Target{User: "u", Host: "127.0.0.1", Port: 1}, ssh.Options{HostKeyPin: pin})
		if e := classed(t, err, transport.ClassConfig); e.Hint == "" {
			t.Errorf("%q: no hint", pin)
		}
	}
}

func TestHostCertificate(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	ca := newKey(t, "ed25519")
	sign := func(principal string) string {
		cert := &xssh.Certificate{
			Key: s.host["ed25519"].PublicKey(), CertType: xssh.HostCert,
			ValidPrincipals: []string{principal}, ValidBefore: xssh.CertTimeInfinity,
		}
		if err := cert.SignCert(newRand(), ca); err != nil {
			t.Fatal(err)
		}
		return string(xssh.MarshalAuthorizedKey(cert))
	}
	path := filepath.Join(t.TempDir(), "cert.pub")
	for _, principal := range []string{"127.0.0.1", "elsewhere.example"} {
		if err := os.WriteFile(path, []byte(sign(principal)), 0o600); err != nil {
			t.Fatal(err)
		}
		c := startSSHD(t, "127.0.0.1", nil, "HostKey "+s.write(t, "host_key", string(s.host["ed25519"].pem)), "HostCertificate "+path)
		o := c.options(t)
		o.KnownHosts = []string{writeFile(t, "known_hosts", "@cert-authority * "+ca.authorized())}
		if principal == "127.0.0.1" {
			dial(t, c.Target, o)
		} else {
			e := refused(t, c.Target, o, transport.ClassHostKey)
			holds(t, e.Error(), "certificate")
		}
		// Who knows no authority sees the plain key, not an error about certificates.
		o.KnownHosts = nil
		e := refused(t, c.Target, o, transport.ClassHostKey)
		holds(t, e.Error(), "unknown", s.host["ed25519"].fingerprint())
	}
}
