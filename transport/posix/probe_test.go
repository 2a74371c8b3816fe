//go:build unix

package posix

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"ntl-setup/transport"
)

// packed is a program as transport.Bring wants it.
func packed(t testing.TB, program []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(b.Bytes()))
}

// echoing is a program that tells its words, the mode of its file, whether that
// file still has a name.
const echoing = `#!/bin/sh
for w do printf '<%s>' "$w"; done
echo
stat -Lc '%a %h' /proc/self/fd/3
`

// noStrays waits until no directory holds a file of a program that was brought
// along: in /tmp others may be at work, for a moment.
func noStrays(t *testing.T, dirs ...string) {
	t.Helper()
	waitFor(t, func() bool {
		for _, dir := range dirs {
			if found, err := filepath.Glob(filepath.Join(dir, ".ntl-setup-*")); err != nil || found != nil {
				return false
			}
		}
		return true
	})
}

func bringShells() map[string]transport.Host {
	return map[string]transport.Host{
		"local": New(Local("here"), Options{}),
		"csh":   New(shellRunner{program: "/bin/csh"}, Options{}),
		"bash":  New(Local("here"), Options{Shell: "bash --posix"}),
	}
}

func TestAProgramIsBroughtAndLeavesNothing(t *testing.T) {
	beside := t.TempDir()
	for name, host := range bringShells() {
		t.Run(name, func(t *testing.T) {
			out, err := host.Do(t.Context(), transport.Bring(beside, packed(t, []byte(echoing)), "a b", "$HOME", "'q'"))
			if err != nil {
				t.Fatal(err)
			}
			const want = "<a b><$HOME><'q'>\n700 0\n"
			if got := string(out[0].Stdout); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			noStrays(t, "/tmp", beside)
		})
	}
}

// The status of the program is the action's, and what it said comes along.
func TestABroughtProgramThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		program string
		status  int
		says    string
	}{
		"status":         {"#!/bin/sh\necho said; exit 3\n", 3, "said"},
		"no interpreter": {"#!/no/such/shell\n", 127, "No such file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Local("here"), Options{}).Do(t.Context(), transport.Bring(t.TempDir(), packed(t, []byte(c.program))))
			var said *transport.ActionError
			if !errors.As(err, &said) || said.Output.Status != c.status || !strings.Contains(string(said.Output.Stdout), c.says) {
				t.Errorf("%v, %+v", err, said)
			}
		})
	}
	damaged := packed(t, []byte(echoing))
	beside := t.TempDir()
	_, err := New(Local("here"), Options{}).Do(t.Context(), transport.Bring(beside, damaged[:len(damaged)/2/4*4]))
	var said *transport.ActionError
	if !errors.As(err, &said) || strings.Contains(string(said.Output.Stdout), "<") {
		t.Errorf("half a program: %v", err)
	}
	noStrays(t, "/tmp", beside)
}

// Whatever ends the shell while the program runs, nothing is left: its file has
// no name any more.
func TestABroughtProgramOfAKilledShell(t *testing.T) {
	beside, signs := t.TempDir(), t.TempDir()
	program := "#!/bin/sh\necho $PPID >" + signs + "/new && mv " + signs + "/new " + signs + "/runs\nwhile [ ! -e " + signs + "/end ]; do sleep 0.05; done\n"
	done := make(chan error, 1)
	go func() {
		_, err := New(Local("here"), Options{}).Do(context.WithoutCancel(t.Context()), transport.Bring(beside, packed(t, []byte(program))))
		done <- err
	}()
	waitFor(t, func() bool { return exists(signs + "/runs") })
	noStrays(t, "/tmp", beside) // while it runs
	text, err := os.ReadFile(signs + "/runs")
	check(t, err)
	group := processGroup(t, strings.TrimSpace(string(text)))
	check(t, syscall.Kill(-group, syscall.SIGKILL))
	if err := <-done; err == nil {
		t.Error("a killed shell answered")
	}
	noStrays(t, "/tmp", beside)
	check(t, os.WriteFile(signs+"/end", nil, 0o600))
}

func processGroup(t *testing.T, pid string) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-o", "pgid=", "-p", pid).Output()
	check(t, err)
	n := 0
	for _, c := range strings.TrimSpace(string(out)) {
		n = 10*n + int(c-'0')
	}
	return n
}

