//go:build unix

package nscli

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ntl-setup/fixtures/lab"
	"ntl-setup/transport"
	"ntl-setup/transport/posix"
	"ntl-setup/transport/transporttest"
)

// through is a Host through a CLI of that name, with its scripts, where they go
// by files, in a directory of the test's own.
func through(t *testing.T, name string) (transport.Host, *netscaler, string) {
	t.Helper()
	n, scripts := loginTo(t, name), t.TempDir()
	if name == lab.NSCLI {
		return posix.New(n, shell()), n, scripts
	}
	return posix.New(carry(n, scripts+"/"), shell()), n, scripts
}

// empty: no script is left where they go.
func empty(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(dir + "/*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// Whatever a Host must do, it does through the CLI too, and nothing that a
// parser could stumble over is in any line. The CLI that hands no standard input
// on stands for both: where it does, only the way of the script is shorter.
func TestContract(t *testing.T) {
	t.Parallel()
	transporttest.TestHost(t, func(t *testing.T) (transport.Host, string) {
		host, n, scripts := through(t, lab.NSCLIDeaf)
		t.Cleanup(func() {
			n.onlyPlain(t)
			empty(t, scripts)
		})
		return host, t.TempDir()
	})
}

// every printable and control character, in names and contents.
func characters() map[string]string {
	const special = " \t\"'`\\$()|;&<>?*[]{}!#%~^=,@-+:ab\x01\x1b\x7f\xff"
	all := map[string]string{}
	for c := 1; c < 256; c++ {
		if c != '/' && c != '\n' && c != '\r' { // no Host takes these into a name
			one := string([]byte{byte(c)})
			all["x"+one+"y"] = one + one + "\n" + one + "\r\n"
		}
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable, and no secret
	for range 60 {
		word := make([]byte, 1+random.IntN(12))
		for i := range word {
			word[i] = special[random.IntN(len(special))]
		}
		if name := string(word); name != "." {
			all["r"+name] = name
		}
	}
	return all
}

// The property that quoting is about: what goes in at this end is what lies
// there, whichever characters it has, though the CLI swallows quotation marks
// and backslashes. No line holds a character that could mean more.
func TestEveryCharacterPasses(t *testing.T) {
	for _, name := range []string{lab.NSCLI, lab.NSCLIDeaf} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, n, scripts := through(t, name)
			dir := t.TempDir()
			var actions []transport.Action
			var queries []transport.Query
			for file, content := range characters() {
				actions = append(actions, transport.Create(dir+"/"+file, []byte(content), 0o600))
				queries = append(queries, transport.File(dir+"/"+file))
			}
			if _, err := host.Do(context.Background(), actions...); err != nil {
				t.Fatal(err)
			}
			for _, a := range actions {
				data, err := os.ReadFile(a.Path)
				if err != nil || string(data) != string(a.Data) {
					t.Errorf("%q holds %q, want %q, %v", a.Path, data, a.Data, err)
				}
			}
			facts, err := host.Look(context.Background(), queries...)
			if err != nil {
				t.Fatal(err)
			}
			for i, q := range queries {
				if got := facts[q].Data; string(got) != string(actions[i].Data) {
					t.Errorf("%q reads %q, want %q", q.Path, got, actions[i].Data)
				}
			}
			if lines := n.said(); len(lines) != 2 {
				t.Errorf("%d lines for two exchanges: %q", len(lines), lines)
			}
			n.onlyPlain(t)
			empty(t, scripts)
		})
	}
}

// The CLI shows the line that it is at work on in the list of processes. None of
// ours looks like a process that is asked for.
func TestOwnLineIsNoProcess(t *testing.T) {
	for _, name := range []string{lab.NSCLI, lab.NSCLIDeaf} {
		host, _, _ := through(t, name)
		program := filepath.Join(t.TempDir(), "safenet_gw")
		// The script sees its own line there, as the CLI shows it.
		seen, err := host.Do(t.Context(), transport.Run("/bin/sh", "-c", "ps axww -o command | grep nscli"))
		if err != nil || !strings.Contains(string(seen[0].Stdout), "nscli shell sh") {
			t.Fatalf("%s: ps does not show the line: %v %v", name, seen, err)
		}
		facts, err := host.Look(t.Context(), transport.Processes(program), transport.Processes("/bin/sh"), transport.Processes("nscli"))
		if err != nil {
			t.Fatal(err)
		}
		if got := facts[transport.Processes(program)].Processes; len(got) > 0 {
			t.Errorf("%s: a process that does not run: %+v", name, got)
		}
		for _, p := range facts[transport.Processes("/bin/sh")].Processes {
			if strings.Contains(p.Command, "shell sh") {
				t.Errorf("%s: our own line: %+v", name, p)
			}
		}
	}
}

