package lunash

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/fixtures/transcripts"
	"ntl-setup/transport"
)

const (
	oneClient  = "registered client 1: web1\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt
	twoClients = "registered client 1: web1\r\nregistered client 2: web2\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt
	accepted   = "'client register' successful.\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt
)

var web1 = Registration{Name: "web1", Address: "192.0.2.17"}

// scene runs one conversation per matcher, under a clock of its own.
func scene(t *testing.T, o Options, scripts []script, act func(t *testing.T, a *appliance, conn *fakeConn)) {
	t.Helper()
	for name, m := range matchers() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, conn := open(t, m, o, scripts...)
				act(t, a, conn)
			})
		})
	}
}

func wantClients(t *testing.T, a Appliance, want ...string) {
	t.Helper()
	got, err := a.Clients(t.Context())
	if err != nil {
		t.Fatalf("Clients: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("Clients: %s", diff)
	}
}

func TestOneShellForAllCommands(t *testing.T) {
	scene(t, Options{}, []script{answer(oneClient, accepted, twoClients)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		if conn.terminals() != 0 {
			t.Error("a shell was opened before it was needed")
		}
		wantClients(t, a, "web1")
		if err := a.Register(t.Context(), web1); err != nil {
			t.Fatal(err)
		}
		wantClients(t, a, "web1", "web2")
		want := []string{"client list", "client register -client web1 -ip 192.0.2.17", "client list"}
		if diff := cmp.Diff(want, conn.lines()); diff != "" {
			t.Error(diff)
		}
		if conn.terminals() != 1 || conn.cols != columns {
			t.Errorf("%d shells, %d columns", conn.terminals(), conn.cols)
		}
	})
}

func TestAProvedReplyTakesNoWaiting(t *testing.T) {
	scene(t, Options{}, []script{answer(oneClient, oneClient)}, func(t *testing.T, a *appliance, _ *fakeConn) {
		start := time.Now()
		wantClients(t, a, "web1")
		wantClients(t, a, "web1")
		if d := time.Since(start); d > 50*time.Millisecond {
			t.Errorf("took %v", d)
		}
	})
}

// A prompt that comes twice, or late, belongs to no reply.
func TestLatePrompts(t *testing.T) {
	late := func(t *terminal) {
		t.say("\r\n" + hsmPrompt)
		t.pause(50 * time.Millisecond)
		t.say("\r\n" + hsmPrompt)
		t.hear()
		t.say("client list\r\n")
		t.say("\r\n" + hsmPrompt) // before the reply, and the appliance thinks for long
		t.pause(5 * time.Second)
		t.say(oneClient)
		t.hear()
		t.say(twoClients + hsmPrompt + "\r\n" + hsmPrompt)
		t.hang()
	}
	scene(t, Options{}, []script{late}, func(t *testing.T, a *appliance, conn *fakeConn) {
		wantClients(t, a, "web1")
		wantClients(t, a, "web1", "web2")
		if conn.terminals() != 1 {
			t.Errorf("%d shells", conn.terminals())
		}
	})
}

// Output that stops after a line like a prompt, and goes on.
func TestAPromptInTheMiddleOfOutput(t *testing.T) {
	play := func(t *terminal) {
		t.say(hsmPrompt)
		t.hear()
		t.say("registered client 1: [old] lunash:>")
		t.pause(2 * time.Second)
		t.say("\r\nregistered client 2: a\r\n" + hsmPrompt)
		t.pause(100 * time.Millisecond)
		t.say("\r\nregistered client 3: b\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt)
		t.hang()
	}
	scene(t, Options{}, []script{play}, func(t *testing.T, a *appliance, _ *fakeConn) {
		wantClients(t, a, "[old] lunash:>", "a", "b")
	})
}

// Without a trailer nobody knows whether the reply has ended: the next command
// gets a fresh shell.
func TestNoTrailerCostsTheShell(t *testing.T) {
	bare := "client list\r\nregistered client 1: web1\r\n" + hsmPrompt
	scene(t, Options{}, []script{answer(bare), answer(oneClient)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		wantClients(t, a, "web1")
		wantClients(t, a, "web1")
		if conn.terminals() != 2 {
			t.Errorf("%d shells, want 2", conn.terminals())
		}
	})
}

func TestAWriteWithoutATrailerIsUnproven(t *testing.T) {
	for name, said := range map[string]string{
		"sentence, no trailer": "'client register' successful.\r\n" + hsmPrompt,
		"nothing but a prompt": "\r\n" + hsmPrompt,
		"trailer, no sentence": "\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt,
	} {
		t.Run(name, func(t *testing.T) {
			scene(t, Options{}, []script{answer(said), answer(accepted)}, func(t *testing.T, a *appliance, conn *fakeConn) {
				if err := a.Register(t.Context(), web1); !errors.Is(err, ErrUnproven) || classOf(err) != "protocol" {
					t.Errorf("got %v", err)
				}
				if n := len(conn.lines()); n != 1 {
					t.Errorf("the command was sent %d times", n)
				}
			})
		})
	}
}

// An unknown question gets "quit", once; a later call gets a fresh shell.
func TestAQuestionIsDeclined(t *testing.T) {
	ask := func(t *terminal) {
		t.say(hsmPrompt)
		t.hear()
		t.say("CAUTION: really?\r\nType 'proceed' to go on, or 'quit'\r\nto quit now.\r\n")
		t.hear()
		t.say("\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt)
		t.hang()
	}
	scene(t, Options{}, []script{ask, answer(oneClient)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		err := a.Register(t.Context(), web1)
		var re *ReplyError
		if !errors.As(err, &re) || !errors.Is(err, ErrQuestion) || !strings.Contains(re.Text, "really?") || re.ErrorHint() == "" {
			t.Fatalf("got %v", err)
		}
		if diff := cmp.Diff([]string{"client register -client web1 -ip 192.0.2.17", "quit"}, conn.lines()); diff != "" {
			t.Error(diff)
		}
		wantClients(t, a, "web1")
		if conn.terminals() != 2 {
			t.Errorf("%d shells, want 2", conn.terminals())
		}
	})
}

// An appliance that does not even answer "quit" does not hold us for ever.
func TestAQuestionThatStays(t *testing.T) {
	scene(t, Options{}, []script{answer("Continue? ", "Continue? ")}, func(t *testing.T, a *appliance, conn *fakeConn) {
		start := time.Now()
		if err := a.Register(t.Context(), web1); !errors.Is(err, ErrQuestion) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d > 15*time.Second {
			t.Errorf("took %v", d)
		}
		if n := len(conn.lines()); n != 2 {
			t.Errorf("%d lines were sent: %q", n, conn.lines())
		}
	})
}

// Nothing is typed where a secret is asked for, not even an empty line.
func TestSecretsAreNotAnswered(t *testing.T) {
	for _, said := range []string{
		"Please enter the HSM Administrators' password:\r\n  > ",
		"Enter PIN: ",
		"Luna PED operation required - please attend to the PED.\r\n",
		"Passphrase for SO?",
	} {
		scene(t, Options{}, []script{answer(said)}, func(t *testing.T, a *appliance, conn *fakeConn) {
			if err := a.Assign(t.Context(), "web1", "par9"); !errors.Is(err, ErrNeedsLogin) {
				t.Errorf("%q: got %v", said, err)
			}
			if n := len(conn.lines()); n != 1 {
				t.Errorf("%q: was sent %q", said, conn.lines())
			}
		})
	}
}

// A half line that merely takes its time is no question.
func TestASlowLineIsNoQuestion(t *testing.T) {
	slow := func(t *terminal) {
		t.say(hsmPrompt)
		t.hear()
		t.say("registered client 1:")
		t.pause(2 * time.Second)
		t.say(" web1\r\n\r\nCommand Result :")
		t.pause(2 * time.Second)
		t.say(" 0 (Success)\r\n" + hsmPrompt)
		t.hang()
	}
	scene(t, Options{}, []script{slow}, func(t *testing.T, a *appliance, _ *fakeConn) { wantClients(t, a, "web1") })
}

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

// A login that is no prompt: what it is, and that nothing was typed.
func TestLogins(t *testing.T) {
	end := func(text string) script { return func(t *terminal) { t.say(text) } }
	stay := func(text string) script { return func(t *terminal) { t.say(text); t.hang() } }
	for _, c := range []struct {
		name        string
		play        script
		class, says string
	}{
		{"new password", stay(transcripts.Appliance("login-new-password")), "dialogue", "new password"},
		{"expired", stay("Your password has expired.\r\nCurrent password: "), "dialogue", "new password"},
		{"expired, and the end", end("WARNING: Your password has expired.\r\nPassword change required but no TTY available.\r\n"), "dialogue", "password has expired"},
		{"a password", stay("Welcome\r\nPassword: "), "dialogue", "secret"},
		{"terms", stay("Do you accept the terms (yes/no)? "), "dialogue", "accept the terms"},
		{"sh", stay("Welcome to Linux\r\nroot@web1:~$ "), "protocol", "does not look like a Luna"},
		{"root", stay("root@web1# "), "protocol", "does not look like a Luna"},
		{"NetScaler", stay("Done\r\n> "), "protocol", "does not look like a Luna"},
		{"refused", end("Connections from your address are not allowed.\r\n"), "connect", "address are not allowed"},
		{"ended without a word", end(""), "connect", "closed the session"},
		{"mute", stay(""), "timeout", "prompt"},
		{"words and no prompt", stay("Please wait\r\n"), "timeout", "Please wait"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene(t, Options{CommandTimeout: 20 * time.Second}, []script{c.play}, func(t *testing.T, a *appliance, conn *fakeConn) {
				_, err := a.Clients(t.Context())
				if classOf(err) != c.class || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got class %s: %v", classOf(err), err)
				}
				if n := len(conn.lines()); n != 0 {
					t.Errorf("was sent %q", conn.lines())
				}
			})
		})
	}
}

// What a banner warns of is no dialogue, as long as a prompt follows.
func TestABannerMayWarn(t *testing.T) {
	play := func(t *terminal) {
		t.say("You must change your password within 14 days.\r\nQuestions? Ask:\r\n")
		t.pause(time.Second)
		t.say(hsmPrompt)
		t.hear()
		t.say(oneClient)
		t.hang()
	}
	scene(t, Options{}, []script{play}, func(t *testing.T, a *appliance, _ *fakeConn) { wantClients(t, a, "web1") })
}

func TestATerminalThatIsRefused(t *testing.T) {
	scene(t, Options{}, nil, func(t *testing.T, a *appliance, _ *fakeConn) {
		_, err := a.Clients(t.Context())
		if classOf(err) != "connect" || !strings.Contains(err.Error(), "channel refused") {
			t.Errorf("got %v", err)
		}
	})
}
