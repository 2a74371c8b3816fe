//go:build unix

package shells

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ntl-setup/fixtures/lab"
	"ntl-setup/transport"
	"ntl-setup/transport/posix"
)

// TestMain: this program is also the NetScaler CLI that the tests speak to.
func TestMain(m *testing.M) {
	lab.Dispatch()
	goleak.VerifyTestMain(m)
}

// machine is one whose login shell is a program of this one's; each line starts
// it anew.
type machine struct {
	transport.Conn
	shell string // "": sh
	local transport.Runner
	said  string // instead of any answer
	err   error

	mu    sync.Mutex
	lines []string
}

func (*machine) Name() string { return "root@192.0.2.24:22" }

func (m *machine) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	m.mu.Lock()
	m.lines = append(m.lines, line)
	m.mu.Unlock()
	switch {
	case m.err != nil:
		return transport.Output{}, m.err
	case m.said != "":
		return transport.Output{Stdout: []byte(m.said), Status: 1}, nil
	case m.shell != "":
		line = m.shell + " -c '" + line + "'"
	}
	return m.local.Exec(ctx, line, stdin)
}

// sent are the lines since the last call.
func (m *machine) sent() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := m.lines
	m.lines = nil
	return lines
}

func newMachine(t *testing.T, shell string) *machine {
	t.Helper()
	m := &machine{local: posix.Local("here"), shell: shell}
	if shell != lab.NSCLI {
		return m
	}
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the CLI ends at once, also with the race detector
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m.shell = filepath.Join(t.TempDir(), shell)
	if err := os.Symlink(self, m.shell); err != nil {
		t.Fatal(err)
	}
	return m
}

func lines(t *testing.T, m *machine, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, m.sent()); diff != "" {
		t.Errorf("lines sent (-want +got):\n%s", diff)
	}
}

// Where sh answers, nothing is asked that was not asked before there were others.
func TestNoExtraExchangeWithSh(t *testing.T) {
	for _, shell := range []string{"", "/bin/csh", "/bin/bash"} {
		m := newMachine(t, shell)
		h := New(m, posix.Options{})
		dir := t.TempDir()
		for range 2 {
			facts, err := h.Look(t.Context(), transport.System(), transport.Dir(dir))
			if err != nil || facts[transport.System()].System == "" || facts[transport.Dir(dir)].Missing {
				t.Fatalf("%v, %v", facts, err)
			}
		}
		if _, err := h.Do(t.Context(), transport.MakeDir(dir+"/d")); err != nil {
			t.Fatal(err)
		}
		lines(t, m, "sh", "sh", "sh")
		if h.Name() != m.Name() {
			t.Errorf("calls itself %q", h.Name())
		}
	}
}

// The options of sh reach it.
func TestOptionsOfSh(t *testing.T) {
	m := newMachine(t, "")
	if _, err := New(m, posix.Options{Shell: "bash --posix"}).Look(t.Context(), transport.System()); err != nil {
		t.Fatal(err)
	}
	lines(t, m, "bash --posix")
}

// The CLI is recognised once, and worked through from then on.
func TestTheCLIIsRecognised(t *testing.T) {
	m := newMachine(t, lab.NSCLI)
	h := New(m, posix.Options{})
	dir := t.TempDir()
	facts, err := h.Look(t.Context(), transport.Dir(dir))
	if err != nil || facts[transport.Dir(dir)].Missing {
		t.Fatalf("%v, %v", facts, err)
	}
	lines(t, m, "sh", "shell sh", "shell sh")
	if _, err := h.Do(t.Context(), transport.MakeDir(dir+"/d")); err != nil {
		t.Fatal(err)
	}
	lines(t, m, "shell sh")
	if _, err := os.Stat(dir + "/d"); err != nil {
		t.Error(err)
	}
}

