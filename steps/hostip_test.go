package steps

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// namedSite is a virgin site whose client goes by a host name.
func namedSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.link.ClientAddress, s.link.MapHostIP = "web1.lab.example", "192.0.2.10"
	return s
}

func mappedAs(address string, names ...string) lunash.HostIP {
	return lunash.HostIP{Names: names, Address: netip.MustParseAddr(address)}
}

func TestMappedTo(t *testing.T) {
	link := Link{Name: "web1", ClientAddress: "web1.lab.example"}
	for name, c := range map[string]struct {
		rows    []lunash.HostIP
		want    string
		unclear bool
	}{
		"nothing":               {nil, "", false},
		"by name":               {[]lunash.HostIP{mappedAs("192.0.2.10", "web1")}, "192.0.2.10", false},
		"another's":             {[]lunash.HostIP{mappedAs("192.0.2.10", "web10"), mappedAs("192.0.2.11", "Web1")}, "", false},
		"by host name":          {[]lunash.HostIP{mappedAs("192.0.2.10", "WEB1.lab.example")}, "192.0.2.10", false},
		"both":                  {[]lunash.HostIP{mappedAs("192.0.2.10", "web1", "web1.lab.example")}, "192.0.2.10", false},
		"twice":                 {[]lunash.HostIP{mappedAs("192.0.2.10", "web1"), mappedAs("192.0.2.11", "web1"), mappedAs("192.0.2.10", "web1")}, "192.0.2.10 192.0.2.11", false},
		"a name with blanks":    {[]lunash.HostIP{mappedAs("192.0.2.10", "old web1")}, "", true},
		"blanks, and clear too": {[]lunash.HostIP{mappedAs("192.0.2.10", "old web1"), mappedAs("192.0.2.11", "web1")}, "192.0.2.11", false},
	} {
		to, unclear := mappedTo(c.rows, link)
		if strings.Join(to, " ") != c.want || (unclear != "") != c.unclear {
			t.Errorf("%s: %v %q", name, to, unclear)
		}
	}
}

// Registration and mapping are one step's differences; a rerun has none, and
// the recorded commands undo both.
func TestRegisteredAndMapped(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := namedSite(t)
		before := s.undone()
		plan := stepOf(t, s.plan(), "register-client")
		if len(plan.Changes) != 2 || plan.Changes[1].Have != "not mapped" || plan.Changes[1].Want != "mapped to 192.0.2.10" || len(s.hsm.writes) != 0 {
			t.Errorf("%+v, sent %v", plan.Changes, s.hsm.writes)
		}
		undo := s.record()
		if diff := cmp.Diff([]string{"store web1.lab.example.pem", "register NS-web1", "map NS-web1 192.0.2.10", "assign partition6"}, s.hsm.writes); diff != "" {
			t.Error(diff)
		}
		every(t, s.apply(), orchestrator.OK, nil)
		for _, u := range undo {
			s.typeIn(u[0], u[1])
		}
		if diff := cmp.Diff(before, s.undone()); diff != "" || len(s.hsm.hostIPs) > 0 {
			t.Errorf("not undone: %v\n%s", s.hsm.hostIPs, diff)
		}
	})
}

// The flag given to a link that is there adds the mapping and nothing else.
func TestMappedLater(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := namedSite(t)
		s.link.MapHostIP = ""
		if r := s.apply(); r.Result != orchestrator.Established || len(s.hsm.hostIPs) != 0 {
			t.Fatalf("%s %v", r.Result, s.hsm.hostIPs)
		}
		s.link.MapHostIP = "192.0.2.10"
		every(t, s.apply(), orchestrator.OK, map[string]orchestrator.Status{"register-client": orchestrator.Changed})
		if undo := undoRegistration(s.link, entry{registration: registration{listed: true}, mapped: mapping{wanted: "192.0.2.10"}}); len(undo) != 1 || !strings.Contains(undo[0], "unmap") {
			t.Errorf("%v", undo)
		}
	})
}

