package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
)

// ends are links as a run may leave them.
func ends() (ids []string, outcomes []Outcome) {
	step := func(id string, s orchestrator.Status, err *orchestrator.Failure) orchestrator.StepReport {
		return orchestrator.StepReport{Info: orchestrator.Info{Number: 1, ID: id, Host: "client"}, Status: s, Err: err, Reason: "reason of " + id}
	}
	add := func(id string, r orchestrator.Report) {
		ids = append(ids, id)
		outcomes = append(outcomes, Outcome{Client: "root@" + id, Report: r})
	}
	add("web1/hsm1", orchestrator.Report{Result: orchestrator.Established, Steps: []orchestrator.StepReport{step("a", orchestrator.Changed, nil), step("b", orchestrator.Changed, nil)}})
	add("web2/hsm1", orchestrator.Report{Result: orchestrator.Established, Steps: []orchestrator.StepReport{step("a", orchestrator.OK, nil)}})
	add("web10/hsm1", orchestrator.Report{Result: orchestrator.Conflicted, Steps: []orchestrator.StepReport{step("list-clients", orchestrator.Conflict, nil)}})
	add("web3/hsm2", orchestrator.Report{Result: orchestrator.ResFailed, Steps: []orchestrator.StepReport{step("register-client", orchestrator.Failed, &orchestrator.Failure{Class: "remote", Message: "no \x1b[31mroom"})}})
	add("web4/hsm2", orchestrator.Report{Result: orchestrator.Unreachable, Err: &orchestrator.Failure{Class: "connect", Message: "nobody there", Hint: "wake somebody up"}})
	add("web5/hsm2", orchestrator.Report{Result: orchestrator.Changes, Steps: []orchestrator.StepReport{step("a", orchestrator.WouldChange, nil), step("b", orchestrator.Unknown, nil)}})
	return ids, outcomes
}

// On a pipe: a line on standard error as each link ends, and the table on
// standard output.
func TestFleetOnAPipe(t *testing.T) {
	var out, err bytes.Buffer
	v := NewView("apply", Text, Stream{Writer: &out}, Stream{Writer: &err})
	defer v.Close()
	ids, outcomes := ends()
	f := v.Fleet(len(ids))
	for i, o := range outcomes {
		l := f.Link(i, ids[i], o)
		l.Progress("connecting")
		l.Observe(orchestrator.Event{Kind: orchestrator.Acting, Info: orchestrator.Info{ID: "a"}})
		if i == 0 {
			l.Warn("it is late")
			l.Plan(o, nil)
		}
		l.End(o)
	}
	f.Table(ids, outcomes)
	wantErr := `warning: web1/hsm1: it is late
web1/hsm1  ✓ established  2 changes
web2/hsm1  ✓ established
web10/hsm1  ! conflict     list-clients: reason of list-clients
web3/hsm2  ✗ failed       register-client: no room
web4/hsm2  ✗ unreachable  nobody there
web5/hsm2  ~ changes      one step would change, one depends on an earlier step
`
	if diff := cmp.Diff(wantErr, err.String()); diff != "" {
		t.Errorf("standard error (-want +got):\n%s", diff)
	}
	wantOut := `web1/hsm1   ✓ established  2 changes
web2/hsm1   ✓ established
web10/hsm1  ! conflict     list-clients: reason of list-clients
web3/hsm2   ✗ failed       register-client: no room
web4/hsm2   ✗ unreachable  nobody there
  hint: wake somebody up
web5/hsm2   ~ changes      one step would change, one depends on an earlier step

6 links: 2 established, 1 changes, 1 conflict, 1 failed, 1 unreachable
`
	if diff := cmp.Diff(wantOut, out.String()); diff != "" {
		t.Errorf("standard output (-want +got):\n%s", diff)
	}
}

