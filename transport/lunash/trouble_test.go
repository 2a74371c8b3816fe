package lunash

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ntl-setup/transport"
)

func TestEndlessOutputIsCutOff(t *testing.T) {
	endless := func(t *terminal) {
		t.say(hsmPrompt)
		t.hear()
		for {
			t.say("registered client 1: web1\r\n")
		}
	}
	scene(t, Options{MaxReply: 64 << 10}, []script{endless, answer(oneClient)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		_, err := a.Clients(t.Context())
		if !errors.Is(err, transport.ErrTooLarge) || classOf(err) != "protocol" {
			t.Errorf("got %v", err)
		}
		if len(err.Error()) > 2*textMax {
			t.Errorf("a message of %d bytes", len(err.Error()))
		}
		wantClients(t, a, "web1") // each command has its own budget, and a fresh shell
		if conn.terminals() != 2 {
			t.Errorf("%d shells", conn.terminals())
		}
	})
}

// The budget is one command's, not the session's.
func TestTheBudgetIsPerCommand(t *testing.T) {
	long := strings.Repeat("registered client 1: web1\r\n", 100) + "Command Result : 0 (Success)\r\n" + hsmPrompt
	scene(t, Options{MaxReply: 4 << 10}, []script{answer(long, long, long)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		for range 3 {
			if names, err := a.Clients(t.Context()); err != nil || len(names) != 100 {
				t.Fatalf("%d names, %v", len(names), err)
			}
		}
		if conn.terminals() != 1 {
			t.Errorf("%d shells", conn.terminals())
		}
	})
}

func TestSilenceEndsWithTheCommandTimeout(t *testing.T) {
	mute := func(t *terminal) { t.say(hsmPrompt); t.hear(); t.say("thinking\r\n"); t.hang() }
	scene(t, Options{CommandTimeout: 5 * time.Second}, []script{mute, answer(oneClient)}, func(t *testing.T, a *appliance, _ *fakeConn) {
		start := time.Now()
		_, err := a.Clients(t.Context())
		if classOf(err) != "timeout" || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "thinking") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d < 5*time.Second || d > 6*time.Second {
			t.Errorf("after %v", d)
		}
		wantClients(t, a, "web1")
	})
}

func TestTheCallersContextEndsACommand(t *testing.T) {
	scene(t, Options{}, []script{answer()}, func(t *testing.T, a *appliance, _ *fakeConn) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-time.After(time.Second); cancel() }()
		start := time.Now()
		if _, err := a.Clients(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d > 1100*time.Millisecond {
			t.Errorf("after %v", d)
		}
	})
}

// An appliance that does not read blocks the write; the context ends that too.
func TestABlockedWriteEndsWithTheContext(t *testing.T) {
	deaf := func(t *terminal) { t.say(hsmPrompt); <-t.gone }
	scene(t, Options{CommandTimeout: 5 * time.Second}, []script{deaf}, func(t *testing.T, a *appliance, _ *fakeConn) {
		if _, err := a.Clients(t.Context()); classOf(err) != "timeout" {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheEndInTheMiddleOfAReply(t *testing.T) {
	cut := func(t *terminal) { t.say(hsmPrompt); t.hear(); t.say("registered client 1: we") }
	scene(t, Options{}, []script{cut, answer(oneClient)}, func(t *testing.T, a *appliance, _ *fakeConn) {
		start := time.Now()
		_, err := a.Clients(t.Context())
		if classOf(err) != "connect" || !errors.Is(err, transport.ErrClosed) || !strings.Contains(err.Error(), "client 1: we") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("after %v", d)
		}
		wantClients(t, a, "web1")
	})
}

// A session that ended between two commands (30 minutes idle) is replaced
// before anything is sent, so that even a write is safe.
func TestAnEndedSessionIsReplaced(t *testing.T) {
	once := func(t *terminal) { t.say(hsmPrompt); t.hear(); t.say(oneClient); t.pause(time.Minute) }
	scene(t, Options{}, []script{once, answer(accepted)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		wantClients(t, a, "web1")
		<-time.After(time.Hour)
		if err := a.Register(t.Context(), web1); err != nil {
			t.Error(err)
		}
		if n := len(conn.lines()); n != 2 {
			t.Errorf("was sent %q", conn.lines())
		}
	})
}

// Words between two commands are nobody's reply: the shell is replaced.
func TestUnaskedWordsCostTheShell(t *testing.T) {
	noisy := func(t *terminal) {
		t.say(hsmPrompt)
		t.hear()
		t.say(oneClient)
		t.pause(time.Minute)
		t.say("\r\nBroadcast: going down\r\n" + twoClients)
		t.hang()
	}
	scene(t, Options{}, []script{noisy, answer(accepted)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		wantClients(t, a, "web1")
		<-time.After(time.Hour)
		if err := a.Register(t.Context(), web1); err != nil {
			t.Error(err)
		}
		if conn.terminals() != 2 {
			t.Errorf("%d shells", conn.terminals())
		}
	})
}
