package posix

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"ntl-setup/transport"
)

// holdLibrary is set for the copy of the tests that is to hold a library.
const holdLibrary = "POSIX_TEST_HOLD_LIBRARY"

// TestHoldALibrary is no test, but what a program that has loaded a library is to
// the others: it maps the file and stays until its input ends.
func TestHoldALibrary(t *testing.T) {
	name := os.Getenv(holdLibrary)
	if name == "" {
		return
	}
	f, err := os.Open(name) //nolint:gosec // the test's own file
	check(t, err)
	_, err = syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ, syscall.MAP_PRIVATE) //nolint:gosec // a file descriptor fits
	check(t, err)
	check(t, f.Close())
	_, err = os.Stdout.WriteString("mapped\n")
	check(t, err)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the other closes it
}

// holder starts a program under a name that has a file mapped.
func holder(t *testing.T, library, name string) int {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	path := t.TempDir() + "/" + name
	check(t, os.Symlink(self, path))
	cmd := exec.CommandContext(t.Context(), path, "-test.run=^TestHoldALibrary$", "canary-of-an-argument") //nolint:gosec // this program
	cmd.Env = append(os.Environ(), holdLibrary+"="+library)
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // ended by the end of its input
	})
	said := make([]byte, len("mapped\n"))
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "mapped\n" {
		t.Fatalf("%q, %v", said, err)
	}
	return cmd.Process.Pid
}

func TestHolders(t *testing.T) {
	h, dir := here(t)
	const library = "libNtlHeldByTests_64.so"
	write(t, dir+"/"+library, strings.Repeat("x", 8192), 0o644)
	check(t, os.Symlink(library, dir+"/by-a-link.so"))
	direct := holder(t, dir+"/"+library, "hsm-user")
	linked := holder(t, dir+"/by-a-link.so", "other")
	holder(t, dir+"/"+library, "vtl")
	write(t, dir+"/not"+library, strings.Repeat("x", 8192), 0o644)
	holder(t, dir+"/not"+library, "stranger")

	f := lookOne(t, h, transport.Holders(library))
	found := map[int]string{}
	for _, p := range f.Processes {
		found[p.PID] = p.Command
	}
	if len(found) != 2 || found[direct] != "hsm-user" || found[linked] != "other" {
		t.Errorf("%v, want %d and %d", found, direct, linked)
	}
	if os.Getuid() == 0 && f.Problem != "" {
		t.Errorf("problem %q", f.Problem)
	}
	if f := lookOne(t, h, transport.Holders("libNobodyHas.so")); len(f.Processes) != 0 || f.Missing {
		t.Errorf("%+v", f)
	}
}

// Who is not root is told that he does not see all.
func TestHoldersOfOthers(t *testing.T) {
	h, dir := ordinary(t)
	const library = "libNtlHeldByRoot_64.so"
	write(t, dir+"/"+library, strings.Repeat("x", 8192), 0o644)
	pid := holder(t, dir+"/"+library, "roots")
	f := lookOne(t, h, transport.Holders(library))
	if !strings.Contains(f.Problem, "only root sees") {
		t.Errorf("problem %q", f.Problem)
	}
	seen := len(f.Processes) == 1 && f.Processes[0].PID == pid
	if os.Getuid() == 0 && seen || os.Getuid() != 0 && !seen {
		t.Errorf("%+v", f.Processes)
	}
}

func TestHoldersWantAFileName(t *testing.T) {
	h, _ := here(t)
	for _, name := range []string{"", "/lib/x.so", "a\nb", "a\x00b"} {
		if f := lookOne(t, h, transport.Holders(name)); !strings.Contains(f.Problem, "no name of a library") {
			t.Errorf("%q: %+v", name, f)
		}
	}
	if _, err := parseHolder("12"); err == nil {
		t.Error("a process without a name was read")
	}
	if _, err := h.Look(context.Background(), transport.Holders("-e.so")); err != nil {
		t.Error(err)
	}
}