// On a terminal: the moving line has a bar, the counts and what is at work; only
// what needs attention stays above it.
func TestFleetOnATerminal(t *testing.T) {
	var out, err bytes.Buffer
	v := NewView("apply", Text, Stream{Writer: &out}, Stream{Writer: &err, Width: 200})
	defer v.Close()
	ids, outcomes := ends()
	f := v.Fleet(len(ids))
	first := f.Link(0, ids[0], outcomes[0])
	third := f.Link(2, ids[2], outcomes[2])
	fifth := f.Link(4, ids[4], outcomes[4])
	fifth.Observe(orchestrator.Event{Kind: orchestrator.Looking, Info: orchestrator.Info{ID: "add-server"}})
	first.End(outcomes[0])
	third.End(outcomes[2])
	v.mu.Lock()
	line := v.live.text + "  " + v.live.more
	v.mu.Unlock()
	if want := "[######..............] 2/6 (1 established, 1 conflict)  web4/hsm2 looking at add-server"; line != want {
		t.Errorf("the line is %q\nwant %q", line, want)
	}
	text := err.String()
	if strings.Contains(text, "web1/hsm1  ") || !strings.Contains(text, "web10/hsm1  ! conflict") {
		t.Errorf("above the line:\n%s", text)
	}
}

// Events of links that run side by side tell which link they are about.
func TestFleetEvents(t *testing.T) {
	var out bytes.Buffer
	v := NewView("apply", Events, Stream{Writer: &out}, Stream{Writer: &bytes.Buffer{}})
	defer v.Close()
	ids, outcomes := ends()
	f := v.Fleet(len(ids))
	var all sync.WaitGroup
	for i, o := range outcomes {
		all.Go(func() {
			l := f.Link(i, ids[i], o)
			for n := range 20 {
				l.Observe(orchestrator.Event{Kind: orchestrator.Looking, Info: orchestrator.Info{ID: fmt.Sprintf("%d-%d", i, n)}})
			}
			l.Checked(nil)
			l.Note("done")
			l.End(o)
		})
	}
	all.Wait()
	seen := map[int]int{}
	for line := range strings.Lines(out.String()) {
		var e Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Link == nil {
			t.Fatalf("%v in %s", err, line)
		}
		seen[*e.Link]++
		if e.Event == EventLook && !strings.HasPrefix(e.At, fmt.Sprint(*e.Link)+"-") {
			t.Errorf("an event of another link: %s", line)
		}
		if e.Event == EventEnd && e.Outcome.Client != "root@"+ids[*e.Link] {
			t.Errorf("the outcome of another link: %s", line)
		}
	}
	for i := range ids {
		if seen[i] != 24 {
			t.Errorf("link %d has %d events", i, seen[i])
		}
	}
}

