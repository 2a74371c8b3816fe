package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
)

func TestNewStreamOnAFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // a test's own file
	s := NewStream(f, func(string) string { return "" })
	if s.Width != 0 || s.Color {
		t.Errorf("a file is taken for a terminal: width %d, color %v", s.Width, s.Color)
	}
}

func TestPaint(t *testing.T) {
	if got := (Stream{}).paint(red, "x"); got != "x" {
		t.Errorf("without colour: %q", got)
	}
	if got := (Stream{Color: true}).paint(red, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("with colour: %q", got)
	}
	if got := (Stream{Color: true}).paint(red, ""); got != "" {
		t.Errorf("nothing, painted: %q", got)
	}
}

// Without colour the symbols alone must tell the statuses apart.
func TestEveryStatusHasItsSymbol(t *testing.T) {
	seen := map[string]orchestrator.Status{}
	for _, s := range statuses {
		symbol, sgr := look(s)
		if other, taken := seen[symbol]; taken {
			t.Errorf("%s and %s share %q", s, other, symbol)
		}
		if strings.TrimSpace(symbol) == "" || sgr == "" {
			t.Errorf("%s has no looks", s)
		}
		seen[symbol] = s
	}
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "",
		49 * time.Millisecond:    "",
		50 * time.Millisecond:    "0.1s",
		412 * time.Millisecond:   "0.4s",
		12340 * time.Millisecond: "12.3s",
		65400 * time.Millisecond: "1m5s",
	} {
		if got := elapsed(d); got != want {
			t.Errorf("elapsed(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestPad(t *testing.T) {
	for in, want := range map[string]string{"": "    ", "größ": "größ", "ab": "ab  ", "longer": "longer"} {
		if got := pad(in, 4); got != want {
			t.Errorf("pad(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		width int
		want  []string
	}{
		"empty":             {"", 10, nil},
		"fits":              {"one two", 10, []string{"one two"}},
		"exactly":           {"one two", 7, []string{"one two"}},
		"one over":          {"one two", 6, []string{"one", "two"}},
		"counts runes":      {"größe größe", 11, []string{"größe größe"}},
		"long word whole":   {"see /var/safenet/config/Chrystoki.conf now", 10, []string{"see", "/var/safenet/config/Chrystoki.conf", "now"}},
		"nothing but words": {"a b c d", 0, []string{"a", "b", "c", "d"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, wrap(c.in, c.width)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("see /var/safenet/config/Chrystoki.conf now", 10)
	f.Add(" a\tb ", -3)
	f.Fuzz(func(t *testing.T, text string, width int) {
		lines := wrap(text, width)
		if got, want := strings.Fields(strings.Join(lines, "\n")), strings.Fields(text); !cmp.Equal(got, want) {
			t.Errorf("wrap(%q, %d) has other words: %q", text, width, lines)
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > width && strings.Contains(line, " ") {
				t.Errorf("wrap(%q, %d) has a line that is too long: %q", text, width, line)
			}
		}
	})
}

func BenchmarkRow(b *testing.B) {
	s := sample().Report.Steps[1]
	b.ReportAllocs()
	for b.Loop() {
		if row(s, Stream{Width: 100, Color: true}) == "" {
			b.Fatal("no row")
		}
	}
}
