package steps

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// runbook is what a plan would have a person type, as "where: line" by step.
func (s *site) runbook() map[string][]string {
	s.t.Helper()
	lines := map[string][]string{}
	for _, step := range s.plan().Steps {
		for _, c := range step.Commands {
			lines[step.Info.ID] = append(lines[step.Info.ID], c.Where+": "+c.Line)
		}
	}
	return lines
}

const b = ".ntl-setup-20260302T093000Z"

func TestRunbookOfAVirginSite(t *testing.T) {
	virtual(t, func(t *testing.T) {
		const handed = base + "/cert/server/.ntl-setup-192.0.2.20-20260302T093000Z.pem"
		const save = "client: test -e " + confPath + b + " || cp -p " + confPath + " " + confPath + b
		want := map[string][]string{
			"create-certificate": {
				save, "client: mkdir -p " + base + "/cert/client",
				"client: test -e " + ownCert + " || test -e " + ownKey + " || " + vtlPath + " createCert -n 192.0.2.10",
			},
			"send-certificate": {"laptop: scp root@192.0.2.10:" + ownCert + " ./192.0.2.10.pem", "laptop: scp -O ./192.0.2.10.pem admin@192.0.2.20:192.0.2.10.pem"},
			"add-server": {
				save, "client: mkdir -p " + base + "/cert/server",
				"laptop: scp -O admin@192.0.2.20:server.pem ./192.0.2.20.pem", "laptop: scp ./192.0.2.20.pem root@192.0.2.10:" + handed,
				"client: " + vtlPath + " addServer -n 192.0.2.20 -c " + handed, "client: rm " + handed,
			},
			"register-client":  {"hsm: client register -client NS-web1 -ip 192.0.2.10"},
			"confirm-client":   {"hsm: client fingerprint -client NS-web1"},
			"assign-partition": {"hsm: client assignPartition -client NS-web1 -partition partition6"},
			"verify-link":      {save, "client: vi " + confPath, "client: " + vtlPath + " verify"},
			"persist-config": {
				"client: test -e " + savedPath + b + " || cp -p " + savedPath + " " + savedPath + b, "client: cp " + confPath + " " + savedPath,
			},
			"start-gateway":   {"client: /bin/sh /var/safenet/gateway/start_safenet_gw"},
			"confirm-gateway": {"client: pgrep -x safenet_gw"},
			"enroll-gateway":  {"client: touch " + marker},
		}
		s := newSite(t)
		if d := cmp.Diff(want, s.runbook()); d != "" {
			t.Error(d)
		}
		s.record()
		if left := s.runbook(); len(left) > 0 {
			t.Errorf("where all holds: %v", left)
		}
	})
}

