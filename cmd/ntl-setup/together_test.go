package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
)

// once counts the lines of a log that hold a text.
func once(t *testing.T, path, text string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(data), text)
}

// Two runs started together against one client: one works, the other waits and
// says for whom, nothing is done twice, and both end well.
func TestTwoRunsTogether(t *testing.T) {
	first, s, words := visit(t, lab.Options{Vtl: luna.VtlSettings{DelayMS: 1500}})
	words = append(append([]string{"apply", "-y", "-o", "json"}, words...), passwords(s)...)
	runs := []*bench{first, first.again(t)}
	var both sync.WaitGroup
	status := make([]int, len(runs))
	for i, b := range runs {
		both.Go(func() { status[i] = b.main(t, words...) })
	}
	both.Wait()
	waited := 0
	for i, b := range runs {
		if status[i] != ui.ExitOK {
			t.Errorf("run %d: exit %d\n%s", i, status[i], b.err.String())
		}
		if strings.Contains(b.err.String(), "another run is at work there and is waited for: "+whoAmI()) {
			waited++
			for _, step := range document(t, b).Links[0].Steps {
				if step.Status != orchestrator.OK {
					t.Errorf("the run that waited: %s %s", step.ID, step.Status)
				}
			}
		}
	}
	if waited != 1 {
		t.Errorf("%d runs waited\n%s\n%s", waited, runs[0].err.String(), runs[1].err.String())
	}
	if n := once(t, filepath.Join(s.ClientRoot, "vtl.log"), "createCert"); n != 1 {
		t.Errorf("vtl createCert was called %d times", n)
	}
	commands, err := s.Commands()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"client register", "client assignPartition"} {
		if n := strings.Count(strings.Join(commands, "\n"), c); n != 1 {
			t.Errorf("%s was sent %d times", c, n)
		}
	}
	noLock(t, s)
}

func lockOf(s *lab.Site) string {
	base := "/var/safenet/safenet/lunaclient"
	if s.Kind == lab.Linux {
		base = "/usr/safenet/lunaclient/cert"
	}
	return filepath.Join(s.ClientRoot, base, ".ntl-setup.lock")
}

func noLock(t *testing.T, s *lab.Site) {
	t.Helper()
	if _, err := os.Lstat(lockOf(s)); !os.IsNotExist(err) {
		t.Errorf("the lock is left: %v", err)
	}
}

// locked puts another run's lock there.
func locked(t *testing.T, s *lab.Site) {
	t.Helper()
	entry := filepath.Join(lockOf(s), "OTHER")
	if err := os.MkdirAll(entry, 0o700); err != nil {
		t.Fatal(err)
	}
	text := `{"owner":"carol@desk","pid":7,"since":"2026-01-05T09:00:00Z","reason":"apply NS-web7","beat":1}`
	beat := filepath.Join(entry, "beat")
	if err := os.WriteFile(beat, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// Nobody beats: it must not expire on a machine that is slow today.
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(beat, later, later); err != nil {
		t.Fatal(err)
	}
}

// A lock is waited for until the run's end; --break-lock does not wait, and -y
// does not break it.
func TestLockedByAnother(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	locked(t, s)
	words = append(append([]string{"apply", "-y", "-o", "json"}, words...), passwords(s)...)
	if got := b.main(t, append(words, "--timeout", "20s")...); got != ui.ExitFailed {
		t.Fatalf("exit %d, want 1\n%s", got, b.err.String())
	}
	e := document(t, b).Links[0].Error
	if e == nil || e.Class != "lock" || !strings.Contains(e.Message, "carol@desk (process 7)") || !strings.Contains(e.Hint, "--break-lock") {
		t.Errorf("%+v", e)
	}
	b = b.again(t)
	if got := b.main(t, append(words, "--break-lock")...); got != ui.ExitOK {
		t.Errorf("--break-lock: exit %d\n%s", got, b.err.String())
	}
	if !strings.Contains(b.err.String(), "took the lock of carol@desk") {
		t.Errorf("not told:\n%s", b.err.String())
	}
	noLock(t, s)
}

// on runs a function when a text is written.
type on struct {
	io.Writer
	text string
	do   func()
}

func (o *on) Write(p []byte) (int, error) {
	if strings.Contains(string(p), o.text) {
		o.do()
	}
	return o.Writer.Write(p)
}

// Nothing is at work while a run waits: one Ctrl-C ends it.
func TestInterruptWhileWaitingForTheLock(t *testing.T) {
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	locked(t, s)
	before := hash(t, s)
	b.app.err = ui.Stream{Writer: &on{Writer: &b.err, text: "is waited for", do: func() { b.signals <- os.Interrupt }}}
	words = append(append([]string{"apply", "-y"}, words...), passwords(s)...)
	if got := b.main(t, words...); got != ui.ExitInterrupted {
		t.Errorf("exit %d, want 130\n%s", got, b.err.String())
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
}

// Once the lock is had, the first Ctrl-C lets the act at work end; the lock goes.
func TestInterruptWhileHoldingTheLock(t *testing.T) {
	b, s, words := visit(t, lab.Options{Kind: lab.Linux, Vtl: luna.VtlSettings{DelayMS: 1500}})
	words = append(append([]string{"apply", "-y", "-o", "json"}, words...), passwords(s)...)
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for once(t, filepath.Join(s.ClientRoot, "vtl.log"), "createCert") == 0 {
			select {
			case <-tick.C:
			case <-t.Context().Done():
				return
			}
		}
		b.signals <- os.Interrupt
	})
	got := b.main(t, words...)
	watching.Wait()
	steps := document(t, b).Links[0].Steps
	if got != ui.ExitInterrupted || steps[0].Status != orchestrator.Changed || steps[1].Status == orchestrator.Changed {
		t.Errorf("exit %d, steps %s, %s\n%s", got, steps[0].Status, steps[1].Status, b.err.String())
	}
	noLock(t, s)
}
