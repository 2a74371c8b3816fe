package transport_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"ntl-setup/transport"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"plain text":                      "plain text",
		"  two\t\tblanks \r\n at\nmost  ": "two blanks at most",
		"\x1b[31mred\x1b[0m":              "red",
		"\x1b[2J\x1b[1;1Hhome":            "home",
		"\x1b[?25lcursor":                 "cursor",
		"\x1b]0;title\x07text":            "text",
		"\x1b]8;;http://x.example\x1b\\t": "t",
		"\x1b]0;never ended":              "0;never ended",
		"\x1b[31":                         "31",
		"\x1b[öffnen, and ours":           "öffnen, and ours",
		"\x1b]ours\nand a bell\x07":       "ours and a bell",
		"\x1b]" + strings.Repeat("a", 600) + "\x07": strings.Repeat("a", 600),
		"\x1b":                                "",
		"\x1bcreset":                          "reset",
		"bell\x07 back\x08space nul\x00 \x7f": "bell backspace nul",
		"c1 \u009b31m csi":                    "c1 31m csi",
		"bad \xff\xfe UTF-8":                  "bad UTF-8",
		"\u202eright to left\u202c":           "right to left",
		"zero\u200bwidth\ufeff":               "zerowidth",
		"soft\u00adhyphen":                    "softhyphen",
		"no-break\u00a0space\u2028line":       "no-break space line",
		"Grüße, 日本":                           "Grüße, 日本",
		"\x1b[\x1b[31mnested":                 "nested",
	} {
		if got := transport.Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[31mred", "\x1b]0;t\x07x", "\xff\x1b", "\u202ex", "a \n b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := transport.Printable(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q: not UTF-8", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) && r != ' ' {
				t.Errorf("%q: %q", got, r)
			}
		}
		if got != strings.TrimSpace(got) || strings.Contains(got, "  ") {
			t.Errorf("%q: blanks at the edges, or two in a row", got)
		}
		if again := transport.Printable(got); again != got {
			t.Errorf("a second time: %q becomes %q", got, again)
		}
	})
}

func BenchmarkPrintable(b *testing.B) {
	text := strings.Repeat("\x1b[32mok\x1b[0m a line of output\r\n", 100)
	b.ReportAllocs()
	for b.Loop() {
		transport.Printable(text)
	}
}
