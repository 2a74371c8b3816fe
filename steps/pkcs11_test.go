package steps

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/probe"
)

const (
	linuxBase    = "/usr/safenet/lunaclient"
	linuxLib     = linuxBase + "/lib/libCryptoki2_64.so"
	installed    = linuxBase + "/bin/ntl-probe"
	notOnClient  = "PKCS#11 not asked: no ntl-probe is installed on the client"
	wantedInSlot = "PKCS#11 slot 3: label part6, serial " + serial6 + ", model LunaSA 7.7.1, firmware 7.7"
)

// said is a document of ntl-probe with these slots.
func said(slots ...probe.Slot) string {
	text, err := json.Marshal(probe.Document{Schema: probe.Schema, Library: linuxLib, Result: probe.OK, Slots: slots})
	if err != nil {
		panic(err)
	}
	return string(text) + "\n"
}

func slot6() probe.Slot {
	return probe.Slot{Slot: 3, Present: true, Initialised: true, Label: "part6", Serial: serial6, Model: "LunaSA 7.7.1", Firmware: "7.7"}
}

// carrier has a program for one architecture.
type carrier struct {
	machine string
	asked   []string
}

func (c *carrier) Program(machine string) ([]byte, error) {
	c.asked = append(c.asked, machine)
	if machine != c.machine {
		return nil, errors.New("the one here is for another architecture")
	}
	return []byte("UFJPR1JBTQ=="), nil
}

// proven is a proof that has reached partition6.
func proven(s slots) (proof, Link) {
	return proof{
		asked: true, slots: s, telling: telling{rows: []lunash.Partition{{Name: "partition6", Serial: serial6}}, open: true},
		verified: vtl.Verified{Slots: []vtl.Slot{{Serial: serial6, Label: "part6"}}},
	}, Link{Partitions: []string{"partition6"}}
}

func TestEvidenceOfTheLibrary(t *testing.T) {
	fresh, silent, other, odd := slot6(), slot6(), slot6(), slot6()
	fresh.Initialised, fresh.Label = false, ""
	silent.Label = ""
	other.Serial = serial6 + "0"
	odd.Label, odd.Serial = "a\x1b[31mb\nc", " "+serial6+" "
	empty := probe.Slot{Slot: 4, Serial: serial6}
	twice := slot6()
	twice.Slot = 7
	for name, c := range map[string]struct {
		s    slots
		want string
	}{
		"nothing to say": {slots{}, ""},
		"not asked":      {slots{asked: true, unasked: "because\x1b[2J"}, "; PKCS#11 not asked: because"},
		"there":          {slots{asked: true, all: []probe.Slot{other, slot6()}}, "; " + wantedInSlot},
		"never initialised": {slots{asked: true, all: []probe.Slot{fresh}},
			"; PKCS#11 slot 3: not initialised, serial 602114017, model LunaSA 7.7.1, firmware 7.7"},
		"no label": {slots{asked: true, all: []probe.Slot{silent}},
			"; PKCS#11 slot 3: without a label, serial 602114017, model LunaSA 7.7.1, firmware 7.7"},
		"hostile": {slots{asked: true, all: []probe.Slot{odd}},
			"; PKCS#11 slot 3: label ab c, serial 602114017 , model LunaSA 7.7.1, firmware 7.7"},
		"two paths": {slots{asked: true, all: []probe.Slot{slot6(), twice}},
			"; " + wantedInSlot + ", " + strings.Replace(wantedInSlot, "slot 3", "slot 7", 1)},
		"another's":     {slots{asked: true, all: []probe.Slot{other}}, "; PKCS#11: wanted serial 602114017 is not a slot of the library, which has 1"},
		"an empty slot": {slots{asked: true, all: []probe.Slot{empty}}, "; PKCS#11: wanted serial 602114017 is not a slot of the library, which has 1"},
		"hidden": {slots{asked: true, haOnly: true, all: []probe.Slot{other}},
			"; PKCS#11: wanted serial 602114017 is not a slot of the library, where HAOnly = 1 hides the members of HA groups"},
	} {
		p, link := proven(c.s)
		if got := p.evidence(link); got != c.want {
			t.Errorf("%s:\n%q\nwant\n%q", name, got, c.want)
		}
	}
	// Whoever may not ask the appliance for serials knows them from vtl.
	p, link := proven(slots{asked: true, all: []probe.Slot{slot6()}})
	p.telling, link.Partitions = telling{alone: true}, []string{"part6"}
	if got := p.evidence(link); got != "; "+wantedInSlot {
		t.Errorf("by label: %q", got)
	}
}

