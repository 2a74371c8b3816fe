package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
)

// EventsSchemaID names the form of the lines of -o events. Events and fields are
// only ever added to it, so that a reader passes over those that it does not know.
const EventsSchemaID = "ntl-setup-events/1"

// EventName says what a line of -o events tells.
type EventName string

// The events, in the order in which a run can have them. Warnings, notes and
// errors come at any time.
const (
	EventLink    EventName = "link"    // the work on a link begins: what is wanted, in wanted
	EventConnect EventName = "connect" // what is done to reach and recognise its hosts, in message
	EventLook    EventName = "look"    // the first look at a step, at, begins
	EventPlan    EventName = "plan"    // the first look at all steps has ended: steps
	// EventPreflight: what lies between the hosts was looked at: preflight.
	EventPreflight EventName = "preflight"

	EventAct     EventName = "act"     // the act of a step is about to begin: step, with its changes
	EventConfirm EventName = "confirm" // the act has ended, and the step, at, is looked at again
	EventStep    EventName = "step"    // a step of an apply has its final status: step
	EventEnd     EventName = "end"     // the work on a link has ended: outcome
	EventWarning EventName = "warning" // message; the run goes on in spite of it
	EventNote    EventName = "note"    // message; worth knowing
	EventError   EventName = "error"   // error; at is the step, if it was one
	EventResult  EventName = "result"  // the last line: the document that -o json prints
)

// Event is one line of -o events.
type Event struct {
	Schema string    `json:"schema"`
	Time   string    `json:"time" jsonschema:"when it happened, RFC 3339 with fractions of a second, UTC"`
	Event  EventName `json:"event"`
	Link   *int      `json:"link,omitempty" jsonschema:"the link that it is about: its place, from 0, in the links of the result; absent for the whole run"`

	Message   string                `json:"message,omitempty"`
	At        string                `json:"at,omitempty" jsonschema:"the id of a step"`
	Wanted    *Wanted               `json:"wanted,omitempty"`
	Step      *Step                 `json:"step,omitempty"`
	Steps     []Step                `json:"steps,omitempty"`
	Outcome   *Link                 `json:"outcome,omitempty"`
	Preflight []preflight.Check     `json:"preflight,omitempty"`
	Error     *orchestrator.Failure `json:"error,omitempty"`
	Document  *Document             `json:"document,omitempty"`
}

// Wanted is a link as it is asked for.
type Wanted struct {
	Client        string   `json:"client" jsonschema:"user@host:port, or local"`
	HSM           string   `json:"hsm" jsonschema:"user@host:port"`
	Name          string   `json:"name" jsonschema:"the client's name on the HSM"`
	ClientAddress string   `json:"client_address" jsonschema:"what the HSM calls the client"`
	Partitions    []string `json:"partitions"`
}

// eventLog writes events as they happen. Its methods want the view's lock held;
// a nil one writes nothing.
type eventLog struct {
	out   io.Writer
	now   func() time.Time
	links int
	err   error // of the first line that could not be written; none follows
}

// begin makes the events that follow those of one link more.
func (l *eventLog) begin() {
	if l != nil {
		l.links++
	}
}

// tell writes one line, in one piece, so that a reader has it at once.
func (l *eventLog) tell(e Event) {
	if l == nil || l.err != nil {
		return
	}
	e.Schema, e.Time = EventsSchemaID, l.now().UTC().Format(time.RFC3339Nano)
	if at := l.links - 1; at >= 0 && e.Event != EventResult {
		e.Link = &at
	}
	l.err = writeJSON(l.out, e)
}

// say is tell for an event that is a text.
func (l *eventLog) say(name EventName, text string) {
	if l != nil {
		l.tell(Event{Event: name, Message: oneLine(text)})
	}
}

// fail is tell for an error; at is the step's id, if it was one.
func (l *eventLog) fail(at string, f *orchestrator.Failure) {
	if l != nil {
		l.tell(Event{Event: EventError, At: at, Error: plainFailure(f)})
	}
}

// observe is tell for what the engine does.
func (l *eventLog) observe(ev orchestrator.Event) {
	if l == nil {
		return
	}
	about := func(name EventName, r orchestrator.StepReport) {
		s := step(r)
		l.tell(Event{Event: name, Step: &s})
	}
	switch ev.Kind {
	case orchestrator.Looking:
		l.tell(Event{Event: EventLook, At: ev.Info.ID})
	case orchestrator.Planned: // told with the others
	case orchestrator.Looked:
		l.tell(Event{Event: EventPlan, Steps: stepsOf(ev.Plan)})
	case orchestrator.Acting:
		about(EventAct, ev.Step)
	case orchestrator.Confirm:
		l.tell(Event{Event: EventConfirm, At: ev.Info.ID})
	case orchestrator.Completed:
		about(EventStep, ev.Step)
	}
}

// Begin says that the work on a link begins.
func (v *View) Begin(o Outcome) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events.begin()
	v.events.begins(o)
}

// begins is tell for a link whose work begins.
func (l *eventLog) begins(o Outcome) {
	l.tell(Event{Event: EventLink, Wanted: &Wanted{
		Client: o.Client, HSM: o.HSM, Name: o.Name, ClientAddress: o.ClientAddress, Partitions: append([]string{}, o.Partitions...),
	}})
}

// about makes what is told next that of the link at a place.
func (l *eventLog) about(at int) *eventLog {
	if l != nil {
		l.links = at + 1
	}
	return l
}

// result is the last line; its error is that of any line before.
func (l *eventLog) result(d Document) error {
	l.tell(Event{Event: EventResult, Document: &d})
	if l.err != nil {
		return fmt.Errorf("write the events: %w", l.err)
	}
	return nil
}

// writeJSON writes a value and a newline, with one call of Write.
func writeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // nobody puts it into a web page, and people read it
	return enc.Encode(value) //nolint:wrapcheck // the callers say what was written
}
