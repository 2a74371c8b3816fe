package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"ntl-setup/transport"
)

// What the end of a login says about the password that was on its way.
func TestEndsAfterThePassword(t *testing.T) {
	reset := fmt.Errorf("ssh: handshake failed: %w", syscall.ECONNRESET)
	bye := errors.New("ssh: handshake failed: ssh: disconnect, reason 2: Too many authentication failures")
	no := errors.New("ssh: handshake failed: ssh: unable to authenticate, attempted methods [none password]")
	for name, c := range map[string]struct {
		err           error
		before, after string // what the machine says
		class         transport.Class
		says          string
		refused       bool
	}{
		"cut":               {err: io.EOF, class: transport.ClassConnect, says: "cut while the password"},
		"cut, a banner":     {err: reset, before: "Authorised use only", class: transport.ClassConnect, says: "cut while the password"},
		"last word":         {err: bye, class: transport.ClassAuth, says: "refused", refused: true},
		"refused":           {err: no, class: transport.ClassAuth, says: "refused", refused: true},
		"refused, a banner": {err: no, before: "Closed\tfor \x1b[1mwork", class: transport.ClassAuth, says: "the machine says: Closed", refused: true},
		"expired":           {err: io.EOF, after: "Your account has expired; please contact your system administrator.\r\n", class: transport.ClassDialogue, says: "Your account has expired"},
		"expired, refused":  {err: no, after: "Your account has expired", class: transport.ClassDialogue, says: "Your account has expired"},
		"closed":            {err: reset, after: "\nBack at noon\n", class: transport.ClassAuth, says: "the machine says: Back at noon"},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPassword(func(context.Context) (string, error) { return "canary", nil })
			d := &dialling{ring: &keyring{}, target: Target{User: "admin", Host: "hsm"}, o: &Options{Password: p}, keys: &hostKeys{}, wire: &wire{}, stage: stageLogin}
			d.login.hear(c.before)
			var err error
			if _, d.login.settle, err = p.offer(t.Context(), "somewhere"); err != nil {
				t.Fatal(err)
			}
			d.login.hear(c.after)
			d.login.finish(c.err)
			var e *transport.Error
			if err := d.explain(t.Context(), c.err); !errors.As(err, &e) || e.Class != c.class || !strings.Contains(e.Message, c.says) || e.Hint == "" {
				t.Errorf("%+v", e)
			}
			if strings.ContainsAny(e.Message, "\x1b\r\n") {
				t.Errorf("control characters in %q", e.Message)
			}
			if p.Refused() != c.refused {
				t.Errorf("refused %t", p.Refused())
			}
		})
	}
}

// After a cut the password may be offered once more, and not twice.
func TestAPasswordIsCutOffOnce(t *testing.T) {
	p := NewPassword(func(context.Context) (string, error) { return "canary", nil })
	for i := range 3 {
		_, settle, err := p.offer(t.Context(), "somewhere")
		if (err == nil) != (i < 2) {
			t.Fatalf("offer %d: %v", i, err)
		}
		if err == nil {
			(&login{settle: settle}).finish(io.EOF)
		}
	}
}