func TestWhatIsKnownOfTheLibrary(t *testing.T) {
	s := linuxSite(t)
	for name, c := range map[string]struct {
		conf, system string
		kind         Kind
		want         libraryOf
	}{
		"named":     {"Chrystoki2 = {\n LibUNIX64 = /l.so;\n}\n", "Linux", Linux, libraryOf{path: "/l.so", machine: "x86_64"}},
		"HA only":   {"Chrystoki2 = {\n LibUNIX64 = /l.so;\n}\nHAConfiguration = {\n HAOnly = 1;\n}\n", "Linux", Linux, libraryOf{path: "/l.so", machine: "x86_64", haOnly: true}},
		"none":      {"Luna = {\n A = 1;\n}\n", "Linux", Linux, libraryOf{machine: "x86_64", unasked: "the configuration names no library (LibUNIX64)"}},
		"relative":  {"Chrystoki2 = {\n LibUNIX64 = l.so;\n}\n", "Linux", Linux, libraryOf{path: "l.so", machine: "x86_64", unasked: "LibUNIX64 of the configuration is no plain path: l.so"}},
		"upwards":   {"Chrystoki2 = {\n LibUNIX64 = /a/../l.so;\n}\n", "Linux", Linux, libraryOf{path: "/a/../l.so", machine: "x86_64", unasked: "LibUNIX64 of the configuration is no plain path: /a/../l.so"}},
		"NetScaler": {"Chrystoki2 = {\n LibUNIX64 = /l.so;\n}\n", "FreeBSD", NetScaler, libraryOf{path: "/l.so", machine: "x86_64", unasked: "ntl-probe is a Linux program"}},
		"Solaris":   {"Chrystoki2 = {\n LibUNIX64 = /l.so;\n}\n", "SunOS", Linux, libraryOf{path: "/l.so", machine: "x86_64", unasked: "ntl-probe is a Linux program"}},
	} {
		conf := mustConf(t, c.conf)
		facts := transport.Facts{transport.System(): {System: c.system, Machine: "x86_64"}}
		l := Layout{Kind: c.kind, Vtl: linuxBase + "/bin/vtl"}
		if got := findLibrary(&clientFacts{layout: l, effective: conf}, s.link, facts); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// An ntl-probe that is there is asked, in any command, and nothing is brought.
func TestAnInstalledProbeIsEvidence(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := linuxSite(t)
		s.probe = &carrier{machine: "x86_64"}
		s.host.Put(installed, []byte("\x7fELF"), 0o755)
		s.says = said(slot6())
		r := s.apply(true)
		if step := stepOf(t, r, "verify-link"); step.Status != orchestrator.Changed || !strings.HasSuffix(step.Reason, "; "+wantedInSlot) {
			t.Errorf("%s: %s", step.Status, step.Reason)
		}
		if step := stepOf(t, s.plan(), "verify-link"); step.Status != orchestrator.OK || !strings.HasSuffix(step.Reason, "; "+wantedInSlot) {
			t.Errorf("plan: %s: %s", step.Status, step.Reason)
		}
		if n := s.brought(); n != 0 {
			t.Errorf("%d programs were brought along", n)
		}
	})
}

// A program is brought along by an apply that has acted, once, behind a beat of
// the lock; looking never brings one.
func TestAProgramIsBroughtByAnApplyThatActs(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := linuxSite(t)
		c := &carrier{machine: "x86_64"}
		s.probe = c
		s.host.Bring = func(a transport.Action) (string, int) {
			if a.Path != linuxBase+"/bin" || string(a.Data) != "UFJPR1JBTQ==" || !slices.Equal(a.Argv, transport.ProbeWords(linuxLib)) {
				t.Errorf("%+v", a)
			}
			return said(slot6()), 0
		}
		if s.plan(); s.brought() != 0 || len(c.asked) != 0 {
			t.Error("a plan brought a program")
		}
		r := s.apply(true)
		if step := stepOf(t, r, "verify-link"); step.Status != orchestrator.Changed || !strings.HasSuffix(step.Reason, "; "+wantedInSlot) {
			t.Errorf("%s: %s", step.Status, step.Reason)
		}
		if n := s.brought(); n != 1 || !slices.Equal(c.asked, []string{"x86_64"}) {
			t.Errorf("%d programs were brought along, for %v", n, c.asked)
		}
		for i, a := range s.host.Acts {
			if a.Kind == transport.ActBring && s.host.Acts[i-1].Kind != transport.ActBeat {
				t.Errorf("brought behind %s, not behind a beat", s.host.Acts[i-1].Kind)
			}
		}
		for name, look := range map[string]func() orchestrator.Report{"plan": s.plan, "apply": func() orchestrator.Report { return s.apply(true) }} {
			r := look()
			if step := stepOf(t, r, "verify-link"); step.Status != orchestrator.OK || !strings.Contains(step.Reason, notOnClient) || r.Acted {
				t.Errorf("%s of what is in order: %s: %s", name, step.Status, step.Reason)
			}
		}
		if n := s.brought(); n != 1 {
			t.Errorf("%d programs were brought along", n)
		}
	})
}

