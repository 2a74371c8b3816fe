//go:build unix

package ssh_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// from is a connection to a real sshd that can be dialled from.
func from(t *testing.T, config ...string) (transport.Dialer, transport.Conn) {
	t.Helper()
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"}, config...)
	conn, err := ssh.Dial(t.Context(), s.Target, s.trusting(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeQuietly(conn) })
	d, ok := conn.(transport.Dialer)
	if !ok {
		t.Fatal("the connection cannot be dialled from")
	}
	return d, conn
}

// greeter listens and says a word to everybody; silent says nothing.
func greeter(t *testing.T, word string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var open []net.Conn
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open = append(open, c)
			_, _ = io.WriteString(c, word) // the test looks at what arrives
		}
	}()
	t.Cleanup(func() {
		closeQuietly(l)
		<-done
		for _, c := range open {
			closeQuietly(c)
		}
	})
	return l.Addr().String()
}

func TestDialFromTheMachine(t *testing.T) {
	d, _ := from(t)
	far, err := d.DialFrom(t.Context(), greeter(t, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(far)
	word := make([]byte, 5)
	if _, err := io.ReadFull(far, word); err != nil || string(word) != "hello" {
		t.Errorf("%q, %v", word, err)
	}
}

func TestDialFromIsRefused(t *testing.T) {
	d, conn := from(t)
	_, err := d.DialFrom(t.Context(), freePort(t, "127.0.0.1"))
	var e *transport.Error
	if !errors.As(err, &e) || e.Class != transport.ClassConnect || errors.Is(err, transport.ErrNoForwarding) ||
		!errors.Is(err, transport.ErrUnreached) || !strings.Contains(strings.ToLower(e.Message), "refused") {
		t.Errorf("a closed port: %v", err)
	}
	_, err = d.DialFrom(t.Context(), "nowhere.invalid:1792")
	if !errors.As(err, &e) || errors.Is(err, transport.ErrNoForwarding) || !strings.Contains(e.Message, "reach nowhere.invalid:1792 from there: ") {
		t.Errorf("a name that does not resolve: %v", err)
	}
	if out, err := conn.Exec(t.Context(), "echo alive", nil); err != nil || string(out.Stdout) != "alive\n" {
		t.Errorf("the connection afterwards: %q, %v", out.Stdout, err)
	}
}

func TestForwardingIsOff(t *testing.T) {
	open := greeter(t, "hello")
	for _, line := range []string{"AllowTcpForwarding no", "DisableForwarding yes", "PermitOpen none", "AllowTcpForwarding remote"} {
		d, _ := from(t, line)
		if _, err := d.DialFrom(t.Context(), open); !errors.Is(err, transport.ErrNoForwarding) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// A Read that waits for a peer that says nothing ends with Close, at once.
func TestCloseEndsAForwardedRead(t *testing.T) {
	d, _ := from(t)
	far, err := d.DialFrom(t.Context(), greeter(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := far.Read(make([]byte, 1))
		read <- err
	}()
	closeQuietly(far)
	closeQuietly(far)
	select {
	case err := <-read:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the read goes on")
	}
}

func TestDialFromEndsWithItsContext(t *testing.T) {
	d, _ := from(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if far, err := d.DialFrom(ctx, greeter(t, "hello")); far != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", far, err)
	}
}
