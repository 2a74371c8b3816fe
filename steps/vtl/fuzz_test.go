package vtl

import (
	"bytes"
	"strings"
	"testing"

	"ntl-setup/transport"
)

func seed(f *testing.F, add func(out []byte)) {
	for _, out := range samples(f) {
		add(out)
	}
}

// checkError holds what is promised of every refusal.
func checkError(t *testing.T, err error) {
	t.Helper()
	if c := class(err); c != transport.ClassProtocol && c != transport.ClassRemote {
		t.Fatalf("class %q of %v", c, err)
	}
	if text := err.Error(); text != transport.Printable(text) {
		t.Fatalf("not printable: %q", text)
	}
}

func FuzzParseCreateCert(f *testing.F) {
	seed(f, func(out []byte) { f.Add(out) })
	f.Fuzz(func(t *testing.T, out []byte) {
		pair, err := ParseCreateCert(out)
		if err != nil {
			checkError(t, err)
			return
		}
		for _, path := range []string{pair.Key, pair.Cert} {
			if path == "" || path != strings.TrimSpace(path) || strings.Contains(path, "\n") || !bytes.Contains(out, []byte(path)) {
				t.Fatalf("path %q", path)
			}
		}
	})
}

func FuzzParseAddServer(f *testing.F) {
	seed(f, func(out []byte) {
		f.Add(out, "198.51.100.201")
		f.Add(out, "hsm-a.example.net")
	})
	f.Fuzz(func(t *testing.T, out []byte, name string) {
		if CheckName(name) != nil {
			return
		}
		outcome, err := ParseAddServer(out, name)
		if err != nil {
			checkError(t, err)
			return
		}
		low := bytes.ToLower(out)
		if outcome == Added && !(bytes.Contains(low, bytes.ToLower([]byte(name))) && bytes.Contains(low, []byte("successfully added"))) {
			t.Fatalf("%q was added by %q", name, out)
		}
		if outcome == AlreadyRegistered && !bytes.Contains(low, []byte("already registered")) {
			t.Fatalf("already registered by %q", out)
		}
	})
}

func FuzzParseListServers(f *testing.F) {
	seed(f, func(out []byte) { f.Add(out) })
	f.Fuzz(func(t *testing.T, out []byte) {
		servers, err := ParseListServers(out)
		if err != nil {
			checkError(t, err)
			return
		}
		if len(servers) == 0 && !bytes.Contains(bytes.ToLower(out), []byte("there are no ")) {
			t.Fatalf("an empty list by default, of %q", out)
		}
		for _, name := range servers {
			if name == "" || len(strings.Fields(name)) != 1 {
				t.Fatalf("server %q", name)
			}
		}
	})
}

func FuzzParseVerify(f *testing.F) {
	seed(f, func(out []byte) { f.Add(out) })
	f.Fuzz(func(t *testing.T, out []byte) {
		v, err := ParseVerify(out)
		if err != nil {
			checkError(t, err)
			return
		}
		if len(v.Slots) == 0 && v.Reason == "" {
			t.Fatalf("neither slots nor a reason in %q", out)
		}
		if v.Reason != transport.Printable(v.Reason) {
			t.Fatalf("reason %q is not printable", v.Reason)
		}
		for _, slot := range v.Slots {
			if !isNumber(slot.Serial) || slot.Slot != "-" && !isNumber(slot.Slot) || slot.Label != strings.TrimSpace(slot.Label) {
				t.Fatalf("slot %q", slot)
			}
		}
	})
}

func FuzzCheckName(f *testing.F) {
	for _, name := range append([]string{"web1", "2001:db8::7"}, badNames...) {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := CheckName(name)
		if err != nil {
			if text := err.Error(); text != transport.Printable(text) {
				t.Fatalf("not printable: %q", text)
			}
			return
		}
		if name == "" || name[0] == '-' || strings.ContainsAny(name, " \t\r\n/\\$`'\"|&;<>()*?[]{}~#!") || name == "." || name == ".." {
			t.Fatalf("%q passed", name)
		}
	})
}