// The first thing done on a machine is a look, though it was asked to act.
func TestNoActOnAnUnknownShell(t *testing.T) {
	for _, shell := range []string{"", lab.NSCLI} {
		m := newMachine(t, shell)
		dir := t.TempDir()
		if _, err := New(m, posix.Options{}).Do(t.Context(), transport.MakeDir(dir+"/d")); err != nil {
			t.Fatal(err)
		}
		if got := m.sent(); len(got) < 2 {
			t.Errorf("%q: acted without a look: %q", shell, got)
		}
	}
	m := &machine{said: "who are you?\n"}
	if out, err := New(m, posix.Options{}).Do(t.Context(), transport.MakeDir(t.TempDir()+"/d")); err == nil || out != nil {
		t.Errorf("%v, %v", out, err)
	}
}

// Nothing asked, nothing sent, and nothing learnt from that.
func TestNothingAsked(t *testing.T) {
	m := newMachine(t, lab.NSCLI)
	h := New(m, posix.Options{})
	if facts, err := h.Look(t.Context()); err != nil || len(facts) > 0 {
		t.Errorf("%v, %v", facts, err)
	}
	if out, err := h.Do(t.Context()); err != nil || len(out) > 0 {
		t.Errorf("%v, %v", out, err)
	}
	lines(t, m)
	if _, err := h.Look(t.Context(), transport.System()); err != nil {
		t.Error(err)
	}
}

// What nobody claims is an error in the machine's own words, and is asked anew
// the next time.
func TestAnotherShell(t *testing.T) {
	m := &machine{said: "%% unknown command \x1b[31msh\n"}
	h := New(m, posix.Options{})
	for range 2 {
		_, err := h.Look(t.Context(), transport.System())
		var e *transport.Error
		if !errors.As(err, &e) || e.Class != transport.ClassProtocol || !strings.Contains(e.Message, "%% unknown command sh") || e.Hint == "" {
			t.Fatalf("%v", err)
		}
		if got := m.sent(); got[0] != "sh" {
			t.Errorf("sent %q", got)
		}
	}
}

// A lost line and a password over its time say nothing about the shell.
func TestNoAnswerSettlesNothing(t *testing.T) {
	for name, m := range map[string]*machine{
		"lost":         {err: transport.Errorf(transport.ClassConnect, "h", "gone")},
		"old password": {said: "Your password has expired.\n"},
		"cut off":      {said: "\n"},
	} {
		h := New(m, posix.Options{}).(*host)
		h.kinds = []Detect{func(context.Context, transport.Conn, transport.Output) (transport.Host, error) {
			if name != "cut off" {
				t.Errorf("%s: asked which shell it is", name)
			}
			return nil, nil
		}}
		if _, err := h.Look(t.Context(), transport.System()); err == nil {
			t.Errorf("%s: no error", name)
		}
		if h.chosen != nil {
			t.Errorf("%s: taken for %T", name, h.chosen)
		}
	}
}

// The first that claims it has it; one that fails ends the search.
func TestTheListIsInOrder(t *testing.T) {
	failed := errors.New("it is mine, and broken")
	var asked []string
	kind := func(name string, host transport.Host, err error) Detect {
		return func(_ context.Context, _ transport.Conn, answer transport.Output) (transport.Host, error) {
			asked = append(asked, name+" "+string(answer.Stdout))
			return host, err
		}
	}
	found := posix.New(posix.Local("found"), posix.Options{})
	m := &machine{said: "what?"}
	h := &host{conn: m, kinds: []Detect{kind("a", nil, nil), kind("b", found, nil), kind("c", nil, failed)}}
	if facts, err := h.Look(t.Context(), transport.System()); err != nil || facts[transport.System()].System == "" {
		t.Errorf("%v, %v", facts, err)
	}
	h = &host{conn: m, kinds: []Detect{kind("d", nil, failed), kind("e", found, nil)}}
	if _, err := h.Look(t.Context(), transport.System()); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff([]string{"a what?", "b what?", "d what?"}, asked); diff != "" {
		t.Errorf("asked:\n%s", diff)
	}
}

// Two that come at once find it out once.
func TestTwoAtOnce(t *testing.T) {
	m := newMachine(t, lab.NSCLI)
	h := New(m, posix.Options{})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if facts, err := h.Look(t.Context(), transport.System()); err != nil || facts[transport.System()].System == "" {
				t.Errorf("%v, %v", facts, err)
			}
		})
	}
	all.Wait()
	lines(t, m, "sh", "shell sh", "shell sh", "shell sh", "shell sh")
}
