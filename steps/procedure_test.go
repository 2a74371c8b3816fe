package steps

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// statusOf maps step IDs to statuses.
func statusOf(r orchestrator.Report) map[string]orchestrator.Status {
	m := map[string]orchestrator.Status{}
	for _, s := range r.Steps {
		m[s.Info.ID] = s.Status
	}
	return m
}

func stepOf(t *testing.T, r orchestrator.Report, id string) orchestrator.StepReport {
	t.Helper()
	for _, s := range r.Steps {
		if s.Info.ID == id {
			return s
		}
	}
	t.Fatalf("no step %s in %v", id, statusOf(r))
	return orchestrator.StepReport{}
}

// every wants the same status of all steps but those named.
func every(t *testing.T, r orchestrator.Report, want orchestrator.Status, but map[string]orchestrator.Status) {
	t.Helper()
	if len(r.Steps) != 12 {
		t.Errorf("%d steps", len(r.Steps))
	}
	for _, s := range r.Steps {
		w := want
		if b, ok := but[s.Info.ID]; ok {
			w = b
		}
		if s.Status != w {
			t.Errorf("%2d %s is %s, want %s: %s %+v", s.Info.Number, s.Info.ID, s.Status, w, s.Reason, s.Err)
		}
	}
}

func virtual(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	keys() // outside the bubble: virtual time does not make RSA faster
	synctest.Test(t, f)
}

func TestTheListIsTheProcedure(t *testing.T) {
	want := []string{
		"create-certificate client", "send-certificate hsm", "add-server client", "list-clients hsm", "register-client hsm", "confirm-client hsm",
		"assign-partition hsm", "verify-link client", "persist-config client", "start-gateway client", "confirm-gateway client", "enroll-gateway client",
	}
	var got []string
	for i, s := range newSite(t).open().All() {
		got = append(got, s.Info().ID+" "+s.Info().Host)
		if s.Info().Number != i+1 || s.Info().Title == "" {
			t.Errorf("%+v", s.Info())
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFirstRunSecondRun(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		r := s.apply()
		if r.Result != orchestrator.Established {
			t.Errorf("result %s", r.Result)
		}
		every(t, r, orchestrator.Changed, map[string]orchestrator.Status{"list-clients": orchestrator.OK})
		checkEstablished(t, s)
		acts, writes, before := len(s.host.Acts), len(s.hsm.writes), s.world()

		s.link.Stamp = "20260302T093100Z"
		again := s.apply()
		every(t, again, orchestrator.OK, nil)
		if again.Acted || len(s.host.Acts) != acts || len(s.hsm.writes) != writes {
			t.Errorf("the second run acted: %v %v", s.host.Acts[acts:], s.hsm.writes[writes:])
		}
		if d := cmp.Diff(before, s.world()); d != "" {
			t.Error("the second run changed the world:", d)
		}
	})
}

// checkEstablished looks at the world itself, not at what was reported.
func checkEstablished(t *testing.T, s *site) {
	t.Helper()
	if s.made != 1 {
		t.Errorf("%d pairs were made", s.made)
	}
	c := s.hsm.clients["NS-web1"]
	if c == nil || c.Address != "192.0.2.10" || !slices.Equal(c.Partitions, []string{"partition6"}) {
		t.Fatalf("registered: %+v", c)
	}
	own, _ := s.host.Get(ownCert)
	if !certOf(c.cert).Equal(certOf(own)) {
		t.Error("another certificate is registered")
	}
	conf, _ := s.host.Get(confPath)
	saved, _ := s.host.Get(savedPath)
	if string(conf) != string(saved) {
		t.Error("the two copies of the configuration differ")
	}
	if n := strings.Count(string(conf), hsmName); n != 1 {
		t.Errorf("the configuration names the HSM %d times:\n%s", n, conf)
	}
	if len(s.host.Running) != 1 || s.host.Running[0].Executable != gwPath {
		t.Errorf("running: %v", s.host.Running)
	}
	if _, ok := s.host.Get(marker); !ok {
		t.Error("not enrolled")
	}
	if d := cmp.Diff([]string{"store 192.0.2.10.pem", "register NS-web1", "assign partition6"}, s.hsm.writes); d != "" {
		t.Error(d)
	}
}

func TestPlanOfAVirginSiteChangesNothing(t *testing.T) {
	s := newSite(t)
	before := s.world()
	r := s.plan()
	if r.Result != orchestrator.Changes || len(r.Steps) != 12 || len(s.host.Acts) != 0 || len(s.hsm.writes) != 0 {
		t.Errorf("%s, %d rows, acts %v, writes %v", r.Result, len(r.Steps), s.host.Acts, s.hsm.writes)
	}
	if d := cmp.Diff(before, s.world()); d != "" {
		t.Error(d)
	}
	u, w := orchestrator.Unknown, orchestrator.WouldChange
	every(t, r, w, map[string]orchestrator.Status{"send-certificate": u, "list-clients": orchestrator.OK, "confirm-client": u, "confirm-gateway": u})
	diff := stepOf(t, r, "verify-link").Changes[0].Diff
	for _, line := range []string{"+   ServerName00 = 192.0.2.20;", "-   ClientCertFile = " + base + "/cert/client/ClientNameCert.pem;", "+   ClientCertFile = " + ownCert + ";"} {
		if !strings.Contains(diff, line) {
			t.Errorf("the plan's diff lacks %q:\n%s", line, diff)
		}
	}
}

// Looking is one exchange on a settled client, two while its configuration
// still names an installer's files.
func TestLookingIsCheap(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.apply()
		s.host.Looked = nil
		s.plan()
		if n := len(s.host.Looked); n != 2 { // the facts, and vtl verify
			t.Errorf("%d exchanges: %v", n, s.host.Looked)
		}
	})
}

