package steps

import (
	"strings"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport/lunash"
)

// conflictCase is a site in a state that a person must decide on.
type conflictCase struct {
	name string
	lay  func(s *site)
	step string   // where the conflict shows
	says []string // what the reason and hint must name
}

// linkedElsewhere gives the client a live link to another HSM.
func linkedElsewhere(s *site, cn string) {
	s.putPair(cn, keys()[1])
	s.setConf(map[string]string{
		"ClientCertFile":    base + "/cert/client/" + cn + ".pem",
		"ClientPrivKeyFile": base + "/cert/client/" + cn + "Key.pem",
	})
	s.trustServer("198.51.100.7", certify("771200", keys()[3], nextDecade))
	conf, _ := s.host.Get(confPath)
	s.host.Put(savedPath, conf, 0o644)
}

// With another pair there, the next step does not say that there is none.
func TestNextStepUnderAnIdentityConflict(t *testing.T) {
	s := newSite(t)
	linkedElsewhere(s, "192.0.2.99")
	step := stepOf(t, s.plan(), "send-certificate")
	if step.Status != orchestrator.Unknown || strings.Contains(step.Reason, "no certificate yet") || !strings.Contains(step.Reason, "create-certificate settles") {
		t.Errorf("%s %q", step.Status, step.Reason)
	}
}

func put(path string, data []byte) func(*site) {
	return func(s *site) { s.host.Put(path, data, 0o600) }
}

func both(f ...func(*site)) func(*site) {
	return func(s *site) {
		for _, g := range f {
			g(s)
		}
	}
}

func conflictCases() []conflictCase {
	goodPair := func(s *site) { s.putPair("192.0.2.10", keys()[1]) }
	return []conflictCase{
		{"configuration names another pair", func(s *site) { linkedElsewhere(s, "192.0.2.99") }, "create-certificate",
			[]string{"CN=192.0.2.99", "198.51.100.7", "--client-address 192.0.2.99"}},
		{"servers listed without a pair", func(s *site) { s.trustServer("198.51.100.7", certify("x", keys()[3], nextDecade)) }, "create-certificate",
			[]string{"198.51.100.7", "no usable client pair"}},
		{"servers listed and an orphaned key", both(func(s *site) { s.trustServer("198.51.100.7", certify("x", keys()[3], nextDecade)) }, put(ownKey, keyPEM(keys()[1]))),
			"create-certificate", []string{"198.51.100.7"}},
		{"damaged certificate", both(goodPair, put(ownCert, []byte("-----BEGIN CERTIFICATE-----\nMIIB\n"))), "create-certificate", []string{ownCert, "damaged"}},
		{"empty certificate", both(goodPair, put(ownCert, nil)), "create-certificate", []string{ownCert, "damaged"}},
		{"mismatched pair", both(goodPair, put(ownKey, keyPEM(keys()[2]))), "create-certificate", []string{"mismatched", ownKey}},
		{"damaged key", both(goodPair, put(ownKey, []byte("not a key"))), "create-certificate", []string{ownKey, "damaged"}},
		{"expired pair", both(goodPair, put(ownCert, certify("192.0.2.10", keys()[1], time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)))), "create-certificate", []string{"expired on 2026-02-01"}},
		{"another CN in our file", both(goodPair, put(ownCert, certify("192.0.2.100", keys()[1], nextDecade))), "create-certificate", []string{"CN=192.0.2.100"}},
		{"certificate without key", put(ownCert, certify("192.0.2.10", keys()[1], nextDecade)), "create-certificate", []string{"without its key"}},
		{"named key without certificate", both(put(ownKey, keyPEM(keys()[1])), func(s *site) { s.setConf(map[string]string{"ClientPrivKeyFile": ownKey}) }),
			"create-certificate", []string{"without its certificate", "names it"}},
		{"another server certificate", both(goodPair, func(s *site) {
			s.trustServer(hsmName, certify("602114", keys()[3], nextDecade))
		}), "add-server", []string{"--replace-server-certificate", "SHA256:"}},
		{"another server certificate, no copy kept", both(goodPair, func(s *site) {
			s.trustServer(hsmName, certify("602114", keys()[3], nextDecade))
			s.host.Delete(base + "/cert/server/" + hsmName + "Cert.pem")
		}), "add-server", []string{"--replace-server-certificate"}},
		{"same HSM under another name", both(goodPair, func(s *site) { s.trustServer("hsm1.example.com", s.hsm.files["server.pem"]) }), "add-server",
			[]string{"--hsm-address hsm1.example.com"}},
		{"same HSM under another name, no copy kept", both(goodPair, func(s *site) {
			s.trustServer("hsm1.example.com", s.hsm.files["server.pem"])
			s.host.Delete(base + "/cert/server/hsm1.example.comCert.pem")
		}), "add-server", []string{"--hsm-address hsm1.example.com"}},
		{"name taken, client has a pair", both(goodPair, func(s *site) { s.hsm.add("NS-web1", "192.0.2.10", certify("192.0.2.10", keys()[2], nextDecade)) }), "list-clients",
			[]string{"another certificate", "--name"}},
		{"name taken, client has none yet", func(s *site) { s.hsm.add("NS-web1", "192.0.2.10", certify("192.0.2.10", keys()[2], nextDecade)) }, "list-clients",
			[]string{"no certificate yet", "--name"}},
		{"name taken, digest of no known kind, client has none", both(func(s *site) { s.hsm.oddDigest = true }, func(s *site) {
			s.hsm.add("NS-web1", "192.0.2.10", certify("192.0.2.10", keys()[2], nextDecade))
		}), "list-clients", []string{"--name"}},
		{"registered by another address", both(goodPair, func(s *site) { own, _ := s.host.Get(ownCert); s.hsm.add("NS-web1", "192.0.2.77", own) }), "register-client",
			[]string{"192.0.2.77", "192.0.2.10"}},
		{"unknown partition", func(s *site) { s.link.Partitions = []string{"partition6", "partition7"} }, "assign-partition", []string{"partition7", "partition1, partition6"}},
		{"address of another client, looked deep", both(func(s *site) { s.link.Deep = true }, func(s *site) { s.hsm.add("web 10", "192.0.2.44", nil); s.hsm.add("old-web", "192.0.2.10", nil) }), "register-client",
			[]string{"old-web", "--name old-web"}},
		{"both configurations have entries of their own", both(goodPair, func(s *site) {
			s.trustServer("198.51.100.7", certify("x", keys()[3], nextDecade))
			conf, _ := s.host.Get(confPath)
			s.host.Put(savedPath, conf, 0o644)
			s.host.Put(confPath, []byte(strings.Replace(string(conf), "198.51.100.7", "198.51.100.8", 1)), 0o644)
		}), "create-certificate", []string{"198.51.100.7", "198.51.100.8"}},
		{"running gateway, configuration to come", func(s *site) { s.host.Launch(gwPath, "") }, "start-gateway", []string{"--restart-gateway", "production TLS"}},
		{"two gateways", func(s *site) { s.host.Launch(gwPath, ""); s.host.Launch(gwPath, "") }, "start-gateway", []string{"2 safenet_gw"}},
	}
}

