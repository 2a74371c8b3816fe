package transcript

import (
	"fmt"
	"strings"
	"testing"

	"ntl-setup/transport"
)

func TestWithoutProgram(t *testing.T) {
	program := "data_0() {\nprintf 'AAAA'\n}\n"
	around := transport.ProgramBegins + "\n" + program + transport.ProgramEnds + "\n"
	for name, c := range map[string]struct{ in, want string }{
		"none":      {"echo a\n", "echo a\n"},
		"empty":     {"", ""},
		"one":       {"{\n" + around + "act 0 do_bring\n}\n", "{\n# a program is brought along here: 26 bytes, which are not recorded\nact 0 do_bring\n}\n"},
		"no end":    {"{\n" + transport.ProgramBegins + "\n" + program, "{\n" + transport.ProgramBegins + "\n" + program},
		"end alone": {program + transport.ProgramEnds + "\n", program + transport.ProgramEnds + "\n"},
	} {
		in := []byte(c.in)
		if got := string(withoutProgram(in)); got != c.want {
			t.Errorf("%s:\n%q\nwant\n%q", name, got, c.want)
		}
		if string(in) != c.in {
			t.Errorf("%s: the script itself was changed", name)
		}
	}
}

// The script arrives whole, and the log tells that there was more.
func TestAProgramIsNotRecorded(t *testing.T) {
	m := &memory{}
	p := &peer{log: m}
	script := "before\n" + transport.ProgramBegins + "\n" + strings.Repeat("printf 'QUJD'\n", 1000) + transport.ProgramEnds + "\nafter\n"
	if _, err := logTo(m).Runner(p).Exec(t.Context(), "sh", []byte(script)); err != nil {
		t.Fatal(err)
	}
	text := m.said()
	for _, want := range []string{"> before", "13999 bytes, which are not recorded", "> after", fmt.Sprintf("ran sh with %d bytes", len(script))} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "QUJD") {
		t.Error("the program is in the log")
	}
}
