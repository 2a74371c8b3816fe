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
		lines := wrap(rest, out.Width-len(label))
		b.WriteString(label + strings.Join(lines, "\n"+strings.Repeat(" ", len(label))) + "\n")
	}
	return b.String()
}