// What the CLI prints stands before and behind, in the ways that were seen.
func TestWhatTheCLIAdds(t *testing.T) {
	for _, around := range [][2]string{{" Done\n", " Done\n"}, {"\n\n\nDone\n", " Done\n"}, {"", ""}, {" Done", "Done"}, {"Done\n Done\n", "\n\nDone\nBye!\n"}} {
		n := &noisy{netscaler: loginTo(t, lab.NSCLI), before: around[0], after: around[1]}
		host := posix.New(n, shell())
		path := t.TempDir() + "/file"
		if _, err := host.Do(t.Context(), transport.Create(path, []byte(" Done\n Done\n"), 0o600)); err != nil {
			t.Fatalf("%q: %v", around, err)
		}
		facts, err := host.Look(t.Context(), transport.File(path))
		if err != nil || string(facts[transport.File(path)].Data) != " Done\n Done\n" {
			t.Errorf("%q: %v, %v", around, facts, err)
		}
	}
}

// " Done" that comes late stands within the answer; that is the CLI's, whichever
// of our marks it follows.
func TestTheCLIIsLate(t *testing.T) {
	dir := t.TempDir()
	for _, behind := range []string{" ready\n", " end\n"} {
		n := &late{netscaler: loginTo(t, lab.NSCLI), behind: behind}
		host := posix.New(n, shell())
		if _, err := host.Look(t.Context(), transport.Dir(dir), transport.System()); err != nil {
			t.Errorf("%q: %v", behind, err)
		}
		if _, err := posix.New(n, posix.Options{Shell: shellLine}).Look(t.Context(), transport.System()); err == nil {
			t.Errorf("%q: foreign text was taken from what is no CLI", behind)
		}
	}
}

// late is a machine whose " Done" comes when the script has begun to answer.
type late struct {
	*netscaler
	behind string
}

func (l *late) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	out, err := l.netscaler.Exec(ctx, line, stdin)
	out.Stdout = []byte(strings.ReplaceAll(string(out.Stdout), l.behind, l.behind+" Done\n\n"))
	return out, err
}

// noisy is a machine that prints more than it should.
type noisy struct {
	*netscaler
	before, after string
}

func (n *noisy) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	out, err := n.netscaler.Exec(ctx, line, stdin)
	out.Stdout = []byte(n.before + string(out.Stdout) + n.after)
	return out, err
}

// failing is a file service that fails at one thing.
type failing struct {
	direct
	write, close error
}

func (f failing) WriteFile(ctx context.Context, name string, data []byte) error {
	if f.write != nil {
		return errors.Join(f.write, f.direct.WriteFile(ctx, name, data[:len(data)/2]))
	}
	return f.direct.WriteFile(ctx, name, data)
}

func (f failing) Close() error { return f.close }

// Where there is no SFTP, a script goes by SCP: OpenSSH's own takes it here.
func TestScriptsBySCP(t *testing.T) {
	if _, err := exec.LookPath("scp"); err != nil {
		t.Fatal("scp is missing: install the package openssh-client")
	}
	host, n, place := through(t, lab.NSCLIDeaf)
	n.files = func() (transport.Files, error) {
		return nil, transport.Errorf(transport.ClassRemote, "h", "%w", transport.ErrNoSFTP)
	}
	n.stream = copying
	made := t.TempDir() + "/made"
	if _, err := host.Do(t.Context(), transport.MakeDir(made)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(made); err != nil || !info.IsDir() {
		t.Errorf("%v", err)
	}
	empty(t, place)
}

// A script that did not arrive whole is not run.
func TestScriptsThatDoNotArrive(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		files func() (transport.Files, error)
		class transport.Class
		words string
	}{
		"no SFTP": {func() (transport.Files, error) {
			return nil, transport.Errorf(transport.ClassRemote, "h", "%w", transport.ErrNoSFTP)
		}, transport.ClassRemote, "hands no standard input"},
		"lost":       {func() (transport.Files, error) { return nil, broken }, "", "broken"},
		"cut off":    {func() (transport.Files, error) { return failing{write: broken}, nil }, "", "broken"},
		"not closed": {func() (transport.Files, error) { return failing{close: broken}, nil }, "", "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			host, n, scripts := through(t, lab.NSCLIDeaf)
			n.files = c.files
			_, err := host.Do(t.Context(), transport.MakeDir(t.TempDir()+"/made"))
			var e *transport.Error
			if err == nil || !strings.Contains(err.Error(), c.words) || c.class != "" && (!errors.As(err, &e) || e.Class != c.class || e.Hint == "") {
				t.Errorf("%v", err)
			}
			for _, line := range n.said() {
				if !strings.HasPrefix(line, "shell rm -f "+scripts) {
					t.Errorf("run all the same: %q", line)
				}
			}
			empty(t, scripts)
		})
	}
}

