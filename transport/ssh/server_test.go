package ssh_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"
	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport/ssh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keyPair is a private key, as a signer and as OpenSSH stores it.
type keyPair struct {
	xssh.Signer
	pem []byte
}

func newKey(t *testing.T, kind string) keyPair {
	t.Helper()
	var private any
	var err error
	switch kind {
	case "ed25519":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "ecdsa":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "rsa":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		t.Fatalf("no such kind of key: %s", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := xssh.MarshalPrivateKey(private, "test")
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{signer, pem.EncodeToMemory(block)}
}

func (k keyPair) fingerprint() string { return xssh.FingerprintSHA256(k.PublicKey()) }

func (k keyPair) authorized() string {
	return string(xssh.MarshalAuthorizedKey(k.PublicKey()))
}

func (k keyPair) file(t *testing.T) string {
	t.Helper()
	return writeFile(t, "id_test", string(k.pem))
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// listen serves every connection to a loopback port with handle.
func listen(t *testing.T, handle func(net.Conn)) ssh.Target {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() { handle(c) })
		}
	})
	t.Cleanup(func() {
		closeQuietly(l)
		mu.Lock()
		for _, c := range open {
			closeQuietly(c)
		}
		mu.Unlock()
		all.Wait()
	})
	return target(t, l.Addr().String())
}

func closeQuietly(c interface{ Close() error }) { _ = c.Close() } // the other end may be gone

func target(t *testing.T, address string) ssh.Target {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return ssh.Target{User: "admin", Host: host, Port: n}
}

// peer is an SSH server in this process.
type peer struct {
	ssh.Target
	key    keyPair // of the host
	config *xssh.ServerConfig
	// channel handles a session channel; nil: echo server for exec.
	channel func(xssh.Channel, <-chan *xssh.Request)
	// deaf: global requests (keep-alives) are never answered.
	deaf bool

	mu       sync.Mutex
	attempts []string // "method:secret"
	conns    int      // that passed the key exchange
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{key: newKey(t, "ed25519"), config: &xssh.ServerConfig{MaxAuthTries: -1}}
	p.config.AddHostKey(p.key)
	p.config.NoClientAuth = true
	return p
}

func (p *peer) start(t *testing.T) *peer {
	t.Helper()
	p.Target = listen(t, p.serve)
	return p
}

func (p *peer) note(attempt string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts = append(p.attempts, attempt)
}

func (p *peer) noted() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.attempts...)
}

// password makes the server ask for that password by method `password`.
func (p *peer) password(want string) {
	p.config.NoClientAuth = false
	p.config.PasswordCallback = func(_ xssh.ConnMetadata, got []byte) (*xssh.Permissions, error) {
		p.note("password:" + string(got))
		return nil, match(want, string(got))
	}
}

// interactive makes the server ask by keyboard-interactive, one round after the
// other; the last answer must be want.
func (p *peer) interactive(want string, rounds ...round) {
	p.config.NoClientAuth = false
	p.config.KeyboardInteractiveCallback = func(_ xssh.ConnMetadata, ask xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
		last := ""
		for _, r := range rounds {
			answers, err := ask("", r.instruction, r.questions, r.echoes)
			if err != nil {
				return nil, err
			}
			for _, a := range answers {
				p.note("interactive:" + a)
				last = a
			}
		}
		return nil, match(want, last)
	}
}

type round struct {
	instruction string
	questions   []string
	echoes      []bool
}

func hidden(question string) round {
	return round{questions: []string{question}, echoes: []bool{false}}
}

func match(want, got string) error {
	if want != got {
		return errors.New("wrong")
	}
	return nil
}

func (p *peer) serve(raw net.Conn) {
	defer closeQuietly(raw)
	c, channels, requests, err := xssh.NewServerConn(raw, p.config)
	if err != nil {
		return
	}
	defer closeQuietly(c)
	p.mu.Lock()
	p.conns++
	p.mu.Unlock()
	var all sync.WaitGroup
	defer all.Wait()
	if p.deaf {
		all.Go(func() { ignore(requests) })
	} else {
		all.Go(func() { xssh.DiscardRequests(requests) })
	}
	for offered := range channels {
		ch, in, err := offered.Accept()
		if err != nil {
			return
		}
		all.Go(func() { p.channel(ch, in) })
	}
}

// pinned are options that trust the peer's host key and use no key files.
func (p *peer) pinned(t *testing.T, o ssh.Options) ssh.Options {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	o.HostKeyPin = p.key.fingerprint()
	return o
}
