package ui

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
)

// Fleet tells a run over many links: a bar with counts and what is at work on a
// terminal, a line as each link ends elsewhere, and a table at the end. Its
// methods, and those of its links' views, may be called from several goroutines.
type Fleet struct {
	view  *View
	total int
	ended map[orchestrator.Result]int
	busy  []*LinkView // at work, in the order in which they began
}

// Fleet begins one pass over so many links.
func (v *View) Fleet(total int) *Fleet {
	return &Fleet{view: v, total: total, ended: map[orchestrator.Result]int{}}
}

// LinkView tells one link of a fleet.
type LinkView struct {
	fleet *Fleet
	at    int // its place among the links
	id    string
	doing string
}

// Link is the view of one link, which begins now: the one at a place, from 0, in
// the run. id is what the file calls it.
func (f *Fleet) Link(at int, id string, o Outcome) *LinkView {
	l := &LinkView{fleet: f, at: at, id: oneLine(id), doing: "connecting"}
	f.view.mu.Lock()
	defer f.view.mu.Unlock()
	f.view.events.about(at).begins(o)
	f.busy = append(f.busy, l)
	f.draw()
	return l
}

// Progress says what the link is doing.
func (l *LinkView) Progress(text string) {
	l.fleet.view.mu.Lock()
	defer l.fleet.view.mu.Unlock()
	l.fleet.view.events.about(l.at).say(EventConnect, text)
	l.doing = oneLine(text)
	l.fleet.draw()
}

// Warn says something that the link goes on in spite of.
func (l *LinkView) Warn(text string) { l.say(yellow, EventWarning, text) }

// Note says something worth knowing about the link.
func (l *LinkView) Note(text string) { l.say(faint, EventNote, text) }

func (l *LinkView) say(sgr string, label EventName, text string) {
	v := l.fleet.view
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events.about(l.at).say(label, text)
	v.print(labelled(sgr, string(label), l.id+": "+text, v.err))
}

// Checked tells the events of a preflight; people read its problems as reasons.
func (l *LinkView) Checked(checks []preflight.Check) {
	l.fleet.view.mu.Lock()
	defer l.fleet.view.mu.Unlock()
	l.fleet.view.events.about(l.at).tell(Event{Event: EventPreflight, Preflight: plainChecks(checks)})
}

// Plan shows nothing: a fleet's plans are shown in one table.
func (l *LinkView) Plan(Outcome, []orchestrator.StepReport) {}

// Observe is the orchestrator.Observer of the link.
func (l *LinkView) Observe(ev orchestrator.Event) {
	v := l.fleet.view
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events.about(l.at).observe(ev)
	switch ev.Kind {
	case orchestrator.Looking:
		l.doing = "looking at " + ev.Info.ID
	case orchestrator.Acting:
		l.doing = ev.Info.ID
	case orchestrator.Confirm:
		l.doing = "confirming " + ev.Info.ID
	default:
		return
	}
	l.fleet.draw()
}

// End tells how the link ended.
func (l *LinkView) End(o Outcome) {
	f, v := l.fleet, l.fleet.view
	v.mu.Lock()
	defer v.mu.Unlock()
	f.busy = slices.DeleteFunc(f.busy, func(b *LinkView) bool { return b == l })
	f.ended[o.Report.Result]++
	link := o.link()
	v.events.about(l.at).tell(Event{Event: EventEnd, Outcome: &link})
	if v.err.Width == 0 || !succeeded(o.Report.Result) {
		v.print(summary(l.id, o, v.err) + "\n")
	}
	f.draw()
}

// succeeded: nothing about the link wants attention at once.
func succeeded(r orchestrator.Result) bool {
	return r == orchestrator.Established || r == orchestrator.Changes
}

// draw sets the moving line: a bar, the counts, and what is at work.
func (f *Fleet) draw() {
	done := 0
	var counts []string
	for _, r := range resultsInOrder() {
		if n := f.ended[r]; n > 0 {
			done += n
			counts = append(counts, fmt.Sprintf("%d %s", n, r))
		}
	}
	if done == f.total {
		f.view.live.set("")
		return
	}
	var busy []string
	for _, l := range f.busy {
		busy = append(busy, l.id+" "+l.doing)
	}
	text := fmt.Sprintf("%s %d/%d", bar(done, f.total), done, f.total)
	if len(counts) > 0 {
		text += " (" + strings.Join(counts, ", ") + ")"
	}
	f.view.live.keep(text + "  " + strings.Join(busy, " · "))
}

