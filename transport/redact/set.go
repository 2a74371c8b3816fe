package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Placeholder stands where a secret stood.
const Placeholder = "[redacted]"

// aloneBelow is the length in bytes below which a secret counts only where it
// stands alone; see the package's page.
const aloneBelow = 4

// Set is a number of secrets. The zero value is empty and ready; a Set must not
// be copied after its first use. A nil *Set is empty too, and stays so.
type Set struct {
	mu    sync.RWMutex
	forms []form // never changed in place: readers keep what they got
}

// form is one way in which a secret may be written.
type form struct {
	text  []byte
	alone bool // counts only without a letter or digit beside it
}

// Add makes a secret known, from now on. The empty one is ignored.
func (s *Set) Add(secret string) {
	if s == nil || secret == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	forms := slices.Clone(s.forms)
	for _, text := range formsOf(secret) {
		known := slices.ContainsFunc(forms, func(f form) bool { return string(f.text) == text })
		if !known {
			forms = append(forms, form{text: []byte(text), alone: len(text) < aloneBelow})
		}
	}
	s.forms = forms
}

// String is text without the secrets that are known now.
func (s *Set) String(text string) string {
	forms := s.known()
	if !slices.ContainsFunc(forms, func(f form) bool { return strings.Contains(text, string(f.text)) }) {
		return text
	}
	var b strings.Builder
	w := &Writer{set: s, to: &b}
	_, _ = w.Write([]byte(text)) // a strings.Builder takes everything
	_ = w.Close()                // likewise
	return b.String()
}

func (s *Set) known() []form {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.forms
}

// formsOf is a secret as it is, and as the wires of this program write it. Most
// secrets look the same in all of them.
func formsOf(secret string) []string {
	return []string{
		secret,
		octal(secret, func(c byte) bool { return strings.IndexByte(" ./:=_,;{}+", c) >= 0 }), // a printf format, as transport/posix writes it
		octal(secret, func(byte) bool { return false }),
		strings.ReplaceAll(secret, "'", `'\''`), // within single quotes of a shell
		inner(strconv.Quote(secret)),            // %q in a message
		asJSON(secret, true), asJSON(secret, false),
	}
}

// octal is text with every byte but letters, digits and plain ones escaped.
func octal(text string, plain func(byte) bool) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if wordByte(c) || plain(c) {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, `\%03o`, c)
	}
	return b.String()
}

// asJSON is the inside of a JSON string; html escapes <, > and & too.
func asJSON(text string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(text); err != nil {
		return text // a string can always be encoded
	}
	return inner(strings.TrimSuffix(b.String(), "\n"))
}

// inner is a quoted text without its quotes.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// wordByte reports whether a byte is an ASCII letter or digit.
func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
