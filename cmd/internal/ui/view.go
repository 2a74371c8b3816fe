package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"ntl-setup/orchestrator"
)

// Format is the form of the results.
type Format string

// The formats.
const (
	Text   Format = "text"
	JSON   Format = "json"   // one document at the end
	Events Format = "events" // one line of JSON as each thing happens
)

// View tells one run. Its methods may be called from several goroutines.
type View struct {
	command string
	format  Format

	mu     sync.Mutex
	out    Stream
	err    Stream
	live   *line
	events *eventLog // nil but with Events
	asking bool
	held   []string // what was to be said while a question stood on the terminal

	total   int             // steps of the present link; 0 until all were looked at
	shown   map[string]bool // steps whose row is on standard output
	planned bool            // the plan of the link at work was shown
	runbook bool            // standard output is what a person would type, and nothing else
}

// doctor is the command that looks at what lies between the hosts alone.
const doctor = "doctor"

// NewView makes the view of a run of a command (apply, plan, status, doctor).
// Close it.
func NewView(command string, format Format, out, err Stream) *View {
	v := &View{command: command, format: format, out: out, err: err, shown: map[string]bool{}}
	if format == Events {
		v.events = &eventLog{out: out.Writer, now: time.Now}
	}
	if format != Text {
		v.out.Writer, v.out.Width, v.out.Color = io.Discard, 0, false
	}
	v.live = newLine(&v.mu, err)
	return v
}

// Close ends the moving line.
func (v *View) Close() { v.live.close() }

// Warn says something that the run goes on in spite of.
func (v *View) Warn(text string) { v.say(yellow, EventWarning, text) }

// Note says something worth knowing.
func (v *View) Note(text string) { v.say(faint, EventNote, text) }

func (v *View) say(sgr string, label EventName, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events.say(label, text)
	v.print(labelled(sgr, string(label), text, v.err))
}

// Failure says what went wrong and, if known, what to do.
func (v *View) Failure(where string, f *orchestrator.Failure) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failure(where, f)
}

func (v *View) failure(where string, f *orchestrator.Failure) {
	v.events.fail(where, f)
	message := oneLine(f.Message)
	if where != "" {
		message = where + ": " + message
	}
	text := labelled(red, "error", message, v.err)
	if f.Hint != "" {
		text += labelled(bold, "hint", f.Hint, v.err)
	}
	v.print(text)
}

// labelled is a message behind a word that says what it is; on a terminal it is
// wrapped, and hangs behind that word.
func labelled(sgr, label, text string, out Stream) string {
	label += ":"
	lines := []string{oneLine(text)}
	if out.Width > 0 {
		lines = wrap(lines[0], out.Width-len(label)-1)
	}
	text = hanging(label+" ", lines, out.Width)
	return out.paint(sgr, label) + strings.TrimPrefix(text, label) + "\n"
}

// Progress says what is going on, on a terminal, until the next thing is said.
func (v *View) Progress(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events.say(EventConnect, text)
	v.live.set(oneLine(text))
}

// print writes to standard error, above the moving line, or keeps the text
// until the question that stands there is answered.
func (v *View) print(text string) {
	if v.asking {
		v.held = append(v.held, text)
		return
	}
	v.live.erase()
	writeAll(v.err, text)
}

// result writes to standard output.
func (v *View) result(text string) {
	v.live.erase()
	writeAll(v.out, text)
}

// Ask runs a question with the terminal to itself: the moving line is gone, and
// whatever others say waits.
func (v *View) Ask(question func() error) error {
	v.mu.Lock()
	v.live.set("")
	v.live.muted = true
	v.asking = true
	v.mu.Unlock()
	defer func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.asking, v.live.muted = false, false
		for _, text := range v.held {
			writeAll(v.err, text)
		}
		v.held = nil
	}()
	return question()
}

// Observe is the orchestrator.Observer of a run.
func (v *View) Observe(ev orchestrator.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events.observe(ev)
	switch ev.Kind {
	case orchestrator.Looking:
		v.live.set("looking: " + ev.Info.ID + " (" + ev.Info.Host + ")")
	case orchestrator.Planned: // the next Looking, or Looked, follows at once
	case orchestrator.Looked:
		v.total = len(ev.Plan)
		v.live.set("")
	case orchestrator.Acting:
		v.live.set(v.position(ev.Info) + "making it so")
	case orchestrator.Confirm:
		v.live.set(v.position(ev.Info) + "looking again")
	case orchestrator.Completed:
		v.live.set("")
		v.shown[ev.Info.ID] = true
		step := ev.Step
		step.Changes = nil // shown with the plan, and settled since
		v.result(row(step, v.out))
	}
}

func (v *View) position(info orchestrator.Info) string {
	return fmt.Sprintf("%d/%d %s (%s): ", info.Number, v.total, info.ID, info.Host)
}

// Plan shows what an apply is about to do, on standard error: the results of
// the run follow on standard output.
func (v *View) Plan(o Outcome, plan []orchestrator.StepReport) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.planned = true
	text := title(o, v.err)
	for _, s := range plan {
		text += row(s, v.err)
	}
	v.print(text + preflightBlock(o.Preflight, v.err) + "\n")
}

// Finish tells how a link ended: the steps that were not told yet, the error and
// its hint, and what is true now.
func (v *View) Finish(o Outcome) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.live.set("")
	if v.runbook {
		v.finishRunbook(o)
		return
	}
	if asked := v.planned && len(v.shown) == 0 && !o.Report.Acted; asked {
		v.result(v.news(o)) // a plan that was not begun need not be told twice
	} else {
		v.result(v.table(o))
	}
	v.planned = false
	v.errors(o.Report)
	v.result(folded(closing(v.command, o, time.Now()), v.out))
	link := o.link()
	v.events.tell(Event{Event: EventEnd, Outcome: &link})
	v.shown, v.total = map[string]bool{}, 0
}

// errors are the error and hint lines of a link: that of the run, else those of
// its steps.
func (v *View) errors(r orchestrator.Report) {
	if r.Err != nil {
		v.failure("", r.Err)
		return
	}
	for _, s := range r.Steps {
		if s.Err != nil {
			v.failure(s.Info.ID, s.Err)
		}
	}
}

// Done prints the document, where one is wanted; stdout is where it goes. With
// Events it is the last line, and the error that of the first line that was lost.
func (v *View) Done(d Document, stdout io.Writer) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.live.set("")
	switch v.format {
	case JSON:
		return WriteDocument(stdout, d)
	case Events:
		return v.events.result(d)
	case Text:
	}
	return nil
}

// WriteDocument writes one document and a newline.
func WriteDocument(w io.Writer, d Document) error {
	if err := writeJSON(w, d); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

// writeAll writes a text to a stream. A reader that went away (a closed pipe)
// must not stop a run that is changing machines, so the error is dropped here;
// the document, written last, and the events report their own.
func writeAll(s Stream, text string) {
	_, _ = io.WriteString(s.Writer, text)
}
