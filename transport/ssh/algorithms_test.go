package ssh_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

func TestAlgorithms(t *testing.T) {
	tests := []struct {
		name   string
		set    func(*xssh.ServerConfig)
		weak   string // connects with Legacy, using this
		strong bool   // connects without
	}{
		{"today's", func(*xssh.ServerConfig) {}, "", true},
		{"Luna 7.8's", func(c *xssh.ServerConfig) { c.Ciphers = []string{"aes192-ctr", "aes256-ctr"} }, "", true},
		{"CBC", func(c *xssh.ServerConfig) { c.Ciphers = []string{"aes128-cbc"} }, "aes128-cbc", false},
		{"triple DES", func(c *xssh.ServerConfig) { c.Ciphers = []string{"3des-cbc"} }, "3des-cbc", false},
		{"group 14 with SHA-1", func(c *xssh.ServerConfig) { c.KeyExchanges = []string{"diffie-hellman-group14-sha1"} }, "diffie-hellman-group14-sha1", false},
		{"group 1", func(c *xssh.ServerConfig) { c.KeyExchanges = []string{"diffie-hellman-group1-sha1"} }, "diffie-hellman-group1-sha1", false},
		{"HMAC of 96 bits", func(c *xssh.ServerConfig) {
			c.Ciphers, c.MACs = []string{"aes128-ctr"}, []string{"hmac-sha1-96"}
		}, "hmac-sha1-96", false},
		{"RC4", func(c *xssh.ServerConfig) { c.Ciphers = []string{"arcfour128"} }, "none", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			tt.set(p.config)
			p.start(t)
			warned := ""
			o := p.pinned(t, ssh.Options{Warn: func(text string) { warned += text }})
			if tt.strong {
				dial(t, p.Target, o)
				o.Legacy = true // adds, and takes nothing away
				dial(t, p.Target, o)
				if warned != "" {
					t.Errorf("warned: %s", warned)
				}
				return
			}
			e := refused(t, p.Target, o, transport.ClassConnect)
			holds(t, e.Error(), "no common algorithm", "the machine offers", "ntl-setup offers")
			if tt.weak == "none" {
				holds(t, e.Error(), "arcfour128", "aes256-ctr")
				holds(t, e.Hint, "also not with --legacy-ssh")
				o.Legacy = true
				refused(t, p.Target, o, transport.ClassConnect)
				return
			}
			holds(t, e.Error(), tt.weak)
			holds(t, e.Hint, "--legacy-ssh allows "+tt.weak)
			o.Legacy = true
			dial(t, p.Target, o)
			holds(t, warned, "weak algorithms", tt.weak)
		})
	}
}

func TestHostKeyWithSHA1(t *testing.T) {
	p := newPeer(t)
	p.key = newKey(t, "rsa")
	p.config = &xssh.ServerConfig{NoClientAuth: true}
	signer, ok := p.key.Signer.(xssh.AlgorithmSigner)
	if !ok {
		t.Fatal("an RSA key that is no AlgorithmSigner")
	}
	old, err := xssh.NewSignerWithAlgorithms(signer, []string{xssh.KeyAlgoRSA})
	if err != nil {
		t.Fatal(err)
	}
	p.config.AddHostKey(old)
	p.start(t)
	o := p.pinned(t, ssh.Options{})
	e := refused(t, p.Target, o, transport.ClassConnect)
	holds(t, e.Error(), "host key", "ssh-rsa")
	holds(t, e.Hint, "--legacy-ssh")
	o.Legacy = true
	dial(t, p.Target, o)
}

func TestIdentityFiles(t *testing.T) {
	to := ssh.Target{User: "u", Host: "127.0.0.1", Port: 1}
	missing := filepath.Join(t.TempDir(), "missing")
	for path, text := range map[string]string{
		missing:                           "no such file",
		writeFile(t, "rubbish", "no key"): "rubbish",
		encrypted(t):                      "passphrase",
	} {
		_, err := ssh.Dial(t.Context(), to, ssh.Options{Keys: ssh.Keys{Files: []string{path}}})
		e := classed(t, err, transport.ClassConfig)
		holds(t, e.Error(), path, text)
	}
}

// The user's own keys are used unasked, as far as they can be.
func TestDefaultIdentities(t *testing.T) {
	key := newKey(t, "ecdsa")
	p := newPeer(t)
	p.config.NoClientAuth = false
	p.config.PublicKeyCallback = func(_ xssh.ConnMetadata, k xssh.PublicKey) (*xssh.Permissions, error) {
		p.note(xssh.FingerprintSHA256(k))
		return nil, match(key.fingerprint(), xssh.FingerprintSHA256(k))
	}
	p.start(t)
	warned := ""
	o := p.pinned(t, ssh.Options{Warn: func(text string) { warned += text }})
	e := refused(t, p.Target, o, transport.ClassAuth) // no home to speak of
	holds(t, e.Error(), "tried: nothing")

	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	locked, err := os.ReadFile(encrypted(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"id_ed25519": locked, "id_ecdsa": key.pem, "id_rsa": []byte("rubbish")} {
		if err := os.WriteFile(filepath.Join(home, ".ssh", name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dial(t, p.Target, o)
	holds(t, warned, "id_rsa")
	if strings.Contains(warned, "id_ed25519") {
		t.Errorf("warned of an encrypted key, which is usual: %s", warned)
	}
}
