package chrystoki

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSetExisting gives every entry of every sample another value, and looks at
// the bytes around it.
func TestSetExisting(t *testing.T) {
	for name, data := range samples(t, false) {
		t.Run(name, func(t *testing.T) {
			before := string(data)
			for i, e := range mustParse(t, before).Entries() {
				for _, value := range []string{"", "7", `C:\Luna Client\a=b, "c" #d`} {
					f := mustParse(t, before)
					if err := f.Set(strings.ToUpper(e.Section), e.Key, value); err != nil {
						t.Fatalf("Set(%q, %q, %q): %v", e.Section, e.Key, value, err)
					}
					checkOneValue(t, before, f, i, value)
				}
			}
		})
	}
}

// checkOneValue holds a file against the text that it was before the value of
// its entry i was set: what precedes and follows the value must be the same
// bytes, and all other entries too.
func checkOneValue(t testing.TB, before string, f *File, i int, value string) {
	t.Helper()
	after := string(f.Bytes())
	want := mustParse(t, before).Entries()
	old := want[i].Value
	want[i].Value = value
	if diff := cmp.Diff(want, mustParse(t, after).Entries()); diff != "" {
		t.Fatalf("entries after the edit (-want +got):\n%s", diff)
	}
	if len(after)-len(before) != len(value)-len(old) {
		t.Fatalf("%d bytes became %d, for a value of %d instead of %d", len(before), len(after), len(value), len(old))
	}
	head := 0
	for head < len(before) && head < len(after) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < min(len(before), len(after))-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	if changed := len(before) - head - tail; changed > len(old) {
		t.Fatalf("%d bytes changed for a value of %d:\n%q\n%q", changed, len(old), before, after)
	}
}

