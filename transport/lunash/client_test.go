package lunash

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/fixtures/transcripts"
	"ntl-setup/transport"
)

// What must not be sent is not sent.
func TestUnsendableNames(t *testing.T) {
	scene(t, Options{}, []script{answer()}, func(t *testing.T, a *appliance, conn *fakeConn) {
		for what, err := range map[string]error{
			"show":        second(a.Client(t.Context(), "pay east")),
			"fingerprint": second(a.Fingerprint(t.Context(), "-force")),
			"register":    a.Register(t.Context(), Registration{Name: "web1;", Address: "192.0.2.1"}),
			"address":     a.Register(t.Context(), Registration{Name: "web1", Address: ""}),
			"assign":      a.Assign(t.Context(), "web1", "par 9"),
			"fetch":       second(a.Fetch(t.Context(), "../server.pem")),
			"store":       a.Store(t.Context(), "..", nil),
		} {
			if classOf(err) != "config" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if conn.terminals() != 0 || len(conn.lines()) != 0 {
			t.Errorf("%d shells, sent %q", conn.terminals(), conn.lines())
		}
	})
}

func second[T any](_ T, err error) error { return err }

// A description of another client is not an answer.
func TestShowAnswersForAnotherClient(t *testing.T) {
	said := "ClientID: web10\r\nHostname: web10\r\nPartitions: <none>\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt
	scene(t, Options{}, []script{answer(said)}, func(t *testing.T, a *appliance, _ *fakeConn) {
		if c, err := a.Client(t.Context(), "web1"); classOf(err) != "protocol" {
			t.Errorf("got %+v, %v", c, err)
		}
	})
}

func TestGarbageIsNoEmptyList(t *testing.T) {
	said := "Some other words\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt
	scene(t, Options{}, []script{answer(said, said)}, func(t *testing.T, a *appliance, _ *fakeConn) {
		_, err := a.Clients(t.Context())
		if classOf(err) != "protocol" || !strings.Contains(err.Error(), "admin@hsm.test:22: 'client list'") || !strings.Contains(err.Error(), "Some other words") {
			t.Errorf("Clients: %v", err)
		}
		if _, err := a.Partitions(t.Context()); classOf(err) != "protocol" {
			t.Errorf("Partitions: %v", err)
		}
	})
}

// Commands from several goroutines go one after the other, each to its own
// reply.
func TestCommandsTakeTurns(t *testing.T) {
	echo := func(t *terminal) {
		t.say(hsmPrompt)
		for {
			words := strings.Fields(t.hear())
			t.pause(10 * time.Millisecond)
			t.say("ClientID: " + words[3] + "\r\nHostname: h\r\nPartitions: <none>\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt)
		}
	}
	scene(t, Options{}, []script{echo}, func(t *testing.T, a *appliance, conn *fakeConn) {
		var wg sync.WaitGroup
		for _, name := range []string{"a", "b", "c", "d"} {
			wg.Go(func() {
				for range 5 {
					if _, err := a.Client(t.Context(), name); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		wg.Wait()
		if conn.terminals() != 1 {
			t.Errorf("%d shells", conn.terminals())
		}
	})
}

// A call that waits for its turn can be given up, and has sent nothing.
func TestWaitingForATurnEndsWithTheContext(t *testing.T) {
	scene(t, Options{CommandTimeout: time.Minute}, []script{answer()}, func(t *testing.T, a *appliance, conn *fakeConn) {
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := a.Clients(t.Context()); classOf(err) != "timeout" {
				t.Errorf("the first: %v", err)
			}
		})
		<-time.After(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Register(ctx, web1); classOf(err) != "timeout" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the second: %v", err)
		}
		wg.Wait()
		if n := len(conn.lines()); n != 1 {
			t.Errorf("was sent %q", conn.lines())
		}
	})
}

func TestCloseEndsACommand(t *testing.T) {
	scene(t, Options{}, []script{answer(oneClient)}, func(t *testing.T, a *appliance, _ *fakeConn) {
		wantClients(t, a, "web1")
		go func() {
			<-time.After(time.Second)
			if err := a.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}()
		start := time.Now()
		if _, err := a.Clients(t.Context()); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("after %v", d)
		}
		if _, err := a.Clients(t.Context()); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestNewHasDefaults(t *testing.T) {
	a := New(&fakeConn{}, Options{})
	if a.Name() != "admin@hsm.test:22" {
		t.Error(a.Name())
	}
	if o := (Options{}).withDefaults(); o.CommandTimeout != 2*time.Minute || o.Patience != time.Minute || o.SettleQuiet != 150*time.Millisecond || o.MaxReply != 1<<20 {
		t.Errorf("%+v", o)
	}
	mine := Options{CommandTimeout: time.Second, Patience: time.Second, SettleQuiet: time.Millisecond, MaxReply: 1}
	if o := mine.withDefaults(); o != mine {
		t.Errorf("%+v", o)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestSoftwareVersion(t *testing.T) {
	for banner, want := range map[string]string{
		transcripts.Appliance("login-5"):                                              "5.4.7-1",
		transcripts.Appliance("login-7"):                                              "7.8.5-20",
		transcripts.Appliance("login-79"):                                             "7.9.1-7",
		"SafeNet Luna Network HSM 7.0 Command Line Shell - Copyright (c) 2001-2017":   "7.0",
		"Last login: Thu May 12 19:52:00 2016 from 12.97.16.194\r\n[hsm] lunash:>":    "",
		"Last login: x from 10.9.16.194\r\n[luna-hsm] lunash:>":                       "",
		"Luna Network HSM Command Line Shell v7.10.0-1. Copyright (c) 2026 Lab Works": "7.10.0-1",
	} {
		if got := softwareVersion(banner); got != want {
			t.Errorf("%q: got %q, want %q", banner, got, want)
		}
	}
	for version, want := range map[string]bool{
		"": false, "5.4.7-1": false, "7.0": false, "7.8.5-20": false, "7.9": true, "7.9.1-7": true, "7.9-1": true, "7.10.0": true, "8.0": true, "x": false, "7": false,
	} {
		if got := sftpSince(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}

func TestDigestMatches(t *testing.T) {
	der := []byte("some certificate")
	for _, c := range []struct {
		d           Digest
		same, known bool
	}{
		{Digest{Algorithm: "MD5", Sum: "3b2ec8b8d24b3fd6b7d0d5ad2f0d3f9b"}, false, true},
		{Digest{Algorithm: "SHA-256", Sum: "00"}, false, true},
		{Digest{Algorithm: "SHA-1"}, false, true},
		{Digest{Text: "odd"}, false, false},
	} {
		if same, known := c.d.Matches(der); same != c.same || known != c.known {
			t.Errorf("%+v: same %v, known %v", c.d, same, known)
		}
	}
	for _, sum := range []string{"md5", "sha1", "sha256"} {
		d := digestOf(hexSum(sum, der))
		if same, known := d.Matches(der); !same || !known {
			t.Errorf("%s: %+v does not match its own bytes", sum, d)
		}
		if same, _ := d.Matches([]byte("another")); same {
			t.Errorf("%s matches other bytes", sum)
		}
	}
}