// Whatever comes of the question, the step holds.
func TestEvidenceFailsNothing(t *testing.T) {
	const glibc = "/proc/self/fd/3: /lib64/libc.so.6: version `GLIBC_2.34' not found (required by /proc/self/fd/3)\n"
	crashed, err := json.Marshal(probe.Fail(linuxLib, transport.ClassRemote, "", "the library crashed in C_Initialize (signal SIGSEGV)"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		machine string
		bring   func(transport.Action) (string, int)
		says    string
	}{
		"crash":             {"x86_64", func(transport.Action) (string, int) { return string(crashed) + "\n", 1 }, "PKCS#11 not asked: the library crashed in C_Initialize (signal SIGSEGV)"},
		"an older glibc":    {"x86_64", func(transport.Action) (string, int) { return glibc, 1 }, "version `GLIBC_2.34' not found"},
		"cannot be run":     {"x86_64", func(transport.Action) (string, int) { return "Permission denied\n", 126 }, "PKCS#11 not asked: no answer of an ntl-probe: Permission denied"},
		"says nothing":      {"x86_64", func(transport.Action) (string, int) { return "", 137 }, "PKCS#11 not asked: no answer of an ntl-probe: it said nothing"},
		"wrong machine":     {"aarch64", nil, "PKCS#11 not asked: the one here is for another architecture"},
		"no such partition": {"x86_64", func(transport.Action) (string, int) { return said(), 0 }, "PKCS#11: wanted serial " + serial6 + " is not a slot of the library, which has 0"},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := linuxSite(t)
				s.probe, s.host.Machine, s.host.Bring = &carrier{machine: "x86_64"}, c.machine, c.bring
				r := s.apply(true)
				if step := stepOf(t, r, "verify-link"); step.Status != orchestrator.Changed || !strings.Contains(step.Reason, c.says) || r.Result != orchestrator.Established {
					t.Errorf("%s: %s: %s", r.Result, step.Status, step.Reason)
				}
			})
		})
	}
}

// unanswering is a client whose ntl-probe never answers.
type unanswering struct{ transport.Host }

func (m unanswering) Look(ctx context.Context, queries ...transport.Query) (transport.Facts, error) {
	for _, q := range queries {
		if q.Kind == transport.QueryProbe {
			<-ctx.Done()
			return nil, transport.Errorf(transport.ClassTimeout, m.Name(), "waiting: %w", context.Cause(ctx))
		}
	}
	return m.Host.Look(ctx, queries...)
}

// A client that does not answer the question costs a bounded time, and half of
// what the step has left at most.
func TestAProbeThatNeverAnswers(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := linuxSite(t)
		s.host.Put(installed, []byte("\x7fELF"), 0o755)
		s.apply(true)
		for step, want := range map[time.Duration]string{0: "within 20s", 10 * time.Second: "within 5s"} {
			site, err := Open(t.Context(), Hosts{Client: unanswering{s.host}, HSM: s.hsm}, s.link)
			if err != nil {
				t.Fatal(err)
			}
			r := orchestrator.Engine{Steps: site.All(), StepTimeout: step}.Plan(t.Context())
			if v := stepOf(t, r, "verify-link"); v.Status != orchestrator.OK || !strings.Contains(v.Reason, "PKCS#11 not asked: there was no answer "+want) {
				t.Errorf("%s: %s", v.Status, v.Reason)
			}
		}
	})
}
