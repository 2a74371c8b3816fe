//go:build unix

package ssh_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// lock encrypts a key as ssh-keygen does.
func (k keyPair) lock(t *testing.T, passphrase string) []byte {
	t.Helper()
	private, err := xssh.ParseRawPrivateKey(k.pem)
	if err != nil {
		t.Fatal(err)
	}
	block, err := xssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}

// typed is a person who types a passphrase, and who notes what was asked for.
type typed struct {
	phrase string
	err    error

	mu    sync.Mutex
	asked []string
}

func (p *typed) passphrases() *ssh.Passphrases {
	return ssh.NewPassphrases("", func(_ context.Context, path string) (string, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, path)
		return p.phrase, p.err
	})
}

func TestEncryptedKeys(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	t.Setenv("HOME", t.TempDir())
	locked := s.write(t, "id_locked", string(s.id.lock(t, "long")))
	base := s.trusting(t)
	other := newKey(t, "ed25519")
	stranger := s.write(t, "id_stranger", string(other.lock(t, "unknown")))

	t.Run("asked for once, by several", func(t *testing.T) {
		p := &typed{phrase: "long"}
		o := base
		o.Keys = ssh.Keys{Files: []string{locked}, Passphrases: p.passphrases()}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				c, err := ssh.Dial(t.Context(), s.Target, o)
				if err != nil {
					t.Error(err)
					return
				}
				closeQuietly(c)
			})
		}
		all.Wait()
		if len(p.asked) != 1 || p.asked[0] != locked {
			t.Errorf("asked for %q", p.asked)
		}
	})
	t.Run("wrong", func(t *testing.T) {
		p := &typed{phrase: "wrong"}
		o := base
		o.Keys = ssh.Keys{Files: []string{locked}, Passphrases: p.passphrases()}
		o.Password = fixed("never reached")
		for range 2 { // it is not asked for again
			e := refused(t, s.Target, o, transport.ClassAuth)
			holds(t, e.Error(), "the passphrase of "+locked+" is wrong")
		}
		if len(p.asked) != 1 {
			t.Errorf("asked %d times", len(p.asked))
		}
	})
	t.Run("given", func(t *testing.T) {
		o := base
		o.Keys = ssh.Keys{Files: []string{locked}, Passphrases: ssh.NewPassphrases("long", nil)}
		dial(t, s.Target, o)
		o.Keys.Passphrases = ssh.NewPassphrases("other", nil)
		e := refused(t, s.Target, o, transport.ClassAuth)
		holds(t, e.Error(), "is wrong")
		o.Keys = ssh.Keys{Configured: []string{locked}, Passphrases: ssh.NewPassphrases("other", nil)}
		e = refused(t, s.Target, o, transport.ClassAuth)
		holds(t, e.Error(), "not tried", "the passphrase is wrong")
	})
	t.Run("not for a key that is not wanted", func(t *testing.T) {
		p := &typed{phrase: "long"}
		o := base
		o.Keys = ssh.Keys{Files: []string{stranger, locked}, Passphrases: p.passphrases()}
		dial(t, s.Target, o)
		if len(p.asked) != 1 || p.asked[0] != locked {
			t.Errorf("asked for %q", p.asked)
		}
	})
	t.Run("not when the agent has it", func(t *testing.T) {
		p := &typed{err: errors.New("nobody is there")}
		o := base
		o.Keys = ssh.Keys{Files: []string{locked}, Agent: startAgent(t, s.id), Only: true, Passphrases: p.passphrases()}
		dial(t, s.Target, o)
	})
	t.Run("nobody there", func(t *testing.T) {
		p := &typed{err: transport.Errorf(transport.ClassAuth, "", "no terminal").WithHint("what to do")}
		o := base
		o.Keys = ssh.Keys{Files: []string{locked}, Passphrases: p.passphrases()}
		e := refused(t, s.Target, o, transport.ClassAuth)
		holds(t, e.Error(), "the key "+locked+" cannot be used", "no terminal")
		holds(t, e.Hint, "what to do")
		o.Keys = ssh.Keys{Configured: []string{locked}, Passphrases: p.passphrases()}
		e = refused(t, s.Target, o, transport.ClassAuth)
		holds(t, e.Error(), "not tried: "+locked+": no terminal")
		holds(t, e.Hint, "what to do")
	})
	t.Run("nothing typed", func(t *testing.T) {
		o := base
		o.Keys = ssh.Keys{Files: []string{locked}, Passphrases: (&typed{}).passphrases()}
		e := refused(t, s.Target, o, transport.ClassAuth)
		holds(t, e.Error(), locked, "no passphrase was given")
	})
}

