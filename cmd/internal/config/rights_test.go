package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRights(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("canary of a file\n"), 0o644); err != nil { //nolint:gosec // others can read it: warned about
		t.Fatal(err)
	}
	env := Env{Getenv: func(name string) string { return map[string]string{EnvSudoPassword: "canary of the environment"}[name] }}
	for name, c := range map[string]struct {
		flags    RightsFlags
		password string
		command  string
		warned   bool
	}{
		"nothing but the environment": {RightsFlags{}, "canary of the environment", "", false},
		"a file goes first":           {RightsFlags{SudoPasswordFile: file}, "canary of a file", "", true},
		"a command goes first":        {RightsFlags{Sudo: true, SudoPasswordCommand: "pass show x"}, "", "pass show x", false},
	} {
		var cfg Config
		var l Link
		if err := cfg.addRights(&l, c.flags, env); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r := l.Rights
		if (r.Password == nil) != (c.password == "") || r.Password != nil && r.Password.Reveal() != c.password {
			t.Errorf("%s: another password", name)
		}
		if (r.Command == nil) != (c.command == "") || r.Command != nil && r.Command.Reveal() != c.command {
			t.Errorf("%s: another command", name)
		}
		if r.Sudo != c.flags.Sudo || (len(cfg.Warnings) > 0) != c.warned {
			t.Errorf("%s: %v, warnings %q", name, r.Sudo, cfg.Warnings)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", l, r), "canary") {
			t.Errorf("%s: the password shows", name)
		}
	}
}

func TestRightsThatCannotBe(t *testing.T) {
	for want, f := range map[string]RightsFlags{
		"only one can be right": {SudoPasswordFile: "x", SudoPasswordCommand: "y"},
		"--sudo-password-file":  {SudoPasswordFile: filepath.Join(t.TempDir(), "missing")},
		"is empty":              {SudoPasswordCommand: "  "},
		"is not a whole path":   {ConfigPath: "opt/luna"},
		"take amiss":            {ConfigPath: "/opt/luna;reboot"},
		"names the file":        {ConfigPath: "/opt/luna/Chrystoki.conf"},
	} {
		var cfg Config
		err := cfg.addRights(&Link{}, f, Env{Getenv: func(string) string { return "" }})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", f, err, want)
		}
	}
	var cfg Config
	var l Link
	if err := cfg.addRights(&l, RightsFlags{ConfigPath: "/opt/luna-10.7/config/"}, Env{Getenv: func(string) string { return "" }}); err != nil || l.Rights.ConfigPath == "" {
		t.Errorf("%v", err)
	}
}
