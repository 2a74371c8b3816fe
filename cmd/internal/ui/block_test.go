package ui

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestBlock(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":         {"a\tb\nc\n", "a\tb\nc\n"},
		"umlauts":       {"größe ✓ 漢\n", "größe ✓ 漢\n"},
		"empty":         {"", ""},
		"CRLF":          {"-old;\r\n+new;\n", "-old;^M\n+new;\n"},
		"escape":        {"\x1b[31mred", "^[[31mred"},
		"NUL, DEL":      {"a\x00b\x7fc", "a^@b^?c"},
		"C1":            {"a\u009bb", "a<U+009B>b"},
		"bidi override": {"a\u202eb", "a<U+202E>b"},
		"zero width":    {"a\u200bb\ufeff", "a<U+200B>b<U+FEFF>"},
		"separators":    {"a\u2028b\u2029", "a<U+2028>b<U+2029>"},
		"broken UTF-8":  {"a\xff\xc3(", `a\xff\xc3(`},
		"U+FFFD itself": {"\ufffd", "<U+FFFD>"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Block(c.in); got != c.want {
				t.Errorf("Block(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func FuzzBlock(f *testing.F) {
	f.Add("@@ -1,2 +1,2 @@\n-  A = 1;\r\n+  A = 2;\n")
	f.Add("\x1b]0;title\x07 \u202e \xff\xfe")
	f.Fuzz(func(t *testing.T, s string) {
		got := Block(s)
		if !utf8.ValidString(got) {
			t.Errorf("Block(%q) = %q is no UTF-8", s, got)
		}
		if i := strings.IndexFunc(got, hidden); i >= 0 {
			t.Errorf("Block(%q) = %q keeps a hidden rune at %d", s, got, i)
		}
		if strings.Count(got, "\n") != strings.Count(s, "\n") {
			t.Errorf("Block(%q) = %q has other lines", s, got)
		}
		if again := Block(got); again != got {
			t.Errorf("Block is not stable: %q, then %q", got, again)
		}
	})
}

func TestOneLineIsBounded(t *testing.T) {
	if got := oneLine("\x1b[31mred\x1b[0m\r\nand \u202egreen"); got != "red and green" {
		t.Errorf("%q", got)
	}
	exact := strings.Repeat("a", longestText)
	if got := oneLine(exact); got != exact {
		t.Errorf("a text of the greatest length became %d bytes long", len(got))
	}
	for _, flood := range []string{strings.Repeat("a", 1<<20), strings.Repeat("ö", 1<<19), "a" + strings.Repeat("漢", 1<<19)} {
		got := oneLine(flood)
		if len(got) > longestText+len("…") || len(got) < longestText-utf8.UTFMax || !strings.HasSuffix(got, "…") || !utf8.ValidString(got) {
			t.Errorf("%d bytes became %d, which end with %q", len(flood), len(got), got[len(got)-8:])
		}
	}
}
