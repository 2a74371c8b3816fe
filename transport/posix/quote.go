package posix

import (
	"errors"
	"fmt"
	"strings"
)

// errNUL is what no shell can carry: a word or a text with a NUL byte.
var errNUL = errors.New("holds a NUL byte")

// quote makes one word of the shell language that stands for exactly s. Within
// single quotes nothing is special but the single quote itself.
func quote(s string) (string, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return "", fmt.Errorf("%q %w", s, errNUL)
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

// quoteAll quotes words and sets them behind one another.
func quoteAll(words []string) (string, error) {
	quoted := make([]string, len(words))
	for i, w := range words {
		var err error
		if quoted[i], err = quote(w); err != nil {
			return "", err
		}
	}
	return strings.Join(quoted, " "), nil
}

// longestFormat bounds the text of one printf call, far below the length of a
// line that old shells take.
const longestFormat = 1500

// printer is the definition of a shell function that prints exactly data.
// printf's octal escapes are the one way that every shell agrees on: echo's
// escapes and here-documents differ.
func printer(name string, data []byte) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s() {\n:\n", name)
	for len(data) > 0 {
		format, n, err := nextFormat(data)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "printf '%s'\n", format)
		data = data[n:]
	}
	b.WriteString("}\n")
	return b.String(), nil
}

// nextFormat is the format that prints the first n bytes of data.
func nextFormat(data []byte) (format string, n int, err error) {
	var b strings.Builder
	for n < len(data) && b.Len() < longestFormat-4 {
		c := data[n]
		switch {
		case c == 0:
			return "", 0, fmt.Errorf("the content %w", errNUL)
		case plain(c):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
		n++
	}
	return b.String(), n, nil
}

// plain reports whether a byte stands for itself in a format within single
// quotes, also at its beginning: so no quote, backslash, percent sign, dash.
func plain(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte(" ./:=_,;{}+", c) >= 0
}