// What is typed depends on what is there, as what is done does.
func TestRunbookFollowsWhatIsThere(t *testing.T) {
	other := certify("602114", keys()[2], nextDecade)
	for name, c := range map[string]struct {
		prepare func(*site)
		step    string
		want    []string // without backups
	}{
		"an orphaned key": {func(s *site) { s.host.Put(ownKey, keyPEM(keys()[3]), 0o600) }, "create-certificate", []string{
			"client: mkdir -p " + base + "/cert/client", "client: mv " + ownKey + " " + ownKey + ".orphan-20260302T093000Z",
			"client: test -e " + ownCert + " || test -e " + ownKey + " || " + vtlPath + " createCert -n 192.0.2.10",
		}},
		"wrong modes": {func(s *site) {
			s.putPair("192.0.2.10", keys()[1])
			s.host.Put(ownKey, keyPEM(keys()[1]), 0o644)
			s.link.FixModes = true
		}, "create-certificate", []string{"client: chmod 0640 " + ownKey}},
		"a persisted copy alone": {func(s *site) {
			s.record()
			s.host.Put(confPath, []byte(factoryConf), 0o644)
		}, "create-certificate", []string{"client: cp " + savedPath + " " + confPath}},
		"another certificate of the HSM": {func(s *site) {
			s.record()
			bundle, _ := s.host.Get(caFile)
			s.host.Put(caFile, slices.Concat(bundle, certify("another HSM", keys()[3], nextDecade)), 0o644)
			s.hsm.files["server.pem"] = other
			s.host.Running, s.link.ReplaceServerCertificate = nil, true
		}, "add-server", []string{
			"client: vi " + caFile, "client: rm " + base + "/cert/server/192.0.2.20Cert.pem",
			"laptop: scp -O admin@192.0.2.20:server.pem ./192.0.2.20.pem",
			"laptop: scp ./192.0.2.20.pem root@192.0.2.10:" + base + "/cert/server/192.0.2.20Cert.pem",
		}},
		"what a run left": {func(s *site) {
			s.record()
			s.host.Put(base+"/cert/server/.ntl-setup-x.pem", nil, 0o644)
		}, "add-server", []string{"client: rm " + base + "/cert/server/.ntl-setup-x.pem"}},
		"by name, mapped": {func(s *site) {
			s.link.ClientAddress, s.link.MapHostIP = "ns1.example", "192.0.2.10"
		}, "register-client", []string{
			"hsm: client register -client NS-web1 -hostname ns1.example", "hsm: client hostip map -client NS-web1 -ip 192.0.2.10",
		}},
		"two partitions": {func(s *site) { s.link.Partitions = []string{"partition1", "partition6"} }, "assign-partition", []string{
			"hsm: client assignPartition -client NS-web1 -partition partition1", "hsm: client assignPartition -client NS-web1 -partition partition6",
		}},
		"no persisted copy": {func(s *site) { s.host.Delete(savedPath) }, "persist-config", []string{
			"client: mkdir -p /var/safenet/config", "client: cp " + confPath + " " + savedPath,
		}},
		"a gateway that is older": {func(s *site) {
			s.host.Launch(gwPath, "")
			s.link.RestartGateway = true
		}, "start-gateway", []string{"client: kill PID", "client: /bin/sh /var/safenet/gateway/start_safenet_gw"}},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := newSite(t)
				c.prepare(s)
				got := slices.DeleteFunc(s.runbook()[c.step], func(line string) bool { return strings.Contains(line, " || cp -p ") })
				for i, p := range s.host.Running {
					if len(got) > i {
						got[i] = strings.ReplaceAll(got[i], " "+decimal(p.PID), " PID")
					}
				}
				if d := cmp.Diff(c.want, got); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

// A difference goes with the line that opens the file, and a certificate with the
// one that the plan saw.
func TestRunbookShowsWhatToCompare(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		found := 0
		for _, step := range s.plan().Steps {
			for _, c := range step.Commands {
				switch {
				case strings.HasPrefix(c.Line, "vi "):
					if !strings.Contains(c.Diff, "+   ServerName00 = 192.0.2.20;\n") || c.Note == "" {
						t.Errorf("%+v", c)
					}
				case strings.Contains(c.Line, ":server.pem"):
					if want := fingerprint(certOf(s.hsm.files["server.pem"])); !strings.Contains(c.Note, want) {
						t.Errorf("%q, want %s", c.Note, want)
					}
				case c.Diff != "":
					t.Errorf("a difference beside %s", c.Line)
				default:
					continue
				}
				found++
			}
		}
		if found != 2 {
			t.Errorf("%d of 2 found", found)
		}
	})
}

// A conflict offers nothing to type.
func TestNoRunbookForAConflict(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.link.Partitions = []string{"partition7"}
		for _, step := range s.plan().Steps {
			if step.Status == orchestrator.Conflict && len(step.Commands) > 0 {
				t.Errorf("%s: %v", step.Info.ID, step.Commands)
			}
		}
	})
}

func TestEndOf(t *testing.T) {
	for name, want := range map[string]struct {
		end      end
		ssh, scp string
	}{
		"root@192.0.2.10:22":       {end{name: "root@192.0.2.10"}, "ssh root@192.0.2.10", "scp"},
		"root@192.0.2.10:2222":     {end{name: "root@192.0.2.10", port: "2222"}, "ssh -p 2222 root@192.0.2.10", "scp -P 2222"},
		"root@[2001:db8::10]:22":   {end{name: "root@[2001:db8::10]"}, "ssh root@2001:db8::10", "scp"},
		"a@b@ns1:22":               {end{name: "a@b@ns1"}, "ssh a@b@ns1", "scp"},
		"local":                    {end{name: "local", local: true}, "ssh local", "scp"},
		"root@ns1":                 {end{name: "root@ns1"}, "ssh root@ns1", "scp"},
		"root@[2001:db8::10]:2222": {end{name: "root@[2001:db8::10]", port: "2222"}, "ssh -p 2222 root@2001:db8::10", "scp -P 2222"},
	} {
		got := endOf(name)
		if got != want.end || got.ssh() != want.ssh || strings.Join(got.scp("scp"), " ") != want.scp {
			t.Errorf("%s: %+v, %s, %v", name, got, got.ssh(), got.scp("scp"))
		}
	}
}

