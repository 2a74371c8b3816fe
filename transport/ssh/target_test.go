package ssh_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

func TestParseTarget(t *testing.T) {
	tests := []struct {
		in   string
		want ssh.Target
	}{
		{"root@10.1.2.3", ssh.Target{User: "root", Host: "10.1.2.3", Port: 22, Name: "root@10.1.2.3:22"}},
		{"10.1.2.3", ssh.Target{User: "me", Host: "10.1.2.3", Port: 22, Name: "me@10.1.2.3:22"}},
		{"hsm.example.net:2222", ssh.Target{User: "me", Host: "hsm.example.net", Port: 2222, Name: "me@hsm.example.net:2222"}},
		{"ops@hsm_1", ssh.Target{User: "ops", Host: "hsm_1", Port: 22, Name: "ops@hsm_1:22"}},
		{"a@b@host", ssh.Target{User: "a@b", Host: "host", Port: 22, Name: "a@b@host:22"}},
		{`CORP\ops@host`, ssh.Target{User: `CORP\ops`, Host: "host", Port: 22, Name: `CORP\ops@host:22`}},
		{"root@[2001:db8::7]:2022", ssh.Target{User: "root", Host: "2001:db8::7", Port: 2022, Name: "root@[2001:db8::7]:2022"}},
		{"root@[::1]", ssh.Target{User: "root", Host: "::1", Port: 22, Name: "root@[::1]:22"}},
		{"::1", ssh.Target{User: "me", Host: "::1", Port: 22, Name: "me@[::1]:22"}},
		{"root@fe80::1%eth0", ssh.Target{User: "root", Host: "fe80::1%eth0", Port: 22, Name: "root@[fe80::1%eth0]:22"}},
		{"host:65535", ssh.Target{User: "me", Host: "host", Port: 65535, Name: "me@host:65535"}},
	}
	for _, tt := range tests {
		got, err := ssh.ParseTarget(tt.in, "me")
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	tests := map[string]string{
		"":                  "no host",
		"root@":             "no host",
		"@host":             "no user stands before",
		"ro ot@host":        "blank",
		"ssh://root@host":   "URL",
		"host:":             "port",
		"host:0":            "port",
		"host:65536":        "port",
		"host:+22":          "port",
		"host:-1":           "port",
		"host:ssh":          "port",
		":22":               "no host",
		"[::1":              "not closed",
		"[::1]22":           "may follow",
		"[::1]:":            "port",
		"[host]:22":         "no IPv6 address",
		"[10.0.0.1]:22":     "no IPv6 address",
		"10.0.0.1:22:33":    "neither",
		"2001:db8:::1":      "neither",
		"-oProxyCommand=x":  "begins with a hyphen",
		"root@-h":           "begins with a hyphen",
		"ho*st":             "character",
		"host,other":        "character",
		"host/x":            "character",
		"höst":              "character",
		"host\nother":       "character",
		"|1|abc|def":        "character",
		"root@host\x1b[31m": "character",
		"root@192.0.2.999":  "no IPv4 address",
		"192.0.2":           "no IPv4 address",
		"192.0.2.010:22":    "no IPv4 address",
		"root:x@host":       "has a colon",
		"ssh://root:x@host": "has a colon",
	}
	for in, text := range tests {
		got, err := ssh.ParseTarget(in, "me")
		var e *transport.Error
		if !errors.As(err, &e) || e.Class != transport.ClassConfig {
			t.Errorf("%q: %+v, %v", in, got, err)
			continue
		}
		holds(t, e.Error(), text)
		if clean := transport.Printable(e.Error()); clean != e.Error() {
			t.Errorf("%q: the error could steer a terminal: %q", in, e.Error())
		}
		if e.Hint == "" {
			t.Errorf("%q: no hint", in)
		}
	}
	if _, err := ssh.ParseTarget("host", ""); err == nil {
		t.Error("a target without a user was taken")
	}
}

func TestDialChecksTheTarget(t *testing.T) {
	for _, bad := range []ssh.Target{
		{User: "root"},
		{Host: "host"},
		{User: "root", Host: "host", Port: 70000},
		{User: "root", Host: "a b"},
	} {
		_, err := ssh.Dial(t.Context(), bad, ssh.Options{})
		var e *transport.Error
		if !errors.As(err, &e) || e.Class != transport.ClassConfig {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"root@10.1.2.3:22", "root@[::1]:22", "::1", "a@b@c", "[", "x:", "fe80::1%eth0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ssh.ParseTarget(in, "me")
		if err != nil {
			return
		}
		if got.Port < 1 || got.Port > 65535 || got.Host == "" || got.User == "" {
			t.Errorf("%q: %+v", in, got)
		}
		again, err := ssh.ParseTarget(got.Name, "")
		if err != nil {
			t.Fatalf("the name %q of %q is not taken back: %v", got.Name, in, err)
		}
		again.Host, again.Name = got.Host, got.Name // case may be lowered in the name
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("%q (-first +again):\n%s", in, diff)
		}
	})
}

// What may be a password is in no error.
func TestParseTargetShowsNoPassword(t *testing.T) {
	const secret = "Geh3im!"
	for _, in := range []string{
		"root:" + secret + "@host", "root:" + secret + "@", "root:a@" + secret + "@host:22", "root: " + secret + "@host",
		"ssh://root:" + secret + "@host", "root:" + secret, "ssh://root@host:" + secret,
	} {
		_, err := ssh.ParseTarget(in, "me")
		var e *transport.Error
		if !errors.As(err, &e) || strings.Contains(e.Error()+e.Hint, secret) || e.Hint == "" {
			t.Errorf("%q: %v", in, err)
		}
	}
}