// Every conflict is foreseen in the plan, stops apply before its first act, and
// says who decides.
func TestConflictsStopBeforeTheFirstAct(t *testing.T) {
	for _, c := range conflictCases() {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			c.lay(s)
			for _, r := range []orchestrator.Report{s.plan(), s.apply()} {
				if r.Result != orchestrator.Conflicted || r.Acted {
					t.Fatalf("%s, acted %t: %v", r.Result, r.Acted, statusOf(r))
				}
				step := stepOf(t, r, c.step)
				if step.Status != orchestrator.Conflict || step.Err == nil || step.Err.Class != "conflict" {
					t.Fatalf("%s is %s: %s", c.step, step.Status, step.Reason)
				}
				for _, word := range c.says {
					if !strings.Contains(step.Reason+" "+step.Hint, word) {
						t.Errorf("neither reason nor hint names %q: %s | %s", word, step.Reason, step.Hint)
					}
				}
			}
			if len(s.host.Acts) != 0 || len(s.hsm.writes) != 0 {
				t.Errorf("acted: %v %v", s.host.Acts, s.hsm.writes)
			}
		})
	}
}

// Without --deep only the appliance sees that an address is taken. The run stops
// there, names the holder, and says what was done before.
func TestAddressClashIsFoundAtStepFive(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.hsm.add("a name with blanks", "192.0.2.45", nil)
		s.hsm.add("old-web", "192.0.2.10", nil)
		r := s.apply()
		step := stepOf(t, r, "register-client")
		if r.Result != orchestrator.Conflicted || step.Status != orchestrator.Conflict || !strings.Contains(step.Reason, "old-web") || !strings.Contains(step.Hint, "--name old-web") {
			t.Errorf("%s %s %q %q", r.Result, step.Status, step.Reason, step.Hint)
		}
		if st := statusOf(r); st["create-certificate"] != orchestrator.Changed || st["assign-partition"] != orchestrator.Blocked {
			t.Errorf("%v", st)
		}
		if !r.Acted {
			t.Error("what was done before is not told")
		}
	})
}

