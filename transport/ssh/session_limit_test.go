package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"ntl-setup/transport"
)

// Words of servers that have no session to give, and of some that refuse a
// password with similar ones.
func TestNoSession(t *testing.T) {
	for text, want := range map[string]bool{
		"ssh: handshake failed: ssh: disconnect, reason 12: bye":                                true,
		"ssh: handshake failed: ssh: disconnect, reason 2: Too many sessions":                   true,
		"ssh: disconnect, reason 11: too many concurrent connections":                           true,
		"ssh: disconnect, reason 2: Maximum number of sessions reached":                         true,
		"ssh: disconnect, reason 2: too many authentication failures":                           false,
		"ssh: disconnect, reason 120: x":                                                        false,
		"ssh: handshake failed: EOF":                                                            false,
		"ssh: handshake failed: ssh: unable to authenticate, attempted methods [none password]": false,
	} {
		if got := noSession(errors.New(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
		d := &dialling{ring: &keyring{}, target: Target{User: "admin", Host: "hsm"}, o: &Options{}, keys: &hostKeys{}, wire: &wire{}, stage: stageLogin}
		err := d.explain(t.Context(), errors.New(text))
		if errors.Is(err, transport.ErrNoSession) != want {
			t.Errorf("%q: %v", text, err)
		}
		var e *transport.Error
		if want && (!errors.As(err, &e) || e.Class != transport.ClassConnect || e.Hint == "") {
			t.Errorf("%q: %+v", text, e)
		}
	}
}

// A password that went out with a connection that had no session to give was
// not refused; one that was answered by the end of the login counts as such.
func TestAPasswordWithoutASession(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool // it counts as refused
	}{
		"no session": {errors.New("ssh: disconnect, reason 12: too many"), false},
		"no answer":  {errors.New("ssh: handshake failed: bye"), true},
		"cut":        {fmt.Errorf("ssh: handshake failed: %w", io.EOF), false},
		"let in":     {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPassword(func(context.Context) (string, error) { return "canary", nil })
			_, settle, err := p.offer(t.Context(), "somewhere")
			if err != nil {
				t.Fatal(err)
			}
			l := login{settle: settle}
			l.finish(c.err)
			if p.Refused() != c.want {
				t.Errorf("refused %t", p.Refused())
			}
			secret, settle, err := p.offer(t.Context(), "somewhere")
			if (err != nil) != c.want || err == nil && secret != "canary" {
				t.Errorf("offered again: %v", err)
			}
			if err == nil {
				settle(accepted)
			}
		})
	}
}

// A question for the password that was cut short by the other host's failure is
// asked again; an answer, also an error, is final.
func TestAPasswordThatWasNotAskedForToTheEnd(t *testing.T) {
	asked := 0
	first, cancel := context.WithCancel(t.Context())
	p := NewPassword(func(context.Context) (string, error) {
		asked++
		cancel()
		return "", errors.New("no answer")
	})
	for i, ctx := range []context.Context{first, t.Context(), t.Context()} {
		if _, _, err := p.offer(ctx, "somewhere"); err == nil {
			t.Errorf("offer %d: a password came", i)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}
