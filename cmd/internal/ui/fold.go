package ui

import (
	"strings"
	"unicode/utf8"
)

// labelColumn is where the words begin behind a label of the closing lines.
const labelColumn = 11

// folded breaks the closing lines between words where a terminal would break
// them anywhere. Indented lines are commands to be copied: they stay whole.
func folded(text string, out Stream) string {
	if out.Width == 0 {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(line) <= out.Width || strings.HasPrefix(line, "  ") {
			b.WriteString(line + "\n")
			continue
		}
		label, rest := "", line
		if before, _, found := strings.Cut(line, ": "); found && len(before) < labelColumn {
			label, rest = pad(before+":", labelColumn), strings.TrimLeft(line[len(before)+1:], " ")
		}
		b.WriteString(hanging(label, wrap(rest, out.Width-len(label)), out.Width) + "\n")
	}
	return b.String()
}

// hanging is lines behind a label, those after the first indented as far.
func hanging(label string, lines []string, width int) string {
	var b strings.Builder
	for i, line := range lines {
		if i == 0 {
			b.WriteString(label + line)
			continue
		}
		b.WriteString("\n" + within(strings.Repeat(" ", utf8.RuneCountInString(label))+line, width))
	}
	return b.String()
}

// within takes away as much of a line's indentation as it is too long for a
// terminal: a word that is not broken, a fingerprint say, may need that.
func within(line string, width int) string {
	over, blanks := utf8.RuneCountInString(line)-width, len(line)-len(strings.TrimLeft(line, " "))
	if width == 0 || over <= 0 {
		return line
	}
	return line[min(over, blanks):]
}
