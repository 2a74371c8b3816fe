package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

func TestExitStatuses(t *testing.T) {
	refused := transport.Errorf(transport.ClassRemote, "h", "no")
	for name, c := range map[string]struct {
		args   []string
		world  world
		yes    bool
		status int
		acted  int
		asked  int
		stdout string
	}{
		"apply, approved":        {link(), world{}, true, 0, 1, 1, "The link is established"},
		"apply by name":          {append([]string{"apply"}, link()...), world{}, true, 0, 1, 1, "+ changed"},
		"apply, declined":        {link(), world{}, false, 5, 0, 1, "Not approved. Nothing was changed."},
		"apply -y":               {link("-y"), world{}, false, 0, 1, 0, "The link is established"},
		"apply, nothing to do":   {link(), world{holds: true}, false, 0, 0, 0, "nothing had to be changed"},
		"apply --dry-run -y":     {link("--dry-run", "-y"), world{}, true, 2, 0, 0, "one step would change"},
		"apply, conflict":        {link("-y"), world{conflict: "another"}, true, 3, 0, 0, "A person must decide. Nothing was changed."},
		"apply, look fails":      {link("-y"), world{lookErr: refused}, true, 1, 0, 0, "Nothing was changed."},
		"apply, act fails":       {link("-y"), world{actErr: refused}, true, 1, 1, 0, "A change was begun and is not confirmed"},
		"plan, pending":          {append([]string{"plan"}, link()...), world{}, true, 2, 0, 0, "~ would-change"},
		"plan, all holds":        {append([]string{"plan"}, link()...), world{holds: true}, true, 0, 0, 0, "✓ ok"},
		"plan -y":                {append([]string{"plan", "-y"}, link()...), world{}, true, 2, 0, 0, "would change"},
		"plan, conflict":         {append([]string{"plan"}, link()...), world{conflict: "another"}, true, 3, 0, 0, "! conflict"},
		"plan, look fails":       {append([]string{"plan"}, link()...), world{lookErr: refused}, true, 1, 0, 0, "✗ failed"},
		"status, pending":        {append([]string{"status"}, link()...), world{}, true, 2, 0, 0, "Not complete"},
		"status --dry-run":       {append([]string{"status", "--dry-run"}, link()...), world{holds: true}, true, 0, 0, 0, "The link holds"},
		"flags before a command": {append(link(), "plan"), world{}, true, 2, 0, 0, "Not complete"},
	} {
		t.Run(name, func(t *testing.T) {
			w := c.world
			b := newBench(t, &w)
			b.person.yes = c.yes
			if got := b.main(t, c.args...); got != c.status {
				t.Errorf("exit %d, want %d", got, c.status)
			}
			if w.acted != c.acted || len(b.person.asked) != c.asked {
				t.Errorf("%d acts, asked %q; want %d and %d", w.acted, b.person.asked, c.acted, c.asked)
			}
			if !strings.Contains(b.out.String(), c.stdout) {
				t.Errorf("no %q on standard output:\n%s\nstandard error:\n%s", c.stdout, b.out.String(), b.err.String())
			}
		})
	}
}

// What is asked about must have been shown before, and the terminal given back.
func TestTheQuestionComesAfterThePlan(t *testing.T) {
	b := newBench(t, &world{}, &world{}, &world{holds: true})
	b.person.during = func() {
		for _, want := range []string{"step-a  no → yes", "step-b  no → yes", "step-c"} {
			if !strings.Contains(b.err.String(), want) {
				t.Errorf("asked before %q was shown:\n%s", want, b.err.String())
			}
		}
	}
	b.main(t, link()...)
	if len(b.person.asked) != 1 || b.person.asked[0] != "Make these 2 changes? [y/N] " {
		t.Errorf("asked %q", b.person.asked)
	}
	if !b.person.closed {
		t.Error("the terminal was not closed")
	}
}

func TestWithoutATerminal(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		status int
		ran    int
	}{
		"apply refuses before connecting": {link(), 64, 0},
		"apply --dry-run":                 {link("--dry-run"), 2, 1},
		"apply -y":                        {link("-y"), 0, 1},
		"plan":                            {append([]string{"plan"}, link()...), 2, 1},
		"status":                          {append([]string{"status"}, link()...), 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			b := newBench(t, w)
			b.app.openTTY = func() (asker, error) { return nil, ui.ErrNoTerminal }
			if got := b.main(t, c.args...); got != c.status || b.ran != c.ran {
				t.Errorf("exit %d after %d runs, want %d and %d\n%s", got, b.ran, c.status, c.ran, b.err.String())
			}
			if c.status == 64 && !strings.Contains(b.err.String(), "hint: -y applies without asking") {
				t.Errorf("no way out is told: %s", b.err.String())
			}
		})
	}
}

