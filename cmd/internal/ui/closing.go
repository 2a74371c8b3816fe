package ui

import (
	"fmt"
	"strings"
	"time"

	"ntl-setup/orchestrator"
)

// Question asks for approval of a plan.
func Question(plan []orchestrator.StepReport) string {
	known, follow := count(plan, orchestrator.WouldChange), count(plan, orchestrator.Unknown)
	what := plural(known, "this change", "these %d changes")
	switch {
	case follow == 0:
	case known == 0:
		what = plural(follow, "this change", "these %d changes")
	default:
		what += plural(follow, " and one that depends on them", " and %d that depend on them")
	}
	return "Make " + what + "? [y/N] "
}

// closing is what is true now, in a line; what comes next may follow it.
func closing(command string, o Outcome, now time.Time) string {
	r := o.Report
	var b strings.Builder
	b.WriteString(expiry("client's", o.ClientExpires, now))
	b.WriteString(expiry("HSM's", o.HSMExpires, now))
	if len(r.Steps) > 0 && r.Result != orchestrator.Established && command == "apply" {
		b.WriteString(ledger(r.Steps))
	}
	switch r.Result {
	case Sound, Troubled:
		b.WriteString(diagnosis(o.Preflight) + " " + remains(r) + "\n")
	case orchestrator.Established:
		b.WriteString(established(o))
	case orchestrator.Changes:
		fmt.Fprintf(&b, "Not complete: %s. Nothing was changed.\n", pending(r.Steps))
	case orchestrator.Conflicted:
		b.WriteString("A person must decide. " + remains(r) + "\n")
	case orchestrator.Declined:
		b.WriteString("Not approved. " + remains(r) + "\n")
	case orchestrator.Unreachable, orchestrator.ResFailed, orchestrator.Interrupted:
		b.WriteString(remains(r) + "\n")
	default:
		b.WriteString(remains(r) + "\n")
	}
	return b.String()
}

// expiry says until when a certificate is valid; nothing if that is not known.
func expiry(whose string, end, now time.Time) string {
	if end.IsZero() {
		return ""
	}
	days := int(end.Sub(now).Hours() / 24)
	left := plural(days, "1 day left", "%d days left")
	if !end.After(now) {
		left = "expired"
	}
	return fmt.Sprintf("%-8s certificate is valid until %s (%s)\n", whose, end.UTC().Format("2006-01-02 15:04 MST"), left)
}

// remains says what a run that did not succeed leaves behind.
func remains(r orchestrator.Report) string {
	if !r.Acted {
		return "Nothing was changed."
	}
	if n := count(r.Steps, orchestrator.Changed); n > 0 {
		return plural(n, "One change was made", "%d changes were made") +
			"; nothing needs undoing: the same command goes on from there."
	}
	return "A change was begun and is not confirmed; ntl-setup status shows what holds now."
}

// established is the success line, and for a NetScaler what is typed there next.
func established(o Outcome) string {
	var parts []string
	for _, p := range o.Partitions {
		if serial := o.Serials[p]; serial != "" {
			p += " (serial " + serial + ")"
		}
		parts = append(parts, oneLine(p))
	}
	what := "The link holds"
	switch n := count(o.Report.Steps, orchestrator.Changed); {
	case n > 0:
		what = "The link is established"
	case o.Report.Acted:
	default:
		what += ", nothing had to be changed"
	}
	text := fmt.Sprintf("%s: %s reaches %s.\n", what, oneLine(o.Name), strings.Join(parts, ", "))
	if !o.NetScaler {
		return text
	}
	return text + keyCommands(o)
}

// keyCommands are the NetScaler commands that use the link. The answer that it
// gives to them reads like a failure, so that is said.
func keyCommands(o Outcome) string {
	var b strings.Builder
	for _, p := range o.Partitions {
		if serial := o.Serials[p]; serial != "" {
			fmt.Fprintf(&b, "  add ssl hsmkey <KeyName> -hsmType SAFENET -serialNum %s -password <partition password>\n",
				oneLine(serial))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\nNext, on the NetScaler, for each key:\n" + b.String() +
		"An internal error is a usual answer to that; `show ssl hsmkey` tells whether it worked.\n"
}

// pending says how many steps do not hold.
func pending(steps []orchestrator.StepReport) string {
	var parts []string
	if n := count(steps, orchestrator.WouldChange); n > 0 {
		parts = append(parts, plural(n, "one step would change", "%d steps would change"))
	}
	if n := count(steps, orchestrator.Unknown); n > 0 {
		parts = append(parts, plural(n, "one depends on an earlier step", "%d depend on earlier steps"))
	}
	return strings.Join(parts, ", ")
}

// ledger is what was done and what was not, by step.
func ledger(steps []orchestrator.StepReport) string {
	var b strings.Builder
	line := func(label string, of ...orchestrator.Status) {
		var ids []string
		for _, s := range steps {
			for _, status := range of {
				if s.Status == status {
					ids = append(ids, s.Info.ID)
				}
			}
		}
		if len(ids) > 0 {
			b.WriteString(pad(label, 9) + "  " + strings.Join(ids, ", ") + "\n")
		}
	}
	line("in order:", orchestrator.OK)
	line("done:", orchestrator.Changed)
	line("not done:", orchestrator.WouldChange, orchestrator.Unknown,
		orchestrator.Conflict, orchestrator.Failed, orchestrator.Blocked)
	return b.String()
}

func count(steps []orchestrator.StepReport, status orchestrator.Status) int {
	n := 0
	for _, s := range steps {
		if s.Status == status {
			n++
		}
	}
	return n
}

// plural picks the words for a number; many holds one %d.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}
