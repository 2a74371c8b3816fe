package sshconfig

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "", false}, {"*", "", true}, {"*", "abc", true}, {"?", "", false}, {"?", "a", true}, {"?", "ab", false},
		{"web?", "web1", true}, {"web?", "web", false}, {"web*", "web", true}, {"web*", "web10", true}, {"web1", "web10", false},
		{"*.example.net", "hsm.example.net", true}, {"*.example.net", "example.net", false},
		{"a*b*c", "axxbyyc", true}, {"a*b*c", "axxbyy", false}, {"a**c", "ac", true}, {"[a]", "a", false}, {"A", "a", false},
		{"a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	} {
		if got := wildcard(c.pattern, c.text); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestAnyOf(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		want     bool
	}{
		{nil, false}, {[]string{"hsm1"}, true}, {[]string{"hsm"}, false}, {[]string{"a", "hsm*"}, true},
		{[]string{"hsm*", "!hsm1"}, false}, {[]string{"!hsm1", "hsm*"}, false}, {[]string{"!other"}, false}, {[]string{"!other", "*"}, true},
	} {
		if got := anyOf(c.patterns, "hsm1"); got != c.want {
			t.Errorf("%q: %v", c.patterns, got)
		}
	}
}

func TestDirective(t *testing.T) {
	for line, want := range map[string][2]string{
		"": {"", ""}, "   ": {"", ""}, "# Host a": {"", ""}, "  # x": {"", ""}, "Host": {"host", ""},
		"HostName a": {"hostname", "a"}, "\tPort\t22 \r\n": {"port", "22"}, "Port=22": {"port", "22"}, "Port = 22": {"port", "22"},
		"Port ==22": {"port", "=22"}, "Host =a": {"host", "a"}, "Host a=b": {"host", "a=b"}, "User x\f": {"user", "x"},
	} {
		keyword, rest := directive(line)
		if keyword != want[0] || rest != want[1] {
			t.Errorf("%q: %q, %q", line, keyword, rest)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                       nil,
		"a b\tc":                 {"a", "b", "c"},
		`"a b" 'c d'`:            {"a b", "c d"},
		`a"b c"d`:                {"ab cd"},
		`"it's" 'a "b"'`:         {"it's", `a "b"`},
		`a\ b a\"b "a\"b" 'a b'`: {"a b", `a"b`, `a"b`, "a b"},
		`C:\Users\x "a\ b" \\`:   {`C:\Users\x`, `a\ b`, `\`},
		"a # b":                  {"a"},
		"a#b c":                  {"a#b", "c"},
		`"" x`:                   {"", "x"},
		"# only":                 nil,
	} {
		got, err := words(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for _, open := range []string{`"a`, `a'`, `'a"`} {
		if got, err := words(open); err == nil {
			t.Errorf("%s is taken as %q", open, got)
		}
	}
}
