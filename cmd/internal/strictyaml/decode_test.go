package strictyaml

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type reach struct {
	User string `json:"user"`
	Port int    `json:"port,omitempty"`
}

type host struct {
	reach
	Embedded
	Host   string   `json:"host"`
	Legacy *bool    `json:"legacy"`
	Groups []string `json:"groups"`
	hidden string   //nolint:unused // what the decoder must not see
}

// Embedded is flattened as encoding/json does.
type Embedded struct {
	Key string `json:"key"`
}

type document struct {
	Hosts map[string]host `json:"hosts"`
	Links []struct {
		A string `json:"a"`
	} `json:"links"`
	Names map[string][]string `json:"names"`
	Deep  bool                `json:"deep"`
}

func TestDecode(t *testing.T) {
	var d document
	places, mistakes := Decode([]byte(`# a comment
hosts:
  web1: {user: root, port: 2222, host: 10.0.0.1, legacy: yes, key: "7.10"}
  web2:
    host: web2.example
    legacy: true
    groups: front
links:
  - a: one
  - a: "two"
names:
  all: [web1, web2]
deep: False
`), &d)
	if len(mistakes) != 1 || mistakes[0].Text != `legacy wants true or false, and "yes" stands here` {
		t.Fatalf("%v", mistakes) // YAML 1.2 knows no yes
	}
	yes := true
	want := map[string]host{
		"web1": {reach: reach{"root", 2222}, Embedded: Embedded{"7.10"}, Host: "10.0.0.1", Legacy: new(bool)},
		"web2": {Host: "web2.example", Legacy: &yes, Groups: []string{"front"}},
	}
	if diff := cmp.Diff(want, d.Hosts, cmp.AllowUnexported(host{}, reach{})); diff != "" {
		t.Error(diff)
	}
	if len(d.Links) != 2 || d.Links[1].A != "two" || len(d.Names["all"]) != 2 || d.Deep {
		t.Errorf("%+v", d)
	}
	for path, want := range map[string]Position{
		"hosts.web1.port": {3, 28}, "links[1].a": {10, 8}, "names.all[1]": {12, 15},
		"hosts.web2.nothing": {5, 5}, "nowhere": {2, 1}, "links[1].b.c": {10, 5},
	} {
		if got := places.At(path); got != want {
			t.Errorf("%s is at %v, want %v", path, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":                 {"", "1:1 : the file is empty"},
		"comments alone":        {"# nothing\n", "1:1 : the file is empty"},
		"nothing below":         {"hosts:\nlinks:\n", "1:7 hosts: hosts has no value\n2:7 links: links has no value"},
		"nothing at all":        {"~\n", "1:1 : the file has no value"},
		"no document":           {"- a\n", "1:1 : the file wants keys with values, and a list stands here"},
		"a word":                {"hello\n", `1:1 : the file wants keys with values, and "hello" stands here`},
		"unknown, near":         {"host:\n  a: 1\n", "1:1 hosts: unknown key host; did you mean hosts?"},
		"unknown, swapped":      {"nmaes: {}\n", "1:1 names: unknown key nmaes; did you mean names?"},
		"unknown, far":          {"x: 1\n", "1:1 x: unknown key x; there are deep, hosts, links, names"},
		"twice":                 {"deep: true\ndeep: false\n", "2:1 deep: deep stands in line 1 already"},
		"twice in a map":        {"hosts:\n  a: {}\n  a: {}\n", "3:3 hosts.a: a stands in line 2 already"},
		"merge key":             {"hosts:\n  a: &a {host: h}\n  b: {<<: *a}\n", "3:7 hosts.b.<<: merge keys (<<) are not taken; what several entries share belongs in defaults"},
		"a list as word":        {"hosts:\n  a: {host: [1, 2]}\n", "2:13 hosts.a.host: host wants one value, and a list stands here"},
		"a map as list":         {"names: {a: {b: c}}\n", "1:12 names.a: a wants a list, and a set of keys stands here"},
		"no number":             {"hosts: {a: {port: ssh}}\n", `1:19 hosts.a.port: port wants a whole number in plain digits, without quotes, and "ssh" stands here`},
		"no value":              {"hosts: {a: {host: }}\n", "1:19 hosts.a.host: host has no value"},
		"a map as list of maps": {"links: {a: x}\n", "1:8 links: links wants a list, and a set of keys stands here"},
		"near, and there":       {"deep: true\ndeeb: 1\n", "2:1 deeb: unknown key deeb; did you mean deep?"},
		"empty word":            {"hosts: {a: {host: ''}}\n", "1:19 hosts.a.host: host is empty"},
		"empty list":            {"names: {a: []}\n", "1:12 names.a: a is empty"},
		"a word twice":          {"names: {a: [x, y, x]}\n", "1:19 names.a[2]: x stands twice in this list"},
		"a number as word": {"names: {a: 12, b: [x, 1.5]}\n", "1:12 names.a[0]: a is a text, and YAML takes what stands here for a number; put it in quotes\n" +
			"1:23 names.b[1]: b is a text, and YAML takes what stands here for a number; put it in quotes"},
		"true as word":      {"names: {a: true}\n", "1:12 names.a[0]: a is a text, and YAML takes what stands here for true or false; put it in quotes"},
		"date as word":      {"hosts: {a: {host: 2001-01-01}}\n", "1:19 hosts.a.host: host is a text, and YAML takes what stands here for a date; put it in quotes"},
		"number as key":     {"names: {1: [x]}\n", "1:9 names.1: a key is a text, and YAML takes 1 for a number; put it in quotes"},
		"nothing as key":    {"names: {~: [x]}\n", "1:9 names.~: a key is a text, and YAML takes ~ for nothing; put it in quotes"},
		"octal":             {"hosts: {a: {port: 022}}\n", `1:19 hosts.a.port: port wants a whole number in plain digits, without quotes, and "022" stands here`},
		"quoted number":     {"hosts: {a: {port: '22'}}\n", `1:19 hosts.a.port: port wants a whole number in plain digits, without quotes, and "22" stands here`},
		"a tag":             {"names: {a: !!python/object:os.system x}\n", "1:12 names.a: tags are not taken, and !!python/object:os.system stands here"},
		"a tag on a map":    {"hosts: !x {}\n", "1:8 hosts: tags are not taken, and !x stands here"},
		"the tag of a text": {"names: {a: !!str 12}\n", ""},
		"odd key":           {"[a, b]: c\n", "1:1 ?: a key is a word, and a list stands here"},
		"second document":   {"deep: true\n---\ndeep: true\n", "2:1 ---: a second document begins here; there can be one alone"},
		"all at once, in order": {"links: 3\ndeep: 1\nx: y\n",
			`1:8 links: links wants a list, and "3" stands here` + "\n" + `2:7 deep: deep wants true or false, and "1" stands here` + "\n" +
				"3:1 x: unknown key x; there are deep, hosts, links, names"},
		"long values are cut": {"deep: " + strings.Repeat("x", 200), `1:7 deep: deep wants true or false, and "` + strings.Repeat("x", 40) + `…" stands here`},
	} {
		t.Run(name, func(t *testing.T) {
			var d document
			_, mistakes := Decode([]byte(c.text), &d)
			var got []string
			for _, m := range mistakes {
				got = append(got, fmt.Sprintf("%d:%d %s: %s", m.Line, m.Column, m.Path, m.Text))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is no YAML at all is told with its place, and that nothing else can be.
func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"deep: true\nhosts: [a, b\nlinks: []\n": "3:6: a comma is missing before this, or the bracket that opens at 2:8 is not closed",
		"a: b: c\n":                             "1:5: a colon cannot stand here: ",
		"deep: true\n\thosts: {}\n":             "2:1: a tab stands here, and YAML is indented with blanks alone",
		"hosts:\n\ta: x\n":                      "2:1: a tab stands here, ",
		"hosts:\n  a:\n  \t  host: a\n":         "3:3: a tab stands here, ",
		"hosts: {a: @x}\n":                      "1:12: a value cannot begin with @ unless it is in quotes",
		"names: {é: `x}\n":                      "1:12: a value cannot begin with ` unless it is in quotes",
		"deep: \"unclosed\nx: y\n":              "1:7: quotes open here that are never closed",
		"x:\n  a: *b\n":                         "2:6: *b stands for nothing: no &b is before it",
		"hosts:\n  a: b\n links: []\n":          "3:2: a key and a colon were expected here",
		"- a\nb: c\n":                           "2:1: the next dash of the list was expected here",
		"a: - b\n":                              "1:4: a list cannot begin here",
		"a: ]\n":                                "1:4: a value was expected here",
		`a: "\q"`:                               "1:5: a backslash in double quotes begins an escape",
		"%YAML 9.9\n---\na: b\n":                "1:1: this version of YAML is not read",
		"\x00\x01\x02":                          "1:1: a control character (U+0000) stands here",
		"a: b\r\nc: \x1b[31m\n":                 "2:4: a control character (U+001B) stands here",
		"a: b\n# äö\xe9\n":                      "2:5: a byte that is no UTF-8 (0xe9) stands here; save the file as UTF-8",
		"a: b\rc: \xff":                         "2:4: a byte that is no UTF-8 (0xff) stands here",
		"\ufeffa: \x01":                         "1:4: a control character",
		"a: |x\n":                               "1:5: did not find expected comment or line break",
		"deep: true\n--- [\n":                   "3:1: a value was expected here",
	} {
		var d document
		_, mistakes := Decode([]byte(text), &d)
		if len(mistakes) == 0 {
			t.Errorf("%q: no mistake", text)
			continue
		}
		m := mistakes[len(mistakes)-1]
		said, plain := strings.CutPrefix(m.Text, "this is not YAML: ")
		got := fmt.Sprintf("%d:%d: %s", m.Line, m.Column, said)
		if !plain || m.Path != "" || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "; nothing else in the file could be checked") {
			t.Errorf("%q: %+v, want %s", text, m, want)
		}
	}
	if _, m := Decode([]byte("a: "+strings.Repeat("[", 20_000)), new(document)); len(m) != 1 || !strings.Contains(m[0].Text, "max depth") {
		t.Errorf("too deep: %v", m)
	}
}

// A file of an editor that writes UTF-16 is read.
func TestUTF16(t *testing.T) {
	text := []byte{0xff, 0xfe}
	for _, c := range "deep: true\nx: 1\n" {
		text = append(text, byte(c), 0)
	}
	var d document
	if _, m := Decode(text, &d); !d.Deep || len(m) != 1 || m[0].Line != 2 {
		t.Errorf("%+v %v", d, m)
	}
}

// Aliases are followed, and cannot multiply without end.
func TestAliases(t *testing.T) {
	var d document
	if _, m := Decode([]byte("names:\n  a: &x [p, q]\n  b: *x\n"), &d); len(m) != 0 || len(d.Names["b"]) != 2 {
		t.Errorf("%v %v", m, d.Names)
	}
	var bomb strings.Builder
	bomb.WriteString("names:\n  a0: &a [")
	for i := range 1000 {
		fmt.Fprintf(&bomb, "x%d, ", i)
	}
	bomb.WriteString("]\n")
	for i := range 400 {
		fmt.Fprintf(&bomb, "  b%d: *a\n", i)
	}
	if _, m := Decode([]byte(bomb.String()), &d); len(m) != 1 || m[0].Path != "" || !strings.Contains(m[0].Text, "the aliases (*name) make more than 200000 values") {
		t.Errorf("%d mistakes, %v", len(m), m[:min(len(m), 3)])
	}
	// What stands in the text itself is not counted.
	if _, m := Decode([]byte("links:\n"+strings.Repeat("- {a: b}\n", 150_000)), &d); len(m) != 0 || len(d.Links) != 150_000 {
		t.Errorf("%d links, %v", len(d.Links), m[:min(len(m), 3)])
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"hosts: {a: {host: b}}", "links: [{a: b}]", "x: &a [*a]", "? a\n: b", "--- |\n x", "a: !!int x", "<<: {}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d document
		places, mistakes := Decode([]byte(text), &d)
		if places.At("") == (Position{}) {
			t.Error("the document has no place")
		}
		for _, m := range mistakes {
			if m.Line < 1 || m.Column < 1 || m.Text == "" {
				t.Errorf("%+v", m)
			}
		}
	})
}