// web1 is not web10.
func TestNamesAreComparedWhole(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.link.Name = "web1"
		s.hsm.add("web10", "192.0.2.110", certify("192.0.2.110", keys()[2], nextDecade))
		s.trustServer("192.0.2.200", certify("other", keys()[3], nextDecade)) // 192.0.2.20 is not 192.0.2.200
		s.putPair("192.0.2.10", keys()[1])
		s.setConf(map[string]string{"ClientCertFile": ownCert, "ClientPrivKeyFile": ownKey})
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Fatalf("%s %v", r.Result, statusOf(r))
		}
		if s.hsm.clients["web1"] == nil || s.hsm.clients["web10"].Partitions != nil {
			t.Errorf("%v", s.hsm.clients)
		}
		var names []string
		for _, server := range s.conf().Servers() {
			names = append(names, server.Name)
		}
		if strings.Join(names, " ") != "192.0.2.200 192.0.2.20" {
			t.Errorf("servers %v", names)
		}
	})
}

// What speaks against nothing is evidence, not a conflict.
func TestRemarksAreNoConflict(t *testing.T) {
	encrypted := []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")
	for name, c := range map[string]struct {
		lay  func(*site)
		says string
	}{
		"encrypted key": {put(ownKey, encrypted), "encrypted"},
		"loose mode":    {func(s *site) { s.host.Put(ownKey, keyPEM(keys()[1]), 0o644) }, "--fix-modes"},
		"no openssl":    {func(s *site) { s.host.Problems[ownKey] = "no openssl on the host" }, "could not be proved: no openssl"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.putPair("192.0.2.10", keys()[1])
			s.setConf(map[string]string{"ClientCertFile": ownCert, "ClientPrivKeyFile": ownKey})
			c.lay(s)
			step := stepOf(t, s.plan(), "create-certificate")
			if step.Status != orchestrator.OK || !strings.Contains(step.Reason, c.says) {
				t.Errorf("%s %q", step.Status, step.Reason)
			}
		})
	}
}

func TestFixModes(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.apply()
		s.host.Put(ownKey, keyPEM(keys()[1]), 0o644)
		every(t, s.plan(), orchestrator.OK, nil)
		s.link.FixModes = true
		r := s.apply()
		if step := stepOf(t, r, "create-certificate"); step.Status != orchestrator.Changed || s.host.Mode(ownKey) != 0o640 {
			t.Errorf("%s, mode %04o", step.Status, s.host.Mode(ownKey))
		}
	})
}

// An orphaned key is moved aside, never overwritten, never removed.
func TestOrphanedKeyIsMovedAside(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		orphan := keyPEM(keys()[2])
		s.host.Put(ownKey, orphan, 0o600)
		r := s.apply()
		if r.Result != orchestrator.Established {
			t.Fatalf("%s %v", r.Result, statusOf(r))
		}
		if kept, ok := s.host.Get(ownKey + ".orphan-" + s.link.Stamp); !ok || string(kept) != string(orphan) {
			t.Error("the orphaned key is lost")
		}
		checkEstablished(t, s)
	})
}

// The certificate that is registered cannot be compared: the proof is vtl verify.
func TestOddDigestIsEvidence(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.hsm.oddDigest = true
		r := s.apply()
		if r.Result != orchestrator.Established || !strings.Contains(stepOf(t, r, "confirm-client").Reason, "no known kind") {
			t.Errorf("%s %q", r.Result, stepOf(t, r, "confirm-client").Reason)
		}
		every(t, s.apply(), orchestrator.OK, nil)
	})
}

// SO login is never sent; where the appliance wants it, the run says so.
func TestNeedsLogin(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.hsm.errs["client register"] = s.hsm.refuse("client register", lunash.ErrNeedsLogin)
		step := stepOf(t, s.apply(), "register-client")
		if step.Status != orchestrator.Failed || !strings.Contains(step.Hint, "hsm login") {
			t.Errorf("%s %q", step.Status, step.Hint)
		}
	})
}