func document(t *testing.T, b *bench) ui.Document {
	t.Helper()
	if n := strings.Count(b.out.String(), "\n"); n != 1 {
		t.Fatalf("%d lines on standard output, want the document alone:\n%s", n, b.out.String())
	}
	var d ui.Document
	if err := json.Unmarshal([]byte(b.out.String()), &d); err != nil {
		t.Fatalf("%v in %s", err, b.out.String())
	}
	return d
}

func TestJSON(t *testing.T) {
	for name, c := range map[string]struct {
		args    []string
		world   world
		command string
		result  orchestrator.Result
		status  int
		class   string // of the link's error
	}{
		"apply":           {link("-y", "-o", "json"), world{}, "apply", orchestrator.Established, 0, ""},
		"asked":           {link("-o", "json"), world{}, "apply", orchestrator.Declined, 5, ""},
		"dry run":         {link("--dry-run", "-ojson"), world{}, "plan", orchestrator.Changes, 2, ""},
		"plan":            {append([]string{"plan", "-o", "json"}, link()...), world{}, "plan", orchestrator.Changes, 2, ""},
		"status":          {append([]string{"status", "--output=json"}, link()...), world{holds: true}, "status", orchestrator.Established, 0, ""},
		"conflict":        {link("-o", "json"), world{conflict: "another"}, "apply", orchestrator.Conflicted, 3, ""},
		"failed":          {link("-y", "-o", "json"), world{actErr: errors.New("no")}, "apply", orchestrator.ResFailed, 1, ""},
		"unknown flag":    {[]string{"--nonsense", "-o", "json"}, world{}, "apply", orchestrator.ResFailed, 64, "config"},
		"unknown command": {[]string{"aply", "-o", "json"}, world{}, "apply", orchestrator.ResFailed, 64, "config"},
		"plan, bad flag":  {[]string{"plan", "-o=json", "--timeout", "soon"}, world{}, "plan", orchestrator.ResFailed, 64, "config"},
		"bad name":        {link("--name", "a b", "-o", "json"), world{}, "apply", orchestrator.ResFailed, 64, "config"},
	} {
		t.Run(name, func(t *testing.T) {
			w := c.world
			b := newBench(t, &w)
			if got := b.main(t, c.args...); got != c.status {
				t.Errorf("exit %d, want %d", got, c.status)
			}
			d := document(t, b)
			if d.Command != c.command || d.Result != c.result || d.Exit != c.status || len(d.Links) != 1 {
				t.Fatalf("%+v; want %s, %s, %d", d, c.command, c.result, c.status)
			}
			class := ""
			if e := d.Links[0].Error; e != nil {
				class = e.Class
				if !strings.Contains(b.err.String(), "error: "+e.Message) {
					t.Errorf("standard error lacks the error %q:\n%s", e.Message, b.err.String())
				}
			}
			if class != c.class {
				t.Errorf("error of class %q, want %q", class, c.class)
			}
		})
	}
}

func TestUsageDocumentTellsWhatIsKnown(t *testing.T) {
	b := newBench(t)
	b.main(t, "plan", "--client", "root@web1", "--hsm", "a@h", "--partition", "p1", "--partition", "p2", "-o", "json")
	got := document(t, b).Links[0]
	if got.Client != "root@web1" || got.HSM != "a@h" || len(got.Partitions) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestWarningsAreShown(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/pw"
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o644); err != nil { //nolint:gosec // that is what is warned about
		t.Fatal(err)
	}
	b := newBench(t, &world{holds: true})
	if got := b.main(t, append([]string{"status", "--hsm-password-file", file}, link()...)...); got != 0 {
		t.Errorf("exit %d", got)
	}
	if !strings.Contains(b.err.String(), "warning: --hsm-password-file: others can read "+file) {
		t.Errorf("standard error: %s", b.err.String())
	}
	if all := b.out.String() + b.err.String(); strings.Contains(all, "s3cret") {
		t.Error("the secret was shown")
	}
}