// What a first run costs in exchanges with the client, behind its first look: an
// act and the look that confirms it are one.
func TestActingIsCheap(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		site := s.open()
		engine := orchestrator.Engine{Steps: site.All(), Hold: func(ctx context.Context) (func(), error) {
			return site.Hold(ctx, LockOptions{Owner: "alice@laptop"})
		}}
		s.host.Exchanges = 0
		if r := engine.Apply(t.Context(), func([]orchestrator.StepReport) error { return nil }, nil); r.Result != orchestrator.Established {
			t.Fatalf("%s %+v", r.Result, r.Err)
		}
		// The lock; the look under it; steps 1, 3, 9, 10 and 12; vtl verify; one look
		// behind the moment of step 11; the lock's end.
		if n := s.host.Exchanges; n != 10 {
			t.Errorf("%d exchanges", n)
		}
	})
}

// Backups lie beside the files before anything touches them.
func TestEverythingIsBackedUpBeforeItIsChanged(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.apply()
		for _, f := range []string{confPath, savedPath} {
			if data, ok := s.host.Get(f + ".ntl-setup-" + s.link.Stamp); !ok || string(data) != factoryConf {
				t.Errorf("the backup of %s is missing or not the original", f)
			}
		}
	})
}

func TestSeveralPartitions(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.apply()
		s.link.Partitions = []string{"partition1", "partition6"}
		r := s.apply()
		every(t, r, orchestrator.OK, map[string]orchestrator.Status{"assign-partition": orchestrator.Changed, "verify-link": orchestrator.Changed})
		if got := s.hsm.clients["NS-web1"].Partitions; !slices.Equal(got, []string{"partition6", "partition1"}) {
			t.Errorf("assigned %v: none may be taken away", got)
		}
		serials := s.open().Serials(t.Context())
		if serials["partition1"] != "602114011" || serials["partition6"] != serial6 {
			t.Errorf("serials %v", serials)
		}
	})
}

// What a NetScaler needs is n/a elsewhere.
func TestLinuxClient(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		for _, f := range s.host.Files() {
			if strings.HasPrefix(f, base) {
				data, _ := s.host.Get(f)
				s.host.Put("/usr/safenet/lunaclient"+strings.TrimPrefix(f, base), data, s.host.Mode(f))
			}
		}
		for _, f := range s.host.Files() {
			if strings.HasPrefix(f, "/var/safenet") || strings.HasPrefix(f, "/netscaler") {
				s.host.Delete(f)
			}
		}
		s.host.Delete("/netscaler")
		s.host.Delete("/var/safenet/gateway")
		r := s.plan()
		for id, status := range statusOf(r) {
			na := id == "persist-config" || strings.Contains(id, "gateway")
			if na != (status == orchestrator.NotNeeded) {
				t.Errorf("%s is %s", id, status)
			}
		}
		if got := stepOf(t, r, "create-certificate").Changes[0].Want; !strings.Contains(got, "/usr/safenet/lunaclient/cert/client/192.0.2.10.pem") {
			t.Error(got)
		}
	})
}

func TestNoLunaClient(t *testing.T) {
	s := newSite(t)
	s.host.Delete(vtlPath)
	_, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
	if f := orchestrator.Fail(err); f.Class != "remote" || !strings.Contains(f.Message, vtlPath) || !strings.Contains(f.Hint, "install_client.sh") {
		t.Errorf("%+v", f)
	}
}

