package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// doorPassword is what a door's account has.
const doorPassword = "right, and nobody else's"

// door is an SSH server that does one odd thing to whoever comes.
type door struct {
	config *ssh.ServerConfig
	// greet: what happens to a connection before SSH begins; nil: nothing.
	greet func(net.Conn)
	// reject refuses every session, in these words.
	reject string
	// serve is a session (request "shell", "exec" or "subsystem", and its words);
	// it returns what the session ends with, -1 for no status.
	serve func(s io.ReadWriter, request, command string) int

	tried atomic.Int64 // passwords and answers that were given
	typed atomic.Int64 // bytes that came on the input of sessions
	seen  atomic.Int64 // connections

	address, pin, passwordFile string
}

var errDoor = errors.New("no")

// password lets in by method `password`.
func (d *door) password(right string) {
	d.config.PasswordCallback = func(_ ssh.ConnMetadata, got []byte) (*ssh.Permissions, error) {
		d.tried.Add(1)
		if string(got) == right {
			return nil, nil
		}
		return nil, errDoor
	}
}

// question is one round of keyboard-interactive.
type question struct {
	instruction string
	asks        []string
	echoes      []bool
}

func asks(text string) question { return question{asks: []string{text}, echoes: []bool{false}} }

// interactive lets in by keyboard-interactive, if the first answer is right.
func (d *door) interactive(right string, rounds ...question) {
	d.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		first := ""
		for _, r := range rounds {
			answers, err := ask("", r.instruction, r.asks, r.echoes)
			if err != nil {
				return nil, err
			}
			d.tried.Add(int64(len(answers)))
			if len(answers) > 0 && first == "" {
				first = answers[0]
			}
		}
		if first == right {
			return nil, nil
		}
		return nil, errDoor
	}
}

// shows serves a terminal that says something and then waits, or ends at once.
func shows(text string, ends bool) func(*door) {
	return func(d *door) {
		d.password(doorPassword)
		d.serve = func(s io.ReadWriter, request, _ string) int {
			if request != "shell" {
				return 1
			}
			_, _ = io.WriteString(s, text) // the peer may be gone
			if !ends {
				_, _ = io.Copy(io.Discard, s) // until the peer leaves
			}
			return 0
		}
	}
}

// opened is a door that was set up, on a port of its own.
func opened(t *testing.T, set func(*door)) *door {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{config: &ssh.ServerConfig{MaxAuthTries: -1}, pin: ssh.FingerprintSHA256(signer.PublicKey())}
	d.config.AddHostKey(signer)
	set(d)
	d.passwordFile = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(d.passwordFile, []byte(doorPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.address = "hsm_admin@" + l.Addr().String()
	var mu sync.Mutex
	var conns []net.Conn
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.seen.Add(1)
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			all.Go(func() { d.connection(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close() // it may be closed already
		}
		mu.Unlock()
		all.Wait()
	})
	return d
}

func (d *door) connection(raw net.Conn) {
	defer raw.Close() //nolint:errcheck // the peer may be gone
	if d.greet != nil {
		d.greet(raw)
		return
	}
	conn, channels, requests, err := ssh.NewServerConn(raw, d.config)
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // likewise
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { ssh.DiscardRequests(requests) })
	for c := range channels {
		if d.reject != "" || d.serve == nil {
			_ = c.Reject(ssh.ResourceShortage, d.reject)
			continue
		}
		ch, in, err := c.Accept()
		if err != nil {
			return
		}
		all.Go(func() { d.session(ch, in) })
	}
}

// counted counts what a session reads.
type counted struct {
	ssh.Channel
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Channel.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (d *door) session(ch ssh.Channel, in <-chan *ssh.Request) {
	var work sync.WaitGroup
	defer work.Wait()
	for r := range in {
		switch r.Type {
		case "shell", "exec", "subsystem":
			var words struct{ Text string }
			_ = ssh.Unmarshal(r.Payload, &words) // a shell has none
			_ = r.Reply(true, nil)
			work.Go(func() {
				status := d.serve(counted{ch, &d.typed}, r.Type, words.Text)
				if status >= 0 {
					var code [4]byte
					binary.BigEndian.PutUint32(code[:], uint32(status)) //nolint:gosec // a small number
					_, _ = ch.SendRequest("exit-status", false, code[:])
				}
				_ = ch.Close()
			})
		default:
			if r.WantReply {
				_ = r.Reply(r.Type == "pty-req", nil)
			}
		}
	}
}
