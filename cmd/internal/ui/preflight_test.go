package ui

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
)

// mixed is one check of each status.
func mixed() []preflight.Check {
	return []preflight.Check{
		{ID: "port", Status: preflight.OK, Evidence: "the client gets through"},
		{ID: "certificate", Status: preflight.Problem, Evidence: "another one is shown", Hint: "look there"},
		{ID: "clocks", Status: preflight.Warning, Evidence: "3 days behind", Hint: "set it right"},
		{ID: "reverse", Status: preflight.Unknown, Evidence: "cannot be tested", Hint: "ask somebody"},
	}
}

func TestPlanShowsThePreflight(t *testing.T) {
	want := `   preflight: port ok; reverse not known (ntl-setup doctor tells why)
      certificate  ✗ problem  another one is shown
                              → look there
      clocks       ! warning  3 days behind
                              → set it right
`
	for _, command := range []string{"plan", "status", "apply"} {
		out, text := plain()
		err, errText := plain()
		v := NewView(command, Text, out, err)
		defer v.Close()
		o := sample()
		o.Preflight = mixed()
		if command == "apply" {
			v.Plan(o, o.Report.Steps)
			text = errText
		} else {
			v.Finish(o)
		}
		if !strings.Contains(text.String(), "not for this kind of client\n"+want+"\n") {
			t.Errorf("%s:\n%s", command, text.String())
		}
		if command == "apply" {
			o.Report.Result = orchestrator.Conflicted
			v.Finish(o)
			if strings.Contains(out.Writer.(*strings.Builder).String(), "preflight") {
				t.Error("it is told twice")
			}
		}
	}
}

func TestAQuietPreflightIsALine(t *testing.T) {
	out, _ := plain()
	if got, want := preflightBlock(mixed()[:1], out), "   preflight: port ok\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := preflightBlock(nil, out); got != "" {
		t.Errorf("without one: %q", got)
	}
}

func TestDoctorShowsEveryCheck(t *testing.T) {
	for name, c := range map[string]struct {
		checks  []preflight.Check
		result  orchestrator.Result
		closing string
		exit    int
	}{
		"problem": {mixed(), Troubled, "Found: one problem, with which the link cannot work, one warning. Nothing was changed.\n", 1},
		"sound":   {mixed()[:1], Sound, "Nothing was found that stands in the way of the link. Nothing was changed.\n", 0},
		"warning": {mixed()[2:3], Sound, "Found: one warning. Nothing was changed.\n", 0},
	} {
		out, text := plain()
		v := NewView("doctor", Text, out, Stream{Writer: io.Discard})
		defer v.Close()
		o := sample()
		o.Report = orchestrator.Report{Result: c.result}
		o.Preflight = c.checks
		v.Finish(o)
		for _, check := range c.checks {
			if !strings.Contains(text.String(), "      "+pad(check.ID, checkWidth)+"  ") || !strings.Contains(text.String(), check.Evidence) {
				t.Errorf("%s: no %s in\n%s", name, check.ID, text.String())
			}
		}
		if !strings.HasPrefix(text.String(), "web1 (192.0.2.10)  root@192.0.2.10:22 → ") || !strings.HasSuffix(text.String(), "\n\n"+c.closing) {
			t.Errorf("%s:\n%s", name, text.String())
		}
		if d := NewDocument("doctor", o); d.Exit != c.exit || d.Result != c.result || len(d.Links[0].Preflight) != len(c.checks) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// On a terminal, lines are broken between words and stay within its width.
func TestChecksOnATerminal(t *testing.T) {
	long := preflight.Check{ID: "address", Status: preflight.Warning, Evidence: strings.Repeat("seen-so ", 20), Hint: strings.Repeat("do-that ", 20)}
	got := checkRow(long, Stream{Writer: io.Discard, Width: 60})
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) < 6 || lines[0] != "      address      ! warning" {
		t.Errorf("%q", lines)
	}
	for _, line := range lines {
		if len([]rune(line)) > 60 || strings.HasSuffix(line, " ") {
			t.Errorf("%q", line)
		}
	}
	if strings.Count(got, "seen-so") != 20 || strings.Count(got, "do-that") != 20 {
		t.Errorf("words are lost:\n%s", got)
	}
	if got := checkRow(mixed()[0], Stream{Writer: io.Discard, Width: 80}); got != "      port         ✓ ok       the client gets through\n" {
		t.Errorf("%q", got)
	}
}

func TestChecksArePrintable(t *testing.T) {
	const evil = "a\x1b[2Jb\u202e\rc"
	checks := []preflight.Check{{ID: "port", Status: preflight.Problem, Evidence: evil, Hint: evil}}
	out, _ := plain()
	o := sample()
	o.Preflight = checks
	texts := []string{checkRow(checks[0], out), preflightBlock(checks, out)}
	for _, c := range NewDocument("plan", o).Links[0].Preflight {
		texts = append(texts, c.Evidence, c.Hint)
	}
	for _, text := range texts {
		if text == "" || strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), hidden) {
			t.Errorf("%q", text)
		}
	}
	if checks[0].Evidence != evil {
		t.Error("the checks themselves were changed")
	}
}

func TestPreflightEvent(t *testing.T) {
	out, text := plain()
	v := NewView("doctor", Events, out, Stream{Writer: io.Discard})
	defer v.Close()
	v.Begin(sample())
	v.Checked(mixed())
	events := told(t, text.String())
	if diff := cmp.Diff(mixed(), events[1].Preflight); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentsWithAPreflightFitTheSchema(t *testing.T) {
	s := resolved(t)
	o := sample()
	o.Preflight = mixed()
	if err := s.Validate(asWritten(t, NewDocument("plan", o))); err != nil {
		t.Error(err)
	}
	o.Report = orchestrator.Report{Result: Troubled}
	v := asWritten(t, NewDocument("doctor", o))
	if err := s.Validate(v); err != nil {
		t.Error(err)
	}
	v["links"].([]any)[0].(map[string]any)["preflight"].([]any)[0].(map[string]any)["status"] = "fine"
	if err := s.Validate(v); err == nil {
		t.Error("an unknown status is accepted")
	}
}
