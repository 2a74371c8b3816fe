//go:build unix

package ssh_test

import (
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// withCertificate is a server whose keys have certificates of that authority.
func withCertificate(t *testing.T, ca xssh.Signer, kinds []string, change func(*xssh.Certificate)) *sshd {
	t.Helper()
	var lines []string
	keys := map[string]keyPair{}
	for _, kind := range kinds {
		key := newKey(t, kind)
		cert := &xssh.Certificate{
			Key: key.PublicKey(), CertType: xssh.HostCert, ValidPrincipals: []string{"127.0.0.1", "box.example"}, ValidBefore: xssh.CertTimeInfinity,
		}
		change(cert)
		if err := cert.SignCert(newRand(), ca); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, "HostKey "+key.file(t), "HostCertificate "+writeFile(t, "cert.pub", string(xssh.MarshalAuthorizedKey(cert))))
		keys[kind] = key
	}
	s := startSSHD(t, "127.0.0.1", nil, lines...)
	s.host = keys
	return s
}

func unchanged(*xssh.Certificate) {}

// The kind of the authority's key says nothing about that of the host's.
func TestKindsOfHostCertificates(t *testing.T) {
	for _, authority := range []string{"ed25519", "ecdsa", "rsa"} {
		for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
			t.Run(kind+" by "+authority, func(t *testing.T) {
				ca := newKey(t, authority)
				s := withCertificate(t, sha2(t, ca), []string{kind}, unchanged)
				o := s.options(t)
				o.KnownHosts = []string{writeFile(t, "known_hosts", "@cert-authority 127.0.* "+ca.authorized())}
				dial(t, s.Target, o)
			})
		}
	}
}

// sha2 makes an RSA authority sign as ssh-keygen does.
func sha2(t *testing.T, k keyPair) xssh.Signer {
	t.Helper()
	a, ok := k.Signer.(xssh.AlgorithmSigner)
	if !ok || k.PublicKey().Type() != xssh.KeyAlgoRSA {
		return k.Signer
	}
	s, err := xssh.NewSignerWithAlgorithms(a, []string{xssh.KeyAlgoRSASHA512})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHostCertificatesThatDoNotHold(t *testing.T) {
	ca := newKey(t, "ed25519")
	known := "@cert-authority * " + ca.authorized()
	tests := map[string]struct {
		change func(*xssh.Certificate)
		known  func(*sshd) string
		text   string
	}{
		"expired":               {func(c *xssh.Certificate) { c.ValidBefore = 2 }, nil, "expired"},
		"not yet":               {func(c *xssh.Certificate) { c.ValidAfter = 1 << 40 }, nil, "not yet valid"},
		"for another":           {func(c *xssh.Certificate) { c.ValidPrincipals = []string{"elsewhere.example"} }, nil, "principal"},
		"critical option":       {func(c *xssh.Certificate) { c.CriticalOptions = map[string]string{"x@y": ""} }, nil, "critical option"},
		"another authority":     {unchanged, func(*sshd) string { return "@cert-authority * " + newKey(t, "ed25519").authorized() }, "no authority that is known"},
		"authority revoked":     {unchanged, func(*sshd) string { return known + "@revoked * " + ca.authorized() }, "the authority of the host certificate is marked as revoked"},
		"key revoked":           {unchanged, func(s *sshd) string { return known + "@revoked * " + s.host["ed25519"].authorized() }, "the host key is marked as revoked"},
		"authority of others":   {unchanged, func(*sshd) string { return "@cert-authority *.example.net " + ca.authorized() }, "the host key is unknown"},
		"authority, not here":   {unchanged, func(*sshd) string { return "@cert-authority *,!127.0.0.1 " + ca.authorized() }, "the host key is unknown"},
		"authority as host key": {unchanged, func(*sshd) string { return "* " + ca.authorized() }, "has changed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := withCertificate(t, ca, []string{"ed25519"}, tt.change)
			o := s.options(t)
			text := known
			if tt.known != nil {
				text = tt.known(s)
			}
			o.KnownHosts = []string{writeFile(t, "known_hosts", text)}
			e := refused(t, s.Target, o, transport.ClassHostKey)
			holds(t, e.Error(), tt.text)
		})
	}
}

