package steps

import (
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/transport/lunash"
)

// record applies and returns what would undo each act, the last act first.
func (s *site) record() (undo [][2]string) {
	s.t.Helper()
	report := orchestrator.Engine{Steps: s.open().All(), Record: func(ev orchestrator.Event) error {
		if ev.Kind == orchestrator.Acting {
			var lines [][2]string
			for _, line := range ev.Step.Undo {
				lines = append(lines, [2]string{ev.Info.Host, line})
			}
			undo = append(lines, undo...)
		}
		return nil
	}}.Apply(s.t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
	if report.Result != orchestrator.Established {
		s.t.Fatalf("%s: %+v", report.Result, statusOf(report))
	}
	return undo
}

// typeIn gives one undo command to the site, as a person would.
func (s *site) typeIn(host, line string) {
	s.t.Helper()
	if strings.HasPrefix(line, "#") {
		return
	}
	w := strings.Fields(line)
	switch {
	case host == orchestrator.OnClient:
		s.shell(w)
	case line == "my file delete "+w[len(w)-1]:
		s.mustHave(w[3], s.hsm.files[w[3]] != nil)
		delete(s.hsm.files, w[3])
	case strings.HasPrefix(line, "client delete -client "):
		s.mustHave(w[3], s.hsm.clients[w[3]] != nil)
		delete(s.hsm.clients, w[3])
		s.hsm.order = slices.DeleteFunc(s.hsm.order, func(n string) bool { return n == w[3] })
	case strings.HasPrefix(line, "client hostip unmap -client ") && w[5] == "-ip":
		at := slices.IndexFunc(s.hsm.hostIPs, func(m lunash.HostIP) bool { return m.Names[0] == w[4] && m.Address.String() == w[6] })
		s.mustHave(line, at >= 0)
		s.hsm.hostIPs = slices.Delete(s.hsm.hostIPs, at, at+1)
	case strings.HasPrefix(line, "client revokePartition -client ") && w[4] == "-partition":
		c := s.hsm.clients[w[3]]
		s.mustHave(w[5], slices.Contains(c.Partitions, w[5]))
		c.Partitions = slices.DeleteFunc(c.Partitions, func(p string) bool { return p == w[5] })
	default:
		s.t.Errorf("unknown command on the appliance: %s", line)
	}
}

func (s *site) shell(w []string) {
	s.t.Helper()
	switch w[0] {
	case "rm":
		for _, name := range w[1:] {
			_, there := s.host.Get(name)
			s.mustHave(name, there)
			s.host.Delete(name)
		}
	case "cp":
		data, there := s.host.Get(w[2])
		s.mustHave(w[2], there && w[1] == "-p")
		s.host.Put(w[3], data, s.host.Mode(w[2]))
	case "mv":
		data, there := s.host.Get(w[1])
		s.mustHave(w[1], there)
		s.host.Put(w[2], data, s.host.Mode(w[1]))
		s.host.Delete(w[1])
	case "chmod":
		mode, err := strconv.ParseUint(w[1], 8, 12)
		if err != nil {
			s.t.Error(err)
		}
		data, there := s.host.Get(w[2])
		s.mustHave(w[2], there)
		s.host.Put(w[2], data, fs.FileMode(mode))
	case "pkill":
		s.mustHave("a running gateway", len(s.host.Running) > 0 && w[1] == "-x" && w[2] == "safenet_gw")
		s.host.Running = nil
	default:
		s.t.Errorf("unknown command on the client: %q", w)
	}
}

func (s *site) mustHave(what string, there bool) {
	s.t.Helper()
	if !there {
		s.t.Errorf("what is to be undone is not there: %s", what)
	}
}

// undone is the world without the copies that runs leave.
func (s *site) undone() map[string]string {
	w := s.world()
	for _, f := range s.host.Files() {
		w["mode "+f] = s.host.Mode(f).String()
	}
	maps.DeleteFunc(w, func(name, _ string) bool { return strings.Contains(name, ".ntl-setup-") })
	return w
}

// The commands, given in their order, bring the site back to what it was.
func TestUndoBringsTheSiteBack(t *testing.T) {
	for name, prepare := range map[string]func(*site){
		"a virgin site": func(*site) {},
		"two partitions, one there already": func(s *site) {
			s.record()
			s.link.Partitions = []string{"partition1", "partition6"}
			s.link.Stamp = "20260302T093100Z"
		},
		"another HSM of the client": func(s *site) {
			s.putPair("192.0.2.10", keys()[1])
			s.setConf(map[string]string{"ClientCertFile": ownCert, "ClientPrivKeyFile": ownKey})
			s.trustServer("192.0.2.99", certify("other", keys()[2], nextDecade))
			s.host.Put(savedPath, s.conf().Bytes(), 0o644)
		},
		"a key without its certificate": func(s *site) { s.host.Put(ownKey, keyPEM(keys()[3]), 0o600) },
		"no persisted copy":             func(s *site) { s.host.Delete(savedPath) },
		"a persisted copy alone": func(s *site) {
			s.record()
			s.link.Stamp = "20260302T093100Z"
			s.host.Put(confPath, []byte(factoryConf), 0o644)
			s.host.Running = nil
		},
		"wrong modes": func(s *site) {
			s.putPair("192.0.2.10", keys()[1])
			s.host.Put(ownKey, keyPEM(keys()[1]), 0o644)
			s.link.FixModes = true
		},
		"an entry that vtl does not write": func(s *site) { s.setConf(map[string]string{"NetClient": "0"}) },
		"another certificate of the HSM": func(s *site) {
			s.record()
			s.host.Running = nil
			s.hsm.files["server.pem"] = certify("602114", keys()[2], nextDecade)
			s.link.Stamp, s.link.ReplaceServerCertificate = "20260302T093100Z", true
		},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				prepare(s)
				before := s.undone()
				undo := s.record()
				if cmp.Equal(before, s.undone()) || len(undo) == 0 {
					t.Fatal("nothing was done")
				}
				for _, u := range undo {
					s.typeIn(u[0], u[1])
				}
				if d := cmp.Diff(before, s.undone()); d != "" {
					t.Errorf("after %v:\n%s", undo, d)
				}
			})
		})
	}
}

