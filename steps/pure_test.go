package steps

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

func trustOf(t *testing.T, text string) trust {
	t.Helper()
	bundle, err := parseBundle([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return trust{raw: []byte(text), present: true, bundle: bundle}
}

// What stands around the certificates of a bundle stays byte for byte.
func TestBundleEdits(t *testing.T) {
	a, b, c := string(certify("a", keys()[0], nextDecade)), string(certify("b", keys()[1], nextDecade)), string(certify("c", keys()[2], nextDecade))
	crlf := strings.ReplaceAll(b, "\n", "\r\n")
	unended := strings.TrimSuffix(b, "\n")
	for name, tc := range map[string]struct {
		text         string
		add, instead string
		want         string
	}{
		"append":                     {a, b, "", a + b},
		"append to a file unended":   {"# x\n" + unended, c, "", "# x\n" + unended + "\n" + c},
		"first":                      {"", a, "", a},
		"there already":              {a + b, b, "", a + b},
		"replace keeps its company":  {"subject=/CN=a\n" + a + "\n# note\n" + b, c, a, "subject=/CN=a\n\n# note\n" + b + c},
		"replace the last":           {a + b, c, b, a + c},
		"replace CRLF":               {a + crlf, c, b, a + c},
		"replace each of duplicates": {b + a + b, c, b, a + c},
		"only take out":              {a + b, a, b, a},
	} {
		t.Run(name, func(t *testing.T) {
			var instead *x509.Certificate
			if tc.instead != "" {
				instead = certOf([]byte(tc.instead))
			}
			got := string(trustOf(t, tc.text).withTrusted(certOf([]byte(tc.add)), instead))
			if strings.ReplaceAll(got, "\r", "") != strings.ReplaceAll(tc.want, "\r", "") {
				t.Errorf("got %q\nwant %q", got, tc.want)
			}
			again, err := parseBundle([]byte(got))
			if err != nil || !holds(again, certOf([]byte(tc.add))) {
				t.Errorf("the new bundle does not hold the certificate: %v", err)
			}
		})
	}
}

func TestParseBundleRefusesADamagedBlock(t *testing.T) {
	text := "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	if _, err := parseBundle([]byte(text)); err == nil {
		t.Error("accepted")
	}
	if _, err := parseCertificate([]byte("nothing here")); !errors.Is(err, errNoCertificate) {
		t.Errorf("%v", err)
	}
}

func TestSameAddress(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"192.0.2.2", "192.0.2.2", true}, {"192.0.2.2", "192.0.2.20", false}, {"2001:db8::1", "2001:0db8:0:0:0:0:0:1", true},
		{"::ffff:192.0.2.2", "192.0.2.2", true}, {"HSM1.example.com", "hsm1.example.com", true}, {"hsm1", "hsm10", false}, {"192.0.2.2", "hsm1", false},
	} {
		if got := sameAddress(tc.a, tc.b); got != tc.want {
			t.Errorf("%s and %s: %t", tc.a, tc.b, got)
		}
	}
}

