package transport

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes remote text safe to show in one line: control characters,
// invalid UTF-8 and the code points that reorder or hide text are dropped, runs
// of white space become one blank.
func Printable(s string) string {
	var b strings.Builder
	blank := false
	for _, r := range stripEscapes(s) {
		switch {
		case unicode.IsSpace(r):
			blank = b.Len() > 0
			continue
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// stripEscapes removes whole ANSI escape sequences, so that "\x1b[31mred" reads
// "red" and not "[31mred".
func stripEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != 0x1b {
			b.WriteByte(s[i])
			continue
		}
		i += escapeLen(s[i:]) - 1
	}
	return b.String()
}

// escapeLen is the length of the escape sequence that s begins with: CSI ends
// at its final byte, OSC at BEL or ST, anything else takes one more byte.
func escapeLen(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
		return len(s)
	case ']':
		for i := 2; i < len(s); i++ {
			if s[i] == 0x07 {
				return i + 1
			}
			if s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\' {
				return i + 2
			}
		}
		return len(s)
	}
	return 2
}
