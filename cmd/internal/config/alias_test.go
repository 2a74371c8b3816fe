package config

import (
	"strings"
	"testing"
)

func TestAliased(t *testing.T) {
	for name, c := range map[string]struct {
		config, host string
		want         bool
	}{
		"empty":                   {"", "hsm1", false},
		"alias":                   {"Host hsm1\n  HostName 10.9.8.7\n", "hsm1", true},
		"no HostName":             {"Host hsm1\n  User admin\n", "hsm1", false},
		"same name":               {"Host hsm1\n  HostName hsm1\n", "hsm1", false},
		"same name, other case":   {"Host hsm1\n  HostName HSM1\n", "hsm1", false},
		"%h alone":                {"Host *\n  HostName %h\n", "hsm1", false},
		"%h and a domain":         {"Host hsm?\n  HostName %h.example.net\n", "hsm1", true},
		"another host":            {"Host hsm2\n  HostName 10.9.8.7\n", "hsm1", false},
		"whole names":             {"Host hsm\n  HostName 10.9.8.7\n", "hsm1", false},
		"several patterns":        {"Host a b hsm1\n  HostName 10.9.8.7\n", "hsm1", true},
		"pattern":                 {"Host hsm*\n  HostName 10.9.8.7\n", "hsm12", true},
		"negated":                 {"Host hsm* !hsm1\n  HostName 10.9.8.7\n", "hsm1", false},
		"negated first":           {"Host !hsm1 hsm*\n  HostName 10.9.8.7\n", "hsm1", false},
		"only negated":            {"Host !other\n  HostName 10.9.8.7\n", "hsm1", false},
		"case":                    {"host HSM1\n  hostname 10.9.8.7\n", "hsm1", true},
		"equals sign":             {"Host=hsm1\nHostName = 10.9.8.7\n", "hsm1", true},
		"quotes":                  {"Host \"hsm1\"\n  HostName \"10.9.8.7\"\n", "hsm1", true},
		"TABs and CRLF":           {"Host\thsm1\r\n\tHostName\t10.9.8.7\r\n", "hsm1", true},
		"comment":                 {"# Host hsm1\n# HostName 10.9.8.7\n", "hsm1", false},
		"before the first Host":   {"HostName 10.9.8.7\nHost x\n", "hsm1", true},
		"next block ends it":      {"Host hsm1\n  User a\nHost x\n  HostName 10.9.8.7\n", "hsm1", false},
		"Match ends it":           {"Host hsm1\n  User a\nMatch user b\n  HostName 10.9.8.7\n", "hsm1", false},
		"first value wins":        {"Host hsm1\n  HostName hsm1\nHost *\n  HostName 10.9.8.7\n", "hsm1", false},
		"broken pattern":          {"Host hsm[\n  HostName 10.9.8.7\n", "hsm1", false},
		"no newline at the end":   {"Host hsm1\nHostName 10.9.8.7", "hsm1", true},
		"key without value":       {"Host\nHostName\n", "hsm1", false},
		"address mapped to other": {"Host 192.0.2.20\n  HostName 10.9.8.7\n", "192.0.2.20", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := aliased(c.config, c.host); got != c.want {
				t.Errorf("aliased(%q, %q) = %v", c.config, c.host, got)
			}
		})
	}
}

func FuzzAliased(f *testing.F) {
	f.Add("Host hsm1 !x*\n HostName=%h.example.net\nMatch all\n", "hsm1")
	f.Add("Host [\nHost ", "")
	f.Fuzz(func(t *testing.T, config, host string) {
		if aliased("", host) {
			t.Error("nothing maps it")
		}
		// Whatever follows, a first line that maps every host wins.
		if strings.EqualFold(host, "other.example.net") || strings.Contains(host, "/") {
			return // itself, or no host that a * stands for
		}
		if !aliased("Host *\nHostName other.example.net\n"+config, host) {
			t.Errorf("%q hides the first line", config)
		}
	})
}
