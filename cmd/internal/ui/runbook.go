package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ntl-setup/orchestrator"
)

// Runbook makes standard output what a person would type to do by hand what
// apply would do, and nothing else, so that it can be saved. What else there is
// to tell goes to standard error. Before the run begins.
func (v *View) Runbook() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.runbook = true
}

// aside writes to standard error what a run without a runbook tells on standard
// output; with another format than text, the document tells it.
func (v *View) aside(text string) {
	if v.format == Text {
		v.print(text)
	}
}

// finishRunbook is Finish for a run that prints one.
func (v *View) finishRunbook(o Outcome) {
	if o.typeable() {
		v.result(runbook(o))
	} else if len(o.Report.Steps) > 0 {
		text := title(o, v.err)
		for _, s := range o.Report.Steps {
			text += row(s, v.err)
		}
		v.aside(text)
	}
	if len(o.Report.Steps) > 0 {
		v.aside(preflightBlock(o.Preflight, v.err))
	}
	v.errors(o.Report)
	v.aside(folded(closing(v.command, o, time.Now()), v.err))
	link := o.link()
	v.events.tell(Event{Event: EventEnd, Outcome: &link})
	v.shown, v.total = map[string]bool{}, 0
}

// runbooks are those of many links, one behind the other.
func (v *View) runbooks(outcomes []Outcome) {
	var all []string
	for _, o := range outcomes {
		if o.typeable() {
			all = append(all, runbook(o))
		}
	}
	v.result(strings.Join(all, "\n"))
}

// typeable reports whether there is something to type, or nothing left to be:
// where a person must decide first, or a look failed, nothing is offered.
func (o Outcome) typeable() bool {
	return len(o.Seats) > 0 && (o.Report.Result == orchestrator.Changes || o.Report.Result == orchestrator.Established)
}

// steps are the steps of a document, with their commands where these are wanted.
func (o Outcome) steps() []Step {
	all := stepsOf(o.Report.Steps)
	if !o.typeable() {
		return all
	}
	for i, commands := range o.commands() {
		all[i].Commands = commands
	}
	return all
}

// commands are those of each step, safe to show, and without those that have no
// effect once more.
func (o Outcome) commands() [][]orchestrator.Command {
	seen := map[orchestrator.Command]bool{}
	all := make([][]orchestrator.Command, len(o.Report.Steps))
	for i, s := range o.Report.Steps {
		for _, c := range s.Commands {
			if c.Once && seen[c] {
				continue
			}
			seen[c] = true
			all[i] = append(all[i], orchestrator.Command{Where: c.Where, Line: oneLine(c.Line), Note: oneLine(c.Note), Diff: Block(c.Diff)})
		}
	}
	return all
}

// runbook is one link: where things are typed, and then, step by step, what.
func runbook(o Outcome) string {
	var b strings.Builder
	b.WriteString("# " + title(o, Stream{}))
	if o.Report.Result == orchestrator.Established {
		b.WriteString("# Everything holds: there is nothing to type.\n")
		return b.String()
	}
	for _, s := range o.Seats {
		fmt.Fprintf(&b, "# %s %s\n", pad(s.Prompt, len("lunash:>")), oneLine(s.How))
	}
	commands := o.commands()
	for i, s := range o.Report.Steps {
		if len(commands[i]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n# %d %s: %s\n", s.Info.Number, s.Info.ID, s.Info.Title)
		if s.Status == orchestrator.Unknown {
			b.WriteString("# Not known yet (" + oneLine(s.Reason) + "); this would follow:\n")
		}
		for _, c := range commands[i] {
			b.WriteString(typed(c, o.prompt(c.Where)))
		}
	}
	return b.String()
}

// typed is one command, made safe: what to know of it, the line behind its prompt, and the
// difference that it is about.
func typed(c orchestrator.Command, prompt string) string {
	var b strings.Builder
	if c.Note != "" {
		b.WriteString("# " + c.Note + "\n")
	}
	b.WriteString(prompt + " " + c.Line + "\n")
	for line := range strings.Lines(c.Diff) {
		b.WriteString("    " + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}

// prompt is what stands before a line that is typed there.
func (o Outcome) prompt(where string) string {
	if i := slices.IndexFunc(o.Seats, func(s orchestrator.Seat) bool { return s.Where == where }); i >= 0 {
		return o.Seats[i].Prompt
	}
	return where
}
