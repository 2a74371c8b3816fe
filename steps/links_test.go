package steps

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// A client that is linked to another HSM keeps that link: its ServerName00, its
// CAFile entry, its pair, byte for byte.
func TestTheOtherLinkSurvives(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		linkedElsewhere(s, "192.0.2.10")
		bundle, _ := s.host.Get(caFile)
		cert, _ := s.host.Get(ownCert)
		key, _ := s.host.Get(ownKey)
		confBefore, _ := s.host.Get(confPath)
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Fatalf("%s %v", r.Result, statusOf(r))
		}
		if after, _ := s.host.Get(caFile); !bytes.HasPrefix(after, bundle) || len(after) == len(bundle) {
			t.Error("the bundle was not merely appended to")
		}
		for path, was := range map[string][]byte{ownCert: cert, ownKey: key} {
			if is, _ := s.host.Get(path); !bytes.Equal(is, was) {
				t.Errorf("%s changed", path)
			}
		}
		confAfter, _ := s.host.Get(confPath)
		for line := range strings.Lines(string(confBefore)) {
			if !strings.Contains(string(confAfter), line) {
				t.Errorf("the configuration lost %q", line)
			}
		}
		if s.made != 0 {
			t.Error("a pair was made")
		}
	})
}

// The identity may lie elsewhere than vtl would put it.
func TestAPairElsewhereIsTheIdentity(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.host.Dir("/var/luna", 0o755)
		s.host.Put("/var/luna/client.pem", certify("192.0.2.10", keys()[1], nextDecade), 0o644)
		s.host.Put("/var/luna/client-key.pem", keyPEM(keys()[1]), 0o600)
		s.setConf(map[string]string{"ClientCertFile": "/var/luna/client.pem", "ClientPrivKeyFile": "/var/luna/client-key.pem"})
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Fatalf("%s %v", r.Result, statusOf(r))
		}
		if cert, key := s.conf().Identity(); cert != "/var/luna/client.pem" || key != "/var/luna/client-key.pem" || s.made != 0 {
			t.Errorf("exchanged for %s %s (made %d)", cert, key, s.made)
		}
	})
}

// After a reboot /etc has the factory's configuration, or none.
func TestConfigurationLostAtReboot(t *testing.T) {
	for name, lose := range map[string]func(*site){
		"factory": func(s *site) { s.host.Put(confPath, []byte(factoryConf), 0o644) },
		"missing": func(s *site) { s.host.Delete(confPath) },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				s.apply()
				saved, _ := s.host.Get(savedPath)
				s.host.Running = nil
				lose(s)
				s.link.Stamp = "20260303T000000Z"
				writes := len(s.hsm.writes)
				plan := s.plan()
				if step := stepOf(t, plan, "create-certificate"); step.Status != orchestrator.WouldChange || !strings.Contains(step.Changes[0].Want, "restored from "+savedPath) {
					t.Errorf("%s %v", step.Status, step.Changes)
				}
				r := s.apply()
				every(t, r, orchestrator.OK, map[string]orchestrator.Status{
					"create-certificate": orchestrator.Changed, "verify-link": orchestrator.Changed,
					"start-gateway": orchestrator.Changed, "confirm-gateway": orchestrator.Changed,
				})
				if conf, _ := s.host.Get(confPath); !bytes.Equal(conf, saved) {
					t.Error("not restored byte for byte")
				}
				if s.made != 1 || len(s.hsm.writes) != writes {
					t.Errorf("made %d pairs, wrote %v", s.made, s.hsm.writes[writes:])
				}
			})
		})
	}
}

// A gateway that is older than what it reads is restarted only when told.
func TestOlderGateway(t *testing.T) {
	for name, change := range map[string]func(*site){
		"persisted configuration": func(s *site) { data, _ := s.host.Get(savedPath); s.host.Put(savedPath, data, 0o644) },
		"bundle":                  func(s *site) { data, _ := s.host.Get(caFile); s.host.Put(caFile, data, 0o644) },
		"client certificate":      func(s *site) { data, _ := s.host.Get(ownCert); s.host.Put(ownCert, data, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				s.apply()
				s.host.Advance(time.Minute)
				change(s)
				r := s.apply()
				if step := stepOf(t, r, "start-gateway"); step.Status != orchestrator.Conflict || r.Acted || !strings.Contains(step.Reason, "before the last change") {
					t.Fatalf("%s %q", step.Status, step.Reason)
				}
				old := s.host.Running[0].PID
				s.link.RestartGateway = true
				r = s.apply()
				every(t, r, orchestrator.OK, map[string]orchestrator.Status{"start-gateway": orchestrator.Changed, "confirm-gateway": orchestrator.OK})
				if len(s.host.Running) != 1 || s.host.Running[0].PID == old {
					t.Errorf("running %v", s.host.Running)
				}
			})
		})
	}
}

