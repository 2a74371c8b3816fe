package steps

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/transporttest"
)

const (
	libraryLink = "/usr/lib/libCryptoki2_64.so"
	library     = base + "/lib/libCryptoki2_64.so"
	mendLink    = "`ln -s " + library + " " + libraryLink + "`"
)

// What is said of the link to the library, by what stands in its place.
func TestLibraryRemark(t *testing.T) {
	for name, c := range map[string]struct {
		fact transport.Fact
		want []string // nothing: it is in order
	}{
		"in order":           {transport.Fact{Link: library}, nil},
		"a relative one":     {transport.Fact{Link: "../../var/safenet/safenet/lunaclient/lib/libCryptoki2_64.so"}, nil},
		"missing":            {transport.Fact{Missing: true}, []string{libraryLink + " is missing", mendLink}},
		"to nothing":         {transport.Fact{Link: library, Missing: true}, []string{"which is missing", "install"}},
		"elsewhere":          {transport.Fact{Link: "/old/lib.so"}, []string{"a link to /old/lib.so and not to " + library, "moved away", mendLink}},
		"elsewhere, nothing": {transport.Fact{Link: "/old/lib.so", Missing: true}, []string{"a link to /old/lib.so and not to " + library, mendLink}},
		"a like name":        {transport.Fact{Link: library + ".6"}, []string{"and not to " + library, mendLink}},
		"a file":             {transport.Fact{Mode: 0o755}, []string{"is no link", "moved away", mendLink}},
		"out of reach":       {transport.Fact{Problem: "Permission denied"}, []string{"cannot be told: Permission denied"}},
		"hostile":            {transport.Fact{Link: "/\x1b[2Jx\n`rm`"}, []string{"a link to /x `rm` and not to"}},
	} {
		l := netScaler().places("")[0]
		got := libraryRemark(l, transport.Facts{transport.Stat(libraryLink): c.fact})
		if (got == "") != (c.want == nil) || strings.ContainsAny(got, "\x1b\n") {
			t.Errorf("%s: %q", name, got)
		}
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q in it", name, got, want)
			}
		}
	}
}

// The link is evidence of step 9 and nothing else: no status, no act, and no
// exchange more.
func TestLibraryLinkIsEvidence(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		s.host.Delete(libraryLink)
		planned := stepOf(t, s.plan(), "persist-config")
		if planned.Status != orchestrator.WouldChange || !strings.Contains(planned.Reason, mendLink) || !strings.Contains(planned.Reason, "RAM disk") {
			t.Errorf("planned: %s %s", planned.Status, planned.Reason)
		}
		r := s.apply()
		if done := stepOf(t, r, "persist-config"); r.Result != orchestrator.Established || done.Status != orchestrator.Changed || !strings.Contains(done.Reason, mendLink) {
			t.Errorf("done: %s %s %s", r.Result, done.Status, done.Reason)
		}
		s.host.Looked = nil
		again := s.plan()
		every(t, again, orchestrator.OK, nil)
		if len(s.host.Looked) != 2 {
			t.Errorf("%d exchanges, want 2", len(s.host.Looked))
		}
		for _, step := range again.Steps {
			if strings.Contains(step.Reason, libraryLink) != (step.Info.ID == "persist-config") {
				t.Errorf("%s: %s", step.Info.ID, step.Reason)
			}
		}
		if slices.Contains(s.host.Files(), libraryLink) {
			t.Error("the link was made unasked")
		}
		s.host.Link(libraryLink, library)
		if got := stepOf(t, s.plan(), "persist-config").Reason; strings.Contains(got, libraryLink) {
			t.Errorf("mended: %s", got)
		}
	})
}

// Both nodes of an HA pair, each with an address and a certificate of its own,
// on one appliance: the tool is run once for each, and neither run touches what
// is the other's.
func TestBothNodesOfAnHAPair(t *testing.T) {
	virtual(t, func(t *testing.T) {
		first, second := newSite(t), newSite(t)
		second.hsm, second.host = first.hsm, nodeOf(second, "root@192.0.2.11:22", "192.0.2.11")
		second.link.Name, second.link.ClientAddress = "NS-web2", "192.0.2.11"
		for _, s := range []*site{first, second} {
			if r := s.apply(); r.Result != orchestrator.Established {
				t.Fatalf("%s: %s %+v", s.link.Name, r.Result, statusOf(r))
			}
		}
		a, b := first.hsm.clients["NS-web1"], first.hsm.clients["NS-web2"]
		if a.Address != "192.0.2.10" || b.Address != "192.0.2.11" || string(a.cert) == string(b.cert) {
			t.Errorf("registered: %s and %s, certificates alike: %v", a.Address, b.Address, string(a.cert) == string(b.cert))
		}
		for _, s := range []*site{first, second} {
			if d := cmp.Diff([]string{"partition6"}, s.hsm.clients[s.link.Name].Partitions); d != "" || s.made != 1 {
				t.Errorf("%s: %d pairs made, partitions\n%s", s.link.Name, s.made, d)
			}
			own, _ := s.host.Get(base + "/cert/client/" + s.link.ClientAddress + ".pem")
			if string(own) != string(s.hsm.clients[s.link.Name].cert) {
				t.Errorf("%s: another's certificate is registered", s.link.Name)
			}
			every(t, s.plan(), orchestrator.OK, nil)
		}
	})
}

// nodeOf gives a site's host another name and address.
func nodeOf(s *site, name, address string) *transporttest.FakeHost {
	node := transporttest.NewHost(name)
	node.System, node.Vtl, node.Addresses = s.host.System, s.host.Vtl, []string{"127.0.0.1", address}
	node.Start = func([]string) { node.Launch(gwPath, "") }
	for _, dir := range []string{"/netscaler", base + "/cert/client", base + "/cert/server"} {
		node.Dir(dir, 0o755)
	}
	for _, file := range s.host.Files() {
		if data, ok := s.host.Get(file); ok && file != libraryLink {
			node.Put(file, data, s.host.Mode(file))
		}
	}
	node.Link(libraryLink, library)
	return node
}