// At 80 columns reasons and hints are folded between words, below the link.
func TestFleetTableIsFolded(t *testing.T) {
	var out bytes.Buffer
	v := NewView("apply", Text, Stream{Writer: &out, Width: 80}, Stream{Writer: &bytes.Buffer{}})
	defer v.Close()
	long := strings.Repeat("reason ", 20)
	f := v.Fleet(1)
	f.Table([]string{"web1/hsm1"}, []Outcome{{Report: orchestrator.Report{Result: orchestrator.ResFailed, Err: &orchestrator.Failure{Message: long, Hint: strings.Repeat("hint ", 30)}}}})
	for line := range strings.Lines(out.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.HasPrefix(out.String(), "web1/hsm1  ✗ failed\n  reason reason") || !strings.Contains(out.String(), "\n  hint: hint hint") || !strings.Contains(out.String(), "\n        hint hint") {
		t.Errorf("\n%s", out.String())
	}
}

// The line says how many links are at work, where it cannot show them all, and
// whom alone the run waits for; its seconds are the run's and stand with the bar.
func TestFleetLineAtWork(t *testing.T) {
	var out, err bytes.Buffer
	v := NewView("apply", Text, Stream{Writer: &out}, Stream{Writer: &err, Width: 80})
	defer v.Close()
	ids := []string{"c1/hsm1", "c2/hsm1", "c14/hsm1", "c14/hsm2"}
	f := v.Fleet(len(ids))
	f.Expect(ids)
	line := func() string {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.live.text + "|" + v.live.more
	}
	links := map[string]*LinkView{}
	for i, id := range ids[:3] {
		links[id] = f.Link(i, id, Outcome{})
	}
	if want := "[..........] 0/4|3 at work: c1/hsm1 connecting · c2/hsm1 connecting · c14/hsm1 connecting"; line() != want {
		t.Errorf("%q\nwant %q", line(), want)
	}
	done := Outcome{Report: orchestrator.Report{Result: orchestrator.Established}}
	links["c1/hsm1"].End(done)
	links["c2/hsm1"].End(done)
	want := "[#####.....] 2/4 (2 established)|everything else is done, waiting for c14: c14/hsm1 connecting"
	if line() != want {
		t.Errorf("%q\nwant %q", line(), want)
	}
	links["c14/hsm1"].End(Outcome{Report: orchestrator.Report{Result: orchestrator.ResFailed}})
	f.Again("c14/hsm1", orchestrator.ResFailed, "trying once more")
	f.Link(2, "c14/hsm1", Outcome{})
	if line() != want {
		t.Errorf("once more: %q\nwant %q", line(), want)
	}
	if !strings.Contains(err.String(), "note: c14/hsm1: trying once more\n") {
		t.Errorf("%s", err.String())
	}
	v.mu.Lock()
	v.live.since = time.Now().Add(-37 * time.Second)
	v.live.draw()
	v.mu.Unlock()
	if !strings.Contains(err.String(), "2/4 (2 established) (37s)  everything else is done") {
		t.Errorf("%q", err.String())
	}
}

// An interrupted link says at what, and what it has changed by then.
func TestInterruptedLinks(t *testing.T) {
	step := func(id string, s orchestrator.Status, err *orchestrator.Failure) orchestrator.StepReport {
		return orchestrator.StepReport{Info: orchestrator.Info{ID: id}, Status: s, Err: err}
	}
	failure := func(text string) *orchestrator.Failure {
		return &orchestrator.Failure{Class: "interrupted", Message: text}
	}
	for want, r := range map[string]orchestrator.Report{
		"before its first step; nothing was changed": {Err: failure("interrupted")},
		"not begun: the run was interrupted":         {Err: failure("not begun: the run was interrupted")},
		"before add-server; changed already: create-certificate, send-certificate": {
			Err: failure("interrupted before add-server"), Acted: true,
			Steps: []orchestrator.StepReport{step("create-certificate", orchestrator.Changed, nil), step("send-certificate", orchestrator.Changed, nil), step("add-server", orchestrator.Blocked, nil)},
		},
		"create-certificate: interrupted before it had ended; a change was begun and is not confirmed": {
			Acted: true, Steps: []orchestrator.StepReport{step("create-certificate", orchestrator.Failed, failure("interrupted before it had ended"))},
		},
	} {
		r.Result = orchestrator.Interrupted
		if got := reasonOf(Outcome{Report: r}); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	}
}

// With a runbook both the lines of links and the table would go to standard
// error: each link is told once.
func TestFleetRunbookTellsALinkOnce(t *testing.T) {
	var out, err bytes.Buffer
	v := NewView("plan", Text, Stream{Writer: &out}, Stream{Writer: &err})
	defer v.Close()
	v.Runbook()
	ids, outcomes := ends()
	f := v.Fleet(len(ids))
	for i, o := range outcomes {
		f.Link(i, ids[i], o).End(o)
	}
	f.Table(ids, outcomes)
	for _, id := range ids {
		if n := strings.Count(err.String(), id+" "); n != 1 {
			t.Errorf("%s stands there %d times\n%s", id, n, err.String())
		}
	}
}
