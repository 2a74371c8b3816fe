//go:build unix

package ssh_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// startAgent runs OpenSSH's agent with these keys.
func startAgent(t *testing.T, keys ...keyPair) string {
	t.Helper()
	program, err := exec.LookPath("ssh-agent")
	if err != nil {
		t.Fatalf("the test needs ssh-agent: install openssh-client: %v", err)
	}
	dir := short(t)
	socket := filepath.Join(dir, "s")
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "-D", "-a", socket) //nolint:gosec // found above
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // may be gone
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil { // it listens once it has said where
		t.Fatal(err)
	}
	add(t, socket, keys...)
	return socket
}

// short is a directory whose name leaves room for that of a socket, of which
// systems take about a hundred characters.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // t.TempDir has the test's name in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is in there has ended
	return dir
}

func add(t *testing.T, socket string, keys ...keyPair) {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(c)
	client := agent.NewClient(c)
	for i, k := range keys {
		private, err := xssh.ParseRawPrivateKey(k.pem)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Add(agent.AddedKey{PrivateKey: private, Comment: fmt.Sprintf("key-%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

// keyPeer lets in who has one of these keys, and notes what is offered.
func keyPeer(t *testing.T, keys ...keyPair) *peer {
	t.Helper()
	return forKeys(t, keys...).start(t)
}

// keyOrSecret also lets in who says "secret".
func keyOrSecret(t *testing.T, keys ...keyPair) *peer {
	t.Helper()
	p := forKeys(t, keys...)
	p.password("secret")
	return p.start(t)
}

func forKeys(t *testing.T, keys ...keyPair) *peer {
	t.Helper()
	p := newPeer(t)
	p.config.NoClientAuth = false
	p.config.MaxAuthTries = 4 // as hardened servers have it
	p.config.PublicKeyCallback = func(_ xssh.ConnMetadata, got xssh.PublicKey) (*xssh.Permissions, error) {
		p.note(xssh.FingerprintSHA256(got))
		for _, k := range keys {
			if k.fingerprint() == xssh.FingerprintSHA256(got) {
				return nil, nil
			}
		}
		return nil, errors.New("unknown key")
	}
	return p
}

func several(t *testing.T, n int) []keyPair {
	t.Helper()
	var keys []keyPair
	for range n {
		keys = append(keys, newKey(t, "ed25519"))
	}
	return keys
}

func TestAgentAgainstOpenSSH(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	t.Setenv("HOME", t.TempDir())
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		t.Run(kind, func(t *testing.T) {
			key := newKey(t, kind)
			s.write(t, "authorized_keys", key.authorized())
			o := s.trusting(t)
			o.Keys = ssh.Keys{Agent: startAgent(t, newKey(t, "ecdsa"), key)}
			saysHello(t, dial(t, s.Target, o))
		})
	}
	holds(t, s.logged(t), "Accepted publickey")
}

// RSA keys sign with SHA-2, also where the server does not ask for it.
func TestAgentSignsWithSHA2(t *testing.T) {
	key := newKey(t, "rsa")
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "PubkeyAcceptedAlgorithms rsa-sha2-512", "LogLevel DEBUG2")
	s.write(t, "authorized_keys", key.authorized())
	o := s.trusting(t)
	o.Keys = ssh.Keys{Agent: startAgent(t, key)}
	dial(t, s.Target, o)

	old := newPeer(t)
	old.config.NoClientAuth = false
	old.config.PublicKeyAuthAlgorithms = []string{xssh.KeyAlgoRSA}
	old.config.PublicKeyCallback = func(_ xssh.ConnMetadata, got xssh.PublicKey) (*xssh.Permissions, error) {
		return nil, match(key.fingerprint(), xssh.FingerprintSHA256(got))
	}
	old.start(t)
	o = old.pinned(t, ssh.Options{Keys: o.Keys})
	e := refused(t, old.Target, o, transport.ClassAuth)
	holds(t, e.Hint, "--legacy-ssh")
	o.Legacy = true
	dial(t, old.Target, o)
}

// Any number of keys is offered without running into the server's limit.
func TestManyKeys(t *testing.T) {
	keys := several(t, 8)
	right := keys[7]
	socket := startAgent(t, keys...)
	t.Run("the last one fits", func(t *testing.T) {
		p := keyPeer(t, right)
		dial(t, p.Target, p.pinned(t, ssh.Options{Keys: ssh.Keys{Agent: socket}}))
		if noted := p.noted(); noted[len(noted)-1] != right.fingerprint() {
			t.Errorf("offered %q", noted)
		}
	})
	t.Run("OpenSSH, hardened", func(t *testing.T) {
		s := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "MaxAuthTries 4")
		s.write(t, "authorized_keys", right.authorized())
		o := s.trusting(t)
		o.Keys = ssh.Keys{Agent: socket}
		dial(t, s.Target, o)
		if strings.Contains(s.logged(t), "maximum authentication attempts exceeded") {
			t.Error("the limit was met")
		}
	})
	t.Run("none fits, and the password does", func(t *testing.T) {
		p := keyOrSecret(t)
		dial(t, p.Target, p.pinned(t, ssh.Options{Password: fixed("secret"), Keys: ssh.Keys{Agent: socket}}))
	})
	t.Run("too many", func(t *testing.T) {
		p := keyPeer(t)
		e := refused(t, p.Target, p.pinned(t, ssh.Options{Keys: ssh.Keys{Agent: startAgent(t, several(t, 12)...)}}), transport.ClassAuth)
		holds(t, e.Error(), "publickey (9)", "3 more keys", "-i", "IdentitiesOnly")
		if n := len(p.noted()); n != 9 {
			t.Errorf("%d keys were offered", n)
		}
	})
}

// The order is: the files that were named, configured ones, the agent's, the
// default files. Keys in both places are the agent's to sign with.
func TestOrderOfKeys(t *testing.T) {
	named, configured, held, usual := newKey(t, "ed25519"), newKey(t, "ed25519"), newKey(t, "ed25519"), newKey(t, "ed25519")
	socket := startAgent(t, held, configured)
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".ssh", "id_ed25519"), usual.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	public := writeFile(t, "id_held.pub", held.authorized())
	for name, tt := range map[string]struct {
		keys ssh.Keys
		want []keyPair
	}{
		"nothing named": {ssh.Keys{Agent: socket}, []keyPair{held, configured, usual}},
		"all": {ssh.Keys{Files: []string{named.file(t)}, Configured: []string{configured.file(t)}, Agent: socket},
			[]keyPair{named, configured, held}},
		"only":         {ssh.Keys{Configured: []string{configured.file(t)}, Agent: socket, Only: true}, []keyPair{configured}},
		"only, usual":  {ssh.Keys{Agent: socket, Only: true}, []keyPair{usual}},
		"public half":  {ssh.Keys{Files: []string{public}, Agent: socket, Only: true}, []keyPair{held}},
		"no defaults":  {ssh.Keys{NoDefaults: true}, nil},
		"missing file": {ssh.Keys{Configured: []string{"/nowhere/id"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := keyPeer(t)
			o := p.pinned(t, ssh.Options{Keys: tt.keys})
			t.Setenv("HOME", home)
			refused(t, p.Target, o, transport.ClassAuth)
			var want []string
			for _, k := range tt.want {
				want = append(want, k.fingerprint())
			}
			if got := p.noted(); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("offered %q, want %q", got, want)
			}
		})
	}
	_, err := ssh.Dial(t.Context(), ssh.Target{User: "u", Host: "127.0.0.1", Port: 1}, ssh.Options{Keys: ssh.Keys{Files: []string{public}}})
	e := classed(t, err, transport.ClassConfig)
	holds(t, e.Error(), public, "holds a public key")
	holds(t, e.Hint, "ssh-add")
}

// unixListen serves every connection to a socket.
func unixListen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(short(t), "s"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c)
			closeQuietly(c)
		}
	}()
	t.Cleanup(func() {
		closeQuietly(l)
		<-done
	})
	return l.Addr().String()
}
