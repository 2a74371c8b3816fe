package ui

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"ntl-setup/orchestrator"
)

// Columns of the table of steps; the longest of the procedure's words fit.
const (
	idWidth     = 18
	hostWidth   = 6
	statusWidth = 12
	// below is how far what belongs to a step is indented, deeper what belongs to
	// one of its changes.
	below  = "       "
	deeper = below + "  "
)

// row is one step: its line, and below it what differs.
func row(s orchestrator.StepReport, out Stream) string {
	symbol, sgr := look(s.Status)
	head := fmt.Sprintf("%4d  %s  %s  ", s.Info.Number, pad(s.Info.ID, idWidth), pad(s.Info.Host, hostWidth))
	status := symbol + " " + string(s.Status)
	room := strings.Repeat(" ", max(0, statusWidth+2-utf8.RuneCountInString(status)))
	reason := oneLine(s.Reason)
	took := elapsed(s.Duration)
	if took != "" {
		took = "(" + took + ")"
	}

	var b strings.Builder
	b.WriteString(head + out.paint(sgr, status) + room)
	used := utf8.RuneCountInString(head+status+room) + 2
	whole := join(reason, took)
	switch {
	case whole == "":
	case out.Width == 0 || used+utf8.RuneCountInString(whole) <= out.Width:
		b.WriteString("  " + join(reason, out.paint(faint, took)))
	default:
		if took != "" {
			b.WriteString("  " + out.paint(faint, took))
		}
		for _, line := range wrap(reason, out.Width-len(below)) {
			b.WriteString("\n" + within(below+line, out.Width))
		}
	}
	return strings.TrimRight(b.String(), " ") + "\n" + differences(s.Changes, out)
}

// differences are a step's changes, one `field  have → want` a line with the
// fields aligned, and below each its file difference. What does not fit on a
// terminal takes a line for the field, one for have, one for want.
func differences(changes []orchestrator.Change, out Stream) string {
	const aligned = 24 // a longer field, a path, would push the others away
	width := 0
	for _, c := range changes {
		if n := utf8.RuneCountInString(oneLine(c.Field)); n <= aligned {
			width = max(width, n)
		}
	}
	var b strings.Builder
	for _, c := range changes {
		field, have, want := oneLine(c.Field), known(c.Have), known(c.Want)
		line := deeper + pad(field, width) + "  " + have + " → " + want
		if out.Width > 0 && utf8.RuneCountInString(line) > out.Width {
			room := out.Width - len(deeper) - 4
			line = deeper + field + hang("  ", wrap(have, room), out.Width) + hang("→ ", wrap(want, room), out.Width)
		}
		b.WriteString(line + "\n" + colored(c.Diff, out))
	}
	return b.String()
}

// hang puts lines below a field, the first behind a mark.
func hang(mark string, lines []string, width int) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("\n" + within(deeper+"  "+mark+line, width))
		mark = "  "
	}
	return b.String()
}

// known names an empty value, which would look like a missing word.
func known(value string) string {
	if value = oneLine(value); value != "" {
		return value
	}
	return "(none)"
}

// colored is a unified diff, indented.
func colored(diff string, out Stream) string {
	if diff == "" {
		return ""
	}
	var b strings.Builder
	for line := range strings.Lines(Block(diff)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
			line = out.paint(bold, line)
		case strings.HasPrefix(line, "@@"):
			line = out.paint(faint, line)
		case strings.HasPrefix(line, "+"):
			line = out.paint(green, line)
		case strings.HasPrefix(line, "-"):
			line = out.paint(red, line)
		}
		b.WriteString(deeper + "  " + line + "\n")
	}
	return b.String()
}

// join puts a blank between two texts, if both are there.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// table is the rows of a link that were not told yet, and what lies between its
// hosts.
func (v *View) table(o Outcome) string {
	text := ""
	if len(v.shown) == 0 && len(o.Report.Steps) > 0 {
		text = title(o, v.out)
	}
	for _, s := range o.Report.Steps {
		if v.planned { // its differences were shown with the plan
			s.Changes = nil
		}
		if !v.shown[s.Info.ID] {
			text += row(s, v.out)
		}
	}
	switch {
	case v.command == doctor && len(o.Preflight) > 0:
		text += title(o, v.out) + everyCheck(o.Preflight, v.out) + "\n"
	case len(o.Report.Steps) > 0 && v.planned:
		text += "\n"
	case len(o.Report.Steps) > 0:
		text += preflightBlock(o.Preflight, v.out) + "\n"
	}
	return text
}

// news is what is not as the plan showed it; "" if all of it is.
func (v *View) news(o Outcome) string {
	text := ""
	for _, s := range o.Report.Steps {
		if s.Status == orchestrator.Conflict && o.Report.Result == orchestrator.Conflicted {
			s.Changes = nil
			text += row(s, v.out)
		}
	}
	if text == "" {
		return ""
	}
	return title(o, v.out) + text + "\n"
}

// title names a link above its table.
func title(o Outcome, out Stream) string {
	name := o.Name
	if o.ClientAddress != "" && o.ClientAddress != name {
		name = join(name, "("+o.ClientAddress+")")
	}
	ends := oneLine(o.Client + " → " + o.HSM)
	return out.paint(bold, oneLine(name)) + "  " + ends + "  " +
		oneLine(strings.Join(o.Partitions, ", ")) + "\n"
}
