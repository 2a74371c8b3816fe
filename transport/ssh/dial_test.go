package ssh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

func noKeys(t *testing.T, o ssh.Options) ssh.Options {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	return o
}

func TestUnreachable(t *testing.T) {
	closed := listen(t, func(net.Conn) {})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := target(t, l.Addr().String())
	closeQuietly(l)
	failing := func(err error) ssh.Options {
		return ssh.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
	}
	own := transport.Errorf(transport.ClassAuth, "jump@host:22", "nobody is let in")
	tests := []struct {
		name  string
		to    ssh.Target
		o     ssh.Options
		class transport.Class
		text  []string
	}{
		{"nothing listens", free, ssh.Options{}, transport.ClassConnect, []string{fmt.Sprintf("127.0.0.1:%d", free.Port), "refused"}},
		{"timed out", closed, failing(os.ErrDeadlineExceeded), transport.ClassConnect, []string{"timed out"}},
		{"no such name", ssh.Target{User: "u", Host: "hsm.invalid"}, failing(&net.DNSError{Err: "no such host", Name: "hsm.invalid"}), transport.ClassConnect, []string{"hsm.invalid", "cannot be resolved"}},
		{"something else", closed, failing(errors.New("odd")), transport.ClassConnect, []string{"odd"}},
		{"a jump host's own error", closed, failing(own), transport.ClassAuth, []string{"jump@host:22"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := refused(t, tt.to, noKeys(t, tt.o), tt.class)
			holds(t, e.Error(), tt.text...)
		})
	}
}

func TestNotAnSSHServer(t *testing.T) {
	tests := []struct {
		name string
		says string
		text string
	}{
		{"a web server", "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n", `no SSH server: it says "HTTP/1.1 400 Bad Request`},
		{"mail", "220 mail.example ESMTP\r\n", `"220 mail.example ESMTP"`},
		{"binary", strings.Repeat("\x15\x03\x01\x00", 200), "no SSH server"},
		{"steering the terminal", "\x1b[2J\x1b]0;title\x07boo\r\n", `"boo"`},
		{"nothing", "", "closed the connection without a greeting"},
		{"a greeting alone", "SSH-2.0-OpenSSH_9.2\r\n", "handshake failed"},
		{"a greeting and rubbish", "SSH-2.0-x\r\n" + strings.Repeat("rubbish ", 100), "handshake failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			to := listen(t, func(c net.Conn) {
				defer closeQuietly(c)
				_, _ = io.WriteString(c, tt.says) // the client may end first
				if tt.says != "" {
					_, _ = io.ReadAtLeast(c, make([]byte, 8), 8) // a close with unread data would be a reset
				}
			})
			e := refused(t, to, noKeys(t, ssh.Options{}), transport.ClassConnect)
			holds(t, e.Error(), tt.text)
			if e.Hint == "" {
				t.Error("no hint")
			}
			if transport.Printable(e.Error()) != e.Error() {
				t.Errorf("the error could steer a terminal: %q", e.Error())
			}
		})
	}
}

// A banner before the greeting is allowed (RFC 4253, 4.2).
func TestLinesBeforeTheGreeting(t *testing.T) {
	p := newPeer(t)
	p.Target = listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "Authorised users only\r\n") // the client may end first
		p.serve(c)
	})
	dial(t, p.Target, p.pinned(t, ssh.Options{}))
}

