//go:build unix

package journal

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ntl-setup/orchestrator"
)

// asked is the variable that makes the test program a run of its own.
const asked = "JOURNAL_TEST_RUN"

// TestMain is the tests, or one run in the directory that it is told.
func TestMain(m *testing.M) {
	dir := os.Getenv(asked)
	if dir == "" {
		os.Exit(m.Run())
	}
	os.Exit(child(dir))
}

// child applies many facts; the third says so on standard output and waits for
// a line. Its exit status is 3 when the journal stopped it.
func child(dir string) int {
	j, err := Begin(dir, Run{Command: "apply"}, Options{})
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error()) // for the parent's log
		return 3
	}
	r := j.Link(Link{Name: "web1"})
	var steps []orchestrator.Step
	for i := range 12 {
		f := &fact{id: "fact-" + string(rune('a'+i))}
		f.act = func(context.Context) error {
			_, err := os.Stdout.WriteString(f.id + "\n")
			if f.id == "fact-c" {
				_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent lets go
			}
			return err
		}
		steps = append(steps, f.step(i+1))
	}
	report := orchestrator.Engine{Steps: steps, Observe: r.Observe, Record: r.Record}.
		Apply(context.Background(), func([]orchestrator.StepReport) error { return nil }, nil)
	if report.Result == orchestrator.Established {
		return 0
	}
	for _, s := range report.Steps {
		if s.Err != nil {
			_, _ = os.Stderr.WriteString(s.Err.Class + ": " + s.Err.Message) // for the parent
		}
	}
	return 3
}

func program(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A run that is killed within an act leaves an act that was begun and not ended.
func TestKilledWithinAnAct(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program(t))
	cmd.Env = append(os.Environ(), asked+"="+dir)
	stdin, err := cmd.StdinPipe() // held open: the act waits for it
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close() //nolint:errcheck // its reader was killed
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(stdout)
	for said.Scan() && said.Text() != "fact-c" {
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("%v; it was not killed", err)
	}
	stories, err := Runs(dir, 5)
	if err != nil || len(stories) != 1 || stories[0].End != nil || len(stories[0].Links) != 1 {
		t.Fatalf("%v, %+v", err, stories)
	}
	l := stories[0].Links[0]
	if l.Outcome() != "not ended" || len(l.Undo()) != 3 {
		t.Errorf("%s, undo %+v", l.Outcome(), l.Undo())
	}
	for i, want := range []string{"changed", "changed", "begun, not ended", "would-change"} {
		if got := l.Steps[i].State(); got != want {
			t.Errorf("%s: %s, want %s", l.Steps[i].ID, got, want)
		}
	}
}

// A file that may not grow any more, as on a full disk.
func TestAFileThatMayNotGrow(t *testing.T) {
	for _, blocks := range []string{"0", "7", "9"} { // of 512 or 1024 bytes
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "ulimit -f "+blocks+"; exec \"$0\"", program(t))
		cmd.Env = append(os.Environ(), asked+"="+dir)
		cmd.Stdin = strings.NewReader("\n")
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
			t.Errorf("%s blocks: %v, %s", blocks, err, errs.String())
			continue
		}
		if !strings.Contains(errs.String(), "the journal cannot be kept") {
			t.Errorf("%s blocks: %s", blocks, errs.String())
		}
		acts := strings.Fields(out.String())
		if blocks == "0" {
			if len(acts) > 0 {
				t.Errorf("acts without a journal: %q", acts)
			}
			continue
		}
		// Each act that took place is on record.
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(names) != 1 {
			t.Fatalf("%v, %q", err, names)
		}
		story := read(dir, filepath.Base(names[0]))
		if len(acts) == 0 || len(acts) == 12 || len(story.Links) != 1 || len(story.Links[0].Undo()) != len(acts) {
			t.Errorf("%s blocks: acts %q, %+v", blocks, acts, story)
		}
	}
}
