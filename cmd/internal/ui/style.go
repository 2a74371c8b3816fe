package ui

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"ntl-setup/orchestrator"
)

// Stream is one place to write to.
type Stream struct {
	io.Writer
	// Width is the number of columns of a terminal; 0: it is none.
	Width int
	// Color: colour may be used.
	Color bool
}

// NewStream finds out what a file is. getenv serves NO_COLOR (set to anything)
// and TERM (dumb), either of which turns colour off.
func NewStream(f *os.File, getenv func(string) string) Stream {
	s := Stream{Writer: f}
	fd := int(f.Fd()) //nolint:gosec // a file descriptor fits an int
	if !term.IsTerminal(fd) {
		return s
	}
	s.Width = 80
	if w, _, err := term.GetSize(fd); err == nil && w > 0 {
		s.Width = w
	}
	s.Color = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	return s
}

// The colours in use, as SGR parameters.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
	faint  = "2"
)

// paint puts text into a colour, where colour is wanted.
func (s Stream) paint(sgr, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

// look is how a status is shown. The symbol says the same as the colour.
func look(status orchestrator.Status) (symbol, sgr string) {
	switch status {
	case orchestrator.OK:
		return "✓", green
	case orchestrator.Changed:
		return "+", green
	case orchestrator.WouldChange:
		return "~", yellow
	case orchestrator.Unknown:
		return "?", yellow
	case orchestrator.Conflict:
		return "!", red
	case orchestrator.Failed:
		return "✗", red
	case orchestrator.Blocked:
		return "-", faint
	case orchestrator.NotNeeded:
		return "·", faint
	}
	return " ", faint
}

// elapsed is a duration for people; empty below a twentieth of a second.
func elapsed(d time.Duration) string {
	const blink = 50 * time.Millisecond
	switch {
	case d < blink:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// pad fills text up to a width in columns; one column a rune.
func pad(text string, width int) string {
	if n := utf8.RuneCountInString(text); n < width {
		return text + strings.Repeat(" ", width-n)
	}
	return text
}

// wrap breaks text at blanks into lines of at most width columns. A word that is
// longer (a path, a fingerprint) stays whole, so that it can be copied.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
