package ui

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestHiddenLine(t *testing.T) {
	for name, c := range map[string]struct {
		typed, want string
		err         error
	}{
		"return":               {"s3cret\r", "s3cret", nil},
		"newline":              {"s3cret\n", "s3cret", nil},
		"only the first line":  {"one\rtwo\r", "one", nil},
		"empty":                {"\r", "", nil},
		"blanks stay":          {" a b \r", " a b ", nil},
		"backspace":            {"ax\x08b\r", "ab", nil},
		"delete":               {"ax\x7fb\r", "ab", nil},
		"backspace on nothing": {"\x08\x7fa\r", "a", nil},
		"backspace of a rune":  {"aß\x7fb\r", "ab", nil},
		"Ctrl-U":               {"wrong\x15right\r", "right", nil},
		"other control":        {"a\x01\x1bb\r", "ab", nil},
		"Ctrl-C":               {"abc\x03", "", ErrInterrupted},
		"Ctrl-D":               {"abc\x04", "", io.EOF},
		"hang-up":              {"abc", "", io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hiddenLine(iotest.DataErrReader(strings.NewReader(c.typed)))
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestCooked(t *testing.T) {
	if got, err := cooked(strings.NewReader("yes\nno\n")); got != "yes" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := cooked(strings.NewReader("ye")); !errors.Is(err, io.EOF) {
		t.Errorf("an answer cut off: %v", err)
	}
}

// An answer without end must not fill the memory, and must not be quoted.
func TestAnswersAreBounded(t *testing.T) {
	for name, read := range map[string]func(io.Reader) (string, error){"hidden": hiddenLine, "cooked": cooked} {
		_, err := read(strings.NewReader(strings.Repeat("s3cret", longest)))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
