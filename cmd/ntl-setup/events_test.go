package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/orchestrator"
)

// happened are the events on standard output.
func happened(t *testing.T, b *bench) []ui.Event {
	t.Helper()
	var events []ui.Event
	for line := range strings.Lines(b.out.String()) {
		var e ui.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		events = append(events, e)
	}
	if len(events) == 0 || events[len(events)-1].Event != ui.EventResult {
		t.Fatalf("the last line is no result:\n%s", b.out.String())
	}
	return events
}

// kindsOf are the events' names, each as often as it comes in a row.
func kindsOf(events []ui.Event) []ui.EventName {
	var names []ui.EventName
	for _, e := range events {
		names = append(names, e.Event)
	}
	return slices.Compact(names)
}

// A whole apply over a simulated site, as its events tell it.
func TestEventsOfARun(t *testing.T) {
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	words = append(words, passwords(s)...)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "events"}, words...)...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	events := happened(t, b)
	begins := []ui.EventName{ui.EventLink, ui.EventConnect, ui.EventLook, ui.EventPlan, ui.EventConnect, ui.EventPreflight, ui.EventAct}
	kinds := slices.DeleteFunc(kindsOf(events), func(n ui.EventName) bool { return n == ui.EventNote })
	if len(kinds) < len(begins) || !cmp.Equal(slices.Compact(kinds)[:len(begins)], begins) {
		t.Errorf("it begins %v", kinds)
	}
	status := map[string]orchestrator.Status{}
	acts := 0
	for _, e := range events {
		if e.Event == ui.EventStep {
			status[e.Step.ID] = e.Step.Status
		}
		if e.Event == ui.EventAct {
			acts++
		}
	}
	last := events[len(events)-1].Document
	if last.Result != orchestrator.Established || last.Exit != 0 || last.Command != "apply" || acts < 5 || len(status) != 12 {
		t.Errorf("%s, exit %d, %d acts, %d steps", last.Result, last.Exit, acts, len(status))
	}
	for _, step := range last.Links[0].Steps {
		if status[step.ID] != step.Status {
			t.Errorf("%s was told as %s and is %s", step.ID, status[step.ID], step.Status)
		}
	}
	if end := events[len(events)-2]; end.Event != ui.EventEnd || !cmp.Equal(*end.Outcome, last.Links[0]) {
		t.Errorf("before the result comes %s", end.Event)
	}
}

// However a run ends, its last line is the document that -o json prints.
func TestEveryRunHasAResult(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		world world
		exit  int
	}{
		"in order":     {append([]string{"status"}, link()...), world{holds: true}, 0},
		"plan":         {append([]string{"plan"}, link()...), world{}, 2},
		"conflict":     {link("-y"), world{conflict: "another"}, 3},
		"not approved": {link(), world{}, 5},
		"unknown flag": {[]string{"plan", "--nonsense"}, world{}, 64},
		"no link":      {[]string{"plan"}, world{}, 64},
	} {
		t.Run(name, func(t *testing.T) {
			w := c.world
			b := newBench(t, &w)
			if got := b.main(t, append(slices.Clone(c.args), "-o", "events")...); got != c.exit {
				t.Errorf("exit %d, want %d", got, c.exit)
			}
			got := happened(t, b)
			w = c.world
			j := newBench(t, &w)
			j.main(t, append(slices.Clone(c.args), "-o", "json")...)
			want := document(t, j)
			last := *got[len(got)-1].Document
			for i := range want.Links { // each run has its own
				want.Links[i].Journal, last.Links[i].Journal = "", ""
				for k := range want.Links[i].Steps {
					want.Links[i].Steps[k].DurationMS, last.Links[i].Steps[k].DurationMS = 0, 0
				}
			}
			if diff := cmp.Diff(want, last); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLostEventsAreAFailure(t *testing.T) {
	b := newBench(t, &world{})
	b.app.out.Writer = closedPipe{}
	if got := b.main(t, link("-y", "-o", "events")...); got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
	if !strings.Contains(b.err.String(), "the link is established, but that could not be written to standard output: closed pipe") {
		t.Errorf("standard error: %s", b.err.String())
	}
}
