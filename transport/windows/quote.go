package windows

import (
	"fmt"
	"strings"
)

// quoteWord makes a word of a command line that reaches a program as exactly w.
// Two readers are in between: cmd.exe, and the program's own start-up code
// (CommandLineToArgvW, or the C library, which agree on this much).
//
// The second one's quotes are put first. Then all that means something to the
// first one is escaped by a caret, the quotes as well: so cmd.exe never is
// within quotes, and there is one rule for everything. What no caret helps
// against is refused.
func quoteWord(w string) (string, error) {
	for _, r := range w {
		switch {
		case r == '%' || r == '!':
			return "", fmt.Errorf("%q holds %q, which cmd.exe may take for a variable", w, r)
		case r < ' ' || r > '~':
			return "", fmt.Errorf("%q holds a character beyond those of a command line", w)
		}
	}
	var b strings.Builder
	for _, r := range forArgv(w) {
		if strings.ContainsRune(`^"&|<>()`, r) {
			b.WriteByte('^')
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

// forArgv quotes for CommandLineToArgvW: backslashes mean themselves, unless
// they stand before a quote.
func forArgv(w string) string {
	if w != "" && !strings.ContainsAny(w, ` "`) {
		return w
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, r := range w {
		switch r {
		case '\\':
			slashes++
			continue
		case '"':
			b.WriteString(strings.Repeat(`\`, 2*slashes+1))
		default:
			b.WriteString(strings.Repeat(`\`, slashes))
		}
		slashes = 0
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(`\`, 2*slashes))
	b.WriteByte('"')
	return b.String()
}

// program is the part of a command line that runs a program with its words, its
// standard input empty and its standard error merged into the output. Words
// that are paths become native ones.
func program(argv []string) (string, error) {
	if err := checkPath(argv[0]); err != nil {
		return "", err
	}
	line := native(argv[0])
	for _, w := range argv[1:] {
		if hasDrive(w) {
			if err := checkPath(w); err != nil {
				return "", err
			}
			w = backslashed(w)
		}
		word, err := quoteWord(w)
		if err != nil {
			return "", err
		}
		line += " " + word
	}
	return line + " <nul 2>&1", nil
}