// bar is how far a run has come, twenty columns wide.
func bar(done, total int) string {
	const width = 20
	full := 0
	if total > 0 {
		full = done * width / total
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "]"
}

// resultsInOrder are the results as tables and counts have them.
func resultsInOrder() []orchestrator.Result {
	return []orchestrator.Result{
		orchestrator.Established, orchestrator.Changes, orchestrator.Conflicted, orchestrator.ResFailed,
		orchestrator.Unreachable, orchestrator.Declined, orchestrator.Interrupted,
	}
}

// summary is one link in a line: its result and why.
func summary(id string, o Outcome, out Stream) string {
	symbol, sgr := resultLook(o.Report.Result)
	result := symbol + " " + string(o.Report.Result)
	text := id + "  " + out.paint(sgr, result)
	if why := reasonOf(o); why != "" {
		text += pad("", len("established")-len(o.Report.Result)) + "  " + why
	}
	return text
}

// reasonOf is why a link ended as it did, in a few words.
func reasonOf(o Outcome) string {
	r := o.Report
	if r.Err != nil {
		return oneLine(r.Err.Message)
	}
	for _, s := range r.Steps {
		if s.Err != nil || s.Status == orchestrator.Conflict || s.Status == orchestrator.Failed {
			why := s.Reason
			if s.Err != nil {
				why = s.Err.Message
			}
			return s.Info.ID + ": " + oneLine(why)
		}
	}
	switch n := count(r.Steps, orchestrator.Changed); {
	case r.Result == orchestrator.Changes:
		return pending(r.Steps)
	case n > 0:
		return plural(n, "one change", "%d changes")
	}
	return ""
}

// resultLook is how a result is shown.
func resultLook(r orchestrator.Result) (symbol, sgr string) {
	switch r {
	case orchestrator.Established:
		return "✓", green
	case orchestrator.Changes:
		return "~", yellow
	case orchestrator.Declined, orchestrator.Interrupted:
		return "-", faint
	case orchestrator.Conflicted:
		return "!", red
	default:
		return "✗", red
	}
}

// Table is the end of a run over many links, on standard output: a line for each
// that did not succeed, with its reason, behind one for each that did, and the
// counts.
func (f *Fleet) Table(ids []string, outcomes []Outcome) {
	v := f.view
	v.mu.Lock()
	defer v.mu.Unlock()
	v.live.set("")
	width := 0
	for _, id := range ids {
		width = max(width, utf8.RuneCountInString(oneLine(id)))
	}
	var b strings.Builder
	counts := map[orchestrator.Result]int{}
	for i, o := range outcomes {
		counts[o.Report.Result]++
		b.WriteString(summary(pad(oneLine(ids[i]), width), o, v.out) + "\n")
	}
	var parts []string
	for _, r := range resultsInOrder() {
		if counts[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[r], r))
		}
	}
	fmt.Fprintf(&b, "\n%s: %s\n", plural(len(outcomes), "1 link", "%d links"), strings.Join(parts, ", "))
	if v.runbook {
		v.aside(b.String())
		return
	}
	v.result(b.String())
}

// Plans shows what would change, or what stands in the way, link by link: on
// standard error before a question, else on standard output.
func (f *Fleet) Plans(outcomes []Outcome) {
	v := f.view
	v.mu.Lock()
	defer v.mu.Unlock()
	v.live.set("")
	if v.runbook {
		v.runbooks(outcomes)
		return
	}
	out := v.out
	if v.command == "apply" {
		out = v.err
	}
	var b strings.Builder
	for _, o := range outcomes {
		if o.Report.Result == orchestrator.Established || len(o.Report.Steps) == 0 {
			continue
		}
		b.WriteString(title(o, out))
		for _, s := range o.Report.Steps {
			b.WriteString(row(s, out))
		}
		b.WriteString("\n")
	}
	writeAll(out, b.String())
}
