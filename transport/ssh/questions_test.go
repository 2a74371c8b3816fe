package ssh_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

func TestQuestionsThatAreNotAnswered(t *testing.T) {
	tests := []struct {
		name  string
		round round
		text  string
	}{
		{"two questions", round{questions: []string{"Password: ", "Token: "}, echoes: []bool{false, false}}, `"Password:", "Token:"`},
		{"an echoed question", round{questions: []string{"Password: "}, echoes: []bool{true}}, `"Password:"`},
		{"no password", hidden("Verification code: "), `"Verification code:"`},
		{"steering the terminal", hidden("\x1b[31mPIN\x1b[0m: "), `"PIN:"`},
		{"a new password", hidden("New password: "), "wants a new password"},
		{"again", hidden("Retype new UNIX password: "), "wants a new password"},
		{"the present one, to change it", hidden("(current) UNIX password: "), "wants a new password"},
		{"a demand before the question", round{"You are required to change your password immediately (password expired).", []string{"Password: "}, []bool{false}}, "wants a new password"},
		{"hundreds", round{questions: manyQuestions(200), echoes: make([]bool, 200)}, `: "Question 0:", "Question 1:", "Question 2:" and 197 more`},
		{"expired", round{"Your password has expired.", []string{"Password: "}, []bool{false}}, "has expired"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			p.interactive(secret, tt.round)
			p.start(t)
			fetched := 0
			pw := counted(secret, &fetched)
			e := refused(t, p.Target, p.pinned(t, ssh.Options{Password: pw}), transport.ClassDialogue)
			holds(t, e.Error(), tt.text)
			if transport.Printable(e.Error()) != e.Error() {
				t.Errorf("the error could steer a terminal: %q", e.Error())
			}
			if got := p.noted(); len(got) > 0 || fetched > 0 {
				t.Errorf("typed %q, fetched %d times", got, fetched)
			}
			if pw.Refused() {
				t.Error("a password that was never sent counts as refused")
			}
		})
	}
}

func manyQuestions(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("Question %d: ", i))
	}
	return all
}

// A machine may say by keyboard-interactive that it has no session free: that is
// waited for, and no matter of keys. Once a password is on its way, or a question
// follows, it is not taken for that.
func TestNoSessionIsAnnounced(t *testing.T) {
	const words = "Too many sessions for this user (10)"
	for name, c := range map[string]struct {
		rounds []round
		class  transport.Class
		typed  int
	}{
		"announced":               {[]round{{instruction: words}}, transport.ClassConnect, 0},
		"a warning, and the door": {[]round{{instruction: words}, hidden("Password: ")}, transport.ClassAuth, 1},
		"behind the password":     {[]round{hidden("Password: "), {instruction: words}}, transport.ClassAuth, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			p.config.NoClientAuth = false
			p.config.KeyboardInteractiveCallback = func(_ xssh.ConnMetadata, ask xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
				for _, r := range c.rounds {
					answers, err := ask("", r.instruction, r.questions, r.echoes)
					for _, a := range answers {
						p.note(a)
					}
					if err != nil {
						return nil, err
					}
				}
				return nil, errors.New("no")
			}
			p.start(t)
			e := refused(t, p.Target, p.pinned(t, ssh.Options{Password: fixed(secret)}), c.class)
			if errors.Is(e, transport.ErrNoSession) != (c.class == transport.ClassConnect) || len(p.noted()) != c.typed {
				t.Errorf("%v; typed %d times", e, len(p.noted()))
			}
			if c.class == transport.ClassConnect {
				holds(t, e.Error(), "no session free: "+words)
				holds(t, e.Hint, "close other sessions")
			}
		})
	}
}

// After the right password a server may insist on a new one.
func TestChangeIsWantedAfterTheAnswer(t *testing.T) {
	p := newPeer(t)
	p.interactive("new", hidden("Password: "), hidden("New password: "))
	p.start(t)
	e := refused(t, p.Target, p.pinned(t, ssh.Options{Password: fixed(secret)}), transport.ClassDialogue)
	holds(t, e.Hint, "by hand")
	if diff := cmp.Diff([]string{"interactive:" + secret}, p.noted()); diff != "" {
		t.Errorf("what the server was offered (-want +got):\n%s", diff)
	}
}

