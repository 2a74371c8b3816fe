package ui

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"ntl-setup/orchestrator"
)

// eventNames are all there are.
var eventNames = []EventName{
	EventLink, EventConnect, EventLook, EventPlan, EventPreflight, EventAct, EventConfirm, EventStep, EventEnd,
	EventWarning, EventNote, EventError, EventResult,
}

// eventsSchemaFile is what programs check lines against.
const eventsSchemaFile = "schema-events.json"

// eventsSchema is made from the Go types, and says what each event must have.
func eventsSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.For[Event](words())
	if err != nil {
		t.Fatal(err)
	}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "One line of ntl-setup -o events"
	s.Properties["schema"] = &jsonschema.Schema{Type: "string", Const: jsonschema.Ptr[any](EventsSchemaID)}
	s.Properties["time"].Format = "date-time"
	s.Properties["document"] = schema(t)
	s.Properties["document"].Schema = ""
	for _, name := range eventNames {
		if has := carries(name); has != "" {
			s.AllOf = append(s.AllOf, &jsonschema.Schema{
				If:   &jsonschema.Schema{Properties: map[string]*jsonschema.Schema{"event": {Const: jsonschema.Ptr[any](string(name))}}},
				Then: &jsonschema.Schema{Required: []string{has}},
			})
		}
	}
	open(s)
	for _, name := range []string{"link", "step", "outcome", "wanted", "error"} {
		p := s.Properties[name] // absent or there, never null
		if len(p.Types) == 2 && p.Types[0] == "null" {
			p.Type, p.Types = p.Types[1], nil
		}
	}
	return s
}

// carries is the field that an event is about.
func carries(name EventName) string {
	switch name {
	case EventLink:
		return "wanted"
	case EventConnect, EventWarning, EventNote:
		return "message"
	case EventLook, EventConfirm:
		return "at"
	case EventPlan:
		return "steps"
	case EventPreflight:
		return "preflight"
	case EventAct, EventStep:
		return "step"
	case EventEnd:
		return "outcome"
	case EventError:
		return "error"
	case EventResult:
		return "document"
	}
	return ""
}

func TestEventsSchemaFile(t *testing.T) { kept(t, eventsSchemaFile, eventsSchema(t)) }

// told are the lines of a run, each checked against the schema.
func told(t *testing.T, text string) []Event {
	t.Helper()
	s := resolve(t, eventsSchemaFile)
	var events []Event
	for line := range strings.Lines(text) {
		var v map[string]any
		var e Event
		if err := errors.Join(json.Unmarshal([]byte(line), &v), json.Unmarshal([]byte(line), &e)); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%v in %s", err, line)
		}
		events = append(events, e)
	}
	return events
}

// named is what a reader of events sees at a glance: link, event, and the id.
func named(events []Event) []string {
	var names []string
	for _, e := range events {
		name := string(e.Event)
		switch {
		case e.At != "":
			name += " " + e.At
		case e.Step != nil:
			name += " " + e.Step.ID + " " + string(e.Step.Status)
		case e.Message != "":
			name += " " + e.Message
		}
		if e.Link == nil {
			name = "- " + name
		}
		names = append(names, name)
	}
	return names
}

func TestEventsOfAnApply(t *testing.T) {
	out, text := plain()
	v := NewView("apply", Events, out, Stream{Writer: io.Discard})
	defer v.Close()
	v.Warn("others can read it")
	o := sample()
	o.Report.Steps = o.Report.Steps[:1]
	ended := done()
	ended.Report.Steps = ended.Report.Steps[:1]
	v.Begin(o)
	v.Progress("connecting")
	v.Note("no interface")
	playApply(v, o)
	v.Finish(ended)
	doc := NewDocument("apply", ended)
	if err := v.Done(doc, io.Discard); err != nil {
		t.Fatal(err)
	}
	events := told(t, text.String())
	if diff := cmp.Diff([]string{
		"- warning others can read it",
		"link", "connect connecting", "note no interface",
		"look create-certificate", "plan",
		"act create-certificate would-change", "confirm create-certificate", "step create-certificate changed",
		"end", "- result",
	}, named(events)); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(&doc, events[len(events)-1].Document); diff != "" {
		t.Errorf("the last line holds another document (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(NewDocument("plan", o).Links[0].Steps, events[5].Steps); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	for i, e := range events {
		when, err := time.Parse(time.RFC3339Nano, e.Time)
		if err != nil || when.Location() != time.UTC || time.Since(when) > time.Minute {
			t.Errorf("line %d: time %q, %v", i+1, e.Time, err)
		}
	}
}

// Every link has its own number, and errors say which step they belong to.
func TestEventsOfTwoLinks(t *testing.T) {
	out, text := plain()
	errs, said := plain()
	v := NewView("status", Events, out, errs)
	defer v.Close()
	lost := Outcome{Report: Stopped(errors.New("no way"))}
	broken := sample()
	broken.Report.Result = orchestrator.ResFailed
	broken.Report.Steps[0].Status = orchestrator.Failed
	broken.Report.Steps[0].Err = &orchestrator.Failure{Class: "remote", Message: "no"}
	for _, o := range []Outcome{lost, broken} {
		v.Begin(o)
		v.Finish(o)
	}
	if err := v.Done(NewDocument("status", lost, broken), io.Discard); err != nil {
		t.Fatal(err)
	}
	events := told(t, text.String())
	var at []int
	for _, e := range events[:len(events)-1] {
		at = append(at, *e.Link)
	}
	if diff := cmp.Diff([]int{0, 0, 0, 1, 1, 1}, at); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"link", "error", "end", "link", "error create-certificate", "end", "- result"}, named(events)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(said.String(), "error: create-certificate: no\n") {
		t.Errorf("people are told %q", said.String())
	}
}

