package config

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport/ssh"
)

// at is a session whose home has that ~/.ssh/config.
func at(t *testing.T, config string) Env {
	t.Helper()
	env := session()
	env.Home = t.TempDir()
	write(t, filepath.Join(env.Home, ".ssh", "config"), config, 0o600)
	return env
}

// reached are flags that name hosts of ~/.ssh/config.
func reached(client, hsm string) Flags {
	f := given()
	f.Client, f.HSM, f.ClientAddress, f.HSMAddress = client, hsm, "192.0.2.10", "192.0.2.20"
	return f
}

func TestEndsFromSSHConfig(t *testing.T) {
	env := at(t, `
Host web1
  HostName 10.1.1.1
  Port 2201
  User nsroot
  IdentityFile ~/.ssh/web_key
  IdentitiesOnly yes
  ConnectTimeout 7
  HostKeyAlias boxes
  UserKnownHostsFile ~/.ssh/a /etc/b
Host hsm1
  User admin
  IdentityAgent none
  IdentityFile none
`)
	c, err := reached("web1", "hsm1").Resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	ssh1 := func(name string) string { return filepath.Join(env.Home, ".ssh", name) }
	want := Link{
		Client: End{
			Host: "web1", Aliased: true, PinFlag: "--client-host-key", HostKeyAlias: "boxes", Patience: 7 * time.Second,
			Target:     ssh.Target{User: "nsroot", Host: "10.1.1.1", Port: 2201, Name: "nsroot@web1:2201"},
			KnownHosts: []string{ssh1("a"), "/etc/b"},
			Keys:       ssh.Keys{Configured: []string{ssh1("web_key")}, Only: true},
		},
		HSM: End{
			Host: "hsm1", PinFlag: "--hsm-host-key",
			Target:     ssh.Target{User: "admin", Host: "hsm1", Port: 22, Name: "admin@hsm1:22"},
			KnownHosts: []string{ssh1("known_hosts")},
			Keys:       ssh.Keys{NoDefaults: true},
		},
	}
	got := c.Links[0]
	for _, diff := range []string{cmp.Diff(want.Client, got.Client), cmp.Diff(want.HSM, got.HSM)} {
		if diff != "" {
			t.Error(diff)
		}
	}
	notes := []string{
		"web1 is nsroot@10.1.1.1:2201 (HostKeyAlias ~/.ssh/config:9, HostName ~/.ssh/config:3, Port ~/.ssh/config:4, User ~/.ssh/config:5)",
		"hsm1 is admin@hsm1:22 (User ~/.ssh/config:12)",
	}
	if diff := cmp.Diff(notes, c.Notes); diff != "" {
		t.Error(diff)
	}

	// What was typed goes first.
	f := reached("root@web1:22", "ops@hsm1:2022")
	f.KnownHosts = "/given"
	if c, err = f.Resolve(env); err != nil {
		t.Fatal(err)
	}
	client := c.Links[0].Client
	if client.Target != (ssh.Target{User: "root", Host: "10.1.1.1", Port: 22, Name: "root@web1:22"}) || client.KnownHosts[0] != "/given" {
		t.Errorf("%+v", client)
	}
	if hsm := c.Links[0].HSM.Target; hsm != (ssh.Target{User: "ops", Host: "hsm1", Port: 2022, Name: "ops@hsm1:2022"}) {
		t.Errorf("%+v", hsm)
	}
}

// An alias means nothing to the other machine.
func TestAliasesNeedAddresses(t *testing.T) {
	env := at(t, "Include more\nHost hsm1 192.0.2.10\n HostName 10.9.8.7\n")
	write(t, filepath.Join(env.Home, ".ssh", "more"), "Match host hsm2\n HostName %h.example.net\nHost hsm3\n HostName HSM3\n", 0o600)
	f := reached("192.0.2.10", "hsm9")
	f.ClientAddress = ""
	if _, err := f.Resolve(env); err == nil || !strings.Contains(err.Error(), "--client-address is needed") {
		t.Errorf("%v", err)
	}
	for hsm, want := range map[string]string{
		"hsm1": "--hsm-address is needed: ~/.ssh/config maps hsm1", "hsm2": "--hsm-address is needed: ~/.ssh/config maps hsm2", "hsm3": "",
	} {
		f := reached("192.0.2.11", hsm)
		f.HSMAddress = ""
		_, err := f.Resolve(env)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", hsm, err)
		}
	}
}

