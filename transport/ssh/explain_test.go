package ssh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ntl-setup/transport"
)

// A server that answers the password with SSH_MSG_USERAUTH_PASSWD_CHANGEREQ: no
// server at hand can be made to, so x/crypto's words for it stand in.
func TestPasswordChangeRequest(t *testing.T) {
	d := &dialling{ring: &keyring{}, target: Target{User: "admin", Host: "hsm"}, o: &Options{}, stage: stageLogin}
	d.login.settle = func(answer) {}
	err := d.explainLogin(errors.New("ssh: handshake failed: ssh: unexpected message type 60 (expected 52)"))
	var e *transport.Error
	if !errors.As(err, &e) || e.Class != transport.ClassDialogue || !strings.Contains(e.Hint, "by hand") {
		t.Errorf("%v", err)
	}
	d.login.settle = nil // then it is no answer to a password
	if err := d.explainLogin(errors.New("ssh: unexpected message type 60 (expected 52)")); errors.As(err, &e) && e.Class != transport.ClassAuth {
		t.Errorf("%v has class %s", err, e.Class)
	}
}

func TestPasswordQuestions(t *testing.T) {
	tests := map[string]bool{
		"Password: ":               true,
		"password:":                true,
		"admin@hsm's password: ":   true,
		"(ops@hsm) Password:":      true,
		"Enter PASSWORD: ":         true,
		"Password for ops@hsm: ":   true,
		"pass word":                true,
		"Passcode: ":               false,
		"Verification code: ":      false,
		"Are you sure (yes/no)? ":  false,
		"":                         false,
		"Passwords are forbidden:": false,
	}
	for question, want := range tests {
		if got := asksPassword(question); got != want {
			t.Errorf("asksPassword(%q) = %v", question, got)
		}
	}
	changes := []struct {
		said, question string
		want           bool
	}{
		{"", "Password: ", false},
		{"Your password will expire in 5 days.", "Password: ", false},
		{"Password authentication", "Password: ", false},
		{"", "New password: ", true},
		{"", "Enter new UNIX password: ", true},
		{"", "Current password: ", true},
		{"", "(current) UNIX password: ", true},
		{"", "Retype password: ", true},
		{"WARNING: Your password has expired.", "Password: ", true},
		{"You must change your password now.", "Password: ", true},
		{"Password must be changed", "Password: ", true},
		{"You are required to change your password immediately", "Password: ", true},
	}
	for _, c := range changes {
		if got := passwordChange(c.said, []string{c.question}); got != c.want {
			t.Errorf("passwordChange(%q, %q) = %v", c.said, c.question, got)
		}
	}
}

// Whatever is asked, a password is typed into one hidden question at most, and
// never into one that wants a new one.
func FuzzChallenge(f *testing.F) {
	f.Add("", "Password: ", "", false, 1)
	f.Add("Your password has expired", "New password: ", "Again: ", false, 2)
	f.Add("", "Token", "", true, 1)
	f.Fuzz(func(t *testing.T, said, first, second string, echo bool, n int) {
		d := &dialling{ring: &keyring{}, target: Target{User: "u", Host: "h"}, wire: &wire{}, o: &Options{
			Password: NewPassword(func(context.Context) (string, error) { return "canary", nil }),
		}}
		d.watch = startWatch(defaultDialTimeout, func(error) {})
		defer d.watch.pause()
		questions := []string{first, second}[:max(0, min(n, 2))]
		echoes := []bool{echo, false}[:len(questions)]
		answers, err := d.challenge(t.Context(), said, questions, echoes)
		if err != nil {
			var e *transport.Error
			if !errors.As(err, &e) || e.Class != transport.ClassDialogue || answers != nil {
				t.Errorf("%v, %v", answers, err)
			} else if transport.Printable(e.Message) != e.Message {
				t.Errorf("the error could steer a terminal: %q", e.Message)
			}
			return
		}
		if len(questions) == 0 && len(answers) == 0 {
			return
		}
		lower := strings.ToLower(transport.Printable(first))
		if len(answers) != 1 || len(questions) != 1 || echo || !strings.Contains(lower, "pass") || strings.Contains(" "+lower, " new password") {
			t.Errorf("%q was typed into %q", answers, questions)
		}
		if again, err := d.challenge(t.Context(), said, questions, echoes); err == nil {
			t.Errorf("asked again, %q was typed", again)
		}
	})
}

func TestEnded(t *testing.T) {
	if err := ended(t.Context(), "h", "x"); err != nil {
		t.Errorf("a live context: %v", err)
	}
	slow := errors.New("step took too long")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("%w: %w", slow, context.DeadlineExceeded)) // a deadline with a cause of its own
	var e *transport.Error
	if err := ended(ctx, "h", "x"); !errors.As(err, &e) || e.Class != transport.ClassTimeout || !errors.Is(err, slow) {
		t.Errorf("%v", err)
	}
}

// Nothing begins after the end; what begins before it and ends after it is dropped.
func TestAwait(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // the order of two things that are ready is a matter of luck
		_, err := await(over, func() (int, error) {
			t.Error("called after the end")
			return 0, nil
		}, nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	late, cancelLate := context.WithCancel(t.Context())
	goOn, dropped := make(chan struct{}), make(chan int)
	_, err := await(late, func() (int, error) {
		cancelLate()
		<-goOn
		return 7, nil
	}, func(n int) { dropped <- n })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(goOn)
	if n := <-dropped; n != 7 {
		t.Errorf("%d was dropped", n)
	}
}
