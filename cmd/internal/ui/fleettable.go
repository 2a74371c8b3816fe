package ui

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"ntl-setup/orchestrator"
)

// summary is one link in a line: its result and why; on a terminal the reason is
// folded below itself.
func summary(id string, o Outcome, out Stream) string {
	symbol, sgr := resultLook(o.Report.Result)
	result := symbol + " " + string(o.Report.Result)
	why := reasonOf(o)
	if why == "" {
		return id + "  " + out.paint(sgr, result)
	}
	head := id + "  "
	room := pad("", len("established")-len(o.Report.Result)) + "  "
	used := utf8.RuneCountInString(head+result+room) + utf8.RuneCountInString(why)
	if out.Width == 0 || used <= out.Width {
		return head + out.paint(sgr, result) + room + why
	}
	return head + out.paint(sgr, result) + "\n" + behind("  ", "", 0, why, out)
}

// behind is a text behind a label, indented and folded for a terminal.
func behind(indent, label string, columns int, text string, out Stream) string {
	lines := []string{text}
	if out.Width > 0 {
		lines = wrap(text, out.Width-len(indent)-columns)
	}
	return indent + label + strings.Join(lines, "\n"+indent+strings.Repeat(" ", columns))
}

// hintOf is what to do about a link that did not succeed.
func hintOf(o Outcome) string {
	r := o.Report
	if r.Err != nil {
		return oneLine(r.Err.Hint)
	}
	for _, s := range r.Steps {
		switch {
		case s.Err != nil:
			return oneLine(s.Err.Hint)
		case s.Status == orchestrator.Conflict:
			return oneLine(s.Hint)
		}
	}
	return ""
}

// reasonOf is why a link ended as it did, in a few words.
func reasonOf(o Outcome) string {
	r := o.Report
	if r.Result == orchestrator.Interrupted {
		return whenInterrupted(r)
	}
	if r.Err != nil {
		return oneLine(r.Err.Message)
	}
	if why := stopped(r); why != "" {
		return why
	}
	switch n := count(r.Steps, orchestrator.Changed); {
	case r.Result == orchestrator.Changes:
		return pending(r.Steps)
	case n > 0:
		return plural(n, "one change", "%d changes")
	}
	return ""
}

// stopped is the step that a link ended at, and why; empty if it was none.
func stopped(r orchestrator.Report) string {
	for _, s := range r.Steps {
		if s.Err != nil || s.Status == orchestrator.Conflict || s.Status == orchestrator.Failed {
			why := s.Reason
			if s.Err != nil {
				why = s.Err.Message
			}
			return s.Info.ID + ": " + oneLine(why)
		}
	}
	return ""
}

// whenInterrupted says at what a link was interrupted, and what it has changed by
// then. That it was stands before it.
func whenInterrupted(r orchestrator.Report) string {
	const word = "interrupted"
	when := stopped(r)
	if r.Err != nil {
		when = strings.TrimSpace(strings.TrimPrefix(oneLine(r.Err.Message), word))
	}
	if strings.HasPrefix(when, "not begun") {
		return when
	}
	if when == "" {
		when = "before its first step"
	}
	var done []string
	for _, s := range r.Steps {
		if s.Status == orchestrator.Changed {
			done = append(done, s.Info.ID)
		}
	}
	switch {
	case len(done) > 0:
		return when + "; changed already: " + strings.Join(done, ", ")
	case r.Acted:
		return when + "; a change was begun and is not confirmed"
	}
	return when + "; nothing was changed"
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
		if hint := hintOf(o); hint != "" {
			b.WriteString(behind("  ", v.out.paint(bold, "hint:")+" ", len("hint: "), hint, v.out) + "\n")
		}
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