func TestSetSameValueChangesNothing(t *testing.T) {
	for name, data := range samples(t, false) {
		f := mustParse(t, string(data))
		for _, e := range f.Entries() {
			if err := f.Set(e.Section, e.Key, e.Value); err != nil {
				t.Errorf("%s: Set(%q): %v", name, e.Key, err)
			}
		}
		if diff := cmp.Diff(string(data), string(f.Bytes())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSetKeepsSurroundings(t *testing.T) {
	tests := []struct{ name, text, value, want string }{
		{"alignment", "A = {\n  x    =   old ;  # note\n}\n", "new", "A = {\n  x    =   new ;  # note\n}\n"},
		{"spelling of the name", "A = {\n  X=old;\n}\n", "new", "A = {\n  X=new;\n}\n"},
		{"carriage return", "A = {\r\n  x = old;\r\n}\r\n", "", "A = {\r\n  x = ;\r\n}\r\n"},
		{"empty value", "A = {\n  x = ;\n}\n", "0", "A = {\n  x = 0;\n}\n"},
		{"empty and tight", "A = {\n  x=;\n}\n", "0", "A = {\n  x=0;\n}\n"},
		{"value like the key", "x = {\n  x = x;\n}\n", "y", ""},
		{"neighbours on the line", "A={w=old;x=old;y=old;}", "new", "A={w=old;x=new;y=old;}"},
		{"value with inner blanks", "A = {\n  x = a  b\tc;\n}\n", "d  e", "A = {\n  x = d  e;\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			section := "A"
			if tt.want == "" {
				section, tt.want = "x", "x = {\n  x = y;\n}\n"
			}
			f := mustParse(t, tt.text)
			if err := f.Set(section, "x", tt.value); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(f.Bytes())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetAddsEntry(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"like the last one", "A = {\n  a = 1;\n    b = 2;\n}\n", "A = {\n  a = 1;\n    b = 2;\n    Key = v;\n}\n"},
		{"tight", "A={\na=1;\n}\n", "A={\na=1;\nKey=v;\n}\n"},
		{"TABs", "A = {\n\ta\t=\t1;\n}\n", "A = {\n\ta\t=\t1;\n\tKey\t=\tv;\n}\n"},
		{"CR LF", "A = {\r\n  a = 1;\r\n}\r\n", "A = {\r\n  a = 1;\r\n  Key = v;\r\n}\r\n"},
		{"CR LF only there", "A = {\n  a = 1;\r\n}\n", "A = {\n  a = 1;\r\n  Key = v;\r\n}\n"},
		{"aligned, shorter", "A = {\n  longer = 1;\n  b      = 2;\n}\n", "A = {\n  longer = 1;\n  b      = 2;\n  Key    = v;\n}\n"},
		{"aligned, behind the longest", "A = {\n  b      = 2;\n  longer = 1;\n}\n", "A = {\n  b      = 2;\n  longer = 1;\n  Key    = v;\n}\n"},
		{"aligned, too long", "A = {\n  a  = 1;\n  bb = 2;\n}\n", "A = {\n  a  = 1;\n  bb = 2;\n  Key = v;\n}\n"},
		{"aligned by a gap of two", "A = {\n  ab  = 1;\n}\n", "A = {\n  ab  = 1;\n  Key = v;\n}\n"},
		{"not aligned", "A = {\n  a = 1;\n  longer = 2;\n}\n", "A = {\n  a = 1;\n  longer = 2;\n  Key = v;\n}\n"},
		{"values right-aligned", "A = {\n  a =  10;\n  b =   1;\n  c = 100;\n  d =   2;\n}\n", "A = {\n  a =  10;\n  b =   1;\n  c = 100;\n  d =   2;\n  Key = v;\n}\n"},
		{"comment on the line", "A = {\n  a = 1; # }\n}\n", "A = {\n  a = 1; # }\n  Key = v;\n}\n"},
		{"comment behind", "A = {\n  a = 1;\n  # end\n}\n", "A = {\n  a = 1;\n  Key = v;\n  # end\n}\n"},
		{"blank line behind", "A = {\n  a = 1;\n\n}\n", "A = {\n  a = 1;\n  Key = v;\n\n}\n"},
		{"several on the last line", "A = {\n  a = 1; b = 2;\n}\n", "A = {\n  a = 1; b = 2;\n  Key = v;\n}\n"},
		{"on one line", "A = { a = 1; }", "A = { a = 1; Key = v; }"},
		{"on one line, tight", "A={a=1;}\n", "A={a=1; Key=v;}\n"},
		{"brace behind the last entry", "A = {\n  a = 1; }\n", "A = {\n  a = 1; Key = v; }\n"},
		{"opener before the first entry", "A = { a = 1;\n}\n", "A = { a = 1;\n   Key = v;\n}\n"},
		{"empty value before", "A = {\n  a =  1;\n  b =;\n}\n", "A = {\n  a =  1;\n  b =;\n  Key =v;\n}\n"},
		{"empty value between", "A = {\n  a = 1;\n  b =;\n  c = 2;\n}\n", "A = {\n  a = 1;\n  b =;\n  c = 2;\n  Key = v;\n}\n"},
		{"empty section", "A = {\n}\n", "A = {\n   Key = v;\n}\n"},
		{"empty on one line", "A = {}\n", "A = { Key = v; }\n"},
		{"empty with a blank", "A = { }\n", "A = { Key = v; }\n"},
		{"only a comment", "A = { # none\n  # yet\n\t}\n", "A = { # none\n  # yet\n   Key = v;\n\t}\n"},
		{"empty, takes after the section before", "B = {\n     b=1;\n}\nA = {\n}\nC = {\n c = 1;\n}\n", "B = {\n     b=1;\n}\nA = {\n     Key=v;\n}\nC = {\n c = 1;\n}\n"},
		{"empty, takes after the line before", "B = {\n b = 1;\n    bb=1;\n}\nA = {\n}\n", "B = {\n b = 1;\n    bb=1;\n}\nA = {\n    Key=v;\n}\n"},
		{"empty, takes after the section behind", "A = {\n}\nC = {\n c    =    1;\n}\n", "A = {\n Key = v;\n}\nC = {\n c    =    1;\n}\n"},
		{"empty, CR LF", "A = {\r\n}\n", "A = {\r\n   Key = v;\r\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := mustParse(t, tt.text)
			if err := f.Set("a", "Key", "v"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(f.Bytes())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetAddsSection(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"to nothing", "", "New = {\n   k = v;\n}\n"},
		{"to a byte order mark", "\ufeff", "\ufeffNew = {\n   k = v;\n}\n"},
		{"to a comment", "# top\n", "# top\n\nNew = {\n   k = v;\n}\n"},
		{"behind a section", "A = {\n  a = 1;\n}\n", "A = {\n  a = 1;\n}\n\nNew = {\n  k = v;\n}\n"},
		{"behind a blank line", "A = {\n  a = 1;\n}\n \n", "A = {\n  a = 1;\n}\n \nNew = {\n  k = v;\n}\n"},
		{"no line end", "A = {\n  a = 1;\n}", "A = {\n  a = 1;\n}\n\nNew = {\n  k = v;\n}\n"},
		{"no line end behind a comment", "A = {\n  a = 1;\n} # A", "A = {\n  a = 1;\n} # A\n\nNew = {\n  k = v;\n}\n"},
		{"CR LF", "A = {\r\n\ta = 1;\r\n}\r\n", "A = {\r\n\ta = 1;\r\n}\r\n\r\nNew = {\r\n\tk = v;\r\n}\r\n"},
		{"CR LF and a blank line", "A = {\r\n\ta = 1;\r\n}\r\n\r\n", "A = {\r\n\ta = 1;\r\n}\r\n\r\nNew = {\r\n\tk = v;\r\n}\r\n"},
		{"tight", "A={\na=1;\n}\n", "A={\na=1;\n}\n\nNew={\nk=v;\n}\n"},
		{"aligned", "A  = {\n  a        =     1;\n}\n", "A  = {\n  a        =     1;\n}\n\nNew = {\n  k = v;\n}\n"},
		{"on one line", "A = { a = 1; }", "A = { a = 1; }\n\nNew = {\n   k = v;\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := mustParse(t, tt.text)
			if err := f.Set(" New ", " k ", "v"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(f.Bytes())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	tests := []struct{ section, key, value string }{
		{"A", "a", "1;2"},
		{"A", "a", "{"},
		{"A", "a", "}"},
		{"A", "a", "1\n2"},
		{"A", "a", "1\r"},
		{"A", "a", "\x00"},
		{"A", "a", "a\tb"},
		{"A", "a", "\x7f"},
		{"A", "a", " 1"},
		{"A", "a", "1 "},
		{"A", "a", long},
		{"A", "new", long},
		{"A", "", "1"},
		{"A", " \t", "1"},
		{"A", "a=b", "1"},
		{"A", "a;b", "1"},
		{"A", "a\nb", "1"},
		{"A", "#a", "1"},
		{"A", "{", "1"},
		{"A", "}", "1"},
		{"", "a", "1"},
		{"B = C", "a", "1"},
		{"#B", "a", "1"},
		{"B\n", "a", "1"},
		{"\ufeffB", "a", "1"},
		{"A", "\ufeffb", "1"},
		{"A", "a", "\ufeff1"},
		{"B", long, "1"},
	}
	const text = "A = {\n  a = 0;\n}\n"
	for _, tt := range tests {
		f := mustParse(t, text)
		err := f.Set(tt.section, tt.key, tt.value)
		if err == nil {
			t.Errorf("Set(%q, %q, %q) was accepted:\n%s", tt.section, tt.key, tt.value, f.Bytes())
		}
		if got := string(f.Bytes()); got != text {
			t.Errorf("Set(%q, %q, %q) failed and changed the file:\n%s", tt.section, tt.key, tt.value, got)
		}
	}
	var zero File
	if err := zero.Set("\ufeffB", "a", "1"); err == nil {
		t.Errorf("a section name that reads back as another was accepted: %q", zero.Bytes())
	}
}

func TestSetSameValueOnLongLine(t *testing.T) {
	long := strings.Repeat("x", 2*maxLine)
	f := mustParse(t, "A = {\n  a = "+long+";\n}\n")
	if err := f.Set("A", "a", long); err != nil {
		t.Errorf("nothing to do was refused: %v", err)
	}
	if err := f.Set("A", "a", "short"); err != nil {
		t.Errorf("a shorter value was refused: %v", err)
	}
}

func TestSetKeepsValuesOutOfErrors(t *testing.T) {
	f := mustParse(t, string(sample(t, "cloud-secret")))
	for _, value := range []string{"hunter2;", "hunter2 ", "hunter2" + strings.Repeat("x", maxLine)} {
		if err := f.Set("REST", "AuthTokenClientSecret", value); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Set = %v", err)
		}
	}
}

func TestSetDistinguishesLabels(t *testing.T) {
	f := mustParse(t, string(sample(t, "ha-aligned")))
	if err := f.Set("hasynchronize", "HA-SIGNING", "1"); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(sample(t, "ha-aligned")), "  Payment Keys 2 = 1;\n", "  Payment Keys 2 = 1;\n  HA-SIGNING = 1;\n", 1)
	if diff := cmp.Diff(want, string(f.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
