package redact

import (
	"strings"
	"testing"
)

// oracle hides the forms of secrets in a whole text in the plainest way: it
// looks at every place for every form.
func oracle(text string, forms []form) string {
	secret := make([]bool, len(text))
	for at := range len(text) {
		for _, f := range forms {
			word := string(f.text)
			if !strings.HasPrefix(text[at:], word) {
				continue
			}
			end := at + len(word)
			left, right := at > 0 && wordByte(text[at-1]), end < len(text) && wordByte(text[end])
			if len(word) < 4 && (left || right) {
				continue
			}
			for i := at; i < end; i++ {
				secret[i] = true
			}
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !secret[i]:
			b.WriteByte(text[i])
		case i == 0 || !secret[i-1]:
			b.WriteString("[redacted]")
		}
	}
	return b.String()
}

func FuzzRedact(f *testing.F) {
	f.Add("password: hunter2\n", "hunter2", "unte", 3)
	f.Add("_abcdef_", "abcd", "cdef", 1)
	f.Add("aaa aa a", "aa", "a", 2)
	f.Add("xababab", "abab", "", 4)
	f.Add(`printf 'pa\047ss'`, "pa'ss", "\\", 5)
	f.Add("lunash:>client list\r\nclient 1: NS-web1\r\n\r\nCommand Result : 0 (Success)\r\n", "NS-web1", "client", 7)
	f.Add("[redacted]", "redacted", "[", 1)
	f.Fuzz(func(t *testing.T, text, one, two string, n int) {
		if len(one) > 64 || len(two) > 64 || len(text) > 1<<14 {
			return
		}
		s := setOf(one, two)
		want := oracle(text, s.known())
		if got := s.String(text); got != want {
			t.Errorf("at once: %q, want %q", got, want)
		}
		n = n&0x3f + 1
		got := inPieces(t, s, text, n)
		if got != want {
			t.Errorf("in pieces of %d: %q, want %q", n, got, want)
		}
		for _, secret := range []string{one, two} {
			if len(secret) < 4 || strings.Contains(text, Placeholder) {
				continue
			}
			for _, part := range strings.Split(got, Placeholder) {
				if strings.Contains(part, secret) {
					t.Errorf("%q is in %q", secret, got)
				}
			}
		}
	})
}
