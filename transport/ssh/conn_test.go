//go:build unix

package ssh_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

func TestExec(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	if want := s.User + "@" + s.address(); c.Name() != want {
		t.Errorf("name %q, want %q", c.Name(), want)
	}
	big := strings.Repeat("0123456789abcdef", 1<<16) // a megabyte, more than a window's piece
	tests := []struct {
		name  string
		line  string
		stdin string
		want  transport.Output
	}{
		{"output", "echo hello", "", transport.Output{Stdout: []byte("hello\n")}},
		{"both streams and a status", "echo out; echo err >&2; exit 7", "", transport.Output{Stdout: []byte("out\n"), Stderr: []byte("err\n"), Status: 7}},
		{"input", "read x; echo got $x", "answer\n", transport.Output{Stdout: []byte("got answer\n")}},
		{"no input is an end of input", "cat", "", transport.Output{}},
		{"much both ways", "cat", big, transport.Output{Stdout: []byte(big)}},
		{"input that nobody reads", "exit 3", big, transport.Output{Status: 3}},
		{"killed by a signal", "kill -9 $$", "", transport.Output{Status: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Exec(t.Context(), tt.line, []byte(tt.stdin))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Stdout, tt.want.Stdout) || !bytes.Equal(got.Stderr, tt.want.Stderr) || got.Status != tt.want.Status {
				t.Errorf("status %d, %d bytes of output, standard error %q", got.Status, len(got.Stdout), got.Stderr)
			}
		})
	}
	t.Run("many at a time", func(t *testing.T) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if out, err := c.Exec(t.Context(), "cat", []byte("x")); err != nil || string(out.Stdout) != "x" {
					t.Errorf("%q, %v", out.Stdout, err)
				}
			})
		}
		all.Wait()
	})
}

func TestExecIsBounded(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	for _, line := range []string{"yes", "yes >&2"} {
		_, err := c.Exec(t.Context(), line, nil)
		if e := classed(t, err, transport.ClassProtocol); !errors.Is(e, transport.ErrTooLarge) {
			t.Errorf("%s: error %v is no ErrTooLarge", line, err)
		}
	}
	if out, err := c.Exec(t.Context(), "echo still here", nil); err != nil || string(out.Stdout) != "still here\n" {
		t.Errorf("afterwards: %q, %v", out.Stdout, err)
	}
}

// The end of the context ends the wait, not the connection.
func TestContextEndsExec(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	stop := errors.New("the user stopped it")
	ctx, cancel := context.WithCancelCause(t.Context())
	timer := time.AfterFunc(300*time.Millisecond, func() { cancel(stop) })
	defer timer.Stop()
	within(t, "the end", 10*time.Second, func() {
		out, err := c.Exec(ctx, "exec sleep 60", nil)
		if !errors.Is(err, stop) || out.Status != -1 {
			t.Errorf("status %d, error %v is no %v", out.Status, err, stop)
		}
	})
	short, cancelShort := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancelShort()
	_, err := c.Exec(short, "exec sleep 60", nil)
	classed(t, err, transport.ClassTimeout)

	mark := filepath.Join(s.dir, "mark")
	if _, err := c.Exec(ctx, "touch "+mark, nil); !errors.Is(err, stop) {
		t.Errorf("after the end: %v", err)
	}
	if out, err := c.Exec(t.Context(), "echo still here", nil); err != nil || string(out.Stdout) != "still here\n" {
		t.Errorf("afterwards: %q, %v", out.Stdout, err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a command was begun after the end of its context")
	}
}

func TestIPv6(t *testing.T) {
	s := startSSHD(t, "::1", []string{"ed25519"})
	o := s.options(t)
	o.AcceptNew = true
	parsed, err := ssh.ParseTarget(s.User+"@"+s.address(), "")
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, parsed, o)
	holds(t, c.Name(), "@[::1]:")
	o.AcceptNew = false
	dial(t, parsed, o)
	knownToOpenSSH(t, s, o.KnownHosts[0])
}

// A machine that restarts, or a cable.
func TestLostConnection(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	o := s.trusting(t)
	var wire net.Conn
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		wire = c
		return c, err
	}
	c := dial(t, s.Target, o)
	st := stream(t, c, "cat")
	f, err := c.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan error, 1)
	go func() {
		_, err := c.Exec(t.Context(), "exec sleep 60", nil)
		running <- err
	}()
	if _, err := io.WriteString(st, "x"); err != nil { // the channels are up
		t.Fatal(err)
	}
	if _, err := io.ReadFull(st, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	closeQuietly(wire)
	if e := classed(t, <-running, transport.ClassConnect); !strings.HasSuffix(e.Error(), "run a command: connection lost") {
		t.Errorf("the words are %q", e.Error())
	}
	if _, err := io.ReadAll(st); err != nil && !errors.Is(err, io.EOF) {
		t.Logf("read: %v", err)
	}
	if status, err := st.Wait(); status != -1 {
		t.Errorf("status %d, %v", status, err)
	} else {
		classed(t, err, transport.ClassConnect)
	}
	_, err = f.ReadFile(t.Context(), "/etc/hostname", 1<<10)
	classed(t, err, transport.ClassConnect)
	_, err = c.Exec(t.Context(), "true", nil)
	classed(t, err, transport.ClassConnect)
	_, err = c.Stream(t.Context(), "true")
	classed(t, err, transport.ClassConnect)
	_, err = c.Terminal(t.Context(), 80, 24)
	classed(t, err, transport.ClassConnect)
	_, err = c.Files(t.Context())
	if errors.Is(err, transport.ErrNoSFTP) {
		t.Error("a lost connection looks like a machine without SFTP")
	}
	classed(t, err, transport.ClassConnect)
}

func TestUseAfterClose(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	_, err := c.Exec(t.Context(), "true", nil)
	classed(t, err, transport.ClassConnect)
}
