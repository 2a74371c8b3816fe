package main

import (
	"strings"
	"testing"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
)

// named is a visit of a client that the HSM knows as web1.lab.example, whose
// name no DNS knows.
func named(t *testing.T, o lab.Options) (*bench, *lab.Site, []string) {
	t.Helper()
	if o.Appliance.DNS == nil {
		o.Appliance.DNS = map[string]string{}
	}
	b, s, words := visit(t, o)
	return b, s, append(append(words, passwords(s)...), "--client-address", "web1.lab.example", "-o", "json")
}

// stepIn finds a step of the one link in a document.
func stepIn(t *testing.T, b *bench, id string) ui.Step {
	t.Helper()
	for _, s := range document(t, b).Links[0].Steps {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("no step %s", id)
	return ui.Step{}
}

// expect runs the program anew and wants an exit status.
func (b *bench) expect(t *testing.T, want int, words ...string) *bench {
	t.Helper()
	fresh := b.again(t)
	fresh.app.patience = b.app.patience
	if got := fresh.main(t, words...); got != want {
		t.Fatalf("%s: exit %d, want %d\n%s\n%s", words[0], got, want, fresh.out.String(), fresh.err.String())
	}
	return fresh
}

// By host name: the certificate's name and its file's, -hostname, and the
// mapping, as differences of step 5, confirmed by looking; then nothing more.
func TestByHostName(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]lab.Options{
		"two columns": {Kind: lab.Linux},
		"table":       {Kind: lab.Linux, Appliance: luna.Options{HostIPLayout: luna.HostIPTable}},
		"blocks":      {Kind: lab.Linux, Dialect: "5.3", Appliance: luna.Options{HostIPLayout: luna.HostIPBlocks}},
		"sentence":    {Kind: lab.Linux, OpenSSH: true, Dialect: "7.9", Appliance: luna.Options{HostIPLayout: luna.HostIPSentence}},
	} {
		t.Run(name, func(t *testing.T) {
			b, s, words := named(t, o)
			if o.OpenSSH {
				words = append(words, "-i", s.IdentityFile)
			}
			words = append(words, "--map-host-ip", s.ClientAddress)
			before := hash(t, s)
			planned := b.expect(t, ui.ExitChanges, append([]string{"plan"}, words...)...)
			changes := stepIn(t, planned, "register-client").Changes
			if len(changes) != 2 || changes[0].Want != "registered by -hostname web1.lab.example" || changes[1].Have != "not mapped" || changes[1].Want != "mapped to "+s.ClientAddress {
				t.Errorf("%+v", changes)
			}
			if hash(t, s) != before {
				t.Error("the plan changed something")
			}
			applied := b.expect(t, ui.ExitOK, append([]string{"apply", "-y"}, words...)...)
			if step := stepIn(t, applied, "register-client"); !strings.Contains(step.Reason, "it is mapped to "+s.ClientAddress) {
				t.Errorf("%s", step.Reason)
			}
			state, err := s.Appliance().State()
			if err != nil {
				t.Fatal(err)
			}
			if c := state.Clients[0]; c.Hostname != "web1.lab.example" || c.IP != "" || state.HostIP["NS-web1"] != s.ClientAddress {
				t.Errorf("registered %q %q, mapped %v", c.Hostname, c.IP, state.HostIP)
			}
			after := hash(t, s)
			for _, command := range []string{"plan", "apply", "status"} {
				b.expect(t, ui.ExitOK, append([]string{command}, words...)...)
			}
			if hash(t, s) != after {
				t.Error("a run with nothing to do changed something")
			}
		})
	}
}

// A mapping to another address is somebody's: a conflict before the first act,
// with the command that would take it away, which is never sent.
func TestMappedOtherwise(t *testing.T) {
	t.Parallel()
	b, s, words := named(t, lab.Options{Kind: lab.Linux})
	words = append(words, "--map-host-ip", s.ClientAddress)
	if err := s.Appliance().Update(func(st *luna.State) error { st.HostIP["NS-web1"] = "203.0.113.7"; return nil }); err != nil {
		t.Fatal(err)
	}
	before := hash(t, s)
	stopped := b.expect(t, ui.ExitConflict, append([]string{"apply", "-y"}, words...)...)
	step := stepIn(t, stopped, "register-client")
	if step.Status != orchestrator.Conflict || !strings.Contains(step.Reason, "maps NS-web1 to 203.0.113.7, not to "+s.ClientAddress) ||
		!strings.Contains(step.Error.Hint, "client hostip unmap -client NS-web1 -ip 203.0.113.7") {
		t.Errorf("%s %s %+v", step.Status, step.Reason, step.Error)
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
	commands, err := s.Commands()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		if strings.Contains(c, "unmap") || strings.Contains(c, "hostip map") {
			t.Errorf("sent %s", c)
		}
	}
}

