package lunash

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ntl-setup/fixtures/transcripts"
)

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
		{"proceed", stay("The box was opened.\r\nType 'proceed' to go on, or 'quit'\r\nto quit now.\r\n> "), "dialogue", "The box was opened"},
		{"a demand in a line", stay("Luna\r\nWARNING: You must change your password\r\n"), "dialogue", "new password"},
		{"yes or no", stay("Your password has expired. Change it now? [y/n] "), "dialogue", "new password"},
		{"a choice", stay("The time is not set. Set it [yes/no]"), "dialogue", "asks something"},
		{"any key", stay("Press any key to continue..."), "dialogue", "any key"},
		{"any key, without dots", stay("Terms of use\r\nPress ENTER to continue"), "dialogue", "ENTER"},
		{"any key, in a line", stay("Hit the space bar to go on\r\n\r\n"), "dialogue", "space bar"},
		{"sh", stay("Welcome to Linux\r\nroot@web1:~$ "), "protocol", "does not look like a Luna"},
		{"root", stay("root@web1# "), "protocol", "does not look like a Luna"},
		{"NetScaler", stay("Done\r\n> "), "protocol", "does not look like a Luna"},
		{"refused", end("Connections from your address are not allowed.\r\n"), "connect", "address are not allowed"},
		{"ended without a word", end(""), "connect", "closed the session"},
		{"mute", stay(""), "timeout", "prompt"},
		{"words and no prompt", stay("Please wait\r\n"), "timeout", "Please wait"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene(t, Options{CommandTimeout: time.Minute}, []script{c.play}, func(t *testing.T, a *appliance, conn *fakeConn) {
				began := time.Now()
				_, err := a.Clients(t.Context())
				if classOf(err) != c.class || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got class %s: %v", classOf(err), err)
				}
				if took := time.Since(began); c.class != "timeout" && took > 16*time.Second {
					t.Errorf("took %v", took)
				}
				if n := len(conn.lines()); n != 0 {
					t.Errorf("was sent %q", conn.lines())
				}
			})
		})
	}
}

// A deadline that comes before the silence has said it all: the appliance's own
// words go first, and the clock's after them.
func TestALoginOutOfTime(t *testing.T) {
	for said, c := range map[string]struct{ class, want string }{
		"Luna\r\nWARNING: You must change your password\r\n": {"dialogue", "wants a new password before anything else: WARNING: You must change your password (no end within 10s)"},
		"Please wait\r\n": {"timeout", "wait for the appliance's prompt: it said: Please wait; and then no end within 10s"},
	} {
		scene(t, Options{CommandTimeout: 10 * time.Second}, []script{func(t *terminal) { t.say(said); t.hang() }}, func(t *testing.T, a *appliance, _ *fakeConn) {
			_, err := a.Clients(t.Context())
			if classOf(err) != c.class || !strings.HasSuffix(err.Error(), c.want) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", classOf(err), err)
			}
		})
	}
}

// What a banner warns of is no dialogue, as long as a prompt follows, and be it
// slowly.
func TestABannerMayWarn(t *testing.T) {
	play := func(t *terminal) {
		t.say("Questions? Ask:\r\n")
		t.pause(2 * time.Second)
		t.say("Press the TAB key for help.\r\nYou must change your password within 14 days.\r\n")
		t.pause(12 * time.Second)
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
