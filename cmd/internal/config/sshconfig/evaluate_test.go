package sshconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ask evaluates a configuration for host hsm1.
func ask(t *testing.T, files map[string]string) Settings {
	t.Helper()
	return Evaluate(Query{
		Host: "hsm1", Local: "alex", Home: home(t, files),
		Getenv: func(name string) string { return map[string]string{"KEYS": "/keys", "SOCK": "/run/sock"}[name] },
	})
}

func TestNothing(t *testing.T) {
	for name, q := range map[string]Query{"no home": {Host: "h"}, "no file": {Host: "h", Home: t.TempDir()}} {
		if diff := cmp.Diff(Settings{Places: map[string]string{}}, Evaluate(q)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Tokens and ~ in paths: the oracle prints them as they are written.
func TestPaths(t *testing.T) {
	files := map[string]string{"config": `HostName %h.Example.net
User ops
Port 2222
HostKeyAlias boxes
IdentityFile ~/.ssh/%n
IdentityFile %d/%r@%h:%p-%u-%k-%%
IdentityFile ${KEYS}/a
IdentityFile ~
CertificateFile "~/with blank"
IdentityAgent ${SOCK}.%n
UserKnownHostsFile ~/k %d/l
`}
	s := ask(t, files)
	if len(s.Warnings) > 0 {
		t.Errorf("%q", s.Warnings)
	}
	dir := strings.TrimSuffix(s.KnownHosts[0], "/k")
	want := []string{dir + "/.ssh/hsm1", dir + "/ops@hsm1.example.net:2222-alex-boxes-%", "/keys/a", dir}
	if diff := cmp.Diff(want, s.IdentityFiles); diff != "" {
		t.Error(diff)
	}
	if s.CertificateFiles[0] != dir+"/with blank" || s.Agent != "/run/sock.hsm1" || s.KnownHosts[1] != dir+"/l" {
		t.Errorf("%+v", s)
	}
}

func TestWarnings(t *testing.T) {
	for text, want := range map[string]string{
		"IdentityFile %z":                     `1: IdentityFile is not taken: %z stands for nothing that is known here`,
		"IdentityFile a%":                     "stands for nothing",
		"IdentityFile ${NOT_SET}/a":           "the environment variable NOT_SET is not set",
		"IdentityFile ${KEYS":                 "is not set",
		"IdentityFile ~root/a":                "somebody else's home directory",
		"ConnectTimeout 0":                    "is no number of seconds",
		"ProxyJump ,":                         "is no list of hosts",
		"ProxyCommand ssh -W %h:%p \"gate":    "no command is run",
		"Match exec \"true\"\nPort 3":         `1: the block is not taken, for "Match exec" cannot be told here; it has Port`,
		"Match final\nPort 3\nUser a":         `"Match final"`,
		"Match canonical host h*\nPort 3":     `"Match canonical"`,
		"Match localnetwork 10.0.0.0/8\nUser": `"Match localnetwork"`,
		"Match exec x\nInclude other":         "it has Include",
		"Match all host x\nPort 3":            "cannot stand beside others",
		"Host\nPort 3":                        "it lacks its value",
		"Include":                             "Include: it lacks its value",
		"Include ~other/x":                    "somebody else's",
		"Include [":                           "syntax error",
		"Port 22\x1b[2J3":                     "is no port",
	} {
		s := ask(t, map[string]string{"config": text + "\n"})
		if len(s.Warnings) != 1 || !strings.HasPrefix(s.Warnings[0], "~/.ssh/config:1: ") || !strings.Contains(s.Warnings[0], want) {
			t.Errorf("%q: warned %q", text, s.Warnings)
		}
		if strings.Contains(strings.Join(s.Warnings, ""), "\x1b") {
			t.Errorf("%q: a control character is passed on", text)
		}
	}
}

// What does not matter for the host is not told.
func TestNoWarnings(t *testing.T) {
	for _, text := range []string{
		"Match exec \"true\"\n", "Match exec x\nForwardAgent yes\n", "Match exec x host other\nPort 3\n", "Match originalhost other exec x\nPort 3\n",
		"Port 4\nMatch exec x\nPort 3\n", "Host other\nNoSuchKeyword x\nPort abc\nInclude\n", "Include nothing*\n", "UseKeychain yes\nAddKeysToAgent yes\n",
	} {
		if s := ask(t, map[string]string{"config": text}); len(s.Warnings) > 0 {
			t.Errorf("%q: warned %q", text, s.Warnings)
		}
	}
}

func TestInclude(t *testing.T) {
	s := ask(t, map[string]string{
		"config":         "Include ~/.ssh/conf.d/* more\nUser last\n",
		"conf.d/10.conf": "Host hsm1\n  Port 10\nHost other\n  User nobody\n",
		"conf.d/20.conf": "ConnectTimeout 20\nPort 20\n",
		"more":           "Include deeper\n",
		"deeper":         "HostName deep.example.net\n",
	})
	if s.Port != 10 || s.ConnectTimeout != 20*time.Second || s.HostName != "deep.example.net" || s.User != "last" {
		t.Errorf("%+v", s)
	}
	want := map[string]string{
		"Port": "~/.ssh/conf.d/10.conf:2", "ConnectTimeout": "~/.ssh/conf.d/20.conf:1", "HostName": "~/.ssh/deeper:1", "User": "~/.ssh/config:2",
	}
	if diff := cmp.Diff(want, s.Places); diff != "" {
		t.Error(diff)
	}
	s = ask(t, map[string]string{"config": "Include config\nPort 7\n"})
	if s.Port != 7 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "too many files") {
		t.Errorf("%+v", s)
	}
}

func TestFilesThatAreNotTaken(t *testing.T) {
	path := filepath.Join(".ssh", "config")
	for name, tt := range map[string]struct {
		make func(string) error
		text string
	}{
		"writable by others": {func(dir string) error { return os.Chmod(filepath.Join(dir, path), 0o622) }, "others may write to it (mode 0622)"},
		"a folder": {func(dir string) error {
			if err := os.Remove(filepath.Join(dir, path)); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(dir, path), 0o700)
		}, "it is no plain file"},
		"too large": {func(dir string) error { return os.Truncate(filepath.Join(dir, path), 2<<20) }, "it is too large"},
	} {
		dir := home(t, map[string]string{"config": "Port 7\n"})
		if err := tt.make(dir); err != nil {
			t.Fatal(err)
		}
		s := Evaluate(Query{Host: "hsm1", Home: dir})
		if s.Port != 0 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "~/.ssh/config: not read: "+tt.text) {
			t.Errorf("%s: %d, %q", name, s.Port, s.Warnings)
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add("Host hsm1 !x*\n HostName=%h.example.net\nMatch all\n Port 3\n")
	f.Add("Match user \"a b\" exec x\nIdentityFile ~/%d${X}\\\nInclude *\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := ask(t, map[string]string{"config": "Port 1\nHostName first\n" + text})
		if s.Port != 1 || s.HostName != "first" {
			t.Errorf("%q hides the first lines", text)
		}
		for _, w := range s.Warnings {
			if strings.ContainsAny(w, "\n\x1b") {
				t.Errorf("%q is warned about in more than a line: %q", text, w)
			}
		}
	})
}