// waitFor polls, for ten seconds at most.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatal("it does not come about")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Where programs in /tmp may not be run, the other directory serves.
func TestTheOtherDirectoryServes(t *testing.T) {
	script := func(beside string) string {
		text, err := renderDo(testMark, []transport.Action{transport.Bring(beside, packed(t, []byte("#!/bin/sh\necho ran\n")))})
		check(t, err)
		return strings.Replace(string(text), "for dir in /tmp ", "for dir in /proc ", 1) // where nobody can make a file
	}
	beside := t.TempDir()
	out := feed(t, script(beside), "sh")
	if !strings.Contains(out, "\nran\n") {
		t.Errorf("%q", out)
	}
	noStrays(t, beside)
	if out := feed(t, script("/proc"), "sh"); strings.Contains(out, "\nran\n") || !strings.Contains(out, " status") {
		t.Errorf("nowhere to go: %q", out)
	}
}

func TestProgramIsFound(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	for _, name := range []string{one + "/text", two + "/text", two + "/both", one + "/both"} {
		check(t, os.WriteFile(name, []byte("#!/bin/sh\n"), 0o600))
	}
	check(t, os.Chmod(two+"/text", 0o755))
	check(t, os.Chmod(two+"/both", 0o755))
	check(t, os.Chmod(one+"/both", 0o755))
	check(t, os.Mkdir(one+"/directory", 0o755))
	for name, host := range bringShells() {
		for program, want := range map[string]string{
			"text": two + "/text", "both": one + "/both", "sh": "*/sh", "directory": "", "no-such-program": "", "echo": "*/echo", "look_dir": "", "$(id)": "",
		} {
			q := transport.Program(program, one, two)
			facts, err := host.Look(t.Context(), q)
			check(t, err)
			got := facts[q].Found
			if strings.HasPrefix(want, "*") && strings.HasPrefix(got, "/") && strings.HasSuffix(got, want[1:]) {
				continue
			}
			if program == "echo" && facts[q].Missing { // a word of the shell itself hides it
				continue
			}
			if got != want || facts[q].Missing != (want == "") {
				t.Errorf("%s: %s: %q, missing %v, want %q", name, program, got, facts[q].Missing, want)
			}
		}
	}
}

// An installed ntl-probe is given its words, and what it says is bounded.
func TestAnInstalledProbeIsAsked(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(dir+"/ntl-probe", []byte("#!/bin/sh\nprintf '<%s>' \"$@\"\necho oops >&2\n[ -z \"$FLOOD\" ] || yes\n"), 0o755)) //nolint:gosec // a program
	q := transport.Probe(dir+"/ntl-probe", "/l/it's.so")
	for name, host := range bringShells() {
		facts, err := host.Look(t.Context(), q)
		check(t, err)
		if got, want := string(facts[q].Data), "<-o><json><--timeout><10s><--library></l/it's.so>oops\n"; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	t.Setenv("FLOOD", "yes")
	facts, err := bringShells()["local"].Look(t.Context(), q)
	check(t, err)
	if n := len(facts[q].Data); n != 1<<20 {
		t.Errorf("%d bytes", n)
	}
}

// Asking writes nothing, and sh of any kind can read it: it is asked before
// anybody knows what the client is.
func TestAskingForAProgram(t *testing.T) {
	script := string(renderLook(testMark, []transport.Query{transport.Program("p", "/a b"), transport.Probe("/p", "/l.so")}))
	for _, want := range []string{"look_program 'p' '/a b'\n", "look_probe '/p' '-o' 'json' '--timeout' '10s' '--library' '/l.so'\n"} {
		if !strings.Contains(script, want) {
			t.Errorf("no %q", want)
		}
	}
	writing := regexp.MustCompile(`(^|[;&|({])\s*(rm|mv|cp|ln|chmod|mkdir|touch|tee|dd)\b|[^2&<]>\s*[^&/ ]`)
	for line := range strings.Lines(probeLibrary) {
		if hit := writing.FindString(strings.ReplaceAll(line, ">/dev/null", "")); hit != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("%q in %s", hit, line)
		}
	}
	if other := string(renderLook(testMark, []transport.Query{transport.System()})); strings.Contains(other, "look_program") {
		t.Error("the words for it go along with other questions")
	}
}

func TestTooLargeAProgram(t *testing.T) {
	_, err := renderDo(testMark, []transport.Action{transport.Bring("/d", bytes.Repeat([]byte("A"), largestProgram+1))})
	if !errors.Is(err, transport.ErrTooLarge) {
		t.Errorf("%v", err)
	}
}

// The shells' time for a program of the size of ntl-probe.
func BenchmarkBring(b *testing.B) {
	program := make([]byte, 1<<20) // what is left after gzip
	_, _ = rand.Read(program)
	text := packed(b, append([]byte("#!/bin/sh\nexit 0\n"), program...))
	for _, shell := range []string{"dash", "bash --posix"} {
		b.Run(shell, func(b *testing.B) {
			host := New(Local("here"), Options{Shell: shell})
			for b.Loop() {
				if _, err := host.Do(b.Context(), transport.Bring("/tmp", text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
