//go:build unix

package posix

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ntl-setup/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// posixShells are the shells that every script is tried with.
func posixShells(t *testing.T) [][]string {
	t.Helper()
	return [][]string{
		{need(t, "sh", "dash")},
		{need(t, "dash", "dash")},
		{need(t, "bash", "bash"), "--posix"},
	}
}

// need finds a program that the tests cannot do without.
func need(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is missing: install the package %s", program, pkg)
	}
	return path
}

// feed runs a program with a text on its standard input.
func feed(t *testing.T, stdin string, words ...string) string {
	t.Helper()
	out, err := execGroup(context.Background(), "test", nil, []byte(stdin), words[0], words[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Stderr) > 0 {
		t.Fatalf("%v: %s", words, out.Stderr)
	}
	return string(out.Stdout)
}

// here is a Host on this machine, and a directory.
func here(t *testing.T) (transport.Host, string) {
	t.Helper()
	return New(Local("here"), Options{}), t.TempDir()
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(content), 0o600))
	check(t, os.Chmod(path, mode))
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	return string(data)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// namesIn is what lies in a directory, hidden files too, blank-separated.
func namesIn(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// lookOne asks one query.
func lookOne(t *testing.T, h transport.Host, q transport.Query) transport.Fact {
	t.Helper()
	facts, err := h.Look(context.Background(), q)
	check(t, err)
	return facts[q]
}

// doOne does one action and gives what it said.
func doOne(t *testing.T, h transport.Host, a transport.Action) (string, error) {
	t.Helper()
	out, err := h.Do(context.Background(), a)
	if len(out) == 0 {
		return "", err
	}
	return string(out[0].Stdout), err
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// stub puts a shell script in front of a tool for the rest of the test.
func stub(t *testing.T, tool, text string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, tool), "#!/bin/sh\n"+text+"\n", 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// bare is a runner whose scripts find only the named tools.
type bare struct {
	transport.Runner
	dir string
}

func bareRunner(t *testing.T, tools ...string) bare {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range tools {
		check(t, os.Symlink(need(t, tool, tool), filepath.Join(dir, tool)))
	}
	return bare{Local("bare"), dir}
}

func (b bare) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	text := string(stdin)
	at := strings.Index(text, "PATH=${PATH")
	end := at + strings.IndexByte(text[at:], ';')
	return b.Runner.Exec(ctx, line, []byte(text[:at]+"PATH="+b.dir+text[end:]))
}