func TestKeyAndPasswordAsTwoFactors(t *testing.T) {
	key := newKey(t, "ed25519")
	p := newPeer(t)
	p.config.NoClientAuth = false
	p.config.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) {
		return nil, &xssh.PartialSuccessError{Next: xssh.ServerAuthCallbacks{
			PasswordCallback: func(_ xssh.ConnMetadata, got []byte) (*xssh.Permissions, error) {
				p.note("password:" + string(got))
				return nil, match(secret, string(got))
			},
		}}
	}
	p.start(t)
	dial(t, p.Target, p.pinned(t, ssh.Options{Password: fixed(secret), Keys: ssh.Keys{Files: []string{key.file(t)}}}))
	if diff := cmp.Diff([]string{"password:" + secret}, p.noted()); diff != "" {
		t.Errorf("what the server was offered (-want +got):\n%s", diff)
	}
}

// A password that was right and led to a second factor was not refused.
func TestPasswordAsTheFirstOfTwoFactors(t *testing.T) {
	p := newPeer(t)
	p.config.NoClientAuth = false
	p.config.PasswordCallback = func(_ xssh.ConnMetadata, got []byte) (*xssh.Permissions, error) {
		p.note("password:" + string(got))
		return nil, &xssh.PartialSuccessError{Next: xssh.ServerAuthCallbacks{
			KeyboardInteractiveCallback: func(_ xssh.ConnMetadata, ask xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
				_, err := ask("", "", []string{"Password: "}, []bool{false})
				return nil, err
			},
		}}
	}
	p.start(t)
	pw := fixed(secret)
	e := refused(t, p.Target, p.pinned(t, ssh.Options{Password: pw}), transport.ClassDialogue)
	if !strings.Contains(e.Error(), `was accepted, and the machine wants a further step: keyboard-interactive, which asks "Password:"`) {
		t.Errorf("%v", e)
	}
	if diff := cmp.Diff([]string{"password:" + secret}, p.noted()); diff != "" {
		t.Errorf("what the server was offered (-want +got):\n%s", diff)
	}
	if pw.Refused() {
		t.Error("an accepted password counts as refused")
	}
}

// A person may type for longer than the far side waits: the next connection
// gets the password, and the one that had died is no refusal.
func TestFarSideGivesUpWhileThePasswordIsTyped(t *testing.T) {
	p := newPeer(t)
	p.password(secret)
	var first net.Conn
	dials := 0
	o := p.pinned(t, ssh.Options{})
	ended := make(chan struct{})
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if dials++; dials == 1 && err == nil {
			first = c
			return &endingConn{Conn: c, ended: ended}, nil
		}
		return c, err
	}
	fetched := 0
	o.Password = ssh.NewPassword(func(context.Context) (string, error) {
		fetched++
		closeQuietly(first)
		<-ended // the loss has been seen
		return secret, nil
	})
	p.start(t)
	dial(t, p.Target, o)
	if dials != 2 || fetched != 1 || o.Password.Refused() {
		t.Errorf("%d dials, fetched %d times, refused %v", dials, fetched, o.Password.Refused())
	}
	if diff := cmp.Diff([]string{"password:" + secret}, p.noted()); diff != "" {
		t.Errorf("what the server was offered (-want +got):\n%s", diff)
	}
}

// endingConn tells when it is closed from above, which x/crypto does after its
// reader has failed: the loss of the connection has been seen by then.
type endingConn struct {
	net.Conn
	ended chan struct{}
	once  sync.Once
}

func (e *endingConn) Close() error {
	e.once.Do(func() { close(e.ended) })
	return e.Conn.Close()
}

func TestNobodyIsLetIn(t *testing.T) {
	key := newKey(t, "ed25519")
	tests := []struct {
		name string
		set  func(*peer)
		o    ssh.Options
		text []string
		hint string
	}{
		{"no password given", func(p *peer) { p.password("x") }, ssh.Options{}, []string{"as admin", "takes password", "tried: nothing"}, "give the password of admin"},
		{"keys alone", func(p *peer) {
			p.config.NoClientAuth = false
			p.config.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) {
				return nil, errors.New("unknown key")
			}
		}, ssh.Options{Password: fixed(secret), Keys: ssh.Keys{Files: []string{key.file(t)}}}, []string{"takes publickey", "tried: publickey (1)"}, "-i"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			tt.set(p)
			p.start(t)
			e := refused(t, p.Target, p.pinned(t, tt.o), transport.ClassAuth)
			holds(t, e.Error(), tt.text...)
			holds(t, e.Hint, tt.hint)
		})
	}
}
