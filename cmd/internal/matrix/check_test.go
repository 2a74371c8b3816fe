package matrix

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/fixtures/luna"
)

// checkEstablished looks at the world itself: everything is there, once.
func (s *site) checkEstablished() {
	t := s.t
	t.Helper()
	state, err := s.app.State()
	if err != nil {
		t.Fatal(err)
	}
	own, _ := s.client.Get(ownCert)
	if s.setting.settled != (s.made == 0) || s.made > 1 {
		t.Errorf("vtl made %d pairs", s.made)
	}
	if !bytes.Equal(own, s.kit.own) {
		t.Error("the client's certificate is another, or missing")
	}
	mine := slices.DeleteFunc(slices.Clone(state.Clients), func(c luna.Client) bool { return c.Name != ours })
	if len(mine) != 1 || mine[0].IP != "192.0.2.10" || strings.TrimSpace(mine[0].Certificate) != strings.TrimSpace(string(own)) {
		t.Fatalf("registered: %+v", mine)
	}
	if p := mine[0].Partitions; len(p) != 1 || p[0].Partition != partition {
		t.Errorf("assigned: %+v", p)
	}
	conf, _ := s.client.Get(confPath)
	saved, _ := s.client.Get(savedPath)
	if !bytes.Equal(conf, saved) {
		t.Error("the two copies of the configuration differ")
	}
	if n := strings.Count(string(conf), "= "+hsm+";"); n != 1 {
		t.Errorf("the configuration names the HSM %d times:\n%s", n, conf)
	}
	bundle, _ := s.client.Get(caFile)
	if n := bytes.Count(bundle, s.serverPEM()); n != 1 {
		t.Errorf("the HSM's certificate is in the bundle %d times", n)
	}
	if len(s.client.Running) != 1 || s.client.Running[0].Executable != gwPath {
		t.Errorf("running: %+v", s.client.Running)
	}
	if _, ok := s.client.Get(marker); !ok {
		t.Error("the gateway is not enrolled")
	}
}

// checkForeign looks at what is not ours. After a run that was cut off files may
// lie about that serve nobody; the next run that acts clears them away. What it
// had to do was nothing where the fault struck last of all, at letting go of the
// lock: that one counts for nothing any more.
func (s *site) checkForeign(allowed ...string) {
	t := s.t
	t.Helper()
	state, err := s.app.State()
	if err != nil {
		t.Fatal(err)
	}
	others := slices.DeleteFunc(state.Clients, func(c luna.Client) bool { return c.Name == ours })
	original, err := luna.Open(s.kit.appliances[s.setting.dialect]).State()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(original.Clients, others); d != "" {
		t.Error("other clients:", d)
	}
	if state.Logins != 0 || state.Serial != original.Serial || len(state.Partitions) != len(original.Partitions) {
		t.Errorf("the appliance itself was changed: %+v", state)
	}
	now := s.files()
	for name, was := range s.before {
		switch is, there := now[name]; {
		case !there:
			t.Errorf("%s is gone", name)
		case name == confPath, name == savedPath:
			s.checkConf(name, is)
		case name == caFile:
			if !strings.HasPrefix(is, was) {
				t.Errorf("%s lost an entry", name)
			}
		case is != was:
			t.Errorf("%s was changed", name)
		}
	}
	for name := range now {
		passing := slices.ContainsFunc(allowed, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if _, old := s.before[name]; !old && !s.ours(name) && !passing {
			t.Errorf("left behind: %s", name)
		}
	}
}

// checkConf: nobody else's entries were touched.
func (s *site) checkConf(name, text string) {
	s.t.Helper()
	for line := range strings.Lines(s.before[confPath]) {
		if strings.Contains(line, "ClientName") {
			continue // the installer's placeholders make room
		}
		if !strings.Contains(text, line) {
			s.t.Errorf("%s lost %q:\n%s", name, line, text)
		}
	}
}

// ours are the files that a link is made of, and the backups beside them.
func (s *site) ours(name string) bool {
	name, _, backup := strings.Cut(name, ".ntl-setup-2001")
	if backup {
		return slices.Contains([]string{confPath, savedPath, caFile}, name)
	}
	aside := strings.HasPrefix(name, ownKey+".orphan-")
	return aside || slices.Contains([]string{ownCert, ownKey, caFile, marker, base + "/cert/server/" + hsm + "Cert.pem"}, name)
}

// world is everything that a run could change, as text.
func (s *site) world() map[string]string {
	w := s.files()
	state, err := s.app.State()
	if err != nil {
		s.t.Fatal(err)
	}
	for name, v := range map[string]any{"appliance": state, "running": s.client.Running} {
		text, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			s.t.Fatal(err)
		}
		w[name] = string(text)
	}
	return w
}