func TestUndoOfAFirstRun(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		const b = ".ntl-setup-20260302T093000Z "
		want := [][2]string{
			{"client", "rm " + marker},
			{"client", "pkill -x safenet_gw"},
			{"client", "cp -p " + savedPath + b + savedPath},
			{"hsm", "client revokePartition -client NS-web1 -partition partition6"},
			{"hsm", "client delete -client NS-web1"},
			{"client", "rm " + base + "/cert/server/192.0.2.20Cert.pem"},
			{"client", "rm " + caFile},
			{"client", "cp -p " + confPath + b + confPath},
			{"hsm", "my file delete 192.0.2.10.pem"},
			{"client", "rm " + ownCert + " " + ownKey},
			{"client", "cp -p " + confPath + b + confPath},
		}
		if d := cmp.Diff(want, s.record()); d != "" {
			t.Error(d)
		}
	})
}

// Several things of one step are undone in the reverse of the order in which they
// are done.
func TestUndoIsBackwards(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.link.Partitions = []string{"partition1", "partition6"}
		var got []string
		for _, u := range s.record() {
			if strings.Contains(u[1], "revokePartition") {
				got = append(got, u[1][strings.LastIndexByte(u[1], ' ')+1:])
			}
		}
		if !slices.Equal(got, []string{"partition6", "partition1"}) {
			t.Errorf("%q", got)
		}
	})
}

// A gateway that ran before is to run again, after everything else.
func TestUndoOfARestart(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.host.Launch(gwPath, "")
		s.link.RestartGateway = true
		var lines []string
		for _, u := range s.record() {
			if strings.Contains(u[1], "safenet_gw") && !strings.HasPrefix(u[1], "rm ") {
				lines = append(lines, u[1])
			}
		}
		want := "# safenet_gw ran before; when everything else is undone, restart it: pkill -x safenet_gw; /bin/sh /var/safenet/gateway/start_safenet_gw"
		if len(lines) != 1 || lines[0] != want {
			t.Errorf("%q", lines)
		}
	})
}

// What was only looked at has nothing to be undone.
func TestNoUndoWithoutAnAct(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.record()
		s.link.Stamp = "20260302T093100Z"
		for _, step := range s.plan().Steps {
			if len(step.Undo) > 0 {
				t.Errorf("%s: %q", step.Info.ID, step.Undo)
			}
		}
		s.hsm.partitions = append(s.hsm.partitions, lunash.Partition{Serial: "602114012", Name: "partition2"})
		s.link.Partitions = []string{"partition2", "partition6"}
		var of []string
		for _, step := range s.plan().Steps {
			if len(step.Undo) > 0 {
				of = append(of, step.Info.ID)
			}
		}
		if !slices.Equal(of, []string{"assign-partition"}) { // verify-link only waits for it
			t.Errorf("undo of %v", of)
		}
	})
}

func TestShellLine(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"rm", "/etc/a-b_c.1:2"}, "rm /etc/a-b_c.1:2"},
		{[]string{"rm", "/a b", "/it's", "/$(x)", "/~"}, `rm '/a b' '/it'\''s' '/$(x)' '/~'`},
		{[]string{"rm", ""}, "rm ''"},
		{[]string{"rm", "/a\x1b[31m\nrm -rf /"}, "# by hand, for a name cannot be shown: rm '/a rm -rf /'"},
		{[]string{"rm", "/two  blanks"}, "# by hand, for a name cannot be shown: rm '/two blanks'"},
	} {
		if got := shellLine(c.words...); got != c.want {
			t.Errorf("%q: %s, want %s", c.words, got, c.want)
		}
	}
}
