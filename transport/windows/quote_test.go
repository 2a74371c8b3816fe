package windows

import (
	"strings"
	"testing"
)

func TestQuoteWord(t *testing.T) {
	for word, want := range map[string]string{
		"":         `^"^"`,
		"verify":   "verify",
		"a b":      `^"a b^"`,
		`a"b`:      `^"a\^"b^"`,
		`a\b`:      `a\b`,
		`a b\`:     `^"a b\\^"`,
		`a\"`:      `^"a\\\^"^"`,
		"a&b":      "a^&b",
		"(a|b)":    "^(a^|b^)",
		"<>^":      "^<^>^^",
		"-n":       "-n",
		"10.1.2.3": "10.1.2.3",
		`C:\a b`:   `^"C:\a b^"`,
	} {
		if got, err := quoteWord(word); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", word, got, err, want)
		}
	}
	for _, bad := range []string{"%PATH%", "50%", "a!b", "a\nb", "a\tb", "a\x00b", "ä", "\xff", "\x7f"} {
		if got, err := quoteWord(bad); err == nil {
			t.Errorf("%q became %s", bad, got)
		}
	}
}

// argvOf reads a command line as CommandLineToArgvW is documented to, but for
// the program's name: a second opinion on forArgv.
func argvOf(line string) []string {
	var all []string
	var word strings.Builder
	inWord, quoted, slashes := false, false, 0
	flush := func(n int) {
		word.WriteString(strings.Repeat(`\`, n))
		slashes = 0
	}
	for _, r := range line {
		switch {
		case r == '\\':
			slashes++
			inWord = true
			continue
		case r == '"' && slashes%2 == 1:
			flush(slashes / 2)
			word.WriteRune('"')
		case r == '"':
			flush(slashes / 2)
			quoted, inWord = !quoted, true
		case r == ' ' && !quoted:
			flush(slashes)
			if inWord {
				all = append(all, word.String())
			}
			word.Reset()
			inWord = false
		default:
			flush(slashes)
			word.WriteRune(r)
			inWord = true
		}
	}
	flush(slashes)
	if inWord {
		all = append(all, word.String())
	}
	return all
}

// uncaret reads a command line as cmd.exe does outside of quotes; ok is false if
// it would see a sign that means something.
func uncaret(line string) (string, bool) {
	var b strings.Builder
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '^':
			escaped = true
		case strings.ContainsRune(`"&|<>()%!`, r):
			return "", false
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), !escaped
}

func FuzzQuoteWord(f *testing.F) {
	for _, seed := range []string{"", " ", `\"`, `a\\"b\`, `^"&"`, "-n web1", `\\\\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		quoted, err := quoteWord(word)
		if err != nil {
			return
		}
		line, ok := uncaret("x " + quoted + " y")
		if !ok {
			t.Fatalf("%q: cmd.exe would read a sign in %s", word, quoted)
		}
		if got := argvOf(line); len(got) != 3 || got[1] != word {
			t.Fatalf("%q arrived as %q by %s", word, got, quoted)
		}
	})
}

func TestProgram(t *testing.T) {
	got, err := program([]string{"C:/Program Files (x86)/Luna/vtl.exe", "addServer", "-n", "hsm1", "-c", "D:/a b/s.pem"})
	if want := `"C:\Program Files (x86)\Luna\vtl.exe" addServer -n hsm1 -c ^"D:\a b\s.pem^" <nul 2>&1`; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

func TestPathsOfTheMachineInEachForm(t *testing.T) {
	const p = "C:/Program Files/SafeNet/LunaClient/cert/client/web-1_x.pem"
	if err := checkPath(p); err != nil {
		t.Error(err)
	}
	if got := native(p); got != `"C:\Program Files\SafeNet\LunaClient\cert\client\web-1_x.pem"` {
		t.Error(got)
	}
	if got := remote(p); got != "/"+p {
		t.Error(got)
	}
	for told, want := range map[string]string{`C:\a\`: "C:/a", `C:\`: "C:/", `C:\a b\c`: "C:/a b/c", "": "", `D:/x`: "D:/x"} {
		if got := slashed(told); got != want {
			t.Errorf("%q is told as %q, want %q", told, got, want)
		}
	}
	if got := plainText("C:/Program Files (x86)/a"); got != "C:/Program Files ^(x86^)/a" {
		t.Error(got)
	}
}
