package sshconfig

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What each keyword comes to, by itself and against a later line.
func TestSettings(t *testing.T) {
	tests := map[string]struct {
		lines []string
		want  Settings
	}{
		"where": {
			[]string{"HostName 10.9.8.7", "Port 2222", "User ops", "ConnectTimeout 9", "HostName late", "Port 1", "User late", "ConnectTimeout 1"},
			Settings{HostName: "10.9.8.7", Port: 2222, User: "ops", ConnectTimeout: 9 * time.Second},
		},
		"an empty time-out is none": {
			[]string{"ConnectTimeout none", "ConnectTimeout 5"},
			Settings{},
		},
		"keys": {
			[]string{"IdentityFile /a", "CertificateFile /c", "IdentityFile /b", "CertificateFile /d", "IdentityFile /a", "IdentitiesOnly yes", "IdentitiesOnly no"},
			Settings{IdentityFiles: []string{"/a", "/b"}, CertificateFiles: []string{"/c", "/d"}, IdentitiesOnly: true},
		},
		"no keys": {
			[]string{"IdentityFile None", "CertificateFile none", "IdentitiesOnly no", "IdentitiesOnly yes"},
			Settings{NoIdentityFiles: true},
		},
		"an agent": {
			[]string{"IdentityAgent /run/agent", "IdentityAgent none"},
			Settings{Agent: "/run/agent"},
		},
		"no agent": {
			[]string{"IdentityAgent none", "IdentityAgent /run/agent"},
			Settings{NoAgent: true},
		},
		"an agent by variable": {
			[]string{"IdentityAgent $SOCK"},
			Settings{Agent: "/run/sock"},
		},
		"an agent by a variable that is empty": {
			[]string{"IdentityAgent $NOTHING"},
			Settings{NoAgent: true},
		},
		"one jump host": {
			[]string{"ProxyJump gate", "ProxyJump late"},
			Settings{Jumps: []string{"gate"}},
		},
		"several jump hosts": {
			[]string{"ProxyJump a@b:33,ssh://c@[::1]:44/,d"},
			Settings{Jumps: []string{"a@b:33", "c@[::1]:44", "d"}},
		},
		"no jump host": {
			[]string{"ProxyJump none", "ProxyJump late"},
			Settings{},
		},
		"a command that is none goes before a jump host": {
			[]string{"ProxyCommand none", "ProxyJump late"},
			Settings{},
		},
		"a jump host goes before a command": {
			[]string{"ProxyJump gate", "ProxyCommand nc %h %p"},
			Settings{Jumps: []string{"gate"}},
		},
		"host keys": {
			[]string{"HostKeyAlias boxes", "UserKnownHostsFile /a \"/b c\"", "StrictHostKeyChecking YES", "UserKnownHostsFile /late", "StrictHostKeyChecking no"},
			Settings{HostKeyAlias: "boxes", KnownHosts: []string{"/a", "/b c"}, Strict: true},
		},
		"no known hosts": {
			[]string{"UserKnownHostsFile none"},
			Settings{NoKnownHosts: true},
		},
		"looser checks are not taken": {
			[]string{"StrictHostKeyChecking accept-new", "StrictHostKeyChecking yes"},
			Settings{},
		},
		"algorithms": {
			[]string{"KexAlgorithms +a,b", "Ciphers ^c", "MACs d,a", "HostKeyAlgorithms -e", "PubkeyAcceptedKeyTypes +f", "PubkeyAcceptedAlgorithms +late"},
			Settings{Algorithms: []string{"a", "b", "c", "d", "f"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := ask(t, map[string]string{"config": strings.Join(tt.lines, "\n") + "\n"})
			if len(s.Warnings) > 0 {
				t.Errorf("warned: %q", s.Warnings)
			}
			s.Places = nil
			if diff := cmp.Diff(tt.want, s); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A block holds until the next one, and each file has blocks of its own.
func TestBlocks(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  int
	}{
		"before any block":            {map[string]string{"config": "Port 7\nHost other\nPort 8\n"}, 7},
		"in its block":                {map[string]string{"config": "Host hsm1\nPort 7\n"}, 7},
		"in another's":                {map[string]string{"config": "Host other\nPort 7\n"}, 0},
		"after another's":             {map[string]string{"config": "Host other\nPort 7\nHost hsm1\nPort 8\n"}, 8},
		"Match after Host":            {map[string]string{"config": "Host other\nPort 7\nMatch all\nPort 8\n"}, 8},
		"Host after Match":            {map[string]string{"config": "Match user nobody\nPort 7\nHost hsm1\nPort 8\n"}, 8},
		"a wrong Host is none":        {map[string]string{"config": "Host \"hsm1\nPort 7\nHost *\nPort 8\n"}, 8},
		"a wrong Match is none":       {map[string]string{"config": "Match host\nPort 7\nHost *\nPort 8\n"}, 8},
		"included, in its block":      {map[string]string{"config": "Host hsm1\nInclude more\n", "more": "Port 7\n"}, 7},
		"included, in another's":      {map[string]string{"config": "Host other\nInclude more\nHost *\nPort 8\n", "more": "Port 7\n"}, 8},
		"included, opens nothing":     {map[string]string{"config": "Host other\nInclude more\n", "more": "Host hsm1\nPort 7\n"}, 0},
		"a block ends with its file":  {map[string]string{"config": "Include more\nPort 8\n", "more": "Host other\nPort 7\n"}, 8},
		"and the one around goes on":  {map[string]string{"config": "Host hsm1\nInclude more\nPort 8\n", "more": "Host other\nPort 7\n"}, 8},
		"included by a pattern":       {map[string]string{"config": "Include m?re*\n", "more": "Port 7\n", "more2": "Port 8\n"}, 7},
		"in the order that is listed": {map[string]string{"config": "Include b a\n", "a": "Port 7\n", "b": "Port 8\n"}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, tt.files).Port; got != tt.want {
				t.Errorf("port %d, want %d", got, tt.want)
			}
		})
	}
}

func TestMatchLine(t *testing.T) {
	e := &evaluator{
		query: Query{Host: "hsm1", Local: "alex"},
		values: map[string][]value{
			"hostname": {{words: []string{"Real.example.net"}}},
			"user":     {{words: []string{"ops"}}},
		},
	}
	yes, no := verdict{applies: true}, verdict{}
	for line, want := range map[string]verdict{
		"all":                               yes,
		"host real.example.net":             yes,
		"host REAL.example.net":             yes,
		"host hsm1":                         no,
		"host *.net,hsm1":                   yes,
		"host *.net,!real*":                 no,
		"originalhost hsm1":                 yes,
		"originalhost HSM?":                 yes,
		"user ops":                          yes,
		"user OPS":                          no,
		"user alex":                         no,
		"localuser alex":                    yes,
		"localuser ops":                     no,
		"!host hsm1":                        yes,
		"!originalhost hsm1":                no,
		"!user root,ops":                    no,
		"HOST real* User ops":               yes,
		"host real* user root":              no,
		"host=real* user=ops":               yes,
		"canonical":                         {true, "canonical"},
		"final all":                         {true, "final"},
		"!final":                            yes,
		"!canonical user ops":               yes,
		"exec \"test -f /x\"":               {true, "exec"},
		"!exec true":                        {true, "exec"},
		"exec true user ops":                {true, "exec"},
		"exec true user root":               no,
		"user root exec true":               no,
		"tagged x":                          {true, "tagged"},
		"localnetwork 10.0.0.0/8 user root": no,
	} {
		args, err := words(line)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.matchLine(args)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", line, got, err, want)
		}
	}
	for line, want := range map[string]string{
		"all user x":     "cannot stand beside others",
		"user x all":     "cannot stand beside others",
		"!all":           "cannot stand beside others",
		"host":           "lacks its value",
		"user a host":    "lacks its value",
		"moon full":      "no such criterion",
		"user root moon": "lacks its value", // also after one that fails
	} {
		if got, err := e.matchLine(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
}

func TestExpand(t *testing.T) {
	e := &evaluator{query: Query{Host: "hsm1", Home: "/home/alex", Getenv: func(name string) string { return map[string]string{"A": "x", "B": "y"}[name] }}}
	for text, want := range map[string]string{"": "", "/a": "/a", "~": "/home/alex", "~/a": "/home/alex/a", "a~": "a~"} {
		if got, err := e.tilde(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{"": "", "$A": "$A", "${A}": "x", "a${A}b${B}c": "axbyc", "${A": "", "${}": "", "${C}": ""} {
		got, err := e.variables(text)
		if got != want || (err != nil) != (want == "" && text != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{"": "", "a": "a", "%n": "hsm1", "%%n": "%n", "%n%n": "hsm1hsm1", "%x": "", "n%": ""} {
		got, err := e.tokens(text, map[byte]string{'n': "hsm1"})
		if got != want || (err != nil) != (want == "" && text != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// Every keyword is in one list alone.
func TestKeywords(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range strings.Fields(passedBy) {
		if _, ok := taken(name); ok || seen[name] || name != lower(name) {
			t.Errorf("%s is there twice, or not in lower case", name)
		}
		seen[name] = true
	}
	for name, slot := range map[string]string{
		"hostname": "hostname", "proxyjump": "proxy", "proxycommand": "proxy", "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
	} {
		if k, ok := taken(name); !ok || k.slot != slot {
			t.Errorf("%s goes to %q", name, k.slot)
		}
	}
	if _, ok := taken("HostName"); ok {
		t.Error("a keyword is looked up in lower case")
	}
}
