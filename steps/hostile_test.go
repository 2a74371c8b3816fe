package steps

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/transporttest"
)

// The pinned certificate is checked before anything else counts; without a pin
// every test of this package runs.
func TestCertificateOfTheHSMIsPinned(t *testing.T) {
	other := fingerprint(certOf(certify("602114", keys()[3], nextDecade)))
	for name, lay := range map[string]func(*site){
		"virgin":         func(*site) {},
		"trusted before": func(s *site) { s.putPair("192.0.2.10", keys()[1]); s.trustServer(hsmName, s.hsm.files["server.pem"]) },
		"to be replaced, allowed": func(s *site) {
			s.putPair("192.0.2.10", keys()[1])
			s.trustServer(hsmName, certify("602114", keys()[2], nextDecade))
			s.link.ReplaceServerCertificate = true
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				lay(s)
				before := s.world()
				s.link.HSMCertificate = other
				_, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
				f := orchestrator.Fail(err)
				own := fingerprint(certOf(s.hsm.files["server.pem"]))
				if f.Class != "conflict" || !strings.Contains(f.Message, other) || !strings.Contains(f.Message, own) || !strings.Contains(f.Hint, "--hsm-certificate") {
					t.Errorf("%+v", f)
				}
				if len(s.host.Acts) > 0 || len(s.hsm.writes) > 0 || len(before) != len(s.world()) {
					t.Error("something was changed")
				}
				s.link.HSMCertificate = own
				if r := s.apply(); r.Result != orchestrator.Established {
					t.Errorf("with the right pin: %s: %v", r.Result, statusOf(r))
				}
			})
		})
	}
}