// Where `client hostip show` is not understood, that is said, the mapping is made
// on the appliance's word, and a rerun is settled by vtl verify.
func TestHostIPShowIsNotUnderstood(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]luna.Options{
		"another form":     {HostIPLayout: luna.HostIPStrange},
		"not for this one": {Forbidden: []string{"client hostip show"}},
	} {
		t.Run(name, func(t *testing.T) {
			b, s, words := named(t, lab.Options{Kind: lab.Linux, Appliance: o})
			words = append(words, "--map-host-ip", s.ClientAddress)
			planned := b.expect(t, ui.ExitChanges, append([]string{"plan"}, words...)...)
			if c := stepIn(t, planned, "register-client").Changes; len(c) != 2 || !strings.HasPrefix(c[1].Have, "not known: ") {
				t.Errorf("%+v", c)
			}
			applied := b.expect(t, ui.ExitOK, append([]string{"apply", "-y"}, words...)...)
			if r := stepIn(t, applied, "register-client").Reason; !strings.Contains(r, "is not known") || !strings.Contains(r, "acknowledged it in this run") {
				t.Errorf("%s", r)
			}
			after := hash(t, s)
			again := b.expect(t, ui.ExitOK, append([]string{"apply", "-y"}, words...)...)
			if r := stepIn(t, again, "register-client").Reason; !strings.Contains(r, "is not known") || !strings.Contains(r, "vtl verify reaches the HSM") {
				t.Errorf("%s", r)
			}
			if hash(t, s) != after {
				t.Error("the rerun changed something")
			}
			// Taken away behind the tool's back and mapped elsewhere: the appliance's
			// "already mapped" is a conflict that names both ways out.
			if err := s.Appliance().Update(func(st *luna.State) error { st.HostIP["NS-web1"] = "203.0.113.7"; return nil }); err != nil {
				t.Fatal(err)
			}
			stopped := b.expect(t, ui.ExitConflict, append([]string{"apply", "-y"}, words...)...)
			step := stepIn(t, stopped, "register-client")
			if !strings.Contains(step.Reason, "to an address already") || !strings.Contains(step.Error.Hint, "client hostip show") || !strings.Contains(step.Error.Hint, "unmap -client NS-web1") {
				t.Errorf("%s %+v", step.Reason, step.Error)
			}
		})
	}
}

// Without the flag nothing is mapped nor asked about. A name that the appliance's
// DNS loses later shows at vtl verify, whose evidence names what to look at; the
// flag then adds the mapping alone.
func TestANameThatDNSLoses(t *testing.T) {
	t.Parallel()
	b, s, words := named(t, lab.Options{Kind: lab.Linux})
	dns := func(names map[string]string) {
		t.Helper()
		if err := s.Appliance().Update(func(st *luna.State) error { st.Options.DNS = names; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	dns(map[string]string{"web1.lab.example": s.ClientAddress})
	b.expect(t, ui.ExitOK, append([]string{"apply", "-y"}, words...)...)
	commands, err := s.Commands()
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(commands, "\n"); strings.Contains(all, "hostip") {
		t.Errorf("asked of hostip unasked:\n%s", all)
	}

	dns(map[string]string{"web2.lab.example": s.ClientAddress})
	lost := stepIn(t, b.expect(t, ui.ExitChanges, append([]string{"status"}, words...)...), "verify-link")
	for _, want := range []string{"DNS", "web1.lab.example", "client hostip map", "--map-host-ip", "ntls ipcheck"} {
		if !strings.Contains(lost.Reason, want) {
			t.Errorf("no %q in %s", want, lost.Reason)
		}
	}
	words = append(words, "--map-host-ip", s.ClientAddress)
	applied := b.expect(t, ui.ExitOK, append([]string{"apply", "-y"}, words...)...)
	if c := stepIn(t, applied, "register-client").Changes; len(c) != 1 || c[0].Want != "mapped to "+s.ClientAddress {
		t.Errorf("%+v", c)
	}
}

func TestMapHostIPIsForNames(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	words = append(append(words, passwords(s)...), "--map-host-ip", s.ClientAddress)
	if got := b.main(t, append([]string{"plan"}, words...)...); got != ui.ExitUsage || !strings.Contains(b.err.String(), "known by host name") {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
}
