package steps

import (
	"context"
	"strings"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
	"ntl-setup/transport/transporttest"
)

// linuxClient is the site's client moved to where a Linux host has it, with a
// program that may be brought along.
type linuxClient struct {
	*site
	probe Probe
	says  string // by an installed ntl-probe
}

func linuxSite(t *testing.T) *linuxClient {
	t.Helper()
	s := &linuxClient{site: newSite(t)}
	s.host.System, s.host.Machine = "Linux", "x86_64"
	s.host.Dir(linuxBase+"/cert/client", 0o755)
	s.host.Dir(linuxBase+"/cert/server", 0o755)
	s.move(base, linuxBase)
	for _, f := range s.host.Files() {
		if strings.HasPrefix(f, "/var/safenet") {
			s.host.Delete(f)
		}
	}
	s.host.Delete("/netscaler")
	s.host.Delete("/var/safenet/gateway")
	s.host.Vtl = func(h *transporttest.FakeHost, argv []string) (string, int) {
		if argv[0] == installed {
			return s.says, 0
		}
		there := make([]string, len(argv))
		for i, word := range argv {
			there[i] = strings.ReplaceAll(word, linuxBase, base)
		}
		s.move(linuxBase, base)
		defer s.move(base, linuxBase)
		text, status := s.vtl(h, there)
		return strings.ReplaceAll(text, base, linuxBase), status
	}
	return s
}

// move moves the Luna client, and what its configuration names.
func (s *linuxClient) move(from, to string) {
	for _, f := range s.host.Files() {
		if strings.HasPrefix(f, from+"/") && !strings.Contains(f, ".ntl-setup.lock") {
			data, _ := s.host.Get(f)
			mode := s.host.Mode(f)
			s.host.Delete(f)
			s.host.Put(to+strings.TrimPrefix(f, from), data, mode)
		}
	}
	conf, _ := s.host.Get(confPath)
	s.host.Put(confPath, []byte(strings.ReplaceAll(string(conf), from+"/", to+"/")), 0o644)
}

// brought is how many programs were brought along.
func (s *linuxClient) brought() (n int) {
	for _, a := range s.host.Acts {
		if a.Kind == transport.ActBring {
			n++
		}
	}
	return n
}

func (s *linuxClient) engine(hold bool) orchestrator.Engine {
	s.t.Helper()
	if s.host.Now == nil {
		s.host.Now = time.Now
	}
	site, err := Open(s.t.Context(), Hosts{Client: s.host, HSM: s.hsm, Probe: s.probe}, s.link)
	if err != nil {
		s.t.Fatal(err)
	}
	e := orchestrator.Engine{Steps: site.All()}
	if hold {
		e.Hold = func(ctx context.Context) (func(), error) {
			return site.Hold(ctx, LockOptions{Owner: "alex@laptop", PID: 1, Reason: "apply"})
		}
	}
	return e
}

func (s *linuxClient) plan() orchestrator.Report {
	s.t.Helper()
	return s.engine(true).Plan(s.t.Context())
}

// apply applies; hold: while the site is held, as the program does.
func (s *linuxClient) apply(hold bool) orchestrator.Report {
	s.t.Helper()
	return s.engine(hold).Apply(s.t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
}

func mustConf(t *testing.T, text string) *chrystoki.File {
	t.Helper()
	f, err := chrystoki.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