// The pin holds also where the certificate is fetched for the first time in a
// step: a site that was opened before the fetch worked.
func TestPinHoldsInTheStep(t *testing.T) {
	s := newSite(t)
	s.link.HSMCertificate = fingerprint(certOf(certify("602114", keys()[3], nextDecade)))
	s.hsm.errs["fetch server.pem"] = transport.Errorf(transport.ClassConnect, s.hsm.Name(), "cut")
	site := s.open()
	delete(s.hsm.errs, "fetch server.pem")
	site.see.serverMemo.forget()
	r := orchestrator.Engine{Steps: site.All()}.Apply(t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
	step := stepOf(t, r, "add-server")
	if step.Err == nil || step.Err.Class != "conflict" || r.Acted || len(s.host.Acts) > 0 {
		t.Errorf("%s: %+v", r.Result, step)
	}
}

// evil are names that mean more to a shell than a name.
func evil() []string {
	return []string{
		"x;reboot", "x && reboot", "$(reboot)", "`reboot`", "x|sh", "x>y", "a b", "x\nreboot", "-rf", "--yes", "x'", `x"`, "x\\", "*", "~root", "",
		"\x1b[31mred", "a\u202eb", "größe", "!!", "x&", "#x", "../x", strings.Repeat("a", 300),
	}
}

func TestOnlyPlainNamesAreOffered(t *testing.T) {
	for _, name := range evil() {
		if got := offer("use it", "--name", name); strings.HasPrefix(got, "use it") || name != "" && strings.Contains(got, name) {
			t.Errorf("%q is offered: %s", name, got)
		}
	}
	for _, name := range []string{"web1", "NS-web_1.example.net", "2001:db8::7"} {
		if got := offer("use it", "--name", name); got != "use it: --name "+name {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// What stands behind a flag in any hint of any conflict is a plain name, however
// the hosts call themselves.
func TestHintsHoldNothingToPasteButNames(t *testing.T) {
	for _, name := range evil() {
		if strings.ContainsAny(name, "\n\x1b") || name == "" {
			continue // no configuration and no certificate of the fixture carries it
		}
		t.Run(fmt.Sprintf("%.12q", name), func(t *testing.T) {
			for what, lay := range map[string]func(*site){
				"identity": func(s *site) {
					s.host.Put(ownCert, certify(name, keys()[1], nextDecade), 0o644)
					s.host.Put(ownKey, keyPEM(keys()[1]), 0o600)
					s.setConf(map[string]string{"ClientCertFile": ownCert, "ClientPrivKeyFile": ownKey})
				},
				"holder, deep": func(s *site) { s.link.Deep = true; s.hsm.add(name, "192.0.2.10", nil) },
				"holder":       func(s *site) { s.hsm.add(name, "192.0.2.10", nil) },
				"server":       func(s *site) { s.putPair("192.0.2.10", keys()[1]); evilServer(s, name) },
			} {
				s := newSite(t)
				lay(s)
				for _, hint := range hints(t, s) {
					if strings.Contains(hint, name) {
						t.Errorf("%s: the hint has it: %s", what, hint)
					}
				}
			}
		})
	}
}

// evilServer makes vtl list our HSM under another name.
func evilServer(s *site, name string) {
	s.trustServer("hsm1.example.com", s.hsm.files["server.pem"])
	s.host.Put(path.Join(base, "cert/server", name+"Cert.pem"), s.hsm.files["server.pem"], 0o644)
	honest := s.host.Vtl
	s.host.Vtl = func(h *transporttest.FakeHost, argv []string) (string, int) {
		if argv[1] == "listServers" {
			return "Server: " + name + "\n", 0
		}
		return honest(h, argv)
	}
}

// hints are all that an apply tells.
func hints(t *testing.T, s *site) []string {
	t.Helper()
	site, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
	if err != nil {
		return []string{orchestrator.Fail(err).Hint}
	}
	r := orchestrator.Engine{Steps: site.All()}.Apply(t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
	var all []string
	for _, step := range r.Steps {
		all = append(all, step.Hint)
		if step.Err != nil {
			all = append(all, step.Err.Hint)
		}
	}
	return all
}

// Paths in the client's own configuration are read and written: they must be
// what they look like.
func TestPathsOfTheConfigurationArePlain(t *testing.T) {
	for _, key := range pathEntries() {
		for _, value := range []string{
			"relative.pem", "../up.pem", base + "/cert/../../../etc/passwd", "/a/..", "/a\u202eb", "/a\u200bb", "/a\u009bb", "/a\u2028b", "/bad\xff", "~/x", "-o",
		} {
			s := newSite(t)
			conf := strings.Replace(factoryConf, "NetClient = 1;", "NetClient = 1;\n   "+key+" = "+value+";", 1)
			conf = strings.Replace(conf, "   "+key+" = /var", "   #"+key+" = /var", 1)
			s.host.Put(confPath, []byte(conf), 0o644)
			_, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
			f := &orchestrator.Failure{}
			if err != nil {
				f = orchestrator.Fail(err)
			}
			if f.Class != "conflict" || !strings.Contains(f.Message, key) || transport.Printable(f.Message) != f.Message {
				t.Errorf("%s = %q: %+v", key, value, f)
			}
		}
	}
	for _, value := range []string{"/usr/safenet/lunaclient/cert/server/CAFile.pem", "/a b/c;d's", "/größe", "/a..b/.c"} {
		if !plainPath(value) {
			t.Errorf("%q is refused", value)
		}
	}
}

// A bundle that is none is not written to, whatever the configuration calls it.
func TestServerCAFileMustBeABundle(t *testing.T) {
	s := newSite(t)
	s.host.Put("/etc/passwd", []byte("root:*:0:0::/root:/bin/csh\n"), 0o644)
	s.setConf(map[string]string{"ServerCAFile": "/etc/passwd"})
	_, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
	var c conflict
	if !errors.As(err, &c) || !strings.Contains(c.reason, "/etc/passwd") || !strings.Contains(c.hint, "ServerCAFile") {
		t.Errorf("%v", err)
	}
}

// A list without end is refused instead of being asked about, name by name.
func TestServersWithoutEnd(t *testing.T) {
	s := newSite(t)
	s.host.Vtl = func(*transporttest.FakeHost, []string) (string, int) {
		return strings.Repeat("Server: 192.0.2.1\n", 100000), 0
	}
	began := time.Now()
	_, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
	if err == nil || orchestrator.Fail(err).Class != "protocol" || !strings.Contains(err.Error(), "100000 servers") {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// What one host says reaches the other only as a certificate that was taken
// apart and put together anew, and under names that the user gave.
func TestNothingPassesFromHostToHost(t *testing.T) {
	synctest.Test(t, nothingPasses)
}

func nothingPasses(t *testing.T) {
	const smuggled = "smuggled by the other host $(reboot)\n"
	s := newSite(t)
	server := s.hsm.files["server.pem"]
	s.hsm.files["server.pem"] = []byte(smuggled + string(server) + smuggled)
	honest := s.host.Vtl
	s.host.Vtl = func(h *transporttest.FakeHost, argv []string) (string, int) {
		said, status := honest(h, argv)
		if argv[1] == "createCert" {
			cert, _ := h.Get(ownCert)
			h.Put(ownCert, []byte(smuggled+string(cert)+smuggled), 0o644)
		}
		return said, status
	}
	s.hsm.add(smuggled+"client", "198.51.100.9", nil)
	s.hsm.partitions[0].Name = smuggled
	s.apply()
	if got := string(s.hsm.files["192.0.2.10.pem"]); got == "" || strings.Contains(got, "smuggled") {
		t.Errorf("the appliance got %q", got)
	}
	for _, act := range s.host.Acts {
		if text := fmt.Sprint(act.Argv, act.Path, act.To) + string(act.Data); strings.Contains(text, "smuggled") {
			t.Errorf("the client got %s %.200q", act.Kind, text)
		}
	}
	for _, write := range s.hsm.writes {
		if strings.Contains(write, "smuggled") {
			t.Errorf("the appliance was sent %q", write)
		}
	}
	if len(s.host.Acts) == 0 || len(s.hsm.writes) == 0 {
		t.Error("nothing was done, so nothing is proved")
	}
}
