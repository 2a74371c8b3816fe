package ssh_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"sync"
	"testing"

	xssh "golang.org/x/crypto/ssh"
)

func newRand() io.Reader { return rand.Reader }

// echo answers a command by sending its input back and status 0.
func echo(ch xssh.Channel, in <-chan *xssh.Request) {
	defer closeQuietly(ch)
	if !began(in) {
		return
	}
	_, _ = io.Copy(ch, ch) // the client may end first
	exit(ch, 0)
}

// ignore reads requests and never answers.
func ignore(in <-chan *xssh.Request) {
	for r := range in {
		_ = r
	}
}

// began agrees to everything until a command, a shell or a subsystem is wanted.
func began(in <-chan *xssh.Request) bool {
	for r := range in {
		if r.WantReply {
			_ = r.Reply(true, nil) // the client may be gone
		}
		switch r.Type {
		case "exec", "shell", "subsystem":
			go xssh.DiscardRequests(in)
			return true
		}
	}
	return false
}

func exit(ch xssh.Channel, status uint32) {
	_, _ = ch.SendRequest("exit-status", false, xssh.Marshal(struct{ Status uint32 }{status})) // the client may be gone
}

// pipe is a connection within the process that, unlike net.Pipe, holds what is
// written until it is read: both sides of SSH greet before they listen.
func pipe() (near, far net.Conn) {
	a, b := net.Pipe()
	return hold(a), hold(b)
}

type holding struct {
	net.Conn
	queue chan []byte
	gone  chan struct{}
	once  *sync.Once
}

func hold(c net.Conn) net.Conn {
	h := holding{Conn: c, queue: make(chan []byte, 1<<12), gone: make(chan struct{}), once: new(sync.Once)}
	go func() {
		for {
			select {
			case p := <-h.queue:
				if _, err := c.Write(p); err != nil {
					return
				}
			case <-h.gone:
				return
			}
		}
	}()
	return h
}

func (h holding) Write(p []byte) (int, error) {
	select {
	case h.queue <- bytes.Clone(p):
		return len(p), nil
	case <-h.gone:
		return 0, net.ErrClosed
	}
}

func (h holding) Close() error {
	h.once.Do(func() { close(h.gone) })
	return h.Conn.Close()
}

// RemoteAddr is what known_hosts can be asked about.
func (h holding) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 22} }

// encrypted is a file with a key that needs a passphrase.
func encrypted(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := xssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("long"))
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "id_locked", string(pem.EncodeToMemory(block)))
}
