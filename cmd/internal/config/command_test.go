package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestPasswordCommands(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "pw"), "from the file\n", 0o600)
	for name, c := range map[string]struct {
		command, file, env string
		password, line     string // what is used
		problem            string
	}{
		"none":                     {"", "", "", "", "", ""},
		"command":                  {"pass hsm", "", "", "", "pass hsm", ""},
		"before the environment":   {"pass hsm", "", "from env", "", "pass hsm", ""},
		"file before environment":  {"", file, "from env", "from the file", "", ""},
		"environment":              {"", "", "from env", "from env", "", ""},
		"command and file exclude": {"pass hsm", file, "", "", "", "--hsm-password-command and --hsm-password-file are both given"},
		"blank command":            {" ", "", "", "", "", "--hsm-password-command is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			f := given()
			f.HSMPasswordCommand, f.HSMPasswordFile = c.command, c.file
			env := session()
			env.Getenv = func(name string) string { return map[string]string{EnvHSMPassword: c.env}[name] }
			cfg, err := f.Resolve(env)
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("%v, want %s", err, c.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			reveal := func(s *Secret) string {
				if s == nil {
					return ""
				}
				return s.Reveal()
			}
			end := cfg.Links[0].HSM
			if reveal(end.Password) != c.password || reveal(end.Command) != c.line {
				t.Errorf("password %q, command %q", reveal(end.Password), reveal(end.Command))
			}
			if want := map[bool]string{true: "--hsm-password-command"}[c.line != ""]; end.CommandFlag != want {
				t.Errorf("flag %q", end.CommandFlag)
			}
			if other := cfg.Links[0].Client; other.Command != nil {
				t.Error("the client has the HSM's command")
			}
			if c.line != "" && strings.Contains(fmt.Sprintf("%+v %#v", cfg, cfg), c.line) {
				t.Error("the command is shown, and it may hold the password")
			}
		})
	}
}

func TestFirstLine(t *testing.T) {
	for printed, want := range map[string]string{
		"s3cret": "s3cret", "s3cret\n": "s3cret", "s3cret\r\nlogin: alex\n": "s3cret", " s3 cret \n": " s3 cret ",
		strings.Repeat("x", maxSecret): strings.Repeat("x", maxSecret),
	} {
		if got, err := FirstLine(printed); err != nil || got != want {
			t.Errorf("%q: %q, %v", printed, got, err)
		}
	}
	for printed, want := range map[string]string{
		"": "no password", "\n": "no password", "\r\ns3cret": "no password",
		strings.Repeat("s3cret", maxSecret): "too long", "s3\x00cret": "NUL",
	} {
		if got, err := FirstLine(printed); got != "" || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.20q: %q, %v", printed, got, err)
		}
	}
}