// A vtl that a killed run left at work is waited for, not overlapped.
func TestAVtlAtWorkIsWaitedFor(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.host.Put(ownKey, keyPEM(keys()[1]), 0o600)
		s.host.Launch(vtlPath, vtlPath+" createCert -n 192.0.2.10")
		time.AfterFunc(3*time.Second, func() {
			if _, err := s.host.Do(context.Background(), transport.Run(vtlPath, "createCert", "-n", "192.0.2.10"),
				transport.Stop(s.host.Running[0].PID, vtlPath, 0)); err != nil {
				t.Error(err)
			}
		})
		r := s.apply()
		if r.Result != orchestrator.Established {
			t.Errorf("%s", r.Result)
		}
		checkEstablished(t, s) // one pair: that of the vtl at work
	})
}

// Whatever was done by hand beforehand, one apply finishes it.
func TestEveryPrefixByHand(t *testing.T) {
	byHand := []func(s *site){
		func(s *site) { s.vtl(s.host, []string{vtlPath, "createCert", "-n", "192.0.2.10"}) },
		func(s *site) {
			own, _ := s.host.Get(ownCert)
			if err := s.hsm.Store(s.t.Context(), "192.0.2.10.pem", own); err != nil {
				s.t.Fatal(err)
			}
		},
		func(s *site) { s.trustServer(hsmName, s.hsm.files["server.pem"]) },
		func(*site) {},
		func(s *site) {
			own, _ := s.host.Get(ownCert)
			s.hsm.add("NS-web1", "192.0.2.10", own)
			s.hsm.writes = append(s.hsm.writes, "register NS-web1")
		},
		func(*site) {},
		func(s *site) {
			if err := s.hsm.Assign(s.t.Context(), "NS-web1", "partition6"); err != nil {
				s.t.Fatal(err)
			}
		},
		func(*site) {},
		func(s *site) { conf, _ := s.host.Get(confPath); s.host.Put(savedPath, conf, 0o644) },
		func(s *site) { s.host.Launch(gwPath, "") },
		func(*site) {},
		func(s *site) { s.host.Put(marker, nil, 0o644) },
	}
	for n := range len(byHand) + 1 {
		virtual(t, func(t *testing.T) {
			s := newSite(t)
			for _, do := range byHand[:n] {
				do(s)
			}
			if r := s.apply(); r.Result != orchestrator.Established {
				t.Errorf("after %d steps by hand: %s %v", n, r.Result, statusOf(r))
			}
			checkEstablished(t, s)
			if r := s.apply(); r.Acted || r.Result != orchestrator.Established {
				t.Errorf("after %d steps by hand the rerun acted (%t) or ended %s", n, r.Acted, r.Result)
			}
		})
	}
}

// The appliance may drop the uploaded file when it registers; the file is not
// sent again for that.
func TestRegisterConsumesTheFile(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.hsm.consume = true
		s.apply()
		every(t, s.apply(), orchestrator.OK, nil)
	})
}

// A user whose role may ask little still gets there, and a rerun is quiet.
func TestSmallRole(t *testing.T) {
	for _, denied := range [][]string{{"client show"}, {"client fingerprint"}, {"partition list"}, {"client show", "client fingerprint", "partition list"}} {
		t.Run(strings.Join(denied, "+"), func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				for _, d := range denied {
					s.hsm.denied[d] = true
				}
				if r := s.apply(); r.Result != orchestrator.Established {
					t.Fatalf("%s %v", r.Result, statusOf(r))
				}
				checkEstablished(t, s)
				r := s.apply()
				every(t, r, orchestrator.OK, nil)
				if e := stepOf(t, r, "confirm-client").Reason; slices.Contains(denied, "client fingerprint") && !strings.Contains(e, "vtl verify decides") {
					t.Errorf("evidence %q", e)
				}
			})
		})
	}
}

// A file that may be written but not read back counts as sent once acknowledged.
func TestUploadThatCannotBeReadBack(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.hsm.errs["fetch 192.0.2.10.pem"] = transport.Errorf(transport.ClassRemote, "hsm", "permission denied")
		r := s.apply()
		if r.Result != orchestrator.Established || !strings.Contains(stepOf(t, r, "send-certificate").Reason, "acknowledged") {
			t.Errorf("%s %q", r.Result, stepOf(t, r, "send-certificate").Reason)
		}
	})
}
