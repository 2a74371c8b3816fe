package ssh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

const secret = "canary-3f9c"

// counted is a Password that counts how often it is fetched.
func counted(text string, fetched *int) *ssh.Password {
	return ssh.NewPassword(func(context.Context) (string, error) {
		*fetched++
		return text, nil
	})
}

func TestPasswordNeverShowsTheSecret(t *testing.T) {
	p := newPeer(t)
	p.password(secret)
	p.start(t)
	pw := fixed(secret)
	dial(t, p.Target, p.pinned(t, ssh.Options{Password: pw})) // now it is fetched
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&text, verb+" ", pw)
		fmt.Fprintf(&text, verb+" ", ssh.Options{Password: pw})
		fmt.Fprintf(&text, verb+" ", &ssh.Options{Password: pw})
	}
	j, err := json.Marshal(struct{ P *ssh.Password }{pw})
	if err != nil {
		t.Fatal(err)
	}
	text.Write(j)
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "p", pw)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "p", pw)
	text.WriteString(pw.String() + pw.GoString())
	for _, leak := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
		if strings.Contains(text.String(), leak) {
			t.Errorf("the secret stands in %q", text.String())
		}
	}
	holds(t, text.String(), "[password]")
}

func TestPasswordMethods(t *testing.T) {
	one := hidden("Password: ")
	tests := []struct {
		name     string
		password string // accepted by `password`; empty: the method is not offered
		rounds   []round
		attempts []string
	}{
		{"password", secret, nil, []string{"password:" + secret}},
		{"both: password is preferred", secret, []round{one}, []string{"password:" + secret}},
		{"keyboard-interactive alone", "", []round{one}, []string{"interactive:" + secret}},
		{"an announcement before", "", []round{{instruction: "Welcome"}, one}, []string{"interactive:" + secret}},
		{"an announcement after", "", []round{one, {instruction: "Your password will expire in 5 days"}}, []string{"interactive:" + secret}},
		{"OpenSSH's prompt", "", []round{hidden("(admin@hsm) Password:")}, []string{"interactive:" + secret}},
		{"lower case", "", []round{hidden("admin's password: ")}, []string{"interactive:" + secret}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			if tt.password != "" {
				p.password(tt.password)
			}
			if tt.rounds != nil {
				p.interactive(secret, tt.rounds...)
			}
			p.start(t)
			fetched := 0
			pw := counted(secret, &fetched)
			dial(t, p.Target, p.pinned(t, ssh.Options{Password: pw}))
			dial(t, p.Target, p.pinned(t, ssh.Options{Password: pw})) // an accepted one may be used again
			if diff := cmp.Diff(append(tt.attempts, tt.attempts...), p.noted()); diff != "" {
				t.Errorf("what the server was offered (-want +got):\n%s", diff)
			}
			if fetched != 1 {
				t.Errorf("the password was fetched %d times", fetched)
			}
			if pw.Refused() {
				t.Error("an accepted password counts as refused")
			}
		})
	}
}

func TestRefusedPasswordIsOfferedOnce(t *testing.T) {
	tests := []struct {
		name string
		set  func(*peer)
		want []string
	}{
		{"password", func(p *peer) { p.password("right") }, []string{"password:" + secret}},
		{"both methods", func(p *peer) { p.password("right"); p.interactive("right", hidden("Password: ")) }, []string{"password:" + secret}},
		{"keyboard-interactive", func(p *peer) { p.interactive("right", hidden("Password: ")) }, []string{"interactive:" + secret}},
		{"asked again in one dialogue", func(p *peer) { p.interactive("right", hidden("Password: "), hidden("Password: ")) }, []string{"interactive:" + secret}},
		{"the server hangs up", func(p *peer) { p.password("right"); p.config.MaxAuthTries = 1 }, []string{"password:" + secret}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(t)
			tt.set(p)
			p.start(t)
			fetched := 0
			pw := counted(secret, &fetched)
			for range 3 { // further connections of the same run
				e := refused(t, p.Target, p.pinned(t, ssh.Options{Password: pw}), transport.ClassAuth)
				holds(t, e.Error(), "password of admin was refused")
				holds(t, e.Hint, "once")
				if strings.Contains(e.Error()+e.Hint, secret) {
					t.Errorf("the secret stands in %v", e)
				}
			}
			if diff := cmp.Diff(tt.want, p.noted()); diff != "" {
				t.Errorf("what the server was offered (-want +got):\n%s", diff)
			}
			if !pw.Refused() || fetched != 1 {
				t.Errorf("refused %v, fetched %d times", pw.Refused(), fetched)
			}
		})
	}
}

// Links that are made side by side share a password: one wrong one must not
// count as many over there.
func TestOneWrongPasswordForManyConnections(t *testing.T) {
	p := newPeer(t)
	p.password("right")
	p.start(t)
	fetched := 0
	o := p.pinned(t, ssh.Options{Password: counted(secret, &fetched)})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := ssh.Dial(t.Context(), p.Target, o)
			classed(t, err, transport.ClassAuth)
		})
	}
	all.Wait()
	if diff := cmp.Diff([]string{"password:" + secret}, p.noted()); diff != "" {
		t.Errorf("what the server was offered (-want +got):\n%s", diff)
	}
}

func TestPasswordIsNotFetchedInVain(t *testing.T) {
	key := newKey(t, "ed25519")
	p := newPeer(t)
	p.password(secret)
	p.config.PublicKeyCallback = func(_ xssh.ConnMetadata, k xssh.PublicKey) (*xssh.Permissions, error) {
		return nil, match(key.fingerprint(), xssh.FingerprintSHA256(k))
	}
	p.start(t)
	fetched := 0
	o := p.pinned(t, ssh.Options{Password: counted(secret, &fetched), Keys: ssh.Keys{Files: []string{key.file(t)}}})
	dial(t, p.Target, o)
	if fetched != 0 || len(p.noted()) != 0 {
		t.Errorf("a key sufficed, but the password was fetched %d times and %q offered", fetched, p.noted())
	}
	o.Keys.Files = []string{newKey(t, "ed25519").file(t)} // one that is not accepted
	dial(t, p.Target, o)
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
}

func TestPasswordSourceFails(t *testing.T) {
	p := newPeer(t)
	p.password(secret)
	p.start(t)
	noTerminal := errors.New("no terminal to ask on")
	fetched := 0
	pw := ssh.NewPassword(func(context.Context) (string, error) { fetched++; return "", noTerminal })
	for range 2 {
		e := refused(t, p.Target, p.pinned(t, ssh.Options{Password: pw}), transport.ClassAuth)
		if !errors.Is(e, noTerminal) {
			t.Errorf("error %v is no %v", e, noTerminal)
		}
	}
	if fetched != 1 || len(p.noted()) > 0 {
		t.Errorf("fetched %d times, offered %q", fetched, p.noted())
	}
	config := transport.Errorf(transport.ClassConfig, "password file", "missing")
	own := ssh.NewPassword(func(context.Context) (string, error) { return "", config })
	if e := refused(t, p.Target, p.pinned(t, ssh.Options{Password: own}), transport.ClassConfig); e != config {
		t.Errorf("error %v, want the source's own", e)
	}
	e := refused(t, p.Target, p.pinned(t, ssh.Options{Password: fixed("")}), transport.ClassAuth)
	holds(t, e.Error(), "empty")
	if len(p.noted()) > 0 {
		t.Errorf("offered %q", p.noted())
	}
}