func chain(e End) (names []string) {
	for hop := e.Jump; hop != nil; hop = hop.Jump {
		names = append(names, hop.Target.Name)
	}
	return names
}

func TestJumpHosts(t *testing.T) {
	env := at(t, `
Host web1
  ProxyJump bastion
Host hsm1
  ProxyJump jump@[2001:db8::1]:2222,bastion:23
Host far
  ProxyJump middle
Host middle
  ProxyJump bastion
Host direct
  ProxyJump none
Host bastion
  User gate
  HostName 10.0.0.1
  IdentityFile /keys/gate
Host circle
  ProxyJump circle2
Host circle2
  ProxyJump circle
Host self
  ProxyJump self
Host commanded
  ProxyCommand nc %h %p
Host endless*
  ProxyJump %h
`)
	for host, want := range map[string][]string{
		"web1":    {"gate@bastion:22"},
		"hsm1":    {"gate@bastion:23", "jump@[2001:db8::1]:2222"},
		"far":     {"alex@middle:22", "gate@bastion:22"},
		"direct":  nil,
		"bastion": nil,
	} {
		f := reached("root@"+host, "hsm9")
		f.Identities = []string{write(t, filepath.Join(t.TempDir(), "id"), "x", 0o600)}
		env := env
		env.Getenv = func(name string) string { return map[string]string{EnvClientPassword: "secret"}[name] }
		c, err := f.Resolve(env)
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if diff := cmp.Diff(want, chain(c.Links[0].Client)); diff != "" {
			t.Errorf("%s: %s", host, diff)
		}
		for hop := c.Links[0].Client.Jump; hop != nil; hop = hop.Jump {
			if hop.Password != nil || hop.Command != nil || hop.HostKeyPin != "" || len(hop.Keys.Files) > 0 {
				t.Errorf("%s: the jump host gets what is for the client: %+v", host, hop)
			}
		}
		if host == "web1" && (c.Links[0].Client.Jump.Target.Host != "10.0.0.1" || c.Links[0].Client.Jump.Keys.Configured[0] != "/keys/gate") {
			t.Errorf("the jump host's own block does not count: %+v", c.Links[0].Client.Jump)
		}
	}
	for host, want := range map[string]string{"circle": "leads through itself", "self": "leads through itself", "endless": "host"} {
		if _, err := reached(host, "hsm9").Resolve(env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", host, err)
		}
	}
	c, err := reached("commanded", "hsm9").Resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "~/.ssh/config:23: ProxyCommand is not taken") {
		t.Errorf("%q", c.Warnings)
	}
}

func TestStricterNeverLooser(t *testing.T) {
	for config, want := range map[string]struct{ asked, unasked bool }{
		"":                                   {true, false},
		"StrictHostKeyChecking no\n":         {true, false},
		"StrictHostKeyChecking off\n":        {true, false},
		"StrictHostKeyChecking accept-new\n": {true, false},
		"StrictHostKeyChecking yes\n":        {false, false},
	} {
		for _, asked := range []bool{true, false} {
			f := reached("web1", "hsm1")
			f.AcceptNewHostKeys = asked
			c, err := f.Resolve(at(t, config))
			if err != nil {
				t.Fatal(err)
			}
			expected := want.unasked
			if asked {
				expected = want.asked
			}
			if got := c.Links[0].Client.AcceptNew; got != expected {
				t.Errorf("%q, asked %v: %v", config, asked, got)
			}
			if said := len(c.Warnings) > 0; said != (asked && !want.asked) {
				t.Errorf("%q, asked %v: warned %q", config, asked, c.Warnings)
			}
		}
	}
}

