//go:build unix

package nscli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"ntl-setup/fixtures/lab"
	"ntl-setup/transport"
)

// TestMain: this program is also the CLI that the tests speak to.
func TestMain(m *testing.M) {
	lab.Dispatch()
	goleak.VerifyTestMain(m)
}

// netscaler is a machine whose login shell is the lab's CLI, without SSH: each
// line starts the CLI anew, as sshd does.
type netscaler struct {
	transport.Conn // what a Conn can do besides is not asked for
	shell          string
	files          func() (transport.Files, error)
	stream         func(line string) (transport.Stream, error) // nil: no command is started

	mu    sync.Mutex
	lines []string
}

// loginTo makes one with a CLI of that name (lab.NSCLI…).
func loginTo(t *testing.T, name string) *netscaler {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	return &netscaler{shell: link, files: func() (transport.Files, error) { return direct{}, nil }}
}

func (*netscaler) Name() string { return "nsroot@192.0.2.24:22" }

func (n *netscaler) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	n.mu.Lock()
	n.lines = append(n.lines, line)
	n.mu.Unlock()
	if ctx.Err() != nil {
		return transport.Output{}, transport.Errorf(transport.ClassTimeout, n.Name(), "%w", context.Cause(ctx))
	}
	cmd := exec.CommandContext(ctx, n.shell, "-c", line)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // the CLI ends at once, also with the race detector
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return transport.Output{}, transport.Errorf(transport.ClassTimeout, n.Name(), "%w", context.Cause(ctx))
	}
	return transport.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Status: cmd.ProcessState.ExitCode()}, err
}

func (n *netscaler) Files(ctx context.Context) (transport.Files, error) {
	if ctx.Err() != nil {
		return nil, transport.Errorf(transport.ClassTimeout, n.Name(), "%w", context.Cause(ctx))
	}
	return n.files()
}

func (n *netscaler) Stream(_ context.Context, line string) (transport.Stream, error) {
	if n.stream == nil {
		return nil, errors.New("no command is started")
	}
	return n.stream(line)
}

// copying starts a line by sh, as sshd does with scp.
func copying(line string) (transport.Stream, error) {
	cmd := exec.CommandContext(context.Background(), "sh", "-c", line)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{Reader: out, WriteCloser: in, cmd: cmd}, cmd.Start()
}

// process is a command at work.
type process struct {
	io.Reader
	io.WriteCloser

	cmd *exec.Cmd
}

func (p *process) CloseWrite() error { return p.WriteCloser.Close() }
func (p *process) Stderr() []byte    { return nil }

func (p *process) Wait() (int, error) {
	_ = p.cmd.Wait() // its status says it
	return p.cmd.ProcessState.ExitCode(), nil
}

func (p *process) Close() error {
	_ = p.WriteCloser.Close() // that ends it
	_, err := p.Wait()
	return err
}

// said are the lines that were sent.
func (n *netscaler) said() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string{}, n.lines...)
}

// plainLine is what no parser finds anything in.
var plainLine = regexp.MustCompile(`^[A-Za-z0-9+/=._ -]+$`)

// onlyPlain checks every line that was sent.
func (n *netscaler) onlyPlain(t *testing.T) {
	t.Helper()
	for _, line := range n.said() {
		if !plainLine.MatchString(line) || strings.Contains(line, "  ") {
			t.Errorf("a line that a parser may find something in: %q", line)
		}
	}
}

// direct is a file service that is this machine's.
type direct struct{ io.Closer }

func (direct) ReadFile(context.Context, string, int64) ([]byte, error) {
	return nil, errors.New("nothing is read by SFTP")
}

func (direct) WriteFile(_ context.Context, name string, data []byte) error {
	return os.WriteFile(name, data, 0o600)
}

func (direct) Close() error { return nil }

// canned answers lines with given texts; others with nothing.
type canned struct {
	transport.Conn
	answers map[string]string // M stands for the mark
	err     map[string]error
	lines   []string
}

func (*canned) Name() string { return "nsroot@192.0.2.24:22" }

func (c *canned) Exec(_ context.Context, line string, stdin []byte) (transport.Output, error) {
	kind, mark := "piped", strings.TrimSpace(strings.TrimPrefix(string(stdin), "echo "))
	if rest, found := strings.CutPrefix(line, "shell echo "); found {
		kind, mark = "plain", rest
	}
	c.lines = append(c.lines, kind)
	return transport.Output{Stdout: []byte(strings.ReplaceAll(c.answers[kind], "M", mark))}, c.err[kind]
}
