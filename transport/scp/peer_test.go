package scp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ntl-setup/transport/scp"
)

// openssh is the real scp as the far side of a copy.
type openssh struct {
	io.Reader
	io.WriteCloser
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

func startSCP(t *testing.T, dir string, args ...string) *openssh {
	t.Helper()
	program, err := exec.LookPath("scp")
	if err != nil {
		t.Fatalf("the test needs scp: install openssh-client: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	s := &openssh{cmd: exec.CommandContext(ctx, program, args...)}
	s.cmd.Dir = dir
	s.cmd.Stderr = &s.stderr
	if s.Reader, err = s.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if s.WriteCloser, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = s.cmd.Wait() // ended before, in most tests
	})
	return s
}

// end closes the far side's input and returns its exit status.
func (s *openssh) end(t *testing.T) int {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("wait: %v", err)
	}
	return s.cmd.ProcessState.ExitCode()
}

// noise is a content that text modes, short reads and off-by-ones would spoil.
func noise(size int) []byte {
	data := make([]byte, 0, size+sha256.Size)
	sum := sha256.Sum256([]byte("noise"))
	for len(data) < size {
		data = append(data, sum[:]...)
		sum = sha256.Sum256(sum[:])
	}
	return data[:size]
}

func TestAgainstOpenSSH(t *testing.T) {
	for _, size := range []int{0, 1, 1180, 65536, 1<<20 + 7} {
		dir, data := t.TempDir(), noise(size)

		sink := startSCP(t, dir, "-t", "10.1.2.3.pem")
		if err := scp.Send(sink, "10.1.2.3.pem", 0o640, data); err != nil {
			t.Fatalf("send %d bytes: %v", size, err)
		}
		if status := sink.end(t); status != 0 {
			t.Errorf("scp -t ended with %d: %s", status, &sink.stderr)
		}
		stored, err := os.ReadFile(filepath.Join(dir, "10.1.2.3.pem"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(stored, data) {
			t.Errorf("%d bytes became %d others", size, len(stored))
		}

		for _, flags := range [][]string{{"-f"}, {"-p", "-f"}} { // -p: with a T line
			source := startSCP(t, dir, append(flags, "10.1.2.3.pem")...)
			got, err := scp.Receive(source, int64(size))
			if err != nil {
				t.Fatalf("receive %d bytes: %v", size, err)
			}
			if !bytes.Equal(got, data) {
				t.Errorf("%v: %d bytes came as %d others", flags, size, len(got))
			}
			if status := source.end(t); status != 0 {
				t.Errorf("scp %v ended with %d: %s", flags, status, &source.stderr)
			}
		}
	}
}

func TestSendModeReachesOpenSSH(t *testing.T) {
	dir := t.TempDir()
	sink := startSCP(t, dir, "-t", "key")
	if err := scp.Send(sink, "key", 0o600, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if status := sink.end(t); status != 0 {
		t.Errorf("scp -t ended with %d", status)
	}
	info, err := os.Stat(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %v, want -rw-------", got)
	}
}

// The header's name counts when the target is a directory.
func TestSendIntoADirectory(t *testing.T) {
	dir := t.TempDir()
	sink := startSCP(t, dir, "-t", ".")
	if err := scp.Send(sink, "named.pem", 0o644, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if status := sink.end(t); status != 0 {
		t.Errorf("scp -t ended with %d", status)
	}
	if _, err := os.Stat(filepath.Join(dir, "named.pem")); err != nil {
		t.Error(err)
	}
}

func TestOpenSSHRefusesToSend(t *testing.T) {
	dir := t.TempDir()
	source := startSCP(t, dir, "-f", "missing.pem")
	_, err := scp.Receive(source, 1<<20)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	var remote *scp.RemoteError
	if !errors.As(err, &remote) || !strings.Contains(remote.Text, "missing.pem") {
		t.Errorf("missing file: %#v", err)
	}
	if status := source.end(t); status == 0 {
		t.Error("scp -f of a missing file ended with 0")
	}

	source = startSCP(t, dir, "-f", ".")
	if _, err := scp.Receive(source, 1<<20); !errors.As(err, &remote) || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("directory: %v", err)
	}

	source = startSCP(t, dir, "-r", "-f", ".") // sends a D line
	if _, err := scp.Receive(source, 1<<20); err == nil {
		t.Error("a directory was received")
	}
}

func TestReceiveBeyondTheLimitEndsOpenSSH(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "big"), noise(1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	source := startSCP(t, dir, "-f", "big")
	if _, err := scp.Receive(source, 64<<10); err == nil {
		t.Error("a megabyte was received")
	}
	if status := source.end(t); status == 0 {
		t.Error("scp -f ended with 0 although it was refused")
	}
}

// Each of these is refused at another moment of the protocol: the last one only
// after the data, where one answer too few would make it a success.
func TestOpenSSHRefusesToStore(t *testing.T) {
	tests := []struct {
		name   string
		target string
		text   string
	}{
		{"the directory is missing", "nodir/a.pem", "No such file or directory"},
		{"the directory is a file", "plain/a.pem", "Not a directory"},
		{"the disk is full", "full", "No space left on device"},
	}
	for _, tt := range tests {
		for _, first := range []string{"-", "C"} { // one follows its header at once, one waits
			t.Run(tt.name+", "+first, func(t *testing.T) {
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("/dev/full", filepath.Join(dir, "full")); err != nil {
					t.Fatal(err)
				}
				sink := startSCP(t, dir, "-t", tt.target)
				err := scp.Send(sink, "a.pem", 0o644, append([]byte(first), noise(5000)...))
				var remote *scp.RemoteError
				if !errors.As(err, &remote) || !strings.Contains(remote.Text, tt.text) {
					t.Errorf("error %v, want %q", err, tt.text)
				}
				if status := sink.end(t); status == 0 {
					t.Error("scp -t ended with 0")
				}
			})
		}
	}
}

// A program that is not scp, as a restricted shell answers an exec request.
func TestAgainstAnotherProgram(t *testing.T) {
	run := func() *openssh {
		program, err := exec.LookPath("sh")
		if err != nil {
			t.Fatal(err)
		}
		s := &openssh{cmd: exec.CommandContext(t.Context(), program, "-c", "echo 'Syntax Error: scp'; read x")}
		if s.Reader, err = s.cmd.StdoutPipe(); err != nil {
			t.Fatal(err)
		}
		if s.WriteCloser, err = s.cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := &scp.NotSCPError{Text: "Syntax Error: scp"}
	receiver := run()
	_, receiveErr := scp.Receive(receiver, 1)
	receiver.end(t)
	sender := run()
	sendErr := scp.Send(sender, "a", 0o644, nil)
	sender.end(t)
	for _, err := range []error{receiveErr, sendErr} {
		var not *scp.NotSCPError
		if !errors.As(err, &not) || *not != *want {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

// A chunked reader hands out one byte at a time: reads are looped.
func TestReceiveInSmallPieces(t *testing.T) {
	data := noise(10_000)
	far := &script{Reader: oneByte{strings.NewReader("C0644 10000 a\n" + string(data) + "\x00")}}
	got, err := scp.Receive(far, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Errorf("got %s..., %d bytes", hex.EncodeToString(got[:8]), len(got))
	}
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return o.r.Read(p[:1])
}
