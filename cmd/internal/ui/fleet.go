package ui

import (
	"fmt"
	"slices"
	"strings"

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

	left    map[string]int // links that have not ended, by client, which has no entry once all have
	clients int            // how many clients there are
}

// Fleet begins one pass over so many links.
func (v *View) Fleet(total int) *Fleet {
	return &Fleet{view: v, total: total, ended: map[orchestrator.Result]int{}}
}

// Expect names the links of the pass, so that the last client that is waited for
// can be told. ids are what the file calls them.
func (f *Fleet) Expect(ids []string) {
	f.view.mu.Lock()
	defer f.view.mu.Unlock()
	f.left = map[string]int{}
	for _, id := range ids {
		client, _, _ := strings.Cut(oneLine(id), "/")
		f.left[client]++
	}
	f.clients = len(f.left)
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
	if f.left != nil {
		client, _, _ := strings.Cut(l.id, "/")
		if f.left[client]--; f.left[client] <= 0 {
			delete(f.left, client)
		}
	}
	// A runbook's table goes to standard error too, and has all of that.
	if !v.runbook && (v.err.Width == 0 || !succeeded(o.Report.Result)) {
		v.print(summary(l.id, o, v.err) + "\n")
	}
	f.draw()
}

// Again takes back that a link has ended so: it is tried once more, and why is
// said.
func (f *Fleet) Again(id string, ended orchestrator.Result, why string) {
	f.view.mu.Lock()
	defer f.view.mu.Unlock()
	f.ended[ended]--
	if f.left != nil {
		client, _, _ := strings.Cut(oneLine(id), "/")
		f.left[client]++
	}
	f.view.events.say(EventNote, id+": "+why)
	f.view.print(labelled(faint, string(EventNote), oneLine(id)+": "+why, f.view.err))
	f.draw()
}

// succeeded: nothing about the link wants attention at once.
func succeeded(r orchestrator.Result) bool {
	return r == orchestrator.Established || r == orchestrator.Changes
}

// draw sets the moving line: a bar, the counts and the time, and what is at work.
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
	text := fmt.Sprintf("%s %d/%d", bar(done, f.total, f.view.err.Width), done, f.total)
	if len(counts) > 0 {
		text += " (" + strings.Join(counts, ", ") + ")"
	}
	f.view.live.keep(text, f.atWork())
}

// atWork is what is at work, and how much of it where a line may not hold all.
func (f *Fleet) atWork() string {
	var busy []string
	for _, l := range f.busy {
		busy = append(busy, l.id+" "+l.doing)
	}
	text := strings.Join(busy, " · ")
	switch {
	case len(f.left) == 1 && f.clients > 1 && len(busy) > 0:
		client, _, _ := strings.Cut(f.busy[0].id, "/")
		return "everything else is done, waiting for " + client + ": " + text
	case len(busy) > 1:
		return fmt.Sprintf("%d at work: %s", len(busy), text)
	}
	return text
}

// bar is how far a run has come: twenty columns wide, or ten on a narrow terminal.
func bar(done, total, terminal int) string {
	width := 20
	if terminal > 0 && terminal < 100 {
		width = 10
	}
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