// The usual files are asked about when nothing else is left, and no password is
// at hand.
func TestEncryptedDefaultKeys(t *testing.T) {
	right, plain := newKey(t, "ed25519"), newKey(t, "ecdsa")
	home := t.TempDir()
	dir := filepath.Join(home, ".ssh")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"id_ed25519": right.lock(t, "long"), "id_ecdsa": plain.pem} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		phrase string
		quiet  bool
		asked  int
		class  transport.Class
		text   string
	}{
		"asked":             {"long", false, 1, "", ""},
		"wrong":             {"wrong", false, 1, transport.ClassAuth, "is wrong"},
		"nothing typed":     {"", false, 1, "", ""}, // on to the password
		"a password is had": {"long", true, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := keyOrSecret(t, right)
			person := &typed{phrase: tt.phrase}
			o := p.pinned(t, ssh.Options{Password: fixed("secret"), Keys: ssh.Keys{Passphrases: person.passphrases(), Quiet: tt.quiet}})
			t.Setenv("HOME", home)
			if tt.class == "" {
				dial(t, p.Target, o)
			} else {
				e := refused(t, p.Target, o, tt.class)
				holds(t, e.Error(), tt.text)
			}
			if len(person.asked) != tt.asked {
				t.Errorf("asked for %q", person.asked)
			}
			if first := p.noted()[0]; first != plain.fingerprint() {
				t.Errorf("the encrypted key comes before the other one")
			}
		})
	}
}

func TestPassphrasesShowNothing(t *testing.T) {
	p := ssh.NewPassphrases("very secret", nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		if text := fmt.Sprintf(verb, p); strings.Contains(text, "secret") || strings.Contains(text, "766572") {
			t.Errorf("%s shows %s", verb, text)
		}
	}
}

// A certificate of the user lies beside the key, or is named.
func TestUserCertificates(t *testing.T) {
	ca := newKey(t, "ed25519")
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "TrustedUserCAKeys "+writeFile(t, "ca.pub", ca.authorized()))
	t.Setenv("HOME", t.TempDir())
	for _, kind := range []string{"ed25519", "rsa"} {
		t.Run(kind, func(t *testing.T) {
			key := newKey(t, kind)
			sign := func(change func(*xssh.Certificate)) string {
				cert := &xssh.Certificate{
					Key: key.PublicKey(), CertType: xssh.UserCert, ValidPrincipals: []string{s.User}, ValidBefore: xssh.CertTimeInfinity,
					Permissions: xssh.Permissions{Extensions: map[string]string{"permit-pty": ""}},
				}
				change(cert)
				if err := cert.SignCert(newRand(), ca); err != nil {
					t.Fatal(err)
				}
				return string(xssh.MarshalAuthorizedKey(cert))
			}
			o := s.trusting(t)
			path := key.file(t)
			for name, tt := range map[string]struct {
				change func(*xssh.Certificate)
				taken  bool
			}{
				"good":     {func(*xssh.Certificate) {}, true},
				"expired":  {func(c *xssh.Certificate) { c.ValidBefore = 1 }, false},
				"a host's": {func(c *xssh.Certificate) { c.CertType = xssh.HostCert }, false},
			} {
				if err := os.WriteFile(path+"-cert.pub", []byte(sign(tt.change)), 0o600); err != nil {
					t.Fatal(err)
				}
				o.Keys = ssh.Keys{Files: []string{path}}
				if tt.taken {
					saysHello(t, dial(t, s.Target, o))
					continue
				}
				e := refused(t, s.Target, o, transport.ClassAuth)
				if !strings.Contains(e.Error(), "publickey (1)") { // the plain key
					t.Errorf("%s: %v", name, e)
				}
			}
			if err := os.Remove(path + "-cert.pub"); err != nil {
				t.Fatal(err)
			}
			o.Keys.Certificates = []string{writeFile(t, "elsewhere.pub", sign(func(*xssh.Certificate) {})), "/nowhere"}
			dial(t, s.Target, o)
			o.Keys = ssh.Keys{Configured: []string{path}, Certificates: o.Keys.Certificates, Agent: startAgent(t, key)}
			dial(t, s.Target, o) // signed by the agent
		})
	}
}
