package preflight

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

// certificate is one that is valid between two times.
func certificate(t *testing.T, from, until time.Time) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(0), NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// sound is a site with nothing to remark on.
func sound(t *testing.T) Seen {
	t.Helper()
	server := certificate(t, now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0))
	return Seen{
		ClientAddress: "192.0.2.10", HSMAddress: "192.0.2.20",
		Port:   Reach{Means: "through SSH", Reached: true, Certificate: server.Raw},
		Server: server, Own: certificate(t, now.Add(-time.Hour), now.AddDate(9, 0, 0)),
		Now: now, Sources: []string{"192.0.2.10"}, IPCheck: yes(),
	}
}

// found is one check of a judgement.
func found(t *testing.T, s Seen, id string) Check {
	t.Helper()
	for _, c := range Judge(s) {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no check %s", id)
	return Check{}
}

func TestASoundSite(t *testing.T) {
	checks := Judge(sound(t))
	var got []string
	for _, c := range checks {
		got = append(got, c.ID+" "+string(c.Status))
		if c.Evidence == "" || c.Status != OK && c.Hint == "" {
			t.Errorf("%+v", c)
		}
	}
	want := []string{"port ok", "certificate ok", "clocks ok", "validity ok", "address ok", "reverse unknown"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if Worst(checks) != OK {
		t.Errorf("the worst is %s", Worst(checks))
	}
}

// Each case spoils one thing, and is judged so, in words that name it.
func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		id     string
		spoil  func(s *Seen)
		status Status
		says   []string // evidence and hint
	}{
		"refused, NTLS down":  {IDPort, func(s *Seen) { s.closed("Connection refused"); s.Serving = no() }, Problem, []string{"192.0.2.20:1792", "Connection refused", "NTLS does not run"}},
		"refused, NTLS runs":  {IDPort, func(s *Seen) { s.closed("Connection refused"); s.Serving = yes() }, Problem, []string{"NTLS runs", "ntls show"}},
		"dropped":             {IDPort, func(s *Seen) { s.closed("no answer within 10s") }, Problem, []string{"no answer within 10s", "firewalls"}},
		"no such name":        {IDPort, func(s *Seen) { s.closed("Name does not resolve") }, Problem, []string{"resolve that name", "--hsm-address"}},
		"not tried":           {IDPort, func(s *Seen) { s.Port = Reach{Problem: "it has no openssl"} }, Unknown, []string{"could not be tried", "it has no openssl", "openssl s_client"}},
		"IPv6":                {IDPort, func(s *Seen) { s.HSMAddress = "2001:db8::20" }, OK, []string{"[2001:db8::20]:1792"}},
		"another certificate": {IDCertificate, func(s *Seen) { s.Port.Certificate = s.Own.Raw }, Problem, []string{"SHA256:", "regenCert", "service restart ntls"}},
		"none shown":          {IDCertificate, func(s *Seen) { s.Port.Certificate, s.Port.CertificateProblem = nil, "reset" }, Unknown, []string{"no certificate was seen", "reset"}},
		"cut off": {IDCertificate, func(s *Seen) {
			s.Port = Reach{Means: "through SSH", Reached: true, CertificateProblem: "EOF", Cut: true}
		}, Warning, []string{"before it shows a certificate (EOF)", "bound", "service restart ntls", "ipcheck", "clocks"}},
		"no server.pem":         {IDCertificate, func(s *Seen) { s.Server, s.ServerProblem = nil, "no such file" }, Unknown, []string{"nothing to compare", "no such file"}},
		"client a little off":   {IDClocks, func(s *Seen) { s.Client.Ahead = -40 * time.Second }, OK, []string{"client's agrees (40s behind)"}},
		"client off":            {IDClocks, func(s *Seen) { s.Client.Ahead = 3 * time.Minute }, Warning, []string{"client's is 3m0s ahead", "errno 104"}},
		"appliance far off":     {IDClocks, func(s *Seen) { s.HSM.Ahead = -72 * time.Hour }, Warning, []string{"appliance's is 3 days behind"}},
		"no date":               {IDClocks, func(s *Seen) { s.HSM.Problem = "may not ask" }, Unknown, []string{"client's agrees", "appliance's is not known: may not ask", "status date"}},
		"no date, client off":   {IDClocks, func(s *Seen) { s.HSM.Problem, s.Client.Ahead = "may not ask", time.Hour }, Warning, []string{"client's is 1h0m0s ahead", "may not ask"}},
		"no date of the client": {IDClocks, func(s *Seen) { s.Client.Problem = "it does not tell" }, Unknown, []string{"client's is not known: it does not tell"}},
		"no clock at all":       {IDClocks, func(s *Seen) { s.HSM.Problem, s.Client.Problem = "a", "b" }, Unknown, []string{"not known: a", "not known: b"}},
		"a zone":                {IDClocks, func(s *Seen) { s.HSM = Clock{Ahead: -4*time.Hour + 20*time.Second, Vague: true, Zone: "EDT"} }, OK, []string{"printed in EDT, agrees (20s ahead)"}},
		"a zone, hours off":     {IDClocks, func(s *Seen) { s.HSM = Clock{Vague: true, Zone: "EDT"} }, Warning, []string{"printed in EDT, is 4h0m0s ahead", "errno 104"}},
		"a zone and off":        {IDClocks, func(s *Seen) { s.HSM = Clock{Ahead: 2*time.Hour - 6*time.Minute, Vague: true, Zone: "CEST"} }, Warning, []string{"printed in CEST, is 6m0s behind"}},
		"a zone of several":     {IDClocks, func(s *Seen) { s.HSM = Clock{Ahead: 5*time.Hour + 30*time.Minute, Vague: true, Zone: "IST"} }, Unknown, []string{"in a zone called IST", "not known to the hour"}},
		"several, and off":      {IDClocks, func(s *Seen) { s.HSM = Clock{Ahead: -5*time.Hour + 6*time.Minute, Vague: true, Zone: "CST"} }, Warning, []string{"6m0s ahead but for whole quarters"}},
		"no zone, in step":      {IDClocks, func(s *Seen) { s.HSM = Clock{Vague: true} }, Unknown, []string{"without a zone"}},
		"no zone at all":        {IDClocks, func(s *Seen) { s.HSM = Clock{Ahead: -200 * time.Hour, Vague: true} }, Warning, []string{"no zone explains"}},
		"not yet valid":         {IDValidity, func(s *Seen) { s.HSM.Ahead = -2 * time.Hour }, Problem, []string{"client's certificate is valid from 2026-03-02T08:30:00Z", "not yet by the appliance's clock", "errno 104"}},
		"expired there":         {IDValidity, func(s *Seen) { s.HSM.Ahead = 10 * 365 * 24 * time.Hour }, Problem, []string{"which is over by the appliance's clock"}},
		"server not yet":        {IDValidity, func(s *Seen) { s.Client.Ahead = -2 * 365 * 24 * time.Hour }, Problem, []string{"the appliance's certificate is valid from", "the client's clock"}},
		"zone decides":          {IDValidity, func(s *Seen) { s.HSM = Clock{Vague: true} }, Unknown, []string{"zone of the appliance's clock"}},
		"the zone's name helps": {IDValidity, func(s *Seen) { s.HSM = Clock{Ahead: -4 * time.Hour, Vague: true, Zone: "EDT"} }, OK, []string{"client's certificate is valid by the appliance's"}},
		"the zone's name tells": {IDValidity, func(s *Seen) { s.HSM = Clock{Ahead: -6 * time.Hour, Vague: true, Zone: "EDT"} }, Problem, []string{"not yet by the appliance's clock"}},
		"no zone helps":         {IDValidity, func(s *Seen) { s.HSM = Clock{Vague: true, Ahead: -100 * time.Hour} }, Problem, []string{"not yet"}},
		"appliance's unknown":   {IDValidity, func(s *Seen) { s.HSM.Problem = "x" }, Unknown, []string{"could not be judged"}},
		"no pair yet":           {IDValidity, func(s *Seen) { s.Own = nil }, OK, []string{"no certificate yet", "valid for the appliance"}},
		"no pair, behind":       {IDValidity, func(s *Seen) { s.Own, s.HSM.Ahead = nil, -5*time.Minute }, Warning, []string{"5m0s behind the client's"}},
		"no pair, both behind":  {IDValidity, func(s *Seen) { s.Own, s.HSM.Ahead, s.Client.Ahead = nil, -time.Hour, -time.Hour }, OK, []string{"valid for the appliance"}},
		"no pair, no clock":     {IDValidity, func(s *Seen) { s.Own, s.HSM.Vague = nil, true }, Unknown, []string{"one clock is not known"}},
		"NAT, checked":          {IDAddress, func(s *Seen) { s.Sources = []string{"10.0.0.7"} }, Warning, []string{"is 10.0.0.7, and it is registered by 192.0.2.10", "is enabled", "NAT", "never does"}},
		"NAT, not checked":      {IDAddress, func(s *Seen) { s.Sources, s.IPCheck = []string{"10.0.0.7"}, no() }, OK, []string{"is disabled"}},
		"NAT, not told":         {IDAddress, func(s *Seen) { s.Sources, s.IPCheck, s.IPCheckProblem = []string{"10.0.0.7"}, nil, "may not ask" }, Warning, []string{"may not ask", "ntls ipcheck"}},
		"one of the interface":  {IDAddress, func(s *Seen) { s.Sources = []string{"10.0.0.7", "192.0.2.10"} }, OK, []string{"192.0.2.10"}},
		"mapped form":           {IDAddress, func(s *Seen) { s.Sources = []string{"::ffff:192.0.2.10"} }, OK, nil},
		"no route":              {IDAddress, func(s *Seen) { s.Sources, s.SourceProblem = nil, "unreachable" }, Unknown, []string{"unreachable"}},
		"rehearsal on loopback": {IDAddress, func(s *Seen) { s.ClientAddress, s.Sources = "127.9.8.7", []string{"127.0.0.1"} }, OK, nil},
		"by name":               {IDAddress, func(s *Seen) { s.ClientAddress = "web1.example.net" }, Unknown, []string{"is a name", "192.0.2.10", "client hostip map"}},
		"the way back":          {IDReverse, func(*Seen) {}, Unknown, []string{"cannot be tested", "1792"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := sound(t)
			c.spoil(&s)
			got := found(t, s, c.id)
			if got.Status != c.status {
				t.Errorf("%s, want %s: %+v", got.Status, c.status, got)
			}
			for _, want := range c.says {
				if !strings.Contains(got.Evidence+"\n"+got.Hint, want) {
					t.Errorf("no %q in %+v", want, got)
				}
			}
			if got.Status != OK && got.Status != Unknown && got.Hint == "" {
				t.Errorf("nobody is told what to do: %+v", got)
			}
			if want := map[Status]Status{OK: OK, Unknown: OK, Warning: Warning, Problem: Problem}[c.status]; c.id != IDValidity && c.id != IDClocks && Worst(Judge(s)) != want {
				t.Errorf("the worst is %s, want %s", Worst(Judge(s)), want)
			}
		})
	}
}

func (s *Seen) closed(why string) { s.Port = Reach{Means: "through SSH", Problem: why} }

// A port that is not reached shows no certificate, and that is said once.
func TestNoCertificateWithoutAPort(t *testing.T) {
	s := sound(t)
	s.closed("Connection refused")
	for _, c := range Judge(s) {
		if c.ID == IDCertificate {
			t.Errorf("%+v", c)
		}
	}
}
