package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/steps/preflight"
)

// What an appliance and its roles can be like, as doctor sees it.
func TestDoctorOnManySites(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options lab.Options
		more    []string
		differs map[string]preflight.Status // from a sound site
		says    map[string]string           // evidence or hint, by id
		exit    int
	}{
		"in order":      {exit: ui.ExitOK},
		"a Linux box":   {options: lab.Options{Kind: lab.Linux, Dialect: "5"}, exit: ui.ExitOK},
		"no forwarding": {options: lab.Options{NoForwarding: true}, says: map[string]string{"port": "by its openssl"}, exit: ui.ExitOK},
		"another place": {
			more: elsewhere(), differs: map[string]preflight.Status{"port": preflight.Problem, "certificate": ""},
			says: map[string]string{"port": "connection refused"}, exit: ui.ExitFailed,
		},
		"no forwarding, another place": {
			options: lab.Options{NoForwarding: true, Appliance: luna.Options{NTLSDown: true}}, more: elsewhere(),
			differs: map[string]preflight.Status{"port": preflight.Problem, "certificate": ""},
			says:    map[string]string{"port": "NTLS does not run"}, exit: ui.ExitFailed,
		},
		"a role that may not ask": {
			options: lab.Options{Appliance: luna.Options{Forbidden: []string{"status date", "ntls ipcheck show", "service status"}}},
			differs: map[string]preflight.Status{"clocks": preflight.Unknown, "validity": preflight.Unknown},
			says:    map[string]string{"clocks": "this user may not ask `status date`"}, exit: ui.ExitOK,
		},
		"a date in other words": {
			options: lab.Options{Appliance: luna.Options{DateLayout: "the year is 2006"}},
			differs: map[string]preflight.Status{"clocks": preflight.Unknown, "validity": preflight.Unknown},
			says:    map[string]string{"clocks": "holds no date and time"}, exit: ui.ExitOK,
		},
		"a date with a zone": {
			options: lab.Options{Appliance: luna.Options{ClockSkew: -5 * time.Hour, DateLayout: "Mon Jan _2 15:04:05 EST 2006"}},
			says:    map[string]string{"clocks": "printed in EST, agrees"}, exit: ui.ExitOK,
		},
		"a date with a zone that is wrong": {
			options: lab.Options{Appliance: luna.Options{DateLayout: "Mon Jan _2 15:04:05 EDT 2006"}},
			differs: map[string]preflight.Status{"clocks": preflight.Warning},
			says:    map[string]string{"clocks": "printed in EDT, is 4h0m0s ahead"}, exit: ui.ExitOK,
		},
		"a date with a zone of several": {
			options: lab.Options{Appliance: luna.Options{DateLayout: "Mon Jan _2 15:04:05 IST 2006"}},
			differs: map[string]preflight.Status{"clocks": preflight.Unknown, "validity": preflight.Unknown},
			says:    map[string]string{"clocks": "not known to the hour"}, exit: ui.ExitOK,
		},
		"a clock that is behind": {
			options: lab.Options{Appliance: luna.Options{ClockSkew: -49 * time.Hour}},
			differs: map[string]preflight.Status{"clocks": preflight.Warning, "validity": preflight.Warning},
			says:    map[string]string{"clocks": "2 days behind", "validity": "may not be valid for the appliance"}, exit: ui.ExitOK,
		},
		"an address that it has not": {
			more: []string{"--client-address", "192.0.2.77"}, differs: map[string]preflight.Status{"address": preflight.Warning},
			says: map[string]string{"address": "ntls ipcheck"}, exit: ui.ExitOK,
		},
		"such an address, and nobody checks": {
			options: lab.Options{Appliance: luna.Options{NoIPCheck: true}}, more: []string{"--client-address", "192.0.2.77"},
			says: map[string]string{"address": "is disabled"}, exit: ui.ExitOK,
		},
		"by name": {
			more: []string{"--client-address", "web1.example.net"}, differs: map[string]preflight.Status{"address": preflight.Unknown}, exit: ui.ExitOK,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, s, words := visit(t, c.options)
			before := hash(t, s)
			args := append(append([]string{"doctor", "-o", "json"}, words...), passwords(s)...)
			if got := b.main(t, append(args, c.more...)...); got != c.exit {
				t.Errorf("exit %d, want %d\n%s", got, c.exit, b.err.String())
			}
			l := document(t, b).Links[0]
			want := sound()
			for id, status := range c.differs {
				if want[id] = status; status == "" {
					delete(want, id)
				}
			}
			if diff := cmp.Diff(want, statuses(l)); diff != "" {
				t.Errorf("%s\n%+v", diff, l.Preflight)
			}
			for id, text := range c.says {
				if got := checked(t, l, id); !strings.Contains(got.Evidence+got.Hint, text) {
					t.Errorf("no %q in %+v", text, got)
				}
			}
			if hash(t, s) != before {
				t.Error("doctor changed something")
			}
		})
	}
}

