//go:build unix

package ssh_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
	"ntl-setup/transport/scp"
)

func TestStream(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	st := stream(t, c, "cat; echo problem >&2; exit 5")
	if _, err := io.WriteString(st, "one\n"); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 4)
	if _, err := io.ReadFull(st, first); err != nil || string(first) != "one\n" {
		t.Fatalf("%q, %v", first, err)
	}
	if _, err := io.WriteString(st, "two\n"); err != nil {
		t.Fatal(err)
	}
	if err := st.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(st)
	if err != nil || string(rest) != "two\n" {
		t.Errorf("%q, %v", rest, err)
	}
	if status, err := st.Wait(); status != 5 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	if got := string(st.Stderr()); got != "problem\n" {
		t.Errorf("standard error %q", got)
	}
	if err := st.CloseWrite(); err != nil {
		t.Errorf("a second end of input: %v", err)
	}
	if _, err := io.WriteString(st, "late"); err == nil {
		t.Error("a write to a command that has ended succeeded")
	}
}

func TestStreamKeepsTheHeadOfStandardError(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	st := stream(t, c, "echo first >&2; head -c 5000000 /dev/zero >&2; echo done") // more than a window
	out, err := io.ReadAll(st)
	if err != nil || string(out) != "done\n" {
		t.Fatalf("%q, %v", out, err)
	}
	if status, err := st.Wait(); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	if got := st.Stderr(); len(got) != 4<<10 || !bytes.HasPrefix(got, []byte("first\n")) {
		t.Errorf("%d bytes of standard error", len(got))
	}
}

func stream(t *testing.T, c transport.Conn, line string) transport.Stream {
	t.Helper()
	st, err := c.Stream(t.Context(), line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 { // twice is allowed
			if err := st.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
	return st
}

func TestTerminal(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "ForceCommand printf 'lunash:>'; read x; stty size; stty -a | grep -o ' -echo '; echo \"$TERM $x\"")
	c := dial(t, s.Target, s.trusting(t))
	st, err := c.Terminal(t.Context(), 250, 50)
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(st)
	prompt := make([]byte, len("lunash:>"))
	if _, err := io.ReadFull(st, prompt); err != nil || string(prompt) != "lunash:>" {
		t.Fatalf("%q, %v", prompt, err)
	}
	if _, err := io.WriteString(st, "typed\n"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(st)
	if err != nil {
		t.Fatal(err)
	}
	want := "50 250\n -echo \nvt100 typed\n"
	if diff := cmp.Diff(want, strings.ReplaceAll(string(rest), "\r", "")); diff != "" {
		t.Errorf("the terminal (-want +got):\n%s", diff)
	}
	if status, err := st.Wait(); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestCopyOverAStream(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	data := bytes.Repeat([]byte("certificate "), 10_000)
	st := stream(t, c, "cd "+s.dir+" && scp -t a.pem")
	if err := scp.Send(st, "a.pem", 0o640, data); err != nil {
		t.Fatal(err)
	}
	if err := st.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(st); err != nil {
		t.Fatal(err)
	}
	if status, err := st.Wait(); status != 0 || err != nil {
		t.Fatalf("status %d, %v", status, err)
	}
	back, err := scp.Receive(stream(t, c, "cd "+s.dir+" && scp -f a.pem"), 1<<20)
	if err != nil || !bytes.Equal(back, data) {
		t.Errorf("%d bytes came back, %v", len(back), err)
	}
	if _, err := scp.Receive(stream(t, c, "cd "+s.dir+" && scp -f b.pem"), 1<<20); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if err := scp.Send(stream(t, c, "no-such-program"), "a", 0o600, nil); !errors.Is(err, scp.ErrNotSCP) {
		t.Errorf("no scp: %v", err)
	}
	if _, err := scp.Receive(stream(t, c, "no-such-program"), 1); !errors.Is(err, scp.ErrNotSCP) {
		t.Errorf("no scp: %v", err)
	}
}
