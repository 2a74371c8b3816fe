package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"ntl-setup/transport"
)

// Block makes a text of several lines safe to show: newlines and tabs stay,
// everything else that a terminal would obey or hide is spelled out (^M, ^[,
// <U+202E>, \xff). Unlike transport.Printable it drops nothing: in a file
// difference, the byte that cannot be seen may be the difference.
func Block(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x20:
			b.WriteByte('^')
			b.WriteRune(r + '@')
		case r == 0x7f:
			b.WriteString("^?")
		default:
			fmt.Fprintf(&b, "<U+%04X>", r)
		}
		s = s[n:]
	}
	return b.String()
}

// hidden reports whether a rune must not reach a terminal as it is. RuneError
// stands for a byte that is no UTF-8.
func hidden(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
		r == '\u2028' || r == '\u2029'
}

// longestText is the most of one remote text that is shown, in bytes: room for
// a list of all an appliance's partitions, and no room to flood a terminal.
const longestText = 4 << 10

// oneLine makes a text safe to show in one line (transport.Printable) and cuts
// what is too long to be read.
func oneLine(s string) string {
	s = transport.Printable(s)
	if len(s) <= longestText {
		return s
	}
	return strings.ToValidUTF8(s[:longestText], "") + "…"
}
