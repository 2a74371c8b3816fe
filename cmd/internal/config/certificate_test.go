package config

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"ntl-setup/transport"
)

func TestCertificatePin(t *testing.T) {
	pairs := strings.Split(strings.Repeat("0A b1 ", 16), " ")[:32]
	want := "SHA256:" + strings.Repeat("0AB1", 16)
	for _, given := range []string{
		want, strings.ToLower(want), strings.TrimPrefix(want, "SHA256:"), "sha256:" + strings.Repeat("0Ab1", 16),
		"SHA256:" + strings.Join(pairs, ":"), strings.Join(pairs, " "), "Sha256:" + strings.ToUpper(strings.Join(pairs, ":")),
	} {
		f := pinning(given)
		got, err := f.Resolve(session())
		if err != nil || got.Links[0].HSMCertificate != want {
			t.Errorf("%q became %+v, %v", given, got.Links, err)
		}
	}
	for _, given := range []string{
		"SHA256:", "SHA256:" + strings.Repeat("0A", 31), "SHA256:" + strings.Repeat("0A", 33), "SHA1:" + strings.Repeat("0A", 20),
		"SHA256:" + strings.Repeat("A", 43), strings.Repeat("0G", 32), "MD5:" + strings.Repeat("0A", 16),
		"SHA256:SHA256:" + strings.Repeat("0A", 32), "SHA256:" + strings.Repeat("0A", 32) + "\n",
	} {
		_, err := pinning(given).Resolve(session())
		var e *transport.Error
		if !errors.As(err, &e) || e.Class != transport.ClassConfig || !strings.Contains(e.Error(), "--hsm-certificate") || !strings.Contains(e.Hint, "sysconf fingerprint") {
			t.Errorf("%q: %v", given, err)
		}
	}
}

func pinning(pin string) Flags {
	f := given()
	f.HSMCertificate = pin
	return f
}

// A pin that is let through has one form, and is left alone the next time.
func FuzzCertificatePin(f *testing.F) {
	for _, s := range []string{"SHA256:" + strings.Repeat("0A:", 31) + "0A", strings.Repeat("0a", 32), "SHA256:" + strings.Repeat("A", 43), "sha256: ", "::::"} {
		f.Add(s)
	}
	shape := regexp.MustCompile(`^SHA256:[0-9A-F]{64}$`)
	f.Fuzz(func(t *testing.T, s string) {
		l := Link{HSMCertificate: s}
		if err := l.pinCertificate(); err != nil || s == "" {
			return
		}
		first := l.HSMCertificate
		if !shape.MatchString(first) {
			t.Fatalf("%q became %q", s, first)
		}
		if err := l.pinCertificate(); err != nil || l.HSMCertificate != first {
			t.Errorf("%q: again %q, %v", s, l.HSMCertificate, err)
		}
	})
}
