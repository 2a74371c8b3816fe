package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

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
	line := v.live.text
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
