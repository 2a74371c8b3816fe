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

// introducer is the length of what begins a CSI or OSC sequence.
const introducer = 2

// longestSequence bounds one, in bytes.
const longestSequence = 512

// escapeLen is the length of the escape sequence that s begins with: CSI ends
// at its final byte, OSC at BEL or ST, anything else takes one more byte. One
// that does not end, or holds what does not belong there, is no more than its
// introducer: it must not hide the text behind it, which may be ours.
func escapeLen(s string) int {
	if len(s) < introducer {
		return len(s)
	}
	switch s[1] {
	case '[':
		return controlLen(s)
	case ']':
		return commandLen(s)
	}
	return introducer
}

// controlLen is escapeLen of CSI: parameters, then a final byte.
func controlLen(s string) int {
	for i := introducer; i < min(len(s), longestSequence); i++ {
		if c := s[i]; c >= 0x40 && c <= 0x7e {
			return i + 1
		} else if c < 0x20 || c > 0x3f {
			return introducer
		}
	}
	return introducer
}

// commandLen is escapeLen of OSC: a text, then BEL or ST.
func commandLen(s string) int {
	for i := introducer; i < min(len(s), longestSequence); i++ {
		switch {
		case s[i] == 0x07:
			return i + 1
		case s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\':
			return i + 2
		case s[i] < 0x20:
			return introducer
		}
	}
	return introducer
}