func TestLegacyByHost(t *testing.T) {
	for line, legacy := range map[string]bool{
		"KexAlgorithms +diffie-hellman-group14-sha1": true, "Ciphers ^aes128-cbc": true, "HostKeyAlgorithms +ssh-rsa": true,
		"PubkeyAcceptedKeyTypes +ssh-rsa": true, "Ciphers aes256-ctr,3des-cbc": true,
		"KexAlgorithms -diffie-hellman-group14-sha1": false, "Ciphers aes256-ctr": false, "MACs hmac-sha2-256": false,
	} {
		c, err := reached("web1", "hsm1").Resolve(at(t, "Host hsm1\n "+line+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if c.Links[0].HSM.Legacy != legacy || c.Links[0].Client.Legacy {
			t.Errorf("%s: %v for the appliance, %v for the client", line, c.Links[0].HSM.Legacy, c.Links[0].Client.Legacy)
		}
		if said := strings.Contains(strings.Join(c.Warnings, "\n"), "weak SSH algorithms are allowed"); said != legacy {
			t.Errorf("%s: warned %q", line, c.Warnings)
		}
	}
}

// What is wrong with the file is said once, although several hosts are looked up.
func TestWrongSSHConfig(t *testing.T) {
	env := at(t, "HostNaem x\nMatch exec \"true\"\n User u\nHost hsm*\n Port x\n IdentityFile ~other/id\nHost \"open\n")
	c, err := reached("web1", "hsm1").Resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`~/.ssh/config:1: no such keyword: "hostnaem"`,
		`~/.ssh/config:2: the block is not taken, for "Match exec" cannot be told here; it has User`,
		`~/.ssh/config:7: the block is not taken: a quote is not closed`,
		`~/.ssh/config:5: Port is not taken: "x" is no port`,
		`~/.ssh/config:6: IdentityFile is not taken: somebody else's home directory is not known here: ~other/id`,
	}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Error(diff)
	}
	env = at(t, "Host web1\n User x\n")
	write(t, filepath.Join(env.Home, ".ssh", "config"), "Host web1\n User x\n", 0o666)
	if c, err = reached("web1", "hsm1").Resolve(env); err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "others may write to it (mode 0666)") || c.Links[0].Client.Target.User != "alex" {
		t.Errorf("%q, %+v", c.Warnings, c.Links[0].Client.Target)
	}
}

func TestPassphraseAndAgent(t *testing.T) {
	env := at(t, "Host web1\n IdentityAgent /run/own\nHost hsm1\n IdentityAgent $OTHER_AGENT\n")
	env.Getenv = func(name string) string {
		return map[string]string{"SSH_AUTH_SOCK": "/run/usual", "OTHER_AGENT": "/run/other"}[name]
	}
	f := reached("web1", "hsm1")
	f.IdentityPassphrase = write(t, filepath.Join(env.Home, "phrase"), "long one\n", 0o600)
	c, err := f.Resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	if c.Passphrase.Reveal() != "long one" || c.Links[0].Client.Keys.Agent != "/run/own" || c.Links[0].HSM.Keys.Agent != "/run/other" {
		t.Errorf("%q, %q", c.Links[0].Client.Keys.Agent, c.Links[0].HSM.Keys.Agent)
	}
	if c, err = reached("web2", "hsm2").Resolve(env); err != nil || c.Links[0].Client.Keys.Agent != "/run/usual" || c.Passphrase != nil {
		t.Errorf("%+v, %v", c.Links[0].Client.Keys, err)
	}
	f.IdentityPassphrase = "/nowhere"
	if _, err := f.Resolve(env); err == nil || !strings.Contains(err.Error(), "--identity-passphrase-file") {
		t.Errorf("%v", err)
	}
}
