package chrystoki

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRefusesSamples(t *testing.T) {
	want := map[string]SyntaxError{
		"unterminated":   {4, "LunaSA Client = {", "section is not closed"},
		"nested":         {3, "Group = {", "opening brace within a section"},
		"quotes-slashes": {2, `HAGroup = "1:203.0.113.8;203.0.113.18";`, "entry without '='"},
		"two-sections":   {6, "lunasa client = {", "section stands twice, first on line 1"},
		"two-entries":    {4, "ServerName00 = hsm-b.example.net;", "entry stands twice, first on line 2"},
		"no-semicolon":   {2, "NetClient = 1", "entry without ';'"},
		"elided":         {4, "...", "text outside of a section"},
		"ini":            {1, "[LunaSA Client]", "text outside of a section"},
	}
	for name, data := range samples(t, true) {
		t.Run(name, func(t *testing.T) {
			f, err := Parse(data)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || f != nil {
				t.Fatalf("Parse = %v, %v; want a *SyntaxError", f, err)
			}
			if name == "utf16" {
				if !strings.Contains(syntax.Why, "control character 0x00") {
					t.Errorf("Why = %q", syntax.Why)
				}
				return
			}
			expected, ok := want[name]
			if !ok {
				t.Fatal("sample without an expectation")
			}
			if diff := cmp.Diff(expected, *syntax); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		text string
		line int
		why  string
	}{
		{"A = {\n x = 1;\x00\n}", 2, "control character 0x00"},
		{"A = {\n x = \x1b[2J;\n}", 2, "control character 0x1b"},
		{"A = {\n x = 1;\r y = 2;\n}", 2, "control character 0x0d"},
		{"A = {\n x = 1;\r\r\n}", 2, "control character 0x0d"},
		{"A = {\n}\n\x1a", 3, "control character 0x1a"},
		{"A = {\n x = \x7f;\n}", 2, "control character 0x7f"},
		{"A = {\n x = 1;\n", 1, "section is not closed"},
		{"A = {", 1, "section is not closed"},
		{"A = {\n x = 1; # }", 1, "section is not closed"},
		{"A = {\n x = 1;\n}\n}\n", 4, "text outside of a section"},
		{"A = {\n x = 1;\n}};\n", 3, "text outside of a section"},
		{"A = {\n};\n", 2, "text outside of a section"},
		{"A = {\n} B = {\n}\n", 2, "text behind the end of a section"},
		{"A = {\n} x = 1;\n", 2, "text outside of a section"},
		{"x = 1;\nA = {\n}\n", 1, "text outside of a section"},
		{"A\n= {\n}\n", 1, "text outside of a section"},
		{"A =\n{\n}\n", 1, "text outside of a section"},
		{"A = # note\n{\n}\n", 1, "text outside of a section"},
		{"A {\n}\n", 1, "not of the form 'Name = {'"},
		{" = {\n}\n", 1, "not of the form 'Name = {'"},
		{"{\n}\n", 1, "not of the form 'Name = {'"},
		{"A = x {\n}\n", 1, "not of the form 'Name = {'"},
		{"A = B = {\n}\n", 1, "not of the form 'Name = {'"},
		{"A = {{\n}\n", 1, "opening brace within a section"},
		{"A = {\n x = {1};\n}\n", 2, "opening brace within a section"},
		{"A = {\n x = 1}\n", 2, "entry without ';'"},
		{"A = { x = 1 }\n", 1, "entry without ';'"},
		{"A = {\n x =\n 1;\n}\n", 2, "entry without ';'"},
		{"A = {\n x = 1 # one;\n}\n", 0, ""},
		{"A = {\n x = 1 # one\n}\n", 2, "entry without ';'"},
		{"A = {\n x;\n}\n", 2, "entry without '='"},
		{"A = {\n x = 1;;\n}\n", 2, "entry without '='"},
		{"A = {\n = 1;\n}\n", 2, "entry without a name"},
		{"A = {\n x = 1;\n X\t= 2;\n}\n", 3, "entry stands twice, first on line 2"},
		{"A = {\n x = 1; x = 1;\n}\n", 2, "entry stands twice, first on line 2"},
		{"A = {\n}\nB = {\n}\na  = {\n}\n", 5, "section stands twice, first on line 1"},
		{"HASynchronize = {\n x = 1;\n x = 1;\n}\n", 3, "entry stands twice, first on line 2"},
		{"A = {\n x = 1;\n}\nB = {\n x = 1;\n}\n", 0, ""},
		{"", 0, ""},
		{"\ufeff", 0, ""},
		{"\ufeff\ufeffA = {\n}\n", 1, "byte order mark within the file"},
		{"A = {\n}\n\ufeffB = {\n}\n", 3, "byte order mark within the file"},
		{"# only a comment", 0, ""},
		{"\n \t\r\n", 0, ""},
		{"A = {}\r", 0, ""},
		{"A={x=;}", 0, ""},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.text))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			if tt.why != "" {
				t.Errorf("Parse(%q) = %v, want line %d: %s", tt.text, err, tt.line, tt.why)
			}
			continue
		}
		if syntax.Line != tt.line || syntax.Why != tt.why {
			t.Errorf("Parse(%q) = %v, want line %d: %s", tt.text, err, tt.line, tt.why)
		}
	}
}

func TestParseRefusesLargeFiles(t *testing.T) {
	most := "A = {\n" + strings.Repeat("\n", MaxSize-8) + "}\n"
	if _, err := Parse([]byte(most)); err != nil {
		t.Errorf("a file of MaxSize: %v", err)
	}
	if _, err := Parse([]byte(most + "\n")); err == nil {
		t.Error("a file beyond MaxSize was read")
	}
}

func TestSyntaxErrorIsShort(t *testing.T) {
	_, err := Parse([]byte("A = {\n" + strings.Repeat("x", 500)))
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || len(syntax.Text) > 100 {
		t.Errorf("got %v", err)
	}
}

func TestSyntaxErrorHidesSecretsAndControls(t *testing.T) {
	for _, text := range []string{
		"REST = {\n AuthTokenClientSecret = canary-hunter2\n}\n",
		"REST = {\n X = 1;\n AuthTokenClientSecret = canary-hunter2; AuthTokenClientSecret = b;\n}\n",
		"Crypto = {\n Password=canary-hunter2 {\n}\n",
		"PASSWD = canary-hunter2\n",
	} {
		_, err := Parse([]byte(text))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Parse(%q) = %v", text, err)
		}
	}
	_, err := Parse([]byte("A = {\n x\x1b]0;title\x07 = 1;\n}"))
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\x07") {
		t.Errorf("control characters in %q", err)
	}
}
