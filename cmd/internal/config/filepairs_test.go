package config

import (
	"strings"
	"testing"
)

// A machine is known by where it is dialled, not by what the file calls it.
func TestTwins(t *testing.T) {
	const hsm = "hsms:\n  h: {host: a@192.0.2.101}\n"
	const client = "clients:\n  c: {host: r@192.0.2.1}\n"
	const link = "links: [{client: c, hsm: h, partition: p}]\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"an appliance": {"hsms:\n  h: {host: a@192.0.2.101}\n  i: {host: 'a@192.0.2.101:22'}\n" + client + "links: [{client: c, hsm: [h, i], partition: p}]\n",
			[]string{"3:13: i is the same appliance as h in line 2 (a@192.0.2.101:22); one entry is enough unless"}},
		"by case and dot": {"hsms:\n  h: {host: hsm.example}\n  i: {host: HSM.Example.}\n" + client + link,
			[]string{"3:13: i is the same appliance as h in line 2 (hsm.example:22)"}},
		"by the port of the defaults": {"defaults: {hsm: {port: 2222}}\nhsms:\n  h: {host: x}\n  i: {host: 'x:2222'}\n" + client + link,
			[]string{"4:13: i is the same appliance as h in line 3 (x:2222)"}},
		"by IPv6": {"hsms:\n  h: {host: '2001:db8::1'}\n  i: {host: '[2001:DB8:0::1]:22'}\n" + client + link,
			[]string{"3:13: i is the same appliance as h in line 2 ([2001:db8::1]:22)"}},
		"other port":                     {"hsms:\n  h: {host: x}\n  i: {host: 'x:2222'}\n" + client + link, nil},
		"another user's":                 {hsm + client + "  d: {host: x@192.0.2.1, name: d, address: 192.0.2.2}\nlinks: [{client: [c, d], hsm: h, partition: p}]\n", nil},
		"another configuration's":        {hsm + client + "  d: {host: r@192.0.2.1, name: d, address: 192.0.2.2, config_path: /opt/d}\nlinks: [{client: [c, d], hsm: h, partition: p}]\n", nil},
		"other jump host":                {"hsms:\n  h: {host: 10.0.0.1, jump_host: g1}\n  i: {host: 10.0.0.1, jump_host: g2}\n" + client + link, nil},
		"reached by different addresses": {"hsms:\n  h: {host: x, address: 10.0.0.1}\n  i: {host: x, address: 10.9.0.1}\n" + client + link, nil},
		"two links with it": {"hsms:\n  h: {host: x, address: 10.0.0.1}\n  i: {host: x, address: 10.9.0.1}\n" + client + "links:\n- {client: c, hsm: h, partition: p}\n- {client: c, hsm: i, partition: p}\n",
			[]string{"8:3: h and i are the same appliance (lines 2 and 3), and the link of c with it stands in line 7 already"}},
		"one name on it": {"hsms:\n  h: {host: x, address: 10.0.0.1}\n  i: {host: x, address: 10.9.0.1}\n" + client + "  d: {host: 192.0.2.2, name: 192.0.2.1}\nlinks:\n- {client: c, hsm: h, partition: p}\n- {client: d, hsm: i, partition: p}\n",
			[]string{"9:3: c and d (lines 5 and 6) would both be 192.0.2.1 on i"}},
		"a client": {hsm + client + "  d: {host: 'r@192.0.2.1:22', name: n}\nlinks: [{client: [c, d], hsm: h, partition: p}]\n",
			[]string{"5:13: d is the same machine as client c in line 4 (r@192.0.2.1:22)"}},
		"this machine": {hsm + client + "  d: {host: local, address: 192.0.2.7}\n  e: {host: local, address: 192.0.2.8}\n" + link,
			[]string{"6:13: e is the same machine as client d in line 5 (local)"}},
		"this machine, elsewhere": {hsm + client + "  d: {host: local, address: 192.0.2.7, root: /a}\n  e: {host: local, address: 192.0.2.8, root: /b}\n" + link, nil},
		"this machine, twice below": {hsm + client + "  d: {host: local, address: 192.0.2.7, root: /a}\n  e: {host: local, address: 192.0.2.8, root: /a}\n" + link,
			[]string{"6:13: e is the same machine as client d in line 5 (local below /a)"}},
		"hosts that are none":          {hsm + "clients:\n  c: {host: 'a b'}\n  d: {host: 'a b'}\n" + link, []string{"4:13: host", "5:13: host"}},
		"two without an address":       {hsm + "clients:\n  c: {host: w1, name: c}\n  d: {host: w2, name: d}\nlinks: [{client: [c, d], hsm: h, partition: p}]\n", []string{"4:6: address is missing", "5:6: address is missing"}},
		"without an address, two HSMs": {"hsms: {h: {host: x}, i: {host: y}}\nclients:\n  c: {host: w1}\nlinks: [{client: c, hsm: [h, i], partition: p}]\n", []string{"3:6: address is missing: w1"}},
	} {
		t.Run(name, func(t *testing.T) { begin(t, mistakes(t, c.text), c.want...) })
	}
}