// A line is there as soon as it happened, whole, by one write.
func TestEachEventIsOneWrite(t *testing.T) {
	var writes []string
	v := NewView("plan", Events, Stream{Writer: writer(func(p []byte) { writes = append(writes, string(p)) })}, Stream{Writer: io.Discard})
	defer v.Close()
	v.Progress("one")
	if len(writes) != 1 || !strings.HasSuffix(writes[0], "}\n") {
		t.Errorf("%q", writes)
	}
	v.Begin(sample())
	if len(writes) != 2 || strings.Count(writes[1], "\n") != 1 {
		t.Errorf("%q", writes)
	}
}

type writer func(p []byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// A reader that leaves is reported at the end, and written to no more.
func TestEventsWithoutAReader(t *testing.T) {
	calls := 0
	out := lost(func() { calls++ })
	v := NewView("apply", Events, Stream{Writer: out}, Stream{Writer: io.Discard})
	defer v.Close()
	playApply(v, sample())
	v.Finish(done())
	err := v.Done(NewDocument("apply", done()), io.Discard)
	if !errors.Is(err, io.ErrClosedPipe) || calls != 1 {
		t.Errorf("%v after %d writes, want a closed pipe after one", err, calls)
	}
}

type lost func()

func (l lost) Write([]byte) (int, error) { l(); return 0, io.ErrClosedPipe }

func TestEventsArePrintable(t *testing.T) {
	const evil = "a\x1b[2Jb\u202e\r"
	out, text := plain()
	v := NewView("apply", Events, out, Stream{Writer: io.Discard})
	defer v.Close()
	o := sample()
	o.Report.Steps = o.Report.Steps[:1]
	s := &o.Report.Steps[0]
	s.Reason, s.Status = evil, orchestrator.Failed
	s.Err = &orchestrator.Failure{Class: "remote", Message: evil, Hint: evil}
	s.Changes = []orchestrator.Change{{Field: evil, Have: evil, Want: evil, Diff: evil}}
	v.Begin(o)
	v.Warn(evil)
	v.Note(evil)
	v.Progress(evil)
	playApply(v, o)
	v.Failure("", s.Err)
	v.Finish(o)
	for i, e := range told(t, text.String()) {
		e.Document = nil
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{`\u001b`, `\r`, "\u202e"} {
			if strings.Contains(string(again), bad) {
				t.Errorf("line %d has %q: %s", i+1, bad, again)
			}
		}
	}
}

func TestEventsSchemaRefuses(t *testing.T) {
	s := resolve(t, eventsSchemaFile)
	for name, line := range map[string]string{
		"another schema":       `{"schema":"ntl-setup-events/2","time":"2026-01-02T03:04:05Z","event":"note","message":"m"}`,
		"unknown event":        `{"schema":"ntl-setup-events/1","time":"2026-01-02T03:04:05Z","event":"rumour","message":"m"}`,
		"no time":              `{"schema":"ntl-setup-events/1","event":"note","message":"m"}`,
		"note without text":    `{"schema":"ntl-setup-events/1","time":"2026-01-02T03:04:05Z","event":"note"}`,
		"result without one":   `{"schema":"ntl-setup-events/1","time":"2026-01-02T03:04:05Z","event":"result"}`,
		"null link":            `{"schema":"ntl-setup-events/1","time":"2026-01-02T03:04:05Z","event":"look","at":"x","link":null}`,
		"result of other form": `{"schema":"ntl-setup-events/1","time":"2026-01-02T03:04:05Z","event":"result","document":{"schema":"ntl-setup/2"}}`,
	} {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	var later map[string]any
	if err := json.Unmarshal([]byte(`{"schema":"ntl-setup-events/1","time":"2026-01-02T03:04:05Z","event":"note","message":"m","later":1}`), &later); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(later); err != nil {
		t.Errorf("a field of a later version is refused: %v", err)
	}
}
