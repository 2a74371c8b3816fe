package lunash

import (
	"bytes"
	"strings"
	"testing"

	"ntl-setup/fixtures/transcripts"
)

func stripAll(chunks ...string) string {
	var s stripper
	var out bytes.Buffer
	for _, c := range chunks {
		out.Write(s.clean([]byte(c)))
	}
	return out.String()
}

var stripCases = []struct{ name, in, want string }{
	{"plain text and tabs stay", "a b\tc\nd", "a b\tc\nd"},
	{"carriage returns go", "a\r\nb\r\n", "a\nb\n"},
	{"bell, backspace, null and delete go", "a\x07b\x08c\x00d\x7fe", "abcde"},
	{"colour", "\x1b[1;31mred\x1b[0m", "red"},
	{"erase and cursor", "a\x1b[2J\x1b[Hb\x1b[?25lc", "abc"},
	{"title ended by BEL", "\x1b]0;host\x07[hsm] lunash:>", "[hsm] lunash:>"},
	{"title ended by ST", "\x1b]0;host\x1b\\x", "x"},
	{"a title may hold a lone escape", "\x1b]0;a\x1bbc\x07x", "x"},
	{"device control string", "\x1bPq#0\x1b\\x", "x"},
	{"character set", "\x1b(Bx\x1b)0y", "xy"},
	{"two-byte sequences", "\x1b7a\x1b8b\x1b=c\x1bMd", "abcd"},
	{"escape twice", "\x1b\x1b[31mx", "x"},
	{"an unfinished sequence ends with its line", "a\x1b[31\nb", "a\nb"},
	{"an unfinished title ends with its line", "a\x1b]0;title\nb", "a\nb"},
	{"a sequence that never ends is given up", "\x1b]" + strings.Repeat("x", sequenceMax) + "yz", "yz"},
	{"letters of other alphabets stay", "Schlüssel 鍵", "Schlüssel 鍵"},
}

func TestStrip(t *testing.T) {
	for _, c := range stripCases {
		if got := stripAll(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A sequence may be cut anywhere by a read.
func TestStripAtEverySplit(t *testing.T) {
	for _, c := range stripCases {
		for i := range c.in {
			if got := stripAll(c.in[:i], c.in[i:]); got != c.want {
				t.Fatalf("%s, split at %d: got %q, want %q", c.name, i, got, c.want)
			}
		}
	}
}

func FuzzStrip(f *testing.F) {
	for _, c := range stripCases {
		f.Add(c.in, 3)
	}
	for _, name := range transcripts.Names("appliance") {
		f.Add(transcripts.Appliance(name), 17)
	}
	f.Fuzz(func(t *testing.T, in string, at int) {
		whole := stripAll(in)
		if i := strings.IndexFunc(whole, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }); i >= 0 {
			t.Errorf("a control character is left in %q", whole)
		}
		if strings.Count(whole, "\n") != strings.Count(in, "\n") {
			t.Errorf("line ends were lost: %q became %q", in, whole)
		}
		if at < 0 || at > len(in) {
			return
		}
		if split := stripAll(in[:at], in[at:]); split != whole {
			t.Errorf("split at %d: %q, whole: %q", at, split, whole)
		}
		if again := stripAll(whole); again != whole {
			t.Errorf("not at rest: %q became %q", whole, again)
		}
	})
}