// Files take another way where scp has not the rights, or where there is nothing
// between the laptop and the client.
func TestWaysOfACertificate(t *testing.T) {
	pem := []byte("pem")
	for name, c := range map[string]struct {
		client string
		home   bool
		kind   Kind
		file   string
		out    []string // to the HSM
		in     []string // from it
	}{
		"straight": {"root@192.0.2.10:2222", false, NetScaler, "/c/a.pem",
			[]string{"scp -P 2222 root@192.0.2.10:/c/a.pem ./a.pem", "scp -O ./a.pem admin@192.0.2.20:a.pem"},
			[]string{"scp -O admin@192.0.2.20:server.pem ./h.pem", "scp -P 2222 ./h.pem root@192.0.2.10:/s/h"}},
		"through sudo": {"me@192.0.2.10:22", true, Linux, "/c/a.pem",
			[]string{"cp /c/a.pem a.pem", "scp me@192.0.2.10:a.pem ./a.pem", "scp -O ./a.pem admin@192.0.2.20:a.pem"},
			[]string{"scp -O admin@192.0.2.20:server.pem ./h.pem", "scp ./h.pem me@192.0.2.10:h.pem", "cp h.pem /s/h"}},
		"local": {"local", true, Linux, "/c/a.pem",
			[]string{"cp /c/a.pem a.pem", "scp -O ./a.pem admin@192.0.2.20:a.pem"},
			[]string{"scp -O admin@192.0.2.20:server.pem ./h.pem", "cp h.pem /s/h"}},
		"a path with blanks": {"root@192.0.2.10:22", false, Linux, "/c d/a.pem",
			[]string{"cp '/c d/a.pem' a.pem", "scp root@192.0.2.10:a.pem ./a.pem", "scp -O ./a.pem admin@192.0.2.20:a.pem"},
			[]string{"scp -O admin@192.0.2.20:server.pem ./h.pem", "scp ./h.pem root@192.0.2.10:/s/h"}},
	} {
		t.Run(name, func(t *testing.T) {
			ways := &typist{client: endOf(c.client), hsm: endOf("admin@192.0.2.20:22"), layout: Layout{Kind: c.kind}, home: c.home, scp: []string{"scp", "-O"}}
			ways.comes(pem, "server.pem", "h.pem", "")
			if d := cmp.Diff(c.out, linesOf(ways.deliver(c.file, "a.pem"))); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.in, linesOf(ways.actions(transport.Create("/s/h", pem, 0o644)))); d != "" {
				t.Error(d)
			}
			if again := linesOf(ways.actions(transport.Create("/s/i", pem, 0o644))); strings.Contains(again[0], "server.pem") {
				t.Errorf("fetched twice: %v", again)
			}
		})
	}
}

func linesOf(commands []orchestrator.Command) (lines []string) {
	for _, c := range commands {
		lines = append(lines, c.Line)
	}
	return lines
}

// The tools read a configuration that is not at its usual place only where the
// environment names it.
func TestRunbookNamesAnUnusualConfiguration(t *testing.T) {
	for conf, want := range map[string]string{
		"/etc/Chrystoki.conf":      "/x/vtl verify",
		"/opt/luna/Chrystoki.conf": "env ChrystokiConfigurationPath=/opt/luna /x/vtl verify",
	} {
		ways := &typist{layout: Layout{Kind: Linux, Conf: conf}}
		if got := linesOf(ways.actions(transport.Run("/x/vtl", "verify"))); len(got) != 1 || got[0] != want {
			t.Errorf("%q, want %s", got, want)
		}
	}
}

