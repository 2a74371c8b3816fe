package steps

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/transporttest"
)

// Whether a vtl is at work is asked before what it makes is looked at: one that
// ends in between has then made all of it.
func TestVtlAtWorkIsAskedFirst(t *testing.T) {
	s := newSite(t)
	s.plan()
	for n, look := range s.host.Looked[:1] {
		at := slices.Index(look, transport.Processes(vtlPath))
		for i, q := range look {
			if i < at && (q == transport.File(ownCert) || q == transport.Key(ownKey) || q == transport.File(confPath)) {
				t.Errorf("look %d asks for %s %s before the processes", n, q.Kind, q.Path)
			}
		}
		if at < 0 {
			t.Errorf("look %d does not ask for the processes", n)
		}
	}
}

// A pair that came into being after the last look is not made over.
func TestAPairThatCameMeanwhileIsKept(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.host.Before = func(a transport.Action) error {
			if a.Kind == transport.ActMakeDir {
				s.putPair("192.0.2.10", keys()[2])
			}
			return nil
		}
		r := s.apply()
		step := stepOf(t, r, "create-certificate")
		if s.made != 0 {
			t.Error("vtl createCert was run over a pair")
		}
		if key, _ := s.host.Get(ownKey); string(key) != string(keyPEM(keys()[2])) {
			t.Error("the key was overwritten")
		}
		if step.Status != orchestrator.Changed && step.Status != orchestrator.Failed {
			t.Errorf("%s %s", step.Status, step.Reason)
		}
	})
}

// A configuration that was cut off is not taken for real, and never written
// over the good copy.
func TestConfigurationCutOff(t *testing.T) {
	client := factoryConf[strings.Index(factoryConf, "LunaSA Client"):]
	for name, tc := range map[string]struct {
		conf string
		want orchestrator.Status // of row 1
	}{
		"empty":                  {"", orchestrator.WouldChange},
		"only the first":         {"Chrystoki2 = {\n   LibUNIX64 = /x.so;\n}\n", orchestrator.WouldChange},
		"only the last":          {client, orchestrator.WouldChange},
		"own server, no library": {strings.Replace(client, "NetClient = 1;", "NetClient = 1;\n   ServerName00 = 198.51.100.7;", 1), orchestrator.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				s.host.Put(confPath, []byte(tc.conf), 0o644)
				step := stepOf(t, s.plan(), "create-certificate")
				if step.Status != tc.want {
					t.Fatalf("%s %s %v", step.Status, step.Reason, step.Changes)
				}
				if tc.want != orchestrator.WouldChange {
					return
				}
				if r := s.apply(); r.Result != orchestrator.Established {
					t.Fatalf("%s %v", r.Result, statusOf(r))
				}
				if saved, _ := s.host.Get(savedPath); !strings.Contains(string(saved), "LibUNIX64 = /var") || !strings.Contains(string(saved), "DefaultTimeOut") {
					t.Errorf("the persisted copy was cut as well:\n%s", saved)
				}
			})
		})
	}
	s := newSite(t)
	s.host.Put(confPath, nil, 0o644)
	s.host.Delete(savedPath)
	if step := stepOf(t, s.plan(), "create-certificate"); step.Status != orchestrator.Conflict || !strings.Contains(step.Reason, "no entries") {
		t.Errorf("%s %s", step.Status, step.Reason)
	}
}

// Neither a mode nor a restored copy is news to a running gateway.
func TestWhatIsNoNewsToTheGateway(t *testing.T) {
	for name, change := range map[string]func(*site){
		"mode": func(s *site) {
			s.host.Put(ownKey, keyPEM(keys()[1]), 0o644)
			s.link.FixModes = true
			s.host.Running[0].Started = s.host.Clock.Add(time.Second)
		},
		"restored": func(s *site) { s.host.Put(confPath, []byte(factoryConf), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				s.apply()
				change(s)
				s.link.Stamp = "20260303T000000Z"
				if r := s.apply(); r.Result != orchestrator.Established || stepOf(t, r, "start-gateway").Status != orchestrator.OK {
					t.Errorf("%s %v", r.Result, statusOf(r))
				}
			})
		})
	}
}

