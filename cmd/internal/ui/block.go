package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
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