// cmd.exe is told in its own words, with every path in quotes.
func TestRunbookOnWindows(t *testing.T) {
	const dir = "C:/Program Files/SafeNet/LunaClient"
	ways := &typist{layout: windowsLayout(dir), client: endOf("admin@win:22"), hsm: endOf("admin@192.0.2.20:22"), home: true, scp: []string{"scp", "-O"}}
	pem := []byte("pem")
	ways.comes(pem, "server.pem", "h.pem", "")
	got := linesOf(ways.actions(
		transport.Backup(dir+"/crystoki.ini", dir+"/crystoki.ini.b"), transport.MakeDir(dir+"/cert/client"),
		transport.Absent(dir+"/cert/client/a.pem"), transport.Absent(dir+"/cert/client/aKey.pem"), transport.Run(dir+"/vtl.exe", "createCert", "-n", "a"),
		transport.Create(dir+"/cert/server/h.pem", pem, 0o644), transport.Move(dir+"/a", dir+"/b"), transport.Remove(dir+"/b"),
		transport.Replace(dir+"/crystoki.ini", []byte("x\r\n"), []byte("y\r\n")),
		transport.Remove(dir+"/100%"), transport.Remove(dir+"/two  blanks"), transport.Run("/bin/sh", "x"),
	))
	const native = `C:\Program Files\SafeNet\LunaClient`
	want := []string{
		`if not exist "` + native + `\crystoki.ini.b" copy /y "` + native + `\crystoki.ini" "` + native + `\crystoki.ini.b"`,
		`if not exist "` + native + `\cert\client" mkdir "` + native + `\cert\client"`,
		`if not exist "` + native + `\cert\client\a.pem" if not exist "` + native + `\cert\client\aKey.pem" "` + native + `\vtl.exe" createCert -n a`,
		`scp -O admin@192.0.2.20:server.pem ./h.pem`, `scp ./h.pem admin@win:h.pem`, `copy /y h.pem "` + native + `\cert\server\h.pem"`,
		`move "` + native + `\a" "` + native + `\b"`, `del "` + native + `\b"`, `notepad "` + native + `\crystoki.ini"`,
		"# by hand, for a name cannot be shown: rm " + dir + "/100%", "# by hand, for a name cannot be shown: rm " + dir + "/two blanks",
		"# by hand: /bin/sh x",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Nothing of a name is left for a shell to read, and what cannot be shown is not
// offered to be typed.
func TestRunbookQuotes(t *testing.T) {
	ways := &typist{layout: Layout{Kind: Linux}}
	got := linesOf(ways.actions(
		transport.Remove("/a b'$(x)"), transport.Backup("/x\x1b[2J", "/y"), transport.Absent("/z\n"), transport.Run("/v", "w"),
	))
	want := []string{
		`rm '/a b'\''$(x)'`, "# by hand, for a name cannot be shown: cp -p '/x' /y", "# by hand, for a name cannot be shown: test -e '/z'",
	}
	if len(got) != len(want) || got[0] != want[0] || !strings.HasPrefix(got[1], byHand) || !strings.HasPrefix(got[2], byHand) {
		t.Errorf("%q, want like %q", got, want)
	}
	if c := inLunash(lunash.AssignLine("a", "b;c")); !strings.HasPrefix(c.Line, byHand) || c.Where != orchestrator.OnHSM {
		t.Errorf("%+v", c)
	}
}

// called is a host by another name.
type called struct {
	transport.Host

	name string
}

func (c called) Name() string { return c.name }

func TestSeats(t *testing.T) {
	virtual(t, func(t *testing.T) {
		for name, want := range map[string]string{
			"root@192.0.2.10:22": "ssh root@192.0.2.10", "nsroot@192.0.2.10:22": "ssh nsroot@192.0.2.10, then shell", "local": "this machine, as root",
		} {
			s := newSite(t)
			opened, err := Open(t.Context(), Hosts{Client: called{s.host, name}, HSM: s.hsm}, s.link)
			if err != nil {
				t.Fatal(err)
			}
			seats := opened.Seats(t.Context())
			if len(seats) != 3 || seats[1].How != want || seats[1].Prompt != "client#" || seats[2].How != "ssh admin@192.0.2.20" {
				t.Errorf("%s: %+v", name, seats)
			}
		}
	})
}
