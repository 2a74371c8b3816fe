package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
)

func setOf(secrets ...string) *Set {
	s := &Set{}
	for _, secret := range secrets {
		s.Add(secret)
	}
	return s
}

// inPieces writes a text in pieces of n bytes and returns what came through.
func inPieces(t *testing.T, s *Set, text string, n int) string {
	t.Helper()
	var b strings.Builder
	w := s.Writer(&b)
	for rest := []byte(text); len(rest) > 0; {
		part := rest[:min(n, len(rest))]
		if got, err := w.Write(part); err != nil || got != len(part) {
			t.Fatalf("write: %d, %v", got, err)
		}
		if len(w.held) > 4*longest(s) {
			t.Fatalf("%d bytes are kept back", len(w.held))
		}
		rest = rest[len(part):]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func longest(s *Set) int {
	n := 0
	for _, f := range s.known() {
		n = max(n, len(f.text))
	}
	return n
}

func TestRedact(t *testing.T) {
	for name, c := range map[string]struct {
		secrets    []string
		text, want string
	}{
		"nothing known":              {nil, "password: hunter2", "password: hunter2"},
		"the empty one is ignored":   {[]string{""}, "abc", "abc"},
		"in the middle":              {[]string{"hunter2"}, "password: hunter2\n", "password: [redacted]\n"},
		"at both ends":               {[]string{"hunter2"}, "hunter2 and hunter2", "[redacted] and [redacted]"},
		"within a word":              {[]string{"hunter2"}, "xhunter2x", "x[redacted]x"},
		"a beginning alone":          {[]string{"hunter2"}, "hunter", "hunter"},
		"a false start":              {[]string{"hunter2"}, "hunthunter2", "hunt[redacted]"},
		"one within another":         {[]string{"hunter2", "unte"}, "a hunter2 b unte c", "a [redacted] b [redacted] c"},
		"overlapping":                {[]string{"abcd", "cdef"}, "_abcdef_", "_[redacted]_"},
		"overlapping itself":         {[]string{"abab"}, "xababab", "x[redacted]"},
		"side by side, one hole":     {[]string{"abcd"}, "abcdabcd", "[redacted]"},
		"several":                    {[]string{"first", "second"}, "second, first", "[redacted], [redacted]"},
		"not in UTF-8":               {[]string{"\xffpw\xfe"}, "a\xffpw\xfeb", "a[redacted]b"},
		"over two lines":             {[]string{"two\nlines"}, "two\nlines\n", "[redacted]\n"},
		"case counts":                {[]string{"hunter2"}, "Hunter2", "Hunter2"},
		"short, alone":               {[]string{"abc"}, "abc =abc;abc", "[redacted] =[redacted];[redacted]"},
		"short, within words":        {[]string{"abc"}, "xabc abcx 1abc abc1 abcabc", "xabc abcx 1abc abc1 abcabc"},
		"short, after its lookalike": {[]string{"aa"}, "aaa aa", "aaa [redacted]"},
		"one byte":                   {[]string{"a"}, "a banana, a", "[redacted] banana, [redacted]"},
		"short, of signs":            {[]string{"!!"}, "a!!b !!", "a!!b [redacted]"},
		"four bytes are not short":   {[]string{"abcd"}, "xabcdx", "x[redacted]x"},
	} {
		t.Run(name, func(t *testing.T) {
			s := setOf(c.secrets...)
			if got := s.String(c.text); got != c.want {
				t.Errorf("at once: %q, want %q", got, c.want)
			}
			for n := 1; n <= len(c.text); n++ {
				if got := inPieces(t, s, c.text, n); got != c.want {
					t.Errorf("in pieces of %d: %q, want %q", n, got, c.want)
				}
			}
		})
	}
}

// Whatever form a wire gives a secret, it is known.
func TestForms(t *testing.T) {
	const secret = `pa"ss'w\o%d <&> é-x`
	s := setOf(secret)
	html, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(secret); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"as it is":                    secret,
		"%q":                          fmt.Sprintf("%q", secret),
		"JSON":                        string(html),
		"JSON without HTML's escapes": plain.String(),
		"quoted for a shell":          `'` + strings.ReplaceAll(secret, "'", `'\''`) + `'`,
		"a printf format":             `printf 'pa\042ss\047w\134o\045d \074\046\076 \303\251\055x'`,
		"all in octal":                `printf 'pa\042ss\047w\134o\045d\040\074\046\076\040\303\251\055x'`,
	} {
		got := s.String(text)
		if strings.Count(got, Placeholder) != 1 || strings.Contains(got, "ss") || strings.Contains(got, "303") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestAddedMeanwhile(t *testing.T) {
	s := setOf("first")
	var b strings.Builder
	w := s.Writer(&b)
	write := func(text string) {
		t.Helper()
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	write("first second, fir")
	if b.String() != "[redacted] second, " {
		t.Errorf("through so far: %q; a beginning of a secret, and nothing else, is kept back", b.String())
	}
	s.Add("second")
	s.Add("first") // again
	write("e, second")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != "[redacted] second, fire, [redacted]" {
		t.Errorf("%q", got)
	}
	if n := len(s.known()); n != 2 {
		t.Errorf("%d forms for two plain secrets", n)
	}
}

// What ends one text is no neighbour of the next.
func TestWrittenAgainAfterClose(t *testing.T) {
	s := setOf("pw", "secret")
	var b strings.Builder
	w := s.Writer(&b)
	for _, text := range []string{"x", "pw", "sec", "ret", "secret", "secret"} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('|')
	}
	if got := b.String(); got != "x|[redacted]|sec|ret|[redacted]|[redacted]|" {
		t.Errorf("%q", got)
	}
}

func TestNilSet(t *testing.T) {
	var s *Set
	s.Add("x")
	if got := s.String("x"); got != "x" {
		t.Errorf("%q", got)
	}
	var b strings.Builder
	if _, err := s.Writer(&b).Write([]byte("text")); err != nil || b.String() != "text" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestTheWriterBehindFails(t *testing.T) {
	want := errors.New("full")
	w := setOf("secret").Writer(broken{want})
	if n, err := w.Write([]byte("sec")); n != 3 || err != nil {
		t.Errorf("kept back: %d, %v", n, err)
	}
	if n, err := w.Write([]byte("ular")); n != 0 || !errors.Is(err, want) {
		t.Errorf("%d, %v", n, err)
	}
}

func TestFromManyGoroutines(t *testing.T) {
	s := setOf("secret-0")
	w := s.Writer(io.Discard)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				s.Add(fmt.Sprintf("secret-%d", i))
				if got := s.String("a secret-0 b"); got != "a [redacted] b" {
					t.Errorf("%q", got)
				}
				if _, err := io.WriteString(w, "some text with secret-0"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// Large amounts are worked on in pieces: what is kept in memory does not grow.
func TestMemoryIsBounded(t *testing.T) {
	s := setOf("secret", strings.Repeat("long", 250))
	w := s.Writer(io.Discard)
	chunk := []byte(strings.Repeat("long", 1<<15)) // 128 KiB, four pieces
	for range 3 {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if most := 3 * piece; cap(w.held) > most || cap(w.hidden) > most || cap(w.out) > most {
		t.Errorf("%d, %d and %d bytes are kept", cap(w.held), cap(w.hidden), cap(w.out))
	}
}

func BenchmarkWriter(b *testing.B) {
	line := []byte("lunash:>client show -client NS-web1\r\nClientID: NS-web1\r\nIPAddress: 192.0.2.10\r\n")
	for name, s := range map[string]*Set{
		"none": setOf(), "two": setOf("correct horse battery staple", "Tr0ub4dor&3"),
		"ten": setOf("secret-0", "secret-1", "secret-2", "secret-3", "secret-4", "secret-5", "secret-6", "secret-7", "secret-8", "secret-9"),
	} {
		b.Run(name, func(b *testing.B) {
			w := s.Writer(io.Discard)
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Write(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkString(b *testing.B) {
	s := setOf("correct horse battery staple", "Tr0ub4dor&3")
	b.ReportAllocs()
	for b.Loop() {
		_ = s.String("192.0.2.10.pem: not there")
	}
}
