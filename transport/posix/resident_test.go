//go:build unix

package posix

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/transport"
)

// staying is a machine on which a shell can stay: this one.
type staying struct {
	program []string // instead of sh
	refuse  error    // of Shell
	other   bool     // it runs by other rights

	mu           sync.Mutex
	execs, opens int
	last         *piped
}

func (m *staying) Name() string { return "root@192.0.2.7:22" }

func (m *staying) counts() (execs, opens int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.execs, m.opens
}

func (m *staying) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	m.mu.Lock()
	m.execs++
	m.mu.Unlock()
	if ctx.Err() != nil {
		return transport.Output{Status: -1}, context.Cause(ctx)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	return transport.Output{Stdout: out.Bytes(), Stderr: said.Bytes(), Status: cmd.ProcessState.ExitCode()}, err
}

func (m *staying) Shell(context.Context) (transport.Stream, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opens++
	if m.refuse != nil || m.other {
		return nil, false, m.refuse
	}
	program := m.program
	if program == nil {
		program = []string{"sh"}
	}
	cmd := exec.Command(program[0], program[1:]...) //nolint:gosec,noctx // the test's own; Close ends it
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, false, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, false, err
	}
	p := &piped{in: in, out: out, cmd: cmd}
	m.last = p
	return p, true, cmd.Start()
}

// piped is a program at work.
type piped struct {
	in  io.WriteCloser
	out io.ReadCloser
	cmd *exec.Cmd
	end sync.Once
}

func (p *piped) Read(b []byte) (int, error)  { return p.out.Read(b) }
func (p *piped) Write(b []byte) (int, error) { return p.in.Write(b) }
func (p *piped) CloseWrite() error           { return p.in.Close() }
func (p *piped) Stderr() []byte              { return nil }

func (p *piped) Wait() (int, error) {
	_ = p.Close()
	return p.cmd.ProcessState.ExitCode(), nil
}

func (p *piped) Close() error {
	p.end.Do(func() {
		_, _ = p.in.Close(), p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	return nil
}

func settle(t *testing.T, m *staying) transport.Host {
	t.Helper()
	t.Cleanup(func() {
		if m.last != nil {
			_ = m.last.Close()
		}
	})
	return New(m, Options{})
}

func looked(t *testing.T, h transport.Host) {
	t.Helper()
	facts, err := h.Look(t.Context(), transport.System())
	if err != nil || facts[transport.System()].System == "" {
		t.Fatalf("%+v, %v", facts, err)
	}
}

// Once sh has answered, one shell serves all that follow; nothing of a script is
// left for the next.
func TestAShellStays(t *testing.T) {
	m := &staying{}
	h := settle(t, m)
	for range 5 {
		looked(t, h)
	}
	path := t.TempDir() + "/file"
	out, err := h.Do(t.Context(), transport.Create(path, []byte("text\n"), 0o600), transport.Run("/bin/cat"), transport.Absent(path))
	var refused *transport.ActionError
	if !errors.As(err, &refused) || len(out) != 3 { // the tool got no input, and the last action failed
		t.Fatalf("%+v, %v", out, err)
	}
	looked(t, h) // an action that failed ends its own script alone
	if execs, opens := m.counts(); execs != 1 || opens != 1 {
		t.Errorf("%d sessions of their own, %d shells", execs, opens)
	}
}

// While the shell is at work, others have sessions of their own.
func TestExchangesDoNotWaitForTheShell(t *testing.T) {
	m := &staying{}
	h := settle(t, m)
	looked(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	busy := make(chan error, 1)
	go func() {
		_, err := h.Do(ctx, transport.Run("/bin/sleep", "60"))
		busy <- err
	}()
	for {
		if _, opens := m.counts(); opens > 0 {
			break
		}
		timer := time.NewTimer(time.Millisecond)
		<-timer.C
	}
	looked(t, h)
	if execs, _ := m.counts(); execs != 2 {
		t.Errorf("%d sessions of their own", execs)
	}
	cancel()
	if err := <-busy; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	looked(t, h) // the shell was given up with what it was at
	if _, opens := m.counts(); opens != 2 {
		t.Errorf("%d shells", opens)
	}
}

// A shell that has ended while nobody asked is replaced; where none may stay,
// every exchange has a session.
func TestAShellThatIsGone(t *testing.T) {
	m := &staying{}
	h := settle(t, m)
	looked(t, h)
	looked(t, h)
	_ = m.last.Close()
	sits := h.(*host).stays.shell //nolint:forcetypeassert // New's
	for sits.waits() {
		<-sits.news
	}
	looked(t, h)
	if execs, opens := m.counts(); execs != 1 || opens != 2 {
		t.Errorf("%d sessions, %d shells", execs, opens)
	}
	for name, m := range map[string]*staying{"other rights": {other: true}, "no session": {refuse: transport.ErrNoSession}} {
		h := settle(t, m)
		for range 3 {
			looked(t, h)
		}
		if execs, _ := m.counts(); execs != 3 {
			t.Errorf("%s: %d sessions of their own", name, execs)
		}
	}
}

// What ends in the middle, or floods, is told as a session's own end is.
func TestAShellThatFailsInTheMiddle(t *testing.T) {
	for name, c := range map[string]struct {
		program []string
		says    string
		class   transport.Class
	}{
		"ends":        {[]string{"sh", "-c", "read x; exit 3"}, "no POSIX shell answered", transport.ClassProtocol},
		"is killed":   {[]string{"sh", "-c", "read x; kill -9 $$"}, "the session ended before the answer was complete", transport.ClassConnect},
		"floods":      {[]string{"sh", "-c", "read x; exec yes"}, "the command's output", transport.ClassProtocol},
		"other words": {[]string{"sh", "-c", "read x; echo nothing"}, "nothing", transport.ClassProtocol},
	} {
		m := &staying{program: c.program}
		h := settle(t, m)
		looked(t, h)
		_, err := h.Look(t.Context(), transport.System())
		var told *transport.Error
		if !errors.As(err, &told) || told.Class != c.class || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
