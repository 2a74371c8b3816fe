package ssh_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// inBubble dials a peer without a network and runs do in fake time.
func inBubble(t *testing.T, p *peer, do func(t *testing.T, c transport.Conn)) {
	t.Helper()
	o := p.pinned(t, ssh.Options{})
	synctest.Test(t, func(t *testing.T) {
		c, err := ssh.Dial(t.Context(), ssh.Target{User: "admin", Host: "hsm"}, overPipe(o, p))
		if err != nil {
			t.Fatal(err)
		}
		do(t, c)
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// A channel of a peer that says nothing and never answers a close.
func mute(ch xssh.Channel, in <-chan *xssh.Request) {
	_ = ch // kept open
	began(in)
}

func TestDeadPeerIsNoticed(t *testing.T) {
	p := newPeer(t)
	p.deaf = true
	p.channel = mute
	inBubble(t, p, func(t *testing.T, c transport.Conn) {
		start := time.Now()
		_, err := c.Exec(t.Context(), "anything", nil) // no deadline at all
		e := classed(t, err, transport.ClassConnect)
		holds(t, e.Error(), "connection lost", "does not answer")
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("noticed after %v", took)
		}
		_, err = c.Stream(t.Context(), "anything")
		classed(t, err, transport.ClassConnect)
	})
}

func TestLivePeerIsKept(t *testing.T) {
	p := newPeer(t)
	p.channel = func(ch xssh.Channel, in <-chan *xssh.Request) {
		defer closeQuietly(ch)
		if began(in) {
			<-time.After(time.Hour)
			exit(ch, 4)
		}
	}
	inBubble(t, p, func(t *testing.T, c transport.Conn) {
		out, err := c.Exec(t.Context(), "long", nil)
		if err != nil || out.Status != 4 {
			t.Errorf("status %d, %v", out.Status, err)
		}
	})
}

// What a command said before its context ended is evidence.
func TestOutputUntilTheDeadline(t *testing.T) {
	p := newPeer(t)
	p.channel = func(ch xssh.Channel, in <-chan *xssh.Request) {
		if began(in) {
			_, _ = io.WriteString(ch, "begun") // the client is there
		}
	}
	inBubble(t, p, func(t *testing.T, c transport.Conn) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		out, err := c.Exec(ctx, "long", nil)
		classed(t, err, transport.ClassTimeout)
		if string(out.Stdout) != "begun" || out.Status != -1 {
			t.Errorf("%q, status %d", out.Stdout, out.Status)
		}
	})
}

// The end of a command without a status is a fact about the command, if the
// machine is still there.
func TestEndWithoutAStatus(t *testing.T) {
	p := newPeer(t)
	p.channel = func(ch xssh.Channel, in <-chan *xssh.Request) {
		if began(in) {
			_, _ = io.WriteString(ch, "bye")          // the client is there
			_, _ = io.WriteString(ch.Stderr(), "why") // as above
		}
		closeQuietly(ch)
	}
	inBubble(t, p, func(t *testing.T, c transport.Conn) {
		out, err := c.Exec(t.Context(), "exit", nil)
		if err != nil || out.Status != -1 || string(out.Stdout) != "bye" || string(out.Stderr) != "why" {
			t.Errorf("%+v, %v", out, err)
		}
		st, err := c.Stream(t.Context(), "exit")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(st); err != nil || string(text) != "bye" {
			t.Errorf("%q, %v", text, err)
		}
		if status, err := st.Wait(); status != -1 || err != nil {
			t.Errorf("status %d, %v", status, err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		if status, err := st.Wait(); status != -1 || err != nil {
			t.Errorf("after Close: status %d, %v", status, err)
		}
	})
}

func TestKilledBySignal(t *testing.T) {
	p := newPeer(t)
	p.channel = func(ch xssh.Channel, in <-chan *xssh.Request) {
		defer closeQuietly(ch)
		if began(in) {
			_, _ = ch.SendRequest("exit-signal", false, xssh.Marshal(struct {
				Signal string
				Core   bool
				Text   string
				Lang   string
			}{"TERM", false, "", ""})) // the client is there
		}
	}
	inBubble(t, p, func(t *testing.T, c transport.Conn) {
		if out, err := c.Exec(t.Context(), "x", nil); err != nil || out.Status != -1 {
			t.Errorf("status %d, %v", out.Status, err)
		}
	})
}

// Close needs no help from the far side.
func TestCloseUnblocks(t *testing.T) {
	p := newPeer(t)
	p.channel = mute
	inBubble(t, p, func(t *testing.T, c transport.Conn) {
		st, err := c.Terminal(t.Context(), 80, 24)
		if err != nil {
			t.Fatal(err)
		}
		results := make(chan error, 3)
		go func() {
			_, err := st.Read(make([]byte, 1))
			results <- err
		}()
		go func() {
			_, err := st.Write(bytes.Repeat([]byte("x"), 8<<20)) // more than the window
			results <- err
		}()
		go func() {
			_, err := st.Wait()
			results <- err
		}()
		synctest.Wait()
		start := time.Now()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		for range cap(results) {
			if err := <-results; !errors.Is(err, transport.ErrClosed) {
				t.Errorf("error %v is no ErrClosed", err)
			}
		}
		if _, err := st.Write([]byte("x")); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("a later write: %v", err)
		}
		if _, err := st.Read(make([]byte, 1)); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("a later read: %v", err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}