// Everything below this test waits in fake time: 30 s pass at once, and not one
// second more.
func TestStagesAreBounded(t *testing.T) {
	greeted := func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n") } // the client may end first
	tests := []struct {
		name  string
		serve func(net.Conn) // nil: no connection ever
		limit time.Duration
		class transport.Class
		text  string
	}{
		{"no connection", nil, 0, transport.ClassConnect, "no connection to 10.9.8.7:22 within 30s"},
		{"never speaks", func(net.Conn) {}, 0, transport.ClassTimeout, "not even a greeting"},
		{"never goes on", greeted, 0, transport.ClassTimeout, "no answer within 30s"},
		{"says something else", func(c net.Conn) { _, _ = io.WriteString(c, "login: ") }, 0, transport.ClassConnect, `it says "login:"`},
		{"own limit", func(net.Conn) {}, 2 * time.Second, transport.ClassTimeout, "no answer within 2s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := noKeys(t, ssh.Options{DialTimeout: tt.limit})
			synctest.Test(t, func(t *testing.T) {
				var far net.Conn
				o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
					if tt.serve == nil {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					var near net.Conn
					near, far = pipe()
					tt.serve(far)
					return near, nil
				}
				defer func() {
					if far != nil {
						closeQuietly(far)
					}
				}()
				start := time.Now()
				_, err := ssh.Dial(t.Context(), ssh.Target{User: "u", Host: "10.9.8.7"}, o)
				e := classed(t, err, tt.class)
				holds(t, e.Error(), tt.text)
				limit := tt.limit
				if limit == 0 {
					limit = 30 * time.Second
				}
				if took := time.Since(start); took != limit {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// A server that lets one wait for the answer to the password is bounded; the
// person who types it is not.
func TestTypingIsNotBoundedButTheAnswerIs(t *testing.T) {
	p := newPeer(t)
	p.config.NoClientAuth = false
	answer := 10 * time.Second
	p.config.PasswordCallback = func(xssh.ConnMetadata, []byte) (*xssh.Permissions, error) {
		<-time.After(answer)
		return nil, nil
	}
	o := p.pinned(t, ssh.Options{Password: ssh.NewPassword(func(context.Context) (string, error) {
		<-time.After(10 * time.Minute)
		return secret, nil
	})})
	synctest.Test(t, func(t *testing.T) {
		o := overPipe(o, p)
		c, err := ssh.Dial(t.Context(), ssh.Target{User: "u", Host: "hsm"}, o)
		if err != nil {
			t.Fatal(err)
		}
		closeQuietly(c)
	})
	answer = 40 * time.Second
	o.Password = fixed(secret)
	synctest.Test(t, func(t *testing.T) {
		_, err := ssh.Dial(t.Context(), ssh.Target{User: "u", Host: "hsm"}, overPipe(o, p))
		e := classed(t, err, transport.ClassTimeout)
		holds(t, e.Error(), "to the login")
		<-time.After(time.Minute) // let the server end
	})
	if !o.Password.Refused() {
		t.Error("a password whose fate is not known may be offered again")
	}
}

func TestContextEndsDialling(t *testing.T) {
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }) // ends with the client
	hang := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	asking := newPeer(t)
	asking.password(secret)
	asking.start(t)
	spoken := false // unguarded: a source that is left behind is a race
	prompt := ssh.NewPassword(func(ctx context.Context) (string, error) {
		<-ctx.Done()
		<-time.After(20 * time.Millisecond)
		spoken = true
		return "", errors.New("nobody answered")
	})
	tests := []struct {
		name string
		to   ssh.Target
		o    ssh.Options
	}{
		{"in the connection", silent, ssh.Options{Dial: hang}},
		{"in the handshake", silent, ssh.Options{}},
		{"at a prompt with last words", asking.Target, asking.pinned(t, ssh.Options{Password: prompt})},
	}
	for _, tt := range tests {
		o := noKeys(t, tt.o)
		t.Run(tt.name+", cancelled", func(t *testing.T) {
			stop := errors.New("the user stopped it")
			ctx, cancel := context.WithCancelCause(t.Context())
			timer := time.AfterFunc(50*time.Millisecond, func() { cancel(stop) })
			defer timer.Stop()
			within(t, "the end", 10*time.Second, func() {
				_, err := ssh.Dial(ctx, tt.to, o)
				if !errors.Is(err, stop) {
					t.Errorf("error %v is no %v", err, stop)
				}
				var e *transport.Error
				if errors.As(err, &e) {
					t.Errorf("the user's end of the run has the class %s", e.Class)
				}
				if tt.o.Password != nil && !spoken {
					t.Error("the prompt was left behind")
				}
			})
		})
		if tt.o.Password != nil {
			continue // it failed once, which is final
		}
		t.Run(tt.name+", deadline", func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			within(t, "the end", 10*time.Second, func() {
				_, err := ssh.Dial(ctx, tt.to, o)
				e := classed(t, err, transport.ClassTimeout)
				if !errors.Is(e, context.DeadlineExceeded) {
					t.Errorf("error %v is no deadline", err)
				}
			})
		})
	}
}

// overPipe are options that reach p without a network, for fake time.
func overPipe(o ssh.Options, p *peer) ssh.Options {
	o.Dial = func(context.Context, string, string) (net.Conn, error) {
		near, far := pipe()
		go p.serve(far)
		return near, nil
	}
	return o
}
