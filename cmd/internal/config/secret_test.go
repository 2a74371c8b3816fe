package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
		warn    bool
		problem string
	}{
		"newline taken off":    {"s3cret\n", 0o600, "s3cret", false, ""},
		"CRLF taken off":       {"s3cret\r\n", 0o600, "s3cret", false, ""},
		"none to take off":     {"s3cret", 0o400, "s3cret", false, ""},
		"blanks stay":          {" s3 cret \n", 0o600, " s3 cret ", false, ""},
		"only one newline":     {"s3cret\n\n", 0o600, "", false, "more than one line"},
		"two lines":            {"s3cret\nother\n", 0o600, "", false, "more than one line"},
		"NUL":                  {"s3\x00cret", 0o600, "", false, "more than one line"},
		"empty":                {"", 0o600, "", false, "is empty"},
		"only a newline":       {"\n", 0o600, "", false, "is empty"},
		"longest":              {strings.Repeat("x", maxSecret) + "\r\n", 0o600, strings.Repeat("x", maxSecret), false, ""},
		"too long":             {strings.Repeat("s3cret", maxSecret), 0o600, "", false, "too long"},
		"others can read it":   {"s3cret\n", 0o604, "s3cret", true, ""},
		"the group can read":   {"s3cret\n", 0o640, "s3cret", true, ""},
		"nobody else, but run": {"s3cret\n", 0o700, "s3cret", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := given()
			f.HSMPasswordFile = write(t, filepath.Join(dir, strings.ReplaceAll(name, " ", "-")), c.content, c.mode)
			env := session()
			env.Getenv = func(name string) string { return map[string]string{EnvHSMPassword: "from the environment"}[name] }
			got, err := f.Resolve(env)
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("error %v, want %q in it and not the secret", err, c.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p := got.Links[0].HSM.Password; p == nil || p.Reveal() != c.want {
				t.Errorf("password %q, want %q", p.Reveal(), c.want)
			}
			if got.Links[0].Client.Password != nil {
				t.Error("the client has the HSM's password")
			}
			if warned := len(got.Warnings) == 1 && strings.Contains(got.Warnings[0], f.HSMPasswordFile); warned != c.warn || (!c.warn && len(got.Warnings) > 0) {
				t.Errorf("warnings %q, want one: %v", got.Warnings, c.warn)
			}
			env.NoModes = true
			if got, err := f.Resolve(env); err != nil || len(got.Warnings) > 0 {
				t.Errorf("where there are no modes: %v, %q", err, got.Warnings)
			}
		})
	}
}

// No way of printing a configuration may print a password.
func TestSecretsAreNotShown(t *testing.T) {
	f := given()
	env := session()
	env.Getenv = func(name string) string { // every variable of ours, and no socket of an agent
		if strings.HasPrefix(name, "NTL_SETUP_") {
			return "s3cret"
		}
		return ""
	}
	c, err := f.Resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	secret := c.Links[0].HSM.Password
	if secret.Reveal() != "s3cret" {
		t.Fatal("no secret to hide")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{secret, *secret, c, &c, c.Links[0].HSM} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, "s3cret") || strings.Contains(text, fmt.Sprintf("%x", "s3cret")) {
				t.Errorf("%s of %T shows it: %s", verb, value, text)
			}
		}
	}
	data, err := json.Marshal(c)
	if err != nil || strings.Contains(string(data), "s3cret") {
		t.Errorf("JSON: %v, %s", err, data)
	}
}
