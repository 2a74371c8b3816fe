package ssh_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// The context of the start does not end what was started.
func TestContextOfTheStart(t *testing.T) {
	p := newPeer(t)
	p.channel = echo
	inBubble(t, p, func(t *testing.T, c transport.Conn) {
		ctx, cancel := context.WithCancel(t.Context())
		st, err := c.Stream(ctx, "cat")
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if _, err := io.WriteString(st, "still here"); err != nil {
			t.Fatal(err)
		}
		if err := st.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(st); err != nil || string(text) != "still here" {
			t.Errorf("%q, %v", text, err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Every start waits for an answer of the peer, which may never come.
func TestContextEndsAStart(t *testing.T) {
	starts := map[string]func(context.Context, transport.Conn) error{
		"exec": func(ctx context.Context, c transport.Conn) error { _, err := c.Exec(ctx, "x", nil); return err },
		"stream": func(ctx context.Context, c transport.Conn) error {
			_, err := c.Stream(ctx, "x")
			return err
		},
		"terminal": func(ctx context.Context, c transport.Conn) error {
			_, err := c.Terminal(ctx, 80, 24)
			return err
		},
		"files": func(ctx context.Context, c transport.Conn) error { _, err := c.Files(ctx); return err },
	}
	silences := map[string]func(xssh.Channel, <-chan *xssh.Request){
		"no answer to the request": func(_ xssh.Channel, in <-chan *xssh.Request) { ignore(in) },
		"late answer": func(ch xssh.Channel, in <-chan *xssh.Request) {
			defer closeQuietly(ch)
			<-time.After(time.Minute)
			began(in)
		},
	}
	for silence, handle := range silences {
		for name, start := range starts {
			t.Run(name+", "+silence, func(t *testing.T) {
				p := newPeer(t)
				p.channel = handle
				inBubble(t, p, func(t *testing.T, c transport.Conn) {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					defer cancel()
					begin := time.Now()
					classed(t, start(ctx, c), transport.ClassTimeout)
					if took := time.Since(begin); took != 5*time.Second {
						t.Errorf("it took %v", took)
					}
					<-time.After(2 * time.Minute) // what comes late is dropped
				})
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	refusing := func(kind string) func(xssh.Channel, <-chan *xssh.Request) {
		return func(ch xssh.Channel, in <-chan *xssh.Request) {
			defer closeQuietly(ch)
			for r := range in {
				_ = r.Reply(r.Type != kind, nil) // the client is there
			}
		}
	}
	line := "touch /tmp/whatever"
	tests := map[string]func(context.Context, transport.Conn) error{
		"exec":      func(ctx context.Context, c transport.Conn) error { _, err := c.Exec(ctx, line, nil); return err },
		"pty-req":   func(ctx context.Context, c transport.Conn) error { _, err := c.Terminal(ctx, 80, 24); return err },
		"shell":     func(ctx context.Context, c transport.Conn) error { _, err := c.Terminal(ctx, 80, 24); return err },
		"subsystem": func(ctx context.Context, c transport.Conn) error { _, err := c.Files(ctx); return err },
	}
	for kind, do := range tests {
		t.Run(kind, func(t *testing.T) {
			p := newPeer(t)
			p.channel = refusing(kind)
			inBubble(t, p, func(t *testing.T, c transport.Conn) {
				err := do(t.Context(), c)
				if kind == "subsystem" {
					if !errors.Is(err, transport.ErrNoSFTP) {
						t.Errorf("error %v is no ErrNoSFTP", err)
					}
					return
				}
				e := classed(t, err, transport.ClassConnect)
				if strings.Contains(e.Error(), line) {
					t.Errorf("the error repeats the line: %v", e)
				}
			})
		})
	}
}

func TestNoMoreChannels(t *testing.T) {
	p := newPeer(t)
	o := p.pinned(t, ssh.Options{})
	p.Target = listen(t, func(raw net.Conn) {
		defer closeQuietly(raw)
		_, channels, requests, err := xssh.NewServerConn(raw, p.config)
		if err != nil {
			t.Error(err)
			return
		}
		go xssh.DiscardRequests(requests)
		for ch := range channels {
			_ = ch.Reject(xssh.ResourceShortage, "10 sessions\x1b[2J are open") // the client is there
		}
	})
	c := dial(t, p.Target, o)
	_, err := c.Exec(t.Context(), "x", nil)
	e := classed(t, err, transport.ClassConnect)
	holds(t, e.Error(), "refuses another channel", "10 sessions are open")
	holds(t, e.Hint, "sessions")
	_, err = c.Files(t.Context())
	if errors.Is(err, transport.ErrNoSFTP) {
		t.Error("a machine that is full looks like one without SFTP")
	}
}

// A peer that takes the subsystem and then says nothing, or rubbish.
func TestSubsystemThatIsNone(t *testing.T) {
	for _, text := range []string{"\r\nLast login: Mon\r\n[hsm] lunash:>", "\x00\x00\x00\x00", "\x00\x00\x00\x05\x65\x00\x00\x00\x01"} {
		p := newPeer(t)
		p.channel = func(ch xssh.Channel, in <-chan *xssh.Request) {
			defer closeQuietly(ch)
			if began(in) {
				_, _ = io.WriteString(ch, text) // the client is there
				_, _ = io.Copy(io.Discard, ch)  // until it ends
			}
		}
		inBubble(t, p, func(t *testing.T, c transport.Conn) {
			if _, err := c.Files(t.Context()); !errors.Is(err, transport.ErrNoSFTP) {
				t.Errorf("%q: error %v is no ErrNoSFTP", text, err)
			}
		})
	}
}