// With the flag, a second HSM's entries and the restart come in one run, and
// the gateway is restarted after the configuration, not before.
func TestRestartInTheRunThatChangesTheConfiguration(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		linkedElsewhere(s, "192.0.2.10")
		s.host.Launch(gwPath, "")
		s.link.RestartGateway = true
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Fatalf("%s %v", r.Result, statusOf(r))
		}
		var last string
		for _, a := range s.host.Acts {
			if a.Kind == transport.ActStop && last != savedPath {
				t.Errorf("restarted after %s, before the configuration was persisted", last)
			}
			last = a.Path
		}
		if len(s.host.Running) != 1 {
			t.Errorf("running %v", s.host.Running)
		}
		every(t, s.apply(), orchestrator.OK, nil)
	})
}

// With --replace-server-certificate the new one takes the old one's place, and
// nobody else's.
func TestReplaceServerCertificate(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		linkedElsewhere(s, "192.0.2.10")
		other, _ := s.host.Get(base + "/cert/server/198.51.100.7Cert.pem")
		s.trustServer(hsmName, certify("602114", keys()[2], nextDecade))
		s.link.ReplaceServerCertificate = true
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Fatalf("%s %v", r.Result, statusOf(r))
		}
		bundle, _ := s.host.Get(caFile)
		if want := string(other) + string(s.hsm.files["server.pem"]); string(bundle) != want {
			t.Errorf("the bundle is not the other server's certificate and the new one:\n%s", cmp.Diff(want, string(bundle)))
		}
		if kept, _ := s.host.Get(base + "/cert/server/" + hsmName + "Cert.pem"); !bytes.Equal(kept, s.hsm.files["server.pem"]) {
			t.Error("the copy under the HSM's name is not the new certificate")
		}
		if _, ok := s.host.Get(caFile + ".ntl-setup-" + s.link.Stamp); !ok {
			t.Error("no backup of the bundle")
		}
	})
}

// addServer was cut off between its copies and the bundle.
func TestBundleWithoutTheServer(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.putPair("192.0.2.10", keys()[1])
		s.setConf(map[string]string{"ClientCertFile": ownCert, "ClientPrivKeyFile": ownKey})
		s.trustServer(hsmName, s.hsm.files["server.pem"])
		s.host.Delete(caFile)
		r := s.apply()
		if r.Result != orchestrator.Established || stepOf(t, r, "add-server").Status != orchestrator.Changed {
			t.Errorf("%s %v", r.Result, statusOf(r))
		}
		if bundle, _ := s.host.Get(caFile); !bytes.Equal(bundle, s.hsm.files["server.pem"]) {
			t.Errorf("bundle %q", bundle)
		}
	})
}

// The real steps, hit at every action and every command of the appliance:
// before it, and after it with the answer lost. One rerun converges, and what
// should be made once is made once.
func TestProcedureCrashAnywhere(t *testing.T) {
	errCut := transport.Errorf(transport.ClassConnect, "", "the line dropped")
	hits := 0
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			hit := false
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				n := 0
				cut := func(transport.Action) error {
					if n++; n == at {
						hit = true
						return errCut
					}
					return nil
				}
				if after {
					s.host.After = cut
				} else {
					s.host.Before = cut
				}
				s.apply()
				s.host.Before, s.host.After = nil, nil
				s.link.Stamp = "20260302T094000Z"
				if r := s.apply(); r.Result != orchestrator.Established {
					t.Errorf("after %t at %d: the rerun is %s %v", after, at, r.Result, statusOf(r))
				}
				checkEstablished(t, s)
			})
			if !hit {
				break
			}
			hits++
		}
	}
	for command := range map[string]bool{"store": true, "client register": true, "client assignPartition": true} {
		for _, lost := range []bool{false, true} {
			hits++
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				if lost {
					s.hsm.lost[command] = errCut
				} else {
					s.hsm.errs[command] = errCut
				}
				s.apply()
				clear(s.hsm.lost)
				clear(s.hsm.errs)
				if r := s.apply(); r.Result != orchestrator.Established {
					t.Errorf("%s, lost %t: the rerun is %s %v", command, lost, r.Result, statusOf(r))
				}
				checkEstablished(t, s)
			})
		}
	}
	if hits < 30 {
		t.Errorf("only %d places were hit", hits)
	}
}

func TestNotes(t *testing.T) {
	s := newSite(t)
	if n := s.open().Notes(t.Context()); len(n) != 0 {
		t.Errorf("%v", n)
	}
	s.link.ClientAddress = "203.0.113.5"
	if n := s.open().Notes(t.Context()); len(n) != 1 || !strings.Contains(n[0], "203.0.113.5") || !strings.Contains(n[0], "ipcheck") {
		t.Errorf("%v", n)
	}
}

func TestOpenFailsWithTheHSMsOwnError(t *testing.T) {
	s := newSite(t)
	want := errors.New("no lunash there")
	s.hsm.errs["client list"] = want
	if _, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link); !errors.Is(err, want) {
		t.Errorf("%v", err)
	}
}

// A configuration that does not round-trip is not touched.
func TestConfigurationThatIsNotUnderstood(t *testing.T) {
	s := newSite(t)
	s.host.Put(confPath, []byte("LunaSA Client = {\n  ServerName00 = 192.0.2.9;\n"), 0o644)
	_, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
	if f := orchestrator.Fail(err); f.Class != "conflict" || !strings.Contains(f.Message, confPath) {
		t.Errorf("%+v", f)
	}
}