func TestTheWholeRunHasADeadline(t *testing.T) {
	w := &world{during: func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}}
	b := newBench(t, w)
	if got := b.main(t, link("-y", "--timeout", "50ms")...); got != 1 {
		t.Errorf("exit %d, want 1\n%s", got, b.err.String())
	}
	for _, want := range []string{"the run was not done within 50ms", "hint: a larger --timeout"} {
		if !strings.Contains(b.err.String(), want) {
			t.Errorf("no %q:\n%s", want, b.err.String())
		}
	}
}

// The time is over just between two steps, which is not Ctrl-C.
func TestTheDeadlineBetweenSteps(t *testing.T) {
	first := &world{during: func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}}
	blind := first.step(1, "step-a").(orchestrator.Reconcile[bool])
	blind.Observe = func(context.Context) (bool, error) { return first.holds, nil } // in time, whatever the clock says
	b := newBench(t)
	b.app.run = func(ctx context.Context, j job) ui.Outcome {
		o := j.outcome()
		o.Report = j.work(ctx, orchestrator.Engine{Steps: []orchestrator.Step{blind, (&world{}).step(2, "step-b")}})
		return o
	}
	if got := b.main(t, link("-y", "-o", "json", "--timeout", "50ms")...); got != 1 {
		t.Errorf("exit %d, want 1\n%s", got, b.err.String())
	}
	if e := document(t, b).Links[0].Error; e == nil || e.Class != "timeout" || !strings.Contains(e.Hint, "--timeout") {
		t.Errorf("%+v", e)
	}
}

func TestTheTerminalFails(t *testing.T) {
	w := &world{}
	b := newBench(t, w)
	b.person.err = errors.New("hung up")
	if got := b.main(t, link()...); got != 5 || w.acted != 0 {
		t.Errorf("exit %d, want 5; %d acts", got, w.acted)
	}
	if !strings.Contains(b.err.String(), "error: hung up") {
		t.Errorf("standard error: %s", b.err.String())
	}
}

// Ctrl-C goes before what the work said about its end. The end of the time does
// so unless the work found out what is wrong.
func TestStoppedBeforeTheSteps(t *testing.T) {
	refused := transport.Errorf(transport.ClassConnect, "h", "refused")
	slow := transport.Errorf(transport.ClassTimeout, "h", "no answer")
	cut := transport.Errorf(transport.ClassConnect, "h", "cut: %w", context.DeadlineExceeded)
	j := job{link: config.Link{Name: "web1"}}
	alive := t.Context()
	interrupted, cancel := context.WithCancel(alive)
	cancel()
	late, cancelLate := context.WithTimeoutCause(alive, time.Nanosecond, tooLong{"the run", time.Nanosecond, "--timeout"})
	defer cancelLate()
	<-late.Done()
	for name, c := range map[string]struct {
		ctx    context.Context
		err    error
		result orchestrator.Result
		class  string
		says   string
	}{
		"its own error":           {alive, refused, orchestrator.Unreachable, "connect", "refused"},
		"Ctrl-C":                  {interrupted, refused, orchestrator.Interrupted, "interrupted", ""},
		"time is over, no class":  {late, errors.New("late"), orchestrator.Unreachable, "timeout", "the run"},
		"time is over, slow":      {late, slow, orchestrator.Unreachable, "timeout", "the run"},
		"time is over, cut by it": {late, cut, orchestrator.Unreachable, "timeout", "the run"},
		"time is over, a reason":  {late, refused, orchestrator.Unreachable, "connect", "refused"},
	} {
		o := j.stopped(c.ctx, fmt.Errorf("dial: %w", c.err))
		if o.Report.Result != c.result || o.Report.Err.Class != c.class || o.Name != "web1" || !strings.Contains(o.Report.Err.Message, c.says) {
			t.Errorf("%s: %s, %+v", name, o.Report.Result, o.Report.Err)
		}
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, errors.New("closed pipe") }

func TestALostDocumentIsAFailure(t *testing.T) {
	b := newBench(t, &world{holds: true})
	b.app.out.Writer = closedPipe{}
	if got := b.main(t, append([]string{"status", "-o", "json"}, link()...)...); got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
	b = newBench(t, &world{})
	b.app.out.Writer = closedPipe{}
	if got := b.main(t, append([]string{"status", "-o", "json"}, link()...)...); got != 1 {
		t.Errorf("exit %d, want 1: nobody was told what is to be changed", got)
	}
}
