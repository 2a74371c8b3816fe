package ui

import (
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
)

// What doctor makes of a link; no other command ends so.
const (
	Sound    orchestrator.Result = "ok"      // no check found a problem
	Troubled orchestrator.Result = "problem" // at least one did
)

// Checked says what a preflight found, to whoever reads events; people are told
// with the plan.
func (v *View) Checked(checks []preflight.Check) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events.tell(Event{Event: EventPreflight, Preflight: plainChecks(checks)})
}

// plainChecks are checks without control characters.
func plainChecks(checks []preflight.Check) []preflight.Check {
	var plain []preflight.Check
	for _, c := range checks {
		plain = append(plain, preflight.Check{ID: c.ID, Status: c.Status, Evidence: oneLine(c.Evidence), Hint: oneLine(c.Hint)})
	}
	return plain
}

// mark is how a check's status is shown.
func mark(s preflight.Status) (symbol, sgr string) {
	switch s {
	case preflight.OK:
		return look(orchestrator.OK)
	case preflight.Warning:
		return "!", yellow
	case preflight.Problem:
		return look(orchestrator.Failed)
	case preflight.Unknown:
	}
	return look(orchestrator.Unknown)
}

// checkWidth is the column of a check's name.
const checkWidth = 11

// checkRow is one check: its line, and below it what to do.
func checkRow(c preflight.Check, out Stream) string {
	symbol, sgr := mark(c.Status)
	head := "      " + pad(c.ID, checkWidth) + "  "
	status := pad(symbol+" "+string(c.Status), 9)
	var b strings.Builder
	b.WriteString(head + out.paint(sgr, status) + "  ")
	said := []string{oneLine(c.Evidence)}
	hint := []string{"→ " + oneLine(c.Hint)}
	room := strings.Repeat(" ", len(head)+11)
	if out.Width > 0 {
		room = deeper
		said, hint = wrap(said[0], out.Width-len(head)-11), wrap(hint[0], out.Width-len(deeper))
		if len(said) > 1 { // the line is for the status alone
			said = append([]string{""}, wrap(oneLine(c.Evidence), out.Width-len(deeper))...)
		}
	}
	b.WriteString(strings.Join(said, "\n"+room))
	if c.Hint != "" && c.Status != preflight.OK {
		b.WriteString("\n" + room + strings.Join(hint, "\n"+room))
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// everyCheck is what doctor shows.
func everyCheck(checks []preflight.Check, out Stream) string {
	text := ""
	for _, c := range checks {
		text += checkRow(c, out)
	}
	return text
}

// preflightBlock is what a plan shows: a line for all that is well or cannot be
// known, and the others in full. Nothing where no preflight was made.
func preflightBlock(checks []preflight.Check, out Stream) string {
	if len(checks) == 0 {
		return ""
	}
	var well, unknown []string
	rows := ""
	for _, c := range checks {
		switch c.Status {
		case preflight.OK:
			well = append(well, c.ID)
		case preflight.Unknown:
			unknown = append(unknown, c.ID)
		case preflight.Warning, preflight.Problem:
			rows += checkRow(c, out)
		}
	}
	var parts []string
	if len(well) > 0 {
		parts = append(parts, strings.Join(well, ", ")+" ok")
	}
	if len(unknown) > 0 {
		parts = append(parts, strings.Join(unknown, ", ")+" not known (ntl-setup doctor tells why)")
	}
	text := "preflight: " + oneLine(strings.Join(parts, "; "))
	if len(parts) == 0 {
		text = "preflight:"
	}
	return out.paint(faint, "   "+text) + "\n" + rows
}

// diagnosis is the closing line of doctor.
func diagnosis(checks []preflight.Check) string {
	count := map[preflight.Status]int{}
	for _, c := range checks {
		count[c.Status]++
	}
	var parts []string
	if n := count[preflight.Problem]; n > 0 {
		parts = append(parts, plural(n, "one problem, with which the link cannot work", "%d problems, with which the link cannot work"))
	}
	if n := count[preflight.Warning]; n > 0 {
		parts = append(parts, plural(n, "one warning", "%d warnings"))
	}
	if len(parts) == 0 {
		return "Nothing was found that stands in the way of the link."
	}
	return "Found: " + strings.Join(parts, ", ") + "."
}
