package main

import (
	"path/filepath"
	"strings"
	"testing"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
)

// The whole procedure behind real OpenSSH, whatever the login shell is: plan,
// apply, plan, apply. Nobody says which it is.
func TestLoginShells(t *testing.T) {
	for name, shell := range map[string]string{
		"csh": "/bin/csh", "the NetScaler CLI": lab.NSCLI, "one that hands no standard input on": lab.NSCLIDeaf,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, s, apply := behindOpenSSH(t, lab.Options{ClientShell: shell})
			plan := append([]string{"plan", "-o", "json"}, apply[4:]...)
			before := hash(t, s)
			if got := b.main(t, plan...); got != ui.ExitChanges {
				t.Fatalf("plan: exit %d, want 2\n%s", got, b.err.String())
			}
			if hash(t, s) != before {
				t.Error("the plan changed something")
			}
			b = b.again(t)
			if got := b.main(t, apply...); got != ui.ExitOK {
				t.Fatalf("apply: exit %d\n%s\n%s", got, b.out.String(), b.err.String())
			}
			after := hash(t, s)
			for _, words := range [][]string{plan, apply} {
				b = b.again(t)
				if got := b.main(t, words...); got != ui.ExitOK {
					t.Errorf("%s once more: exit %d\n%s\n%s", words[0], got, b.out.String(), b.err.String())
				}
			}
			if hash(t, s) != after {
				t.Error("a run with nothing to do changed something")
			}
			if pids, err := s.Gateways(); err != nil || len(pids) != 1 {
				t.Errorf("gateways %v, %v", pids, err)
			}
		})
	}
}

// A line that drops under the CLI while vtl makes the pair: vtl goes on to its
// end, and the rerun finishes with the one pair that it made.
func TestLostLineUnderTheCLI(t *testing.T) {
	b, s, words := visit(t, lab.Options{ClientShell: lab.NSCLI, Vtl: luna.VtlSettings{DelayMS: 800}})
	words = append(append([]string{"apply", "-y", "-o", "json"}, words...), passwords(s)...)
	dropped := make(chan error, 1)
	go func() {
		err := awaitWord(t, filepath.Join(s.ClientRoot, "vtl.log"), "createCert")
		s.ClientSSH.DropConnections()
		dropped <- err
	}()
	if got := b.main(t, words...); got == ui.ExitOK {
		t.Error("the lost line was not noticed")
	}
	if err := <-dropped; err != nil {
		t.Fatal(err)
	}
	again := b.again(t)
	if got := again.main(t, words...); got != ui.ExitOK {
		t.Fatalf("rerun: exit %d\n%s\n%s", got, again.out.String(), again.err.String())
	}
	if n := once(t, filepath.Join(s.ClientRoot, "vtl.log"), "createCert"); n != 1 {
		t.Errorf("vtl createCert was called %d times", n)
	}
	noLock(t, s)
}

// A command policy without `shell` is told as what it is, and nothing happens.
func TestCLIThatAllowsNoShell(t *testing.T) {
	b, s, words := visit(t, lab.Options{ClientShell: lab.NSCLIRestricted})
	before := hash(t, s)
	if got := b.main(t, append(append([]string{"apply", "-y", "-o", "json"}, words...), passwords(s)...)...); got != ui.ExitFailed {
		t.Errorf("exit %d, want 1\n%s", got, b.err.String())
	}
	e := document(t, b).Links[0].Error
	if e == nil || e.Class != "remote" || !strings.Contains(e.Message, "no command shell") || !strings.Contains(e.Hint, "command policy") {
		t.Errorf("%+v", e)
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
}

// Both nodes of an HA pair on one appliance, one run for each. What the first
// has stays as it is.
func TestBothNodesOfAnHAPair(t *testing.T) {
	b, first, words := visit(t, lab.Options{ClientShell: lab.NSCLI})
	_, second, others := visit(t, lab.Options{Beside: first})
	others[len(others)-7] = "NS-web2"
	if second.ClientAddress == first.ClientAddress {
		t.Fatal("the nodes have one address")
	}
	var after string
	for i, node := range []struct {
		site  *lab.Site
		words []string
	}{{first, words}, {second, others}, {first, words}, {second, others}} {
		b = b.again(t)
		if got := b.main(t, append(append([]string{"apply", "-y"}, node.words...), passwords(node.site)...)...); got != ui.ExitOK {
			t.Fatalf("run %d: exit %d\n%s\n%s", i+1, got, b.out.String(), b.err.String())
		}
		switch now := hash(t, first) + hash(t, second); {
		case i == 1:
			after = now
		case i > 1 && now != after:
			t.Errorf("run %d changed something", i+1)
		}
	}
	state, err := first.Appliance().State()
	if err != nil {
		t.Fatal(err)
	}
	if len(state.Clients) != 2 || state.Clients[0].IP != first.ClientAddress || state.Clients[1].IP != second.ClientAddress ||
		state.Clients[0].Certificate == state.Clients[1].Certificate {
		t.Errorf("registered: %+v", state.Clients)
	}
}
