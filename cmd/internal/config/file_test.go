package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// house is a directory with a file of links and what it refers to.
func house(t *testing.T, text string) (string, Env) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"ntl.yaml": text, "hsm.pass": "hsm-secret\n", "root.pass": "root-secret\n", "web3.pass": "web3-secret\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	vars := map[string]string{"OPS_PASSWORD": "ops-secret"}
	return filepath.Join(dir, "ntl.yaml"), Env{Getenv: func(k string) string { return vars[k] }, Home: dir, User: "me"}
}

const goodFile = `
defaults:
  client:
    user: root
    password_file: root.pass
    kind: netscaler
  hsm:
    user: hsm_admin
    port: 2222
    password_file: hsm.pass
  partitions: p1
hsms:
  hsm1: {host: 192.0.2.101, certificate: "SHA256:` + someSum + `"}
  hsm2:
    host: admin@hsm2.example:22
    address: 192.0.2.102
    password_env: OPS_PASSWORD
    legacy_ssh: true
clients:
  web1: {host: 192.0.2.1}
  web2: {host: web2.example, address: 192.0.2.2, name: NS-web2, jump_host: "gate@192.0.2.99:2200"}
  web3: {host: "ops@[2001:db8::3]", kind: linux, password_file: web3.pass, host_key: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
groups:
  front: [web1, web2]
links:
  - client: front
    hsm: [hsm1, hsm2]
  - client: web3
    hsm: hsm1
    partition: [p2, p3]
    name: third
`

const someSum = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

// brief is what a link came to, in a line.
func brief(l Link) string {
	secret := func(e End) string {
		if e.Password == nil {
			return "-"
		}
		return e.Password.Reveal()
	}
	line := []string{l.ID, l.Client.Name(), secret(l.Client), l.HSM.Name(), secret(l.HSM), l.Name, l.ClientAddress, l.HSMAddress, l.Kind, strings.Join(l.Partitions, ",")}
	if l.Client.Jump != nil {
		line = append(line, "through "+l.Client.Jump.Target.Name)
	}
	if l.HSM.Legacy {
		line = append(line, "legacy")
	}
	if l.HSMCertificate != "" {
		line = append(line, "pinned")
	}
	if l.Client.HostKeyPin != "" {
		line = append(line, "host key pinned")
	}
	return strings.Join(line, " ")
}

func resolveFile(t *testing.T, f Flags, env Env) ([]string, error) {
	t.Helper()
	f.Timeout, f.StepTimeout = DefaultTimeout, DefaultStepTimeout
	c, err := f.Resolve(env)
	var lines []string
	for _, l := range c.Links {
		lines = append(lines, brief(l))
	}
	return lines, err
}

