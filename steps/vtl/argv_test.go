package vtl

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

const bin = "/usr/safenet/lunaclient/bin/vtl"

func TestArgv(t *testing.T) {
	tests := []struct {
		name string
		make func() ([]string, error)
		want []string
	}{
		{"createCert", func() ([]string, error) { return CreateCert(bin, "198.51.100.24") }, []string{bin, "createCert", "-n", "198.51.100.24"}},
		{"createCert, longest", func() ([]string, error) { return CreateCert(bin, strings.Repeat("n", 64)) }, []string{bin, "createCert", "-n", strings.Repeat("n", 64)}},
		{"addServer", func() ([]string, error) { return AddServer(bin, "hsm-a.example.net", "/tmp/a b/server.pem") }, []string{bin, "addServer", "-n", "hsm-a.example.net", "-c", "/tmp/a b/server.pem"}},
		{"addServer, IPv6", func() ([]string, error) { return AddServer(bin, "2001:db8::7", "server.pem") }, []string{bin, "addServer", "-n", "2001:db8::7", "-c", "server.pem"}},
		{"deleteServer", func() ([]string, error) { return DeleteServer(bin, "hsm_a") }, []string{bin, "deleteServer", "-n", "hsm_a"}},
		{"blanks in the path", func() ([]string, error) { return DeleteServer(`C:\Program Files\vtl.exe`, "a") }, []string{`C:\Program Files\vtl.exe`, "deleteServer", "-n", "a"}},
	}
	for _, tt := range tests {
		got, err := tt.make()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

var badNames = []string{
	"", "-n", "-", ".", "..", "::", "_", "a b", "a\tb", "a\nb", "a;b", "a$(id)", "a'b", `a"b`, `a\b`, "a/b", "../a", "a*", "a\x00",
	"hsm\x1b[2J", "hüm", "\xff", "a,b", "a@b", "#a", strings.Repeat("n", 254),
}

func TestArgvRefusesNames(t *testing.T) {
	for _, name := range badNames {
		makers := map[string]func() ([]string, error){
			"CreateCert":   func() ([]string, error) { return CreateCert(bin, name) },
			"AddServer":    func() ([]string, error) { return AddServer(bin, name, "server.pem") },
			"DeleteServer": func() ([]string, error) { return DeleteServer(bin, name) },
		}
		for what, argv := range makers {
			got, err := argv()
			if got != nil || class(err) != transport.ClassConfig {
				t.Errorf("%s(%q) = %q, %v; want an error of class config", what, name, got, err)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\n\x00") {
				t.Errorf("%s(%q): control characters in %q", what, name, err)
			}
		}
	}
	if got, err := CreateCert(bin, strings.Repeat("n", 65)); class(err) != transport.ClassConfig {
		t.Errorf("CreateCert(65 characters) = %q, %v", got, err)
	}
	for _, name := range []string{"a", "web1", "A.b_c:d-9", "0", strings.Repeat("n", 253)} {
		if err := CheckName(name); err != nil {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
}

func TestArgvRefusesPaths(t *testing.T) {
	for _, path := range []string{"", "-c", "a\x00b", "a\nb", "a\rb"} {
		if got, err := AddServer(bin, "a", path); err == nil {
			t.Errorf("AddServer(certificate %q) = %q", path, got)
		}
		if got, err := DeleteServer(path, "a"); err == nil {
			t.Errorf("DeleteServer(vtl %q) = %q", path, got)
		}
	}
}

// class is the class of an error, empty when it has none.
func class(err error) transport.Class {
	var e *transport.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Class
}
