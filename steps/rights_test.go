package steps

import (
	"context"
	"errors"
	"path"
	"strings"
	"testing"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

const lunaclient = "/usr/safenet/lunaclient"

// newLinux is a virgin Linux client with packages, and the user who looks.
func newLinux(t *testing.T, user string) *site {
	t.Helper()
	s := newSite(t)
	for _, f := range s.host.Files() {
		if strings.HasPrefix(f, "/var/safenet") || strings.HasPrefix(f, "/netscaler") {
			s.host.Delete(f)
		}
	}
	for _, gone := range []string{"/netscaler", "/var/safenet/gateway"} {
		s.host.Delete(gone)
	}
	s.host.System, s.host.User = "Linux", user
	for _, dir := range []string{"bin", "cert/client", "cert/server"} {
		s.host.Dir(path.Join(lunaclient, dir), 0o755)
	}
	s.host.Put(lunaclient+"/bin/vtl", []byte("#!"), 0o755)
	s.host.Put(confPath, []byte(strings.ReplaceAll(factoryConf, base, lunaclient)), 0o660)
	return s
}

// elevator gives rights, or says why not, and counts.
type elevator struct {
	asked int
	err   error
	then  func()
}

func (e *elevator) elevate(context.Context) error {
	e.asked++
	if e.err == nil && e.then != nil {
		e.then()
	}
	return e.err
}

func (s *site) openWith(e *elevator) (*Site, error) {
	return Open(s.t.Context(), Hosts{Client: s.host, HSM: s.hsm, Elevate: e.elevate}, s.link)
}

// Root, and who has all rights, is never given more, and looks once.
func TestNobodyIsElevatedWithoutNeed(t *testing.T) {
	plain := newLinux(t, "0")
	plain.open()
	for _, user := range []string{"0", "1001", ""} {
		s := newLinux(t, user)
		e := &elevator{}
		if _, err := s.openWith(e); err != nil {
			t.Fatal(err)
		}
		if e.asked != 0 || len(s.host.Looked) != len(plain.host.Looked) {
			t.Errorf("user %q: elevated %d times, %d looks", user, e.asked, len(s.host.Looked))
		}
	}
}

func TestElevatedWhereNeeded(t *testing.T) {
	for name, prepare := range map[string]func(*site){
		"may not read the configuration": func(s *site) { s.host.Problems[confPath] = "cat: Permission denied" },
		"may not see the tools":          func(s *site) { s.host.Problems[lunaclient+"/bin"] = "ls: Permission denied" },
		"may not write":                  func(s *site) { s.host.Unwritable = map[string]bool{lunaclient + "/cert/client": true} },
		"is told to":                     func(s *site) { s.link.Sudo = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newLinux(t, "1001")
			prepare(s)
			e := &elevator{then: func() {
				s.host.User, s.host.Problems, s.host.Unwritable = "0", map[string]string{}, nil
			}}
			opened, err := s.openWith(e)
			if err != nil || e.asked != 1 {
				t.Fatalf("%v, elevated %d times", err, e.asked)
			}
			r := orchestrator.Engine{Steps: opened.All()}.Plan(t.Context())
			if r.Result != orchestrator.Changes {
				t.Errorf("%s: %+v", r.Result, r.Steps[0])
			}
		})
	}
}

