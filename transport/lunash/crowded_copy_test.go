package lunash

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/transport"
)

// busyBox is an appliance that refuses a copy so many times, in its way, and then
// makes it; files is its SFTP service.
func busyBox(t *testing.T, refusals int64, refuse func(string) (transport.Stream, error), files func() (transport.Files, error)) (*appliance, *atomic.Int64) {
	t.Helper()
	tried := new(atomic.Int64)
	side := &farSide{files: map[string][]byte{"server.pem": []byte("a certificate")}}
	conn := &fakeConn{files: files, stream: func(line string) (transport.Stream, error) {
		if tried.Add(1) <= refusals {
			return refuse(line)
		}
		return side.scp(line)
	}}
	return newAppliance(conn, Options{Patience: 30 * time.Second}, newMatcher), tried
}

// Copies that are refused for want of a session are tried again, for so long.
func TestACopyWaitsForASession(t *testing.T) {
	const never = 1 << 30
	stderr := func(string) (transport.Stream, error) {
		s := startTerminal(func(t *terminal) { _, _ = t.in.ReadByte() }, nil)
		s.err = "Too many sessions are open."
		return s, nil
	}
	atExec := func(string) (transport.Stream, error) {
		return nil, transport.Errorf(transport.ClassConnect, "h", "start a command: %w", io.EOF)
	}
	for name, c := range map[string]struct {
		refuse func(string) (transport.Stream, error)
		clear  bool // what it says settles why
	}{
		"in words":           {notSCP("Too many sessions are open.\r\n"), true},
		"as an SCP error":    {notSCP("\x01maximum number of sessions reached\n"), true},
		"on standard error":  {stderr, true},
		"by the channel":     {func(string) (transport.Stream, error) { return nil, errFull() }, true},
		"without a word":     {notSCP(""), false},
		"when it is started": {atExec, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, tried := busyBox(t, 5, c.refuse, nil)
				if data, err := a.Fetch(t.Context(), "server.pem"); err != nil || string(data) != "a certificate" || tried.Load() != 6 {
					t.Errorf("%q, %v after %d", data, err, tried.Load())
				}
				a, tried = busyBox(t, never, c.refuse, nil)
				began := time.Now()
				_, err := a.Fetch(t.Context(), "server.pem")
				took := time.Since(began)
				if took < 20*time.Second || took > 30*time.Second || tried.Load() < 5 {
					t.Errorf("%d attempts took %v", tried.Load(), took)
				}
				if want := map[bool]string{true: "connect", false: "remote"}[c.clear]; classOf(err) != want ||
					errors.Is(err, transport.ErrNoSession) != c.clear || errors.Is(err, ErrNoCopying) == c.clear {
					t.Errorf("class %s, want %s: %v", classOf(err), want, err)
				}
				// Without a reason it was only supposed, and not again.
				began = time.Now()
				if _, err := a.Fetch(t.Context(), "server.pem"); err == nil || (time.Since(began) == 0) == c.clear {
					t.Errorf("the next one took %v: %v", time.Since(began), err)
				}
			})
		})
	}
}

// A connection that is lost is no missing right.
func TestACopyOverALostConnection(t *testing.T) {
	lost := transport.Errorf(transport.ClassConnect, "h", "open the file service: connection lost: %w", io.EOF)
	for name, refuse := range map[string]func(string) (transport.Stream, error){
		"at the start": func(string) (transport.Stream, error) { return nil, lost },
		"in the copy":  notSCP(""),
		"in the copy, and known": func(line string) (transport.Stream, error) {
			s, err := notSCP("")(line)
			return lostStream{s}, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				a, _ := busyBox(t, 1<<30, refuse, func() (transport.Files, error) { return nil, lost })
				_, err := a.Fetch(t.Context(), "server.pem")
				if classOf(err) != "connect" || !strings.Contains(fmt.Sprint(err), "lost") || errors.Is(err, ErrNoCopying) {
					t.Errorf("class %s: %v", classOf(err), err)
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// lostStream is a stream that ends with its connection.
type lostStream struct{ transport.Stream }

func (lostStream) Wait() (int, error) {
	return -1, transport.Errorf(transport.ClassConnect, "h", "wait for a command: connection lost: %w", io.EOF)
}

// Whoever had a shell waits for the next one, also where it is shut silently;
// whoever had none is told at once.
func TestAShellIsWaitedForByWhoHadOne(t *testing.T) {
	shut := func(*terminal) {}
	once := func(t *terminal) { t.say(hsmPrompt); t.hear(); t.say(oneClient); t.pause(time.Minute) }
	scene(t, Options{}, []script{once, shut, shut, answer(twoClients)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		wantClients(t, a, "web1")
		<-time.After(time.Hour)
		wantClients(t, a, "web1", "web2")
		if conn.terminals() != 4 {
			t.Errorf("%d shells", conn.terminals())
		}
	})
}
