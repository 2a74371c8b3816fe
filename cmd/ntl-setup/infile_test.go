package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
)

// listener keeps all that it is told.
type listener struct{ heard []string }

func (l *listener) hear(what ...any)                               { l.heard = append(l.heard, fmt.Sprintf("%+v", what)) }
func (l *listener) Progress(text string)                           { l.hear(text) }
func (l *listener) Note(text string)                               { l.hear(text) }
func (l *listener) Warn(text string)                               { l.hear(text) }
func (l *listener) Checked(checks []preflight.Check)               { l.hear(checks) }
func (l *listener) Observe(ev orchestrator.Event)                  { l.hear(asJSON(ev)) }
func (l *listener) Plan(o ui.Outcome, s []orchestrator.StepReport) { l.hear(asJSON(o), asJSON(s)) }

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Whatever is told of a link of a file names the file's keys, and flags without
// one.
func TestHintsOfAFile(t *testing.T) {
	for id, want := range map[string]string{"c05/h1": "hsms.h1.address", "": "--hsm-address"} {
		var l listener
		ran := inFile(func(_ context.Context, j job) ui.Outcome {
			const text = "look at --hsm-address"
			step := orchestrator.StepReport{Reason: text, Hint: text, Err: &orchestrator.Failure{Class: "conflict", Message: text, Hint: text},
				Changes: []orchestrator.Change{{Want: text}}}
			checks := []preflight.Check{{Evidence: text, Hint: text}}
			j.view.Note(text)
			j.view.Warn(text)
			j.view.Checked(checks)
			o := ui.Outcome{Preflight: checks, Report: orchestrator.Report{Steps: []orchestrator.StepReport{step}, Err: step.Err}}
			j.view.Plan(ui.Outcome{Preflight: checks}, o.Report.Steps)
			j.view.Observe(orchestrator.Event{Step: step, Plan: o.Report.Steps})
			if step.Err.Hint != text || checks[0].Hint != text || o.Report.Steps[0].Hint != text {
				t.Error("what the link's own work sees has changed")
			}
			return o
		})
		o := ran(t.Context(), job{view: &l, link: config.Link{ID: id}})
		l.hear(asJSON(o))
		if len(l.heard) != 6 {
			t.Fatalf("%q", l.heard)
		}
		for i, text := range l.heard {
			told := strings.Count(text, want)
			changes := strings.Count(text, `"want":"look at --hsm-address"`)
			if told == 0 || strings.Count(text, "look at") != told+changes && id != "" {
				t.Errorf("%d: %s", i, text)
			}
		}
	}
}