// What cannot be read ends it; what cannot be written ends the look at the first
// step that is to write it, as nobody was let in as far as that.
func TestNotElevated(t *testing.T) {
	why := transport.Errorf(transport.ClassAuth, "root@192.0.2.10:22", "there is no sudo").WithHint("ask somebody")
	s := newLinux(t, "1001")
	s.host.Problems[confPath] = "cat: Permission denied"
	_, err := s.openWith(&elevator{err: why})
	f := orchestrator.Fail(err)
	if f == nil || f.Class != "auth" || f.Hint != "ask somebody" || !errors.Is(err, why) ||
		!strings.HasSuffix(f.Message, "this user may not read "+confPath+"; there is no sudo") {
		t.Errorf("%+v", f)
	}

	s = newLinux(t, "1001")
	s.host.Unwritable = map[string]bool{confPath: true}
	opened, err := s.openWith(&elevator{err: why})
	if err != nil {
		t.Fatal(err)
	}
	r := orchestrator.Engine{Steps: opened.All()}.Plan(t.Context())
	step := stepOf(t, r, "create-certificate")
	if step.Status != orchestrator.Failed || step.Err.Class != "auth" || step.Hint != "ask somebody" || !strings.Contains(step.Reason, "may not write to "+confPath+"; there is no sudo") {
		t.Errorf("%+v", step)
	}
	for _, step := range r.Steps[1:] { // it is said once
		if step.Status != orchestrator.Blocked || strings.Contains(step.Reason, "sudo") {
			t.Errorf("%+v", step)
		}
	}
	if r.Result != orchestrator.Unreachable {
		t.Errorf("result %s", r.Result)
	}

	for name, prepare := range map[string]func(*site, *elevator){
		"a lost line": func(_ *site, e *elevator) { e.err = transport.Errorf(transport.ClassConnect, "h", "lost") },
		"--sudo":      func(s *site, _ *elevator) { s.link.Sudo = true },
	} {
		s = newLinux(t, "1001")
		s.host.Unwritable = map[string]bool{confPath: true}
		e := &elevator{err: why}
		prepare(s, e)
		if _, err := s.openWith(e); !errors.Is(err, e.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A container's configuration cannot be written though root asks.
func TestReadOnlyForRoot(t *testing.T) {
	s := newLinux(t, "0")
	s.host.Unwritable = map[string]bool{confPath: true}
	step := stepOf(t, s.plan(), "create-certificate")
	if step.Status != orchestrator.Conflict || !strings.Contains(step.Reason, "not even root") || !strings.Contains(step.Hint, "container") {
		t.Errorf("%+v", step)
	}
	if len(s.host.Acts) != 0 {
		t.Errorf("acts %v", s.host.Acts)
	}
}

// Where nothing is to be changed, who may only look finds all in order.
func TestClosedOnlyWhereSomethingChanges(t *testing.T) {
	c := &clientFacts{lacks: lacks{write: []string{confPath}}}
	if no := c.closed(nil); no.Reason != "" {
		t.Errorf("%+v", no)
	}
	if no := c.closed([]orchestrator.Change{{}}); !strings.Contains(no.Hint, "--sudo") {
		t.Errorf("%+v", no)
	}
}

func TestLacksInWords(t *testing.T) {
	for want, l := range map[string]lacks{
		"":                                 {},
		"read /a":                          {read: []string{"/a"}},
		"read /a, nor write to /b, /c, /d": {read: []string{"/a"}, write: []string{"/b", "/c", "/d"}},
		"write to /a, /b and 2 more":       {write: []string{"/a", "/b", "/c", "/d"}},
	} {
		if got := l.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Backups of /etc/Chrystoki.conf lie beside it, or where the group may write.
func TestShelterOfBackups(t *testing.T) {
	link := Link{Stamp: "20260302T093000Z"}
	if got := backupOf(link, confPath); got != confPath+".ntl-setup-20260302T093000Z" {
		t.Error(got)
	}
	s := newLinux(t, "1001")
	s.host.Unwritable = map[string]bool{"/etc": true}
	opened := s.open()
	if got := backupOf(opened.link, confPath); got != lunaclient+"/cert/Chrystoki.conf.ntl-setup-"+s.link.Stamp {
		t.Error(got)
	}
	if got := backupOf(opened.link, lunaclient+"/cert/server/CAFile.pem"); path.Dir(got) != lunaclient+"/cert/server" {
		t.Error(got)
	}
	undo := undoConf(opened.link, confCopy{path: confPath, present: true})
	if !strings.Contains(undo[0], "cp -p "+lunaclient+"/cert/Chrystoki.conf") {
		t.Error(undo)
	}
}

// The first step that would have to write tells, and those before it are fine.
func TestNotElevatedAtALaterStep(t *testing.T) {
	s := newLinux(t, "1001")
	s.host.Put(lunaclient+"/cert/client/192.0.2.10.pem", certify("192.0.2.10", keys()[1], nextDecade), 0o644)
	s.host.Put(lunaclient+"/cert/client/192.0.2.10Key.pem", keyPEM(keys()[1]), 0o640)
	s.host.Unwritable = map[string]bool{confPath: true}
	opened, err := s.openWith(&elevator{err: transport.Errorf(transport.ClassAuth, "h", "the password was refused")})
	if err != nil {
		t.Fatal(err)
	}
	r := orchestrator.Engine{Steps: opened.All()}.Plan(t.Context())
	if step := stepOf(t, r, "create-certificate"); step.Status != orchestrator.OK {
		t.Errorf("%+v", step)
	}
	if step := stepOf(t, r, "add-server"); step.Status != orchestrator.Failed || step.Err.Class != "auth" || !strings.Contains(step.Reason, "password was refused") {
		t.Errorf("%+v", step)
	}
	if step := stepOf(t, r, "verify-link"); step.Status != orchestrator.Blocked {
		t.Errorf("%+v", step)
	}
	if r.Result != orchestrator.Unreachable {
		t.Errorf("result %s", r.Result)
	}
}

// Programs that hold the library are named where they miss something.
func TestHoldersAreNamed(t *testing.T) {
	s := newLinux(t, "0")
	s.host.Holders = []transport.Process{{PID: 812, Command: "java"}, {PID: 77, Command: "sig\x1b[2Jner"}}
	reason := stepOf(t, s.plan(), "verify-link").Reason
	if !strings.Contains(reason, "restart, which is yours to do: java (812), sig") || strings.Contains(reason, "\x1b") {
		t.Errorf("%q", reason)
	}
	c := &clientFacts{layout: Layout{Kind: Linux}, holders: transport.Fact{Problem: "only root sees the programs of other users"}}
	if got := c.holding(); !strings.Contains(got, "only root sees") {
		t.Errorf("%q", got)
	}
	for i := range 12 {
		c.holders.Processes = append(c.holders.Processes, transport.Process{PID: i + 1, Command: "x"})
	}
	if got := c.holding(); !strings.Contains(got, "x (10), 2 more") {
		t.Errorf("%q", got)
	}
	if got := (&clientFacts{layout: Layout{Kind: NetScaler}, holders: c.holders}).holding(); got != "" {
		t.Errorf("NetScaler: %q", got)
	}
}
