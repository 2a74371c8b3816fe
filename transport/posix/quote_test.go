//go:build unix

package posix

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":           `''`,
		"plain":      `'plain'`,
		"two words":  `'two words'`,
		"it's":       `'it'\''s'`,
		"'":          `''\'''`,
		"$(reboot)":  `'$(reboot)'`,
		"a\nb":       "'a\nb'",
		`back\slash`: `'back\slash'`,
	} {
		got, err := quote(in)
		if err != nil || got != want {
			t.Errorf("quote(%q) = %s, %v, want %s", in, got, err, want)
		}
	}
	if _, err := quote("a\x00b"); !errors.Is(err, errNUL) {
		t.Errorf("NUL: %v", err)
	}
	if _, err := quoteAll([]string{"fine", "a\x00b"}); !errors.Is(err, errNUL) {
		t.Errorf("NUL in a list: %v", err)
	}
}

// hardWords are every single byte, pairs with what shells find special, and
// random strings.
func hardWords() []string {
	var words []string
	for c := 1; c < 256; c++ {
		words = append(words, string([]byte{byte(c)}), string([]byte{'\'', byte(c), '\''}), string([]byte{byte(c), '!'}))
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same words in every run
	for range 300 {
		word := make([]byte, random.IntN(40))
		for i := range word {
			word[i] = byte(1 + random.IntN(255))
		}
		words = append(words, string(word))
	}
	return append(words, "-n", "--", "", "~root", "a=b", "!!", "`", "\\", "\\\\'")
}

// The words go through real shells: fed to them directly, and to the sh that a
// csh as the login shell starts.
func TestQuoteThroughShells(t *testing.T) {
	var script, want strings.Builder
	for _, w := range hardWords() {
		q, err := quote(w)
		check(t, err)
		fmt.Fprintf(&script, "printf '%%s|' %s\n", q)
		want.WriteString(w + "|")
	}
	shells := append(posixShells(t), []string{need(t, "csh", "csh"), "-c", "sh"})
	for _, shell := range shells {
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			if diff := cmp.Diff(want.String(), feed(t, script.String(), shell...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrinterThroughShells(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same bytes in every run
	contents := []string{"", "\n", "-", "--help", "%d%s%%", `\n\101\\`, "'", "\x011", "\x7f9", "7\n0"}
	for _, size := range []int{1, 373, 374, 375, 1495, 1496, 1497, 1500, 3000, 20000} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(1 + random.IntN(255))
		}
		contents = append(contents, string(data), strings.Repeat("a", size), strings.Repeat("\n", size))
	}
	for _, shell := range posixShells(t) {
		for _, c := range contents {
			function, err := printer("it", []byte(c))
			check(t, err)
			if got := feed(t, function+"it\n", shell...); got != c {
				t.Errorf("%v: %d bytes came out as %d: %.60q", shell, len(c), len(got), got)
			}
		}
	}
}

func TestPrinterBounds(t *testing.T) {
	if _, err := printer("it", []byte("abc\x00")); !errors.Is(err, errNUL) {
		t.Errorf("NUL: %v", err)
	}
	text, err := printer("it", []byte(strings.Repeat("\xff", 10000)+strings.Repeat("a", 10000)))
	check(t, err)
	for line := range strings.Lines(text) {
		if n := len(line) - len("printf ''\n"); n > longestFormat {
			t.Errorf("a format of %d bytes", n)
		}
		for _, c := range []byte(line) {
			if c != '\n' && (c < ' ' || c > '~') {
				t.Fatalf("byte %#x in the script", c)
			}
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, w := range []string{"", "it's", "''", "a'b'c", "\\'"} {
		f.Add(w)
	}
	f.Fuzz(func(t *testing.T, word string) {
		q, err := quote(word)
		if strings.Contains(word, "\x00") != (err != nil) {
			t.Fatalf("quote(%q): %v", word, err)
		}
		if err == nil && unquote(q) != word {
			t.Fatalf("quote(%q) = %s reads as %q", word, q, unquote(q))
		}
	})
}

// unquote reads a word as POSIX describes single quotes and the backslash.
func unquote(q string) string {
	var b strings.Builder
	within := false
	for i := 0; i < len(q); i++ {
		switch {
		case q[i] == '\'':
			within = !within
		case q[i] == '\\' && !within && i+1 < len(q):
			i++
			b.WriteByte(q[i])
		default:
			b.WriteByte(q[i])
		}
	}
	return b.String()
}