func TestFile(t *testing.T) {
	file, env := house(t, goodFile)
	all := []string{
		"web1/hsm1 root@192.0.2.1:22 root-secret hsm_admin@192.0.2.101:2222 hsm-secret 192.0.2.1 192.0.2.1 192.0.2.101 netscaler p1 pinned",
		"web1/hsm2 root@192.0.2.1:22 root-secret admin@hsm2.example:22 ops-secret 192.0.2.1 192.0.2.1 192.0.2.102 netscaler p1 legacy",
		"web2/hsm1 root@web2.example:22 root-secret hsm_admin@192.0.2.101:2222 hsm-secret NS-web2 192.0.2.2 192.0.2.101 netscaler p1 through gate@192.0.2.99:2200 pinned",
		"web2/hsm2 root@web2.example:22 root-secret admin@hsm2.example:22 ops-secret NS-web2 192.0.2.2 192.0.2.102 netscaler p1 through gate@192.0.2.99:2200 legacy",
		"web3/hsm1 ops@[2001:db8::3]:22 web3-secret hsm_admin@192.0.2.101:2222 hsm-secret third 2001:db8::3 192.0.2.101 linux p2,p3 pinned host key pinned",
	}
	for name, c := range map[string]struct {
		flags Flags
		want  []string
	}{
		"all":                {Flags{}, all},
		"one client":         {Flags{Only: []string{"web1"}}, all[:2]},
		"one link":           {Flags{Only: []string{"web2/hsm2"}}, all[3:4]},
		"by name on the HSM": {Flags{Only: []string{"third"}}, all[4:]},
		"a glob":             {Flags{Only: []string{"web[13]"}}, []string{all[0], all[1], all[4]}},
		"all but":            {Flags{Skip: []string{"*/hsm2", "web3"}}, []string{all[0], all[2]}},
		"only and skip":      {Flags{Only: []string{"web1", "web2"}, Skip: []string{"hsm1"}}, []string{all[1], all[3]}},
	} {
		t.Run(name, func(t *testing.T) {
			c.flags.File = file
			got, err := resolveFile(t, c.flags, env)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := resolveFile(t, Flags{File: file}, Env{Getenv: func(string) string { return "" }, User: "me"}); err == nil || !strings.Contains(err.Error(), "the environment variable OPS_PASSWORD is not set") {
		t.Errorf("without the variable: %v", err)
	}
	env.Getenv = func(string) string { return "" }
	if n, err := Validate(file, env); n != 5 || err != nil {
		t.Errorf("%d links, %v", n, err)
	}
}

// Passwords and keys that the file does not name may come by the command line.
func TestFileWithoutSecrets(t *testing.T) {
	file, env := house(t, "hsms: {h: {host: a@192.0.2.101}}\nclients: {c: {host: r@192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n")
	got, err := resolveFile(t, Flags{File: file, ClientPasswordFile: filepath.Join(filepath.Dir(file), "root.pass")}, env)
	if want := []string{"c/h r@192.0.2.1:22 root-secret a@192.0.2.101:22 - 192.0.2.1 192.0.2.1 192.0.2.101 auto p"}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v %v", got, err)
	}
}

const frame = "hsms: {h: {host: a@192.0.2.101}}\nclients: {c: {host: r@192.0.2.1}, d: {host: r@192.0.2.2}}\n"

func TestMistakesInFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":               {frame + "link: []\n", "3:1: unknown key link; did you mean links?"},
		"no links":                  {frame, "1:1: there is no link"},
		"unknown client":            {frame + "links: [{client: x, hsm: h, partition: p}]\n", "3:18: there is no client and no group x"},
		"unknown hsm":               {frame + "links: [{client: c, hsm: g, partition: p}]\n", "3:26: there is no hsm g"},
		"no partition":              {frame + "links:\n- {client: c, hsm: h}\n", "4:3: partition is missing"},
		"partition with a blank":    {frame + "links: [{client: c, hsm: h, partition: [p, q r]}]\n", `3:44: partition "q r" has a character`},
		"the same link twice":       {frame + "links:\n- {client: c, hsm: h, partition: p}\n- {client: [c, d], hsm: h, partition: q}\n", "5:3: the link of c with h stands in line 4 already"},
		"one name for two":          {frame + "links: [{client: [c, d], hsm: h, partition: p, name: web}]\n", "3:54: name web would be that of several clients"},
		"one address for two":       {"hsms: {h: {host: a@192.0.2.101}}\nclients: {c: {host: r@192.0.2.1}, d: {host: r@other, address: 192.0.2.1}}\nlinks: [{client: [c, d], hsm: h, partition: p}]\n", "3:9: c and d (lines 2 and 2) would both be 192.0.2.1 on h"},
		"one address for two names": {"hsms: {h: {host: a@192.0.2.101}}\nclients: {c: {host: r@192.0.2.1, name: x}, d: {host: r@other, address: 192.0.2.1, name: y}}\nlinks: [{client: [c, d], hsm: h, partition: p}]\n", "3:9: c and d (lines 2 and 2) would both be the client at 192.0.2.1 on h"},
		"no address":                {"hsms: {h: {host: a@192.0.2.101}}\nclients:\n  c: {host: r@web}\nlinks: [{client: c, hsm: h, partition: p}]\n", "3:6: address is missing: r@web does not tell what the HSM sees"},
		"a host that is none":       {"hsms: {h: {host: 'a@-x'}}\nclients: {c: {host: r@192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n", "1:18: host \"a@-x\": the host begins with a hyphen"},
		"host missing":              {"hsms: {h: {user: a}}\nclients: {c: {host: r@192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n", "1:11: host is missing"},
		"a port that is none":       {"hsms: {h: {host: x, port: 70000}}\nclients: {c: {host: r@192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n", "1:27: port 70000 is no number from 1 to 65535"},
		"a kind that is none":       {"hsms: {h: {host: a@192.0.2.101}}\nclients: {c: {host: r@192.0.2.1, kind: solaris}}\nlinks: [{client: c, hsm: h, partition: p}]\n", `2:40: kind "solaris" is none of auto, netscaler, linux`},
		"two secrets":               {"hsms: {h: {host: a@x, password_env: OPS_PASSWORD, password_command: echo}}\nclients: {c: {host: r@192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n", "1:37: password_command and password_env are both given"},
		"a password itself":         {"defaults: {hsm: {password: secret}}\n" + frame + "links: [{client: c, hsm: h, partition: p}]\n", "1:18: unknown key password; "},
		"a variable that is a password": {"defaults: {hsm: {password_env: 'Pass word!'}}\n" + frame + "links: [{client: c, hsm: h, partition: p}]\n",
			"1:32: password_env is no name of an environment variable"},
		"a file that is not there": {"defaults: {hsm: {password_file: nowhere}}\n" + frame + "links: [{client: c, hsm: h, partition: p}]\n", "1:33: password_file: open "},
		"a group of unknowns":      {frame + "groups: {g: [c, x]}\nlinks: [{client: g, hsm: h, partition: p}]\n", "3:17: there is no client x"},
		"a group named as client":  {frame + "groups: {c: [d]}\nlinks: [{client: c, hsm: h, partition: p}]\n", "3:13: c is a client already"},
		"a pin that is none":       {"hsms: {h: {host: a@192.0.2.101, certificate: 'SHA256:12'}}\nclients: {c: {host: r@192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n", "1:46: certificate \"SHA256:12\" is not a fingerprint"},
		"a name for the shell":     {"hsms: {'h;x': {host: a@192.0.2.101}}\nclients: {c: {host: r@192.0.2.1}}\nlinks: [{client: c, hsm: 'h;x', partition: p}]\n", `1:15: the name "h;x" has a character`},
	} {
		t.Run(name, func(t *testing.T) {
			file, env := house(t, c.text)
			_, err := Validate(file, env)
			var all Mistakes
			if !errors.As(err, &all) || !strings.HasPrefix(all.Error(), file+":"+c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			if strings.Contains(all.Error(), "-secret") {
				t.Errorf("a secret shows: %v", all)
			}
			if _, err := resolveFile(t, Flags{File: file}, env); err == nil || !strings.HasPrefix(err.Error(), file+":") {
				t.Errorf("a run takes it: %v", err)
			}
		})
	}
}

func TestFileAndFlags(t *testing.T) {
	file, env := house(t, goodFile)
	for want, f := range map[string]Flags{
		"--client, --partition and -f exclude each other": {File: file, Client: "x", Partitions: []string{"p"}},
		`--only "nobody" fits no link of`:                 {File: file, Only: []string{"nobody"}},
		"leave no link":                                   {File: file, Only: []string{"web1"}, Skip: []string{"hsm*"}},
		"cannot be understood":                            {File: file, Skip: []string{"[a"}},
		"-f names none":                                   {Only: []string{"a"}},
		"no such file":                                    {File: file + ".not"},
		"is not a file":                                   {File: filepath.Dir(file)},
	} {
		if _, err := resolveFile(t, f, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
