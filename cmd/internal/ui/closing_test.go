package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestQuestion(t *testing.T) {
	steps := func(known, follow int) (plan []orchestrator.StepReport) {
		plan = append(plan, report(1, "x", "client", orchestrator.OK, ""))
		for range known {
			plan = append(plan, report(2, "y", "client", orchestrator.WouldChange, ""))
		}
		for range follow {
			plan = append(plan, report(3, "z", "hsm", orchestrator.Unknown, ""))
		}
		return plan
	}
	for _, c := range []struct {
		known, follow int
		want          string
	}{
		{1, 0, "Make this change? [y/N] "},
		{3, 0, "Make these 3 changes? [y/N] "},
		{1, 1, "Make this change and one that depends on them? [y/N] "},
		{2, 4, "Make these 2 changes and 4 that depend on them? [y/N] "},
		{0, 2, "Make these 2 changes? [y/N] "},
	} {
		if got := Question(steps(c.known, c.follow)); got != c.want {
			t.Errorf("%d, %d: %q, want %q", c.known, c.follow, got, c.want)
		}
	}
}

func TestClosing(t *testing.T) {
	pending := sample()
	settled := done()
	nothing := done()
	nothing.Report.Acted = false
	for i := range nothing.Report.Steps {
		nothing.Report.Steps[i].Status = orchestrator.OK
	}
	linux := done()
	linux.NetScaler = false
	several := done()
	several.Partitions = []string{"part1", "part2", "part3"}
	several.Serials = map[string]string{"part1": "700123001", "part3": "700123003"}
	unreached := sample()
	unreached.Report = orchestrator.Report{Result: orchestrator.Unreachable, Err: &orchestrator.Failure{Class: "auth"}}
	halfway := sample()
	halfway.Report.Result, halfway.Report.Acted = orchestrator.ResFailed, true
	halfway.Report.Steps[0].Status = orchestrator.Changed
	halfway.Report.Steps[1].Status = orchestrator.Failed
	halfway.Report.Steps[2].Status = orchestrator.Blocked
	unconfirmed := halfway
	unconfirmed.Report.Steps = append([]orchestrator.StepReport{}, halfway.Report.Steps...)
	unconfirmed.Report.Steps[0].Status = orchestrator.Failed
	declined := sample()
	declined.Report.Result = orchestrator.Declined

	const keys = "\nNext, on the NetScaler, for each key:\n"
	const check = "An internal error is a usual answer to that; `show ssl hsmkey` tells whether it worked.\n"
	for name, c := range map[string]struct {
		command string
		o       Outcome
		want    string
	}{
		"plan, pending": {"plan", pending, "Not complete: 2 steps would change, one depends on an earlier step. Nothing was changed.\n"},
		"established": {"apply", settled, "The link is established: web1 reaches part1 (serial 700123001).\n" + keys +
			"  add ssl hsmkey <KeyName> -hsmType SAFENET -serialNum 700123001 -password <partition password>\n" + check},
		"held already": {"apply", nothing, "The link holds, nothing had to be changed: web1 reaches part1 (serial 700123001).\n" + keys +
			"  add ssl hsmkey <KeyName> -hsmType SAFENET -serialNum 700123001 -password <partition password>\n" + check},
		"no NetScaler": {"apply", linux, "The link is established: web1 reaches part1 (serial 700123001).\n"},
		"several partitions, one serial unknown": {"apply", several, "The link is established: web1 reaches part1 (serial 700123001), part2, part3 (serial 700123003).\n" + keys +
			"  add ssl hsmkey <KeyName> -hsmType SAFENET -serialNum 700123001 -password <partition password>\n" +
			"  add ssl hsmkey <KeyName> -hsmType SAFENET -serialNum 700123003 -password <partition password>\n" + check},
		"unreached": {"apply", unreached, "Nothing was changed.\n"},
		"halfway": {"apply", halfway, "done:      create-certificate\n" +
			"not done:  add-server, register-client\n" +
			"One change was made; nothing needs undoing: the same command goes on from there.\n"},
		"begun, not confirmed": {"apply", unconfirmed, "not done:  create-certificate, add-server, register-client\n" +
			"A change was begun and is not confirmed; ntl-setup status shows what holds now.\n"},
		"declined": {"apply", declined, "not done:  create-certificate, add-server, register-client\n" +
			"Not approved. Nothing was changed.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, closing(c.command, c.o, noon)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every result says something, and never that nothing was changed once an act
// was begun.
func TestClosingIsHonest(t *testing.T) {
	for _, result := range results {
		for _, command := range []string{"apply", "plan", "status"} {
			o := sample()
			o.Report.Result, o.Report.Acted = result, command == "apply"
			got := closing(command, o, noon)
			if !strings.HasSuffix(got, "\n") || len(got) < 10 {
				t.Errorf("%s, %s: %q", command, result, got)
			}
			if o.Report.Acted && result != orchestrator.Changes && strings.Contains(got, "Nothing was changed") {
				t.Errorf("%s, %s: %q after an act", command, result, got)
			}
		}
	}
}

func TestClosingIsPrintable(t *testing.T) {
	o := done()
	o.Name = "we\x1b[2Jb1"
	o.Partitions = []string{"p\r1"}
	o.Serials = map[string]string{"p\r1": "7\x07"}
	if got := closing("apply", o, noon); strings.ContainsFunc(got, hidden) {
		t.Errorf("hidden runes in %q", got)
	}
}

func TestExpiry(t *testing.T) {
	for name, c := range map[string]struct {
		end  time.Time
		want string
	}{
		"unknown":   {time.Time{}, ""},
		"far":       {noon.AddDate(0, 0, 400), "client's certificate is valid until 2027-12-26 12:00 UTC (400 days left)\n"},
		"one day":   {noon.Add(30 * time.Hour), "client's certificate is valid until 2026-11-22 18:00 UTC (1 day left)\n"},
		"last day":  {noon.Add(time.Hour), "client's certificate is valid until 2026-11-21 13:00 UTC (0 days left)\n"},
		"now":       {noon, "client's certificate is valid until 2026-11-21 12:00 UTC (expired)\n"},
		"long gone": {noon.AddDate(-1, 0, 0), "client's certificate is valid until 2025-11-21 12:00 UTC (expired)\n"},
		"elsewhere": {noon.In(time.FixedZone("X", 3600)).Add(time.Hour), "client's certificate is valid until 2026-11-21 13:00 UTC (0 days left)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, expiry("client's", c.end, noon)); diff != "" {
				t.Error(diff)
			}
		})
	}
	o := done()
	o.ClientExpires, o.HSMExpires = noon.AddDate(0, 0, 10), noon.AddDate(0, 0, 20)
	got := closing("status", o, noon)
	if !strings.HasPrefix(got, "client's certificate is valid until 2026-12-01 12:00 UTC (10 days left)\n"+
		"HSM's    certificate is valid until 2026-12-11 12:00 UTC (20 days left)\n") {
		t.Errorf("status does not begin with both ends:\n%s", got)
	}
}
