package steps

import (
	"strings"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/transporttest"
)

// Rows of vtl verify count for this HSM by its serial numbers. A label counts
// only where nothing else can have it.
func TestWhatTellsARow(t *testing.T) {
	ours := []lunash.Partition{{Serial: "602114017", Name: "part1"}, {Serial: "602114024", Name: "part2"}}
	rows := func(slots ...vtl.Slot) vtl.Verified { return vtl.Verified{Slots: slots} }
	for name, c := range map[string]struct {
		tell    telling
		rows    vtl.Verified
		reached bool
		unclear string
	}{
		"the serial":                   {telling{rows: ours, open: true}, rows(vtl.Slot{Serial: "602114017", Label: "part1"}), true, ""},
		"the serial, another label":    {telling{rows: ours, open: true}, rows(vtl.Slot{Serial: "602114017", Label: "payments"}), true, ""},
		"not yet labelled":             {telling{rows: ours, open: true}, rows(vtl.Slot{Serial: "602114017"}), true, ""},
		"the other HSM's, same label":  {telling{rows: ours, open: true}, rows(vtl.Slot{Serial: "700000017", Label: "part1"}), false, ""},
		"same label, alone even":       {telling{rows: ours, open: true, alone: true}, rows(vtl.Slot{Serial: "700000017", Label: "part1"}), false, ""},
		"another partition's serial":   {telling{rows: ours, open: true}, rows(vtl.Slot{Serial: "602114024", Label: "part1"}), false, ""},
		"a serial that begins like it": {telling{rows: ours, open: true}, rows(vtl.Slot{Serial: "6021140170", Label: "part1"}), false, ""},
		"the appliance has none":       {telling{open: true, alone: true}, rows(vtl.Slot{Serial: "602114017", Label: "part1"}), false, ""},
		"by label, the only HSM":       {telling{alone: true}, rows(vtl.Slot{Serial: "602114017", Label: "part1"}), true, ""},
		"by label, several HSMs":       {telling{}, rows(vtl.Slot{Serial: "602114017", Label: "part1"}), false, "has several HSMs"},
		"by label, twice":              {telling{alone: true}, rows(vtl.Slot{Serial: "1", Label: "part1"}, vtl.Slot{Serial: "2", Label: "part1"}), false, "lists 2 partitions"},
		"by label, not there":          {telling{alone: true}, rows(vtl.Slot{Serial: "1", Label: "part10"}), false, ""},
	} {
		if got := c.tell.reaches(c.rows, "part1"); got != c.reached {
			t.Errorf("%s: reached %t", name, got)
		}
		if got := c.tell.unclear(c.rows, "part1"); (got == "") != (c.unclear == "") || !strings.Contains(got, c.unclear) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// The other HSM's partition of the same name stands in for ours in no step.
func TestTheOtherHSMsLabelDoesNotCount(t *testing.T) {
	for _, denied := range [][]string{nil, {"client show"}, {"partition list"}, {"client show", "partition list"}} {
		virtual(t, func(t *testing.T) {
			s := newSite(t)
			linkedElsewhere(s, "192.0.2.10")
			s.apply()
			for _, d := range denied {
				s.hsm.denied[d] = true
			}
			honest := s.host.Vtl
			s.host.Vtl = func(h *transporttest.FakeHost, argv []string) (string, int) {
				if argv[1] != "verify" {
					return honest(h, argv)
				}
				return "\nThe following Luna SA Slots/Partitions were found:\n\nSlot\tSerial #\tLabel\n====\t====\t====\n0\t700000017\tpartition6\n\n", 0
			}
			r := s.plan()
			step := stepOf(t, r, "verify-link")
			if step.Status != orchestrator.WouldChange {
				t.Errorf("%v: %s %s", denied, step.Status, step.Reason)
			}
			if len(denied) > 0 && denied[len(denied)-1] == "partition list" && !strings.Contains(step.Reason, "whose it is cannot be told") {
				t.Errorf("%v: %s", denied, step.Reason)
			}
		})
	}
}

// A user who may not copy files can still say how a link is that is there.
func TestStatusWithoutCopying(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := newSite(t)
		no := &transport.Error{Class: transport.ClassRemote, Message: "fetch server.pem", Err: lunash.ErrNoCopying}
		s.hsm.errs["fetch server.pem"] = no
		if step := stepOf(t, s.plan(), "add-server"); step.Status != orchestrator.Failed {
			t.Errorf("a virgin client: %s", step.Status)
		}
		clear(s.hsm.errs)
		s.apply()
		s.hsm.errs["fetch server.pem"] = no
		r := s.plan()
		every(t, r, orchestrator.OK, nil)
		if e := stepOf(t, r, "add-server").Reason; !strings.Contains(e, "may not copy files") || !strings.Contains(e, "vtl verify decides") {
			t.Errorf("%s", e)
		}
		s.link.HSMCertificate = fingerprint(certOf(certify("602114", keys()[3], nextDecade)))
		if step := stepOf(t, s.plan(), "add-server"); step.Status != orchestrator.Failed {
			t.Errorf("with a pin: %s %s", step.Status, step.Reason)
		}
	})
}

// A role that may not ask `client show` has but `vtl verify` to see what it
// assigned by, and NTLS takes its time to notice: the world is looked at, not what
// was seen before.
func TestSmallRoleAndASlowNTLS(t *testing.T) {
	for _, lag := range []time.Duration{2 * time.Second, settleLink - 5*time.Second} {
		virtual(t, func(t *testing.T) {
			s := newSite(t)
			s.hsm.denied["client show"] = true
			honest, asked := s.host.Vtl, time.Time{}
			s.host.Vtl = func(h *transporttest.FakeHost, argv []string) (string, int) {
				c := s.hsm.clients[s.link.Name]
				if argv[1] == "verify" && c != nil && len(c.Partitions) > 0 {
					if asked.IsZero() {
						asked = time.Now()
					}
					if time.Since(asked) < lag {
						return "Error: Unable to find any Luna SA slots/partitions among registered servers.\n", 0
					}
				}
				return honest(h, argv)
			}
			r := s.apply()
			if step := stepOf(t, r, "assign-partition"); r.Result != orchestrator.Established || step.Status != orchestrator.Changed {
				t.Errorf("after %v: %s, %s: %s", lag, r.Result, step.Status, step.Reason)
			}
		})
	}
}