// With the client's own certificate not yet valid for the appliance, no link can
// come about, and vtl would not say why.
func TestNotYetValid(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(words, passwords(s)...)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	set := func(change func(o *luna.Options)) {
		if err := s.Appliance().Update(func(st *luna.State) error { change(&st.Options); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	set(func(o *luna.Options) { o.ClockSkew = -1000 * time.Hour })
	b = b.again(t)
	if got := b.main(t, append([]string{"doctor", "-o", "json"}, words...)...); got != ui.ExitFailed {
		t.Errorf("exit %d, want 1\n%s", got, b.err.String())
	}
	d := document(t, b)
	if c := checked(t, d.Links[0], "validity"); c.Status != preflight.Problem || !strings.Contains(c.Hint, "errno 104") || d.Result != ui.Troubled {
		t.Errorf("%s, %+v", d.Result, c)
	}
}

// This machine as the client dials by itself.
func TestDoctorHere(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(append(words, passwords(s)...), "--client", "local")
	if got := b.main(t, append([]string{"doctor", "-o", "json"}, words...)...); got != ui.ExitOK {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	if diff := cmp.Diff(sound(), statuses(document(t, b).Links[0])); diff != "" {
		t.Error(diff)
	}
	b = b.again(t)
	b.main(t, append(append([]string{"doctor", "-o", "json"}, words...), elsewhere()...)...)
	if c := checked(t, document(t, b).Links[0], "port"); c.Status != preflight.Problem || strings.Contains(c.Evidence, "dial tcp") {
		t.Errorf("%+v", c)
	}
}

// Real OpenSSH, with forwarding and without.
func TestDoctorThroughOpenSSH(t *testing.T) {
	t.Parallel()
	for means, lines := range map[string][]string{"through SSH": nil, "by its openssl": {"AllowTcpForwarding no"}} {
		s := lab.Start(t, lab.Options{OpenSSH: true, ClientSSHD: lines})
		b := dialling(t)
		words := []string{
			"doctor", "-o", "json", "--client", s.ClientTarget, "--hsm", s.HSMTarget, "--client-address", s.ClientAddress, "--hsm-address", s.HSMAddress,
			"--known-hosts", s.KnownHosts, "--client-root", s.ClientRoot, "-i", s.IdentityFile,
		}
		if got := b.main(t, words...); got != ui.ExitOK {
			t.Fatalf("%s: exit %d\n%s", means, got, b.err.String())
		}
		l := document(t, b).Links[0]
		if diff := cmp.Diff(sound(), statuses(l)); diff != "" || !strings.Contains(checked(t, l, "port").Evidence, means) {
			t.Errorf("%s: %s %+v", means, diff, l.Preflight)
		}
		b = b.again(t)
		b.main(t, append(words, elsewhere()...)...)
		if c := checked(t, document(t, b).Links[0], "port"); c.Status != preflight.Problem || !strings.Contains(strings.ToLower(c.Evidence), "refused") {
			t.Errorf("%s: %+v", means, c)
		}
	}
}