// A vtl that cannot run is no vtl without servers.
func TestABrokenVtl(t *testing.T) {
	for _, said := range []string{"ld-elf.so.1: Shared object not found", "Error: no server", "killed"} {
		s := newSite(t)
		s.host.Vtl = func(*transporttest.FakeHost, []string) (string, int) { return said, 1 }
		if _, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link); orchestrator.Fail(err).Class != "remote" && orchestrator.Fail(err).Class != "protocol" {
			t.Errorf("%q: %v", said, err)
		}
	}
	for _, said := range []string{"", "\n", "No servers are registered\n"} {
		s := newSite(t)
		s.host.Vtl = func(*transporttest.FakeHost, []string) (string, int) { return said, 0 }
		if _, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link); err != nil {
			t.Errorf("%q: %v", said, err)
		}
	}
}

// addServer was cut after the bundle while another server has no copy: the
// entry of ours is nobody else's, as the bundle has one for the other too.
func TestALeftoverInTheBundleIsNoOtherName(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		linkedElsewhere(s, "192.0.2.10")
		s.host.Delete(base + "/cert/server/198.51.100.7Cert.pem")
		bundle, _ := s.host.Get(caFile)
		s.host.Put(caFile, append(slices.Clone(bundle), s.hsm.files["server.pem"]...), 0o644)
		if r := s.apply(); r.Result != orchestrator.Established {
			t.Errorf("%s %v %s", r.Result, statusOf(r), stepOf(t, r, "add-server").Reason)
		}
	})
}

// A name that is somebody else's is one conflict, told once.
func TestANameTakenIsToldOnce(t *testing.T) {
	s := newSite(t)
	s.putPair("192.0.2.10", keys()[1])
	s.hsm.add("NS-web1", "192.0.2.10", certify("192.0.2.10", keys()[2], nextDecade))
	r := s.plan()
	if st := statusOf(r); st["list-clients"] != orchestrator.Conflict || st["confirm-client"] != orchestrator.Unknown {
		t.Errorf("%v", st)
	}
}

// Between our registration and its confirmation somebody put another
// certificate under the name: that is found at step 6.
func TestTheRegistrationIsConfirmed(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.hsm.swap = certify("192.0.2.10", keys()[2], nextDecade)
		r := s.apply()
		if step := stepOf(t, r, "confirm-client"); r.Result != orchestrator.Conflicted || step.Status != orchestrator.Conflict || !strings.Contains(step.Reason, "another certificate") {
			t.Errorf("%s %s %s", r.Result, step.Status, step.Reason)
		}
	})
}

// Where another server has no copy, an entry of the bundle may be its own: it
// is not taken out even for the moment until vtl has added it again.
func TestAnEntryThatMayBeAnothersStays(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		linkedElsewhere(s, "192.0.2.10")
		s.host.Delete(base + "/cert/server/198.51.100.7Cert.pem")
		bundle, _ := s.host.Get(caFile)
		ours := s.hsm.files["server.pem"]
		s.host.Put(caFile, append(slices.Clone(bundle), ours...), 0o644)
		honest := s.host.Vtl
		s.host.Vtl = func(h *transporttest.FakeHost, argv []string) (string, int) {
			if now, _ := h.Get(caFile); argv[1] == "addServer" && !strings.Contains(string(now), string(ours)) {
				t.Error("the entry was taken out before vtl ran")
			}
			return honest(h, argv)
		}
		s.apply()
	})
}

// A comparison that could not be made is told, not taken for good news.
func TestAgeOfTheGatewayUnknown(t *testing.T) {
	g := gateway{client: &clientFacts{gateways: []transport.Process{{PID: 7, Started: "then"}}, ageUnknown: "find: bad \x1b[31mdate"}}
	if got := g.explain(); !strings.Contains(got, "could not be told: find: bad date") {
		t.Errorf("%q", got)
	}
	g.client.ageUnknown = ""
	if got := g.explain(); strings.Contains(got, "could not") {
		t.Errorf("%q", got)
	}
}