// The line drops at the mapping, before it or behind it: one rerun is enough, and
// it is made once.
func TestMappingCutOff(t *testing.T) {
	cut := transport.Errorf(transport.ClassConnect, "", "the line dropped")
	for name, hit := range map[string]func(*site){
		"before": func(s *site) { s.hsm.errs["client hostip map"] = cut },
		"behind": func(s *site) { s.hsm.lost["client hostip map"] = cut },
	} {
		virtual(t, func(t *testing.T) {
			s := namedSite(t)
			hit(s)
			// An answer that was lost is settled by looking once more, in the same run.
			if r := s.apply(); (r.Result == orchestrator.Established) != (name == "behind") {
				t.Errorf("%s: the first run is %s", name, r.Result)
			}
			clear(s.hsm.errs)
			clear(s.hsm.lost)
			if r := s.apply(); r.Result != orchestrator.Established || len(s.hsm.hostIPs) != 1 {
				t.Errorf("%s: %s %v", name, r.Result, s.hsm.hostIPs)
			}
		})
	}
}

// Somebody maps it between the look and the act: to our address it is no matter,
// to another it is a conflict.
func TestMappedMeanwhile(t *testing.T) {
	for address, want := range map[string]orchestrator.Result{"192.0.2.10": orchestrator.Established, "203.0.113.7": orchestrator.Conflicted} {
		virtual(t, func(t *testing.T) {
			s := namedSite(t)
			e := orchestrator.Engine{Steps: s.open().All()}
			r := e.Apply(t.Context(), func([]orchestrator.StepReport) error {
				s.hsm.hostIPs = []lunash.HostIP{mappedAs(address, "NS-web1")}
				return nil
			}, nil)
			if r.Result != want {
				t.Errorf("%s: %s %v", address, r.Result, statusOf(r))
			}
			if step := stepOf(t, r, "register-client"); want == orchestrator.Conflicted && !strings.Contains(step.Reason, "203.0.113.7") {
				t.Errorf("%s", step.Reason)
			}
		})
	}
}

// An answer that is not understood is neither "mapped" nor "not mapped".
func TestMappingUnclear(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := namedSite(t)
		s.hsm.oddHostIP = true
		if have := stepOf(t, s.plan(), "register-client").Changes[1].Have; have != "not known: `client hostip show` was not understood" {
			t.Errorf("%s", have)
		}
		if r := s.apply(); r.Result != orchestrator.Established || !strings.Contains(stepOf(t, r, "register-client").Reason, "acknowledged") {
			t.Errorf("%s %s", r.Result, stepOf(t, r, "register-client").Reason)
		}
		r := s.apply()
		every(t, r, orchestrator.OK, nil)
		if e := stepOf(t, r, "register-client").Reason; !strings.Contains(e, "vtl verify reaches the HSM") {
			t.Errorf("%s", e)
		}
		if n := len(s.hsm.hostIPs); n != 1 {
			t.Errorf("mapped %d times", n)
		}
	})
}

// A failure of the exchange is no answer that was not understood.
func TestMappingNotRead(t *testing.T) {
	s := namedSite(t)
	s.hsm.errs["client hostip show"] = transport.Errorf(transport.ClassConnect, "", "the line dropped")
	if step := stepOf(t, s.plan(), "register-client"); step.Status != orchestrator.Failed {
		t.Errorf("%s %s", step.Status, step.Reason)
	}
}

// A client that is registered by name and not let in: what to look at is named.
func TestNameAdvice(t *testing.T) {
	for name, c := range map[string]struct {
		link Link
		want string
	}{
		"by address": {Link{ClientAddress: "192.0.2.10"}, ""},
		"by name":    {Link{ClientAddress: "web1"}, "whether the appliance's DNS has web1"},
		"mapped":     {Link{ClientAddress: "web1", MapHostIP: "192.0.2.10"}, "come from 192.0.2.10 (client hostip show)"},
	} {
		if got := nameAdvice(c.link); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
	virtual(t, func(t *testing.T) {
		s := namedSite(t)
		s.link.MapHostIP = ""
		s.apply()
		s.hsm.clients["NS-web1"].Partitions = nil
		s.hsm.denied["client show"] = true
		if why := stepOf(t, s.plan(), "verify-link").Reason; !strings.Contains(why, "--map-host-ip ADDRESS") || !strings.Contains(why, "ipcheck") {
			t.Errorf("%s", why)
		}
	})
}