// A host without a certificate, where an authority is known: its key is new, and
// not a changed one.
func TestPlainKeyBesideAnAuthority(t *testing.T) {
	ca := newKey(t, "ed25519")
	s := startSSHD(t, "127.0.0.1", []string{"ecdsa"})
	o := s.options(t)
	o.KnownHosts = []string{writeFile(t, "known_hosts", "@cert-authority * "+ca.authorized())}
	e := refused(t, s.Target, o, transport.ClassHostKey)
	holds(t, e.Error(), "the host key is unknown", s.host["ecdsa"].fingerprint())
	o.KnownHosts = append(o.KnownHosts, writeFile(t, "more", s.hashed(s.host["ecdsa"])))
	dial(t, s.Target, o) // known by its own key, in the second file
}

// An authority that signs with SHA-1 is one of the weak things.
func TestHostCertificateWithSHA1(t *testing.T) {
	ca := newKey(t, "rsa")
	a, ok := ca.Signer.(xssh.AlgorithmSigner)
	if !ok {
		t.Fatal("an RSA key that is no AlgorithmSigner")
	}
	old, err := xssh.NewSignerWithAlgorithms(a, []string{xssh.KeyAlgoRSA})
	if err != nil {
		t.Fatal(err)
	}
	// OpenSSH would not load it.
	p := newPeer(t)
	cert := &xssh.Certificate{Key: p.key.PublicKey(), CertType: xssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: xssh.CertTimeInfinity}
	if err := cert.SignCert(newRand(), old); err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewCertSigner(cert, p.key)
	if err != nil {
		t.Fatal(err)
	}
	p.config = &xssh.ServerConfig{NoClientAuth: true}
	p.config.AddHostKey(signer)
	p.start(t)
	o := p.pinned(t, optionsOf("@cert-authority * "+ca.authorized(), t))
	o.HostKeyPin = ""
	e := refused(t, p.Target, o, transport.ClassHostKey)
	holds(t, e.Error(), "SHA-1")
	o.Legacy = true
	dial(t, p.Target, o)
}

// HostKeyAlias is the name in known_hosts, whatever the port, and in certificates.
func TestHostKeyAlias(t *testing.T) {
	ca := newKey(t, "ed25519")
	s := withCertificate(t, ca, []string{"ed25519"}, func(c *xssh.Certificate) { c.ValidPrincipals = []string{"box.example"} })
	for name, text := range map[string]string{
		"plain":     "box.example " + s.host["ed25519"].authorized(),
		"authority": "@cert-authority *.example " + ca.authorized(),
	} {
		o := s.options(t)
		o.KnownHosts = []string{writeFile(t, "known_hosts", text)}
		refused(t, s.Target, o, transport.ClassHostKey)
		o.HostKeyAlias = "Box.example"
		dial(t, s.Target, o)
		_ = name
	}
	o := s.options(t)
	o.HostKeyAlias, o.AcceptNew = "new.example", true
	dial(t, s.Target, o)
	o.AcceptNew = false
	dial(t, s.Target, o)
	o.HostKeyAlias = ""
	refused(t, s.Target, o, transport.ClassHostKey)
}

// A server on another port may be known without it, if its key fits; another key
// there is another server's.
func TestKnownWithoutThePort(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", allKinds)
	o := s.options(t)
	o.KnownHosts = []string{writeFile(t, "known_hosts", "127.0.0.1 "+s.host["rsa"].authorized())}
	dial(t, s.Target, o)
	o.KnownHosts = []string{writeFile(t, "known_hosts", "127.0.0.1 "+newKey(t, "rsa").authorized())}
	e := refused(t, s.Target, o, transport.ClassHostKey)
	holds(t, e.Error(), "the host key is unknown")
	o.KnownHosts = []string{writeFile(t, "known_hosts", "127.0.0.1 "+s.host["rsa"].authorized()+s.knows(newKey(t, "rsa")))}
	e = refused(t, s.Target, o, transport.ClassHostKey)
	holds(t, e.Error(), "has changed")

	ca := newKey(t, "ecdsa")
	s = withCertificate(t, ca, []string{"ed25519"}, unchanged)
	o = s.options(t)
	o.KnownHosts = []string{writeFile(t, "known_hosts", "@cert-authority 127.0.0.1 "+ca.authorized())}
	dial(t, s.Target, o)
}