// The file of a script that did not begin is removed: by a line of its own, or,
// where the connection was lost with it, by what comes next.
func TestScriptsThatDoNotBegin(t *testing.T) {
	lost := errors.New("the line is lost")
	for name, c := range map[string]struct {
		faults []error // of the lines, in turn; nil: it is swallowed
		left   int
	}{
		"swallowed":               {[]error{nil}, 0},
		"lost for a moment":       {[]error{lost}, 0},
		"lost with the removal":   {[]error{lost, lost}, 1},
		"twice with the removals": {[]error{lost, lost, lost, lost}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			n, scripts := loginTo(t, lab.NSCLIDeaf), t.TempDir()
			host := posix.New(carry(&dropping{netscaler: n, faults: c.faults}, scripts+"/"), shell())
			for range max(1, len(c.faults)/2) {
				if _, err := host.Look(t.Context(), transport.System()); err == nil {
					t.Error("understood without an answer")
				}
			}
			if left, _ := os.ReadDir(scripts); len(left) != c.left {
				t.Errorf("%d files are left", len(left))
			}
			if _, err := host.Look(t.Context(), transport.System()); err != nil {
				t.Fatal(err)
			}
			empty(t, scripts)
			n.onlyPlain(t)
		})
	}
}

// A script whose time is up does not begin any more.
func TestScriptsThatAreGivenUp(t *testing.T) {
	host, n, scripts := through(t, lab.NSCLIDeaf)
	ctx, cancel := context.WithCancel(t.Context())
	n.files = func() (transport.Files, error) { return ending{end: cancel}, nil }
	if _, err := host.Look(ctx, transport.System()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	empty(t, scripts)
}

// What runs before this one left is cleared away once it is old; what another
// run may be at work with stays, and so do names that are nobody's of ours.
func TestOldScriptsAreSwept(t *testing.T) {
	host, _, scripts := through(t, lab.NSCLIDeaf)
	lay := func(name string, age time.Duration) string {
		file := filepath.Join(scripts, name)
		then := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(file, []byte("exit 1\n"), 0o600), os.Chtimes(file, then, then)); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const ours = "ntl-setup.DPCHR5ZL3QVMP44AEFRU6QPFZ"
	old, young := lay(ours+"A", 2*time.Hour), lay(ours+"B", 50*time.Minute)
	foreign := []string{lay("ntl-setup.log", 2*time.Hour), lay("x"+ours+"C", 2*time.Hour), lay(ours+"DD", 2*time.Hour)}
	for range 2 {
		if _, err := host.Look(t.Context(), transport.System()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is there still: %v", err)
		}
		for _, file := range append(foreign, young) {
			if _, err := os.Stat(file); err != nil {
				t.Error(err)
			}
		}
	}
}

// dropping is a machine on which lines come to nothing.
type dropping struct {
	*netscaler
	faults []error
}

func (d *dropping) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	if len(d.faults) == 0 {
		return d.netscaler.Exec(ctx, line, stdin)
	}
	fault := d.faults[0]
	d.faults = d.faults[1:]
	return transport.Output{Stdout: []byte(" Done\n Done\n"), Status: -1}, fault
}

// ending is a file service that the run ends behind.
type ending struct {
	direct
	end func()
}

func (e ending) WriteFile(ctx context.Context, name string, data []byte) error {
	defer e.end()
	return e.direct.WriteFile(ctx, name, data)
}
