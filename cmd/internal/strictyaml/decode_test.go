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
  web1: {user: root, port: 2222, host: 10.0.0.1, legacy: yes, key: 7.10}
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
		"empty":            {"", "1:1 : the file is empty"},
		"comments alone":   {"# nothing\n", "1:1 : the file is empty"},
		"nothing below":    {"hosts:\nlinks:\n", ""},
		"no document":      {"- a\n", "1:1 : the file wants keys with values, and a list stands here"},
		"a word":           {"hello\n", `1:1 : the file wants keys with values, and "hello" stands here`},
		"unknown, near":    {"host:\n  a: 1\n", "1:1 host: unknown key host; did you mean hosts?"},
		"unknown, swapped": {"nmaes: {}\n", "1:1 nmaes: unknown key nmaes; did you mean names?"},
		"unknown, far":     {"x: 1\n", "1:1 x: unknown key x; there are deep, hosts, links, names"},
		"twice":            {"deep: true\ndeep: false\n", "2:1 deep: deep stands in line 1 already"},
		"twice in a map":   {"hosts:\n  a: {}\n  a: {}\n", "3:3 hosts.a: a stands in line 2 already"},
		"merge key":        {"hosts:\n  a: &a {host: h}\n  b: {<<: *a}\n", "3:7 hosts.b: merge keys (<<) are not taken; what several entries share belongs in defaults"},
		"a list as word":   {"hosts:\n  a: {host: [1, 2]}\n", "2:13 hosts.a.host: host wants one value, and a list stands here"},
		"a map as list":    {"names: {a: {b: c}}\n", "1:12 names.a: a wants a list, and a set of keys stands here"},
		"no number":        {"hosts: {a: {port: ssh}}\n", `1:19 hosts.a.port: port wants a whole number, and "ssh" stands here`},
		"no value":         {"hosts: {a: {host: }}\n", "1:19 hosts.a.host: host has no value"},
		"odd key":          {"[a, b]: c\n", "1:1 : a key is a word, and a list stands here"},
		"second document":  {"deep: true\n---\ndeep: true\n", "2:1 : a second document begins here; there can be one alone"},
		"all at once, in order": {"links: 3\ndeep: 1\nx: y\n",
			`1:8 links[0]: links[0] wants keys with values, and "3" stands here` + "\n" + `2:7 deep: deep wants true or false, and "1" stands here` + "\n" +
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

// What is no YAML at all is told with its line.
func TestSyntax(t *testing.T) {
	for text, line := range map[string]int{
		"deep: true\nhosts: [a, b\nlinks: []\n": 3,
		"a: b: c\n":                             1,
		"deep: true\n\thosts: {}\n":             2,
		"deep: \"unclosed\n":                    2,
		"x: &a *b\n":                            1,
		"\x00\x01\x02":                          1,
		"deep: true\n--- [\n":                   3,
	} {
		var d document
		_, mistakes := Decode([]byte(text), &d)
		if len(mistakes) == 0 {
			t.Errorf("%q: no mistake", text)
			continue
		}
		t.Logf("%q: %v", text, mistakes)
		if m := mistakes[len(mistakes)-1]; m.Line != line || !strings.HasPrefix(m.Text, "this is not YAML: ") || strings.Contains(m.Text, "line ") {
			t.Errorf("%q: %+v, want line %d", text, m, line)
		}
	}
}

// Aliases are followed, and cannot multiply without end.
func TestAliases(t *testing.T) {
	var d document
	if _, m := Decode([]byte("names:\n  a: &x [p, q]\n  b: *x\n"), &d); len(m) != 0 || len(d.Names["b"]) != 2 {
		t.Errorf("%v %v", m, d.Names)
	}
	var bomb strings.Builder
	bomb.WriteString("names:\n  a0: &a [" + strings.Repeat("x, ", 1000) + "]\n")
	for i := range 400 {
		fmt.Fprintf(&bomb, "  b%d: *a\n", i)
	}
	if _, m := Decode([]byte(bomb.String()), &d); len(m) != 1 || !strings.Contains(m[0].Text, "more than 200000 values") {
		t.Errorf("%v", m)
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