func TestPatterns(t *testing.T) {
	file, env := house(t, goodFile)
	for name, c := range map[string]struct {
		flags Flags
		links int
		want  string // in the error
		hint  string
	}{
		"a slip in skip":       {Flags{Skip: []string{"web-1"}}, 0, `--skip "web-1" fits no link of `, "did you mean web1? "},
		"a slip in only":       {Flags{Only: []string{"web1", "hsm2/web1"}}, 0, `--only "hsm2/web1" fits no link of `, "links are web1/hsm1, web1/hsm2, web2/hsm1"},
		"a slip in an id":      {Flags{Skip: []string{"web1/hms1"}}, 0, `--skip "web1/hms1" fits no link`, "did you mean web1/hsm1? "},
		"a slip in a group":    {Flags{Skip: []string{"fronts"}}, 0, `--skip "fronts" fits no link`, "did you mean front? "},
		"a pattern of nothing": {Flags{Skip: []string{"db*"}}, 0, `--skip "db*" fits no link`, "links are "},
		"no pattern":           {Flags{Only: []string{"[a"}}, 0, `--only: the pattern "[a" cannot be understood`, ""},
		"empty":                {Flags{Skip: []string{""}}, 0, `--skip "" fits no link`, ""},
		"a group":              {Flags{Only: []string{"front"}}, 4, "", ""},
		"all but a group":      {Flags{Skip: []string{"front"}}, 1, "", ""},
		"a group with one HSM": {Flags{Only: []string{"front/hsm1"}}, 2, "", ""},
		"a glob of groups":     {Flags{Only: []string{"fro*"}}, 4, "", ""},
		"skipped by only":      {Flags{Only: []string{"web1"}, Skip: []string{"web3", "hsm2"}}, 1, "", ""},
		"nothing is left":      {Flags{Only: []string{"web1"}, Skip: []string{"front"}}, 0, "--only and --skip leave no link", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.flags.File = file
			c.flags.Timeout, c.flags.StepTimeout = DefaultTimeout, DefaultStepTimeout
			cfg, err := c.flags.Resolve(env)
			if c.want == "" {
				if err != nil || len(cfg.Links) != c.links {
					t.Errorf("%d links, %v", len(cfg.Links), err)
				}
				return
			}
			var coded interface {
				ErrorClass() string
				ErrorHint() string
			}
			if !asCoded(err, &coded) || coded.ErrorClass() != "config" || !strings.Contains(err.Error(), c.want) || !strings.Contains(coded.ErrorHint(), c.hint) {
				t.Errorf("%v, want %s; %s", err, c.want, c.hint)
			}
		})
	}
}

// The variables of all hosts are known, whichever links are chosen.
func TestSecretVariables(t *testing.T) {
	file, env := house(t, "defaults: {client: {password_env: A}}\nhsms: {h: {host: a@x, password_env: B}, i: {host: y, password_env: C}}\n"+
		"clients: {c: {host: 192.0.2.1}, d: {host: 192.0.2.2, password_env: D}}\nlinks: [{client: [c, d], hsm: [h, i], partition: p}]\n")
	env.Getenv = func(string) string { return "x" }
	f := Flags{File: file, Only: []string{"c/h"}, Timeout: 1, StepTimeout: 1}
	cfg, err := f.Resolve(env)
	if err != nil || strings.Join(cfg.SecretVariables, " ") != "A B C D" {
		t.Errorf("%q, %v", cfg.SecretVariables, err)
	}
}
