//go:build unix

package ssh_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// A machine that allows one session at a time: what is done one after the other
// finds it free, whatever it was.
func TestOneSessionAfterTheOther(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "MaxSessions 1")
	o := s.trusting(t)
	o.Keys = ssh.Keys{Files: []string{s.id.file(t)}}
	c := dial(t, s.Target, o)
	for range 5 {
		for range 3 {
			if out, err := c.Exec(t.Context(), "cat", []byte("x")); err != nil || string(out.Stdout) != "x" {
				t.Fatalf("exec: %q, %v", out.Stdout, err)
			}
		}
		st, err := c.Stream(t.Context(), "cat")
		if err != nil {
			t.Fatalf("stream: %v", err)
		}
		closeQuietly(st) // while it is at work
		files, err := c.Files(t.Context())
		if err != nil {
			t.Fatalf("files: %v", err)
		}
		closeQuietly(files)
		terminal, err := c.Terminal(t.Context(), 80, 25)
		if err != nil {
			t.Fatalf("terminal: %v", err)
		}
		closeQuietly(terminal)
	}
}

// One that is at work is no reason to wait, nor is anybody waited for without end.
func TestASessionAtWorkIsNotWaitedFor(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "MaxSessions 1")
	o := s.trusting(t)
	o.Keys = ssh.Keys{Files: []string{s.id.file(t)}}
	c := dial(t, s.Target, o)
	st, err := c.Stream(t.Context(), "cat")
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(st)
	began := time.Now()
	_, err = c.Exec(t.Context(), "true", nil)
	if !errors.Is(err, transport.ErrNoSession) || time.Since(began) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

// counting is a peer that lets one session happen and refuses all others.
func counting(t *testing.T) (*peer, *atomic.Int64) {
	t.Helper()
	p, asked := newPeer(t), new(atomic.Int64)
	p.Target = listen(t, func(raw net.Conn) {
		defer closeQuietly(raw)
		_, channels, requests, err := xssh.NewServerConn(raw, p.config)
		if err != nil {
			return
		}
		go xssh.DiscardRequests(requests)
		for offered := range channels {
			if asked.Add(1) > 1 {
				_ = offered.Reject(xssh.ConnectionFailed, "open failed") // the client is there
				continue
			}
			ch, wants, err := offered.Accept()
			if err != nil {
				return
			}
			go func() {
				for r := range wants {
					_ = r.Reply(true, nil) // the client is there
					_, _ = ch.SendRequest("exit-status", false, []byte{0, 0, 0, 0})
					closeQuietly(ch)
				}
			}()
		}
	})
	return p, asked
}

// The waiting has an end, by the clock and by the context.
func TestTheWaitForASessionEnds(t *testing.T) {
	for name, limit := range map[string]time.Duration{"by itself": time.Minute, "by the context": 200 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			p, asked := counting(t)
			c := dial(t, p.Target, p.pinned(t, ssh.Options{}))
			if _, err := c.Exec(t.Context(), "true", nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(int64(1), asked.Load()); diff != "" {
				t.Errorf("channels (-want +got):\n%s", diff)
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			began := time.Now()
			_, err := c.Exec(ctx, "true", nil)
			took := time.Since(began)
			if err == nil || errors.Is(err, io.EOF) || took > 5*time.Second || limit == time.Minute && (took < 2*time.Second || !errors.Is(err, transport.ErrNoSession)) {
				t.Errorf("after %v: %v", took, err)
			}
			if n := asked.Load(); n < 3 || n > 40 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}
