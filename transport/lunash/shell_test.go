package lunash

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
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
	scene(t, Options{}, []script{answer(bare)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		wantClients(t, a, "web1")
		wantClients(t, a, "web1")
		if conn.terminals() != 3 {
			t.Errorf("%d shells, want 3", conn.terminals())
		}
	})
}

// Where trailers are shown, an answer without one proves nothing: it is asked
// for once more, and nothing is concluded from two of them. Where none is ever
// shown, that is found out once, and the shape of an answer has to do.
func TestAReadWithoutATrailer(t *testing.T) {
	cut := "registered client 1: web1\r\n" + hsmPrompt
	for name, c := range map[string]struct {
		scripts []script
		want    []string // nil: an error of class protocol with the words that came
		asked   int
	}{
		"the first answer of all":      {[]script{answer(cut), answer(twoClients)}, []string{"web1", "web2"}, 2},
		"a prompt among the data":      {[]script{answer(oneClient, "registered client 1: a "+hsmPrompt), answer(twoClients)}, []string{"web1", "web2"}, 3},
		"a trailer that is none":       {[]script{answer(oneClient, "registered client 1: web1\r\nCommand Result : -1 (Success)\r\n"+hsmPrompt), answer(twoClients)}, []string{"web1", "web2"}, 3},
		"nothing but a prompt":         {[]script{answer(oneClient, "\r\n"+hsmPrompt), answer(twoClients)}, []string{"web1", "web2"}, 3},
		"twice":                        {[]script{answer(oneClient, cut), answer(cut)}, nil, 3},
		"twice, before any trailer":    {[]script{answer(cut), answer(cut), answer(cut)}, []string{"web1"}, 3},
		"twice, and then there is one": {[]script{answer(cut), answer(cut), answer(oneClient)}, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			scene(t, Options{}, c.scripts, func(t *testing.T, a *appliance, conn *fakeConn) {
				var got []string
				var err error
				for err == nil && len(conn.lines()) < c.asked {
					got, err = a.Clients(t.Context())
				}
				if diff := cmp.Diff(c.want, got); diff != "" || len(conn.lines()) != c.asked {
					t.Errorf("asked %d times: %v %s", len(conn.lines()), err, diff)
				}
				if c.want == nil && (err == nil || classOf(err) != "protocol" || !strings.Contains(err.Error(), "may not")) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// A refusal in words alone is one, and is not asked for again.
func TestARefusalWithoutATrailer(t *testing.T) {
	scene(t, Options{}, []script{answer(oneClient, "Unknown command: partition\r\n"+hsmPrompt)}, func(t *testing.T, a *appliance, conn *fakeConn) {
		wantClients(t, a, "web1")
		if _, err := a.Partitions(t.Context()); !errors.Is(err, ErrNotAllowed) || len(conn.lines()) != 2 {
			t.Errorf("%v after %q", err, conn.lines())
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