func TestAskable(t *testing.T) {
	for name, want := range map[string]bool{"web1": true, "a.b-c_d:1": true, "": false, "-x": false, "a b": false, "a;b": false, "a\n": false, "ä": false} {
		if askable(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

func TestWeaknessesAndDates(t *testing.T) {
	c := certOf(certify("x", keys()[0], nextDecade))
	if w := weaknesses(c); len(w) != 0 {
		t.Errorf("%v", w)
	}
	weak := *c
	weak.SignatureAlgorithm = x509.SHA1WithRSA
	if w := weaknesses(&weak); len(w) != 1 || !strings.Contains(w[0], "SHA1") {
		t.Errorf("%v", w)
	}
	if s := outOfDate(c, nextDecade.Add(time.Second)); s != "expired on 2036-01-01" {
		t.Errorf("%q", s)
	}
	if s := outOfDate(c, nextDecade); s != "" {
		t.Errorf("%q", s)
	}
}

func copyOf(t *testing.T, path, text string) confCopy {
	t.Helper()
	f, err := chrystoki.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return confCopy{path: path, present: true, raw: []byte(text), file: f}
}

func conf(entries ...string) string {
	return "LunaSA Client = {\n   " + strings.Join(entries, ";\n   ") + ";\n}\n"
}

// The two copies of a NetScaler's configuration, and which of them counts.
func TestCompareCopies(t *testing.T) {
	cert, key := "/c/a.pem", "/c/aKey.pem"
	real := transport.Facts{
		transport.File(cert): {}, transport.Key(key): {},
		transport.File("/c/ClientNameCert.pem"): {Missing: true}, transport.Key("/c/ClientNameKey.pem"): {Missing: true},
	}
	factory := conf("ClientCertFile = /c/ClientNameCert.pem", "ClientPrivKeyFile = /c/ClientNameKey.pem", "NetClient = 0")
	linked := conf("ClientCertFile = "+cert, "ClientPrivKeyFile = "+key, "NetClient = 1", "ServerName00 = h1", "ServerPort00 = 1792")
	second := conf("ClientCertFile = "+cert, "ClientPrivKeyFile = "+key, "ServerName00 = h1", "ServerName01 = h2")
	other := conf("ClientCertFile = "+cert, "ClientPrivKeyFile = "+key, "ServerName00 = h9")
	ha := linked + "VirtualToken = {\n  VirtualToken00Label = g;\n}\n"
	for name, tc := range map[string]struct {
		used, saved         string
		needed, conflicting bool
	}{
		"equal":                    {linked, linked, false, false},
		"never persisted":          {linked, factory, false, false},
		"a second HSM in use":      {second, linked, false, false},
		"lost at reboot":           {factory, linked, true, false},
		"HA group lost":            {linked, ha, true, false},
		"server lost":              {linked, second, true, false},
		"each has its own server":  {other, linked, false, true},
		"both factory":             {factory, factory, false, false},
		"a value changed in place": {strings.Replace(linked, "1792", "1793", 1), linked, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := compareCopies(copyOf(t, "/etc/c", tc.used), copyOf(t, "/var/c", tc.saved), real)
			if r.needed() != tc.needed || r.conflicting() != tc.conflicting {
				t.Errorf("needed %t, conflicting %t: %+v", r.needed(), r.conflicting(), r)
			}
		})
	}
	if r := compareCopies(confCopy{path: "/etc/c"}, copyOf(t, "/var/c", factory), real); !r.needed() {
		t.Error("a missing configuration is not restored")
	}
	if r := compareCopies(copyOf(t, "/etc/c", linked), confCopy{path: "/var/c"}, real); r.needed() || r.conflicting() {
		t.Errorf("%+v", r)
	}
}

func TestAtWork(t *testing.T) {
	for command, want := range map[string]bool{
		"/x/vtl createCert -n a": true, "/bin/sh /x/vtl CREATECERT -n a": true, "/x/vtl addServer -n h -c f": true,
		"/x/vtl verify": false, "/x/vtl listServers": false,
	} {
		if got := atWork([]transport.Process{{PID: 7, Command: command}}) != ""; got != want {
			t.Errorf("%s: %t", command, got)
		}
	}
}

func TestMemo(t *testing.T) {
	var m memo[int]
	reads := 0
	read := func(context.Context) (int, error) { reads++; return reads, nil }
	get := func(ctx context.Context) int { v, _ := m.get(ctx, read); return v }
	get(t.Context())
	if get(t.Context()) != 1 {
		t.Error("read twice")
	}
	m.forget()
	if get(t.Context()) != 2 {
		t.Error("did not forget")
	}
	m.forget()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	get(ended)
	if get(t.Context()) != 4 {
		t.Error("remembered what came with the end of a context")
	}
}

// A name is ours only if nothing speaks against it, and nothing is taken for
// proof that is none.
func TestJudge(t *testing.T) {
	link := Link{Name: "web1"}
	own, foreign := certOf(certify("a", keys()[0], nextDecade)), certOf(certify("a", keys()[1], nextDecade))
	digest := func(c *x509.Certificate) *lunash.Digest {
		sum := strings.ToLower(strings.TrimPrefix(fingerprint(c), "SHA256:"))
		return &lunash.Digest{Algorithm: "SHA-256", Sum: sum, Text: sum}
	}
	for name, tc := range map[string]struct {
		r            registration
		cert         *x509.Certificate
		ours, proved bool
		against      bool
	}{
		"free":                     {registration{}, own, false, false, false},
		"ours":                     {registration{listed: true, digest: digest(own)}, own, true, true, false},
		"another's":                {registration{listed: true, digest: digest(foreign)}, own, false, false, true},
		"we have none":             {registration{listed: true, digest: digest(foreign)}, nil, false, false, true},
		"we have none, no digest":  {registration{listed: true}, nil, false, false, true},
		"may not ask":              {registration{listed: true, gaps: []string{"may not"}}, own, true, false, false},
		"a digest of another kind": {registration{listed: true, digest: &lunash.Digest{Text: "xx"}}, own, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(link, tc.r, tc.cert)
			if v.ours != tc.ours || v.proved != tc.proved || (v.against != "") != tc.against {
				t.Errorf("%+v", v)
			}
			if v.ours && !v.proved && !strings.Contains(v.evidence, "vtl verify decides") {
				t.Errorf("evidence %q", v.evidence)
			}
		})
	}
}

// The configuration that is expected is what vtl leads to, and a second look at
// it finds nothing to do.
func TestExpectedConfIsAFixedPoint(t *testing.T) {
	l := netScaler().places("")[0]
	link := Link{ClientAddress: "192.0.2.10", HSMAddress: hsmName}
	for name, text := range map[string]string{
		"factory": factoryConf, "empty": "", "no client section": "Misc = {\n  PE1746Enabled = 0;\n}\n",
		"net client off": conf("NetClient = 0"), "CRLF": strings.ReplaceAll(factoryConf, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			c := &clientFacts{layout: l, conf: copyOf(t, l.Conf, text)}
			c.effective = c.conf.file
			c.pair.certPath, c.pair.keyPath = l.Pair(link.ClientAddress)
			once, err := expectedConf(link, c)
			if err != nil {
				t.Fatal(err)
			}
			if v, _ := once.Get(luna, "NetClient"); v != "1" {
				t.Errorf("NetClient = %q", v)
			}
			if cert, key := once.Identity(); cert != ownCert || key != ownKey {
				t.Errorf("pair %s %s", cert, key)
			}
			c.effective = once
			twice, err := expectedConf(link, c)
			if err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
				t.Errorf("not a fixed point (%v):\n%s\n%s", err, once.Bytes(), twice.Bytes())
			}
			if names := twice.Servers(); len(names) != 1 || !slices.ContainsFunc(names, func(s chrystoki.Server) bool { return s.Name == hsmName }) {
				t.Errorf("%v", names)
			}
		})
	}
}
