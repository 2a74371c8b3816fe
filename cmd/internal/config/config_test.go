package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// given is the shortest command line that is right.
func given() Flags {
	return Flags{
		Client: "root@192.0.2.10", HSM: "admin@192.0.2.20", Partitions: []string{"part1"},
		Timeout: DefaultTimeout, StepTimeout: DefaultStepTimeout,
	}
}

// session is a user without a home or an environment.
func session() Env {
	return Env{Getenv: func(string) string { return "" }, User: "alex"}
}

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return name
}

func TestDefaults(t *testing.T) {
	env := session()
	env.Home = "/home/alex"
	got, err := given().Resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	end := func(target ssh.Target, pinFlag string) End {
		return End{Host: target.Host, Target: target, PinFlag: pinFlag, KnownHosts: []string{"/home/alex/.ssh/known_hosts"}}
	}
	want := Config{
		Output: ui.Text, Timeout: 15 * time.Minute, StepTimeout: 2 * time.Minute, Parallel: 16,
		Links: []Link{{
			Client:        end(ssh.Target{User: "root", Host: "192.0.2.10", Port: 22, Name: "root@192.0.2.10:22"}, "--client-host-key"),
			HSM:           end(ssh.Target{User: "admin", Host: "192.0.2.20", Port: 22, Name: "admin@192.0.2.20:22"}, "--hsm-host-key"),
			Name:          "192.0.2.10",
			ClientAddress: "192.0.2.10",
			HSMAddress:    "192.0.2.20",
			Partitions:    []string{"part1"},
			Kind:          "auto",
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEverythingGiven(t *testing.T) {
	dir := t.TempDir()
	id := write(t, filepath.Join(dir, "id"), "k", 0o600)
	pin := "SHA256:" + strings.Repeat("A", 43)
	f := given()
	f.Client, f.HSM = "[2001:db8::1]:2222", "ops@hsm1.example.net:2022"
	f.Name, f.ClientAddress, f.HSMAddress = "NS-web1", "web1.example.net", "10.9.8.7"
	f.Partitions = []string{"p1", "p2", "p1"}
	f.ClientKind, f.Output = "netscaler", "json"
	f.DryRun, f.Yes, f.ReplaceServer, f.RestartGateway, f.FixModes, f.Deep = true, true, true, true, true, true
	f.LegacySSH, f.AcceptNewHostKeys = true, true
	f.Identities, f.KnownHosts, f.HSMHostKey = []string{id}, "/some/known", pin
	f.Timeout, f.StepTimeout, f.ClientRoot = time.Minute, time.Second, "/tmp/lab"
	env := session()
	env.Home = dir
	env.Getenv = func(name string) string { return "env " + name }
	got, err := f.Resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	end := End{
		Keys:       ssh.Keys{Files: []string{id}, Agent: "env SSH_AUTH_SOCK", Quiet: true},
		KnownHosts: []string{"/some/known"}, AcceptNew: true, Legacy: true,
	}
	client, hsm := end, end
	client.Host, hsm.Host = "2001:db8::1", "hsm1.example.net"
	client.Target = ssh.Target{User: "alex", Host: "2001:db8::1", Port: 2222, Name: "alex@[2001:db8::1]:2222"}
	client.Password, client.PinFlag = &Secret{"env NTL_SETUP_CLIENT_PASSWORD"}, "--client-host-key"
	hsm.Target = ssh.Target{User: "ops", Host: "hsm1.example.net", Port: 2022, Name: "ops@hsm1.example.net:2022"}
	hsm.Password, hsm.PinFlag, hsm.HostKeyPin = &Secret{"env NTL_SETUP_HSM_PASSWORD"}, "--hsm-host-key", pin
	want := Config{
		DryRun: true, Yes: true, Output: ui.JSON, Timeout: time.Minute, StepTimeout: time.Second, Parallel: DefaultParallel,
		Passphrase: &Secret{"env NTL_SETUP_IDENTITY_PASSPHRASE"},
		Links: []Link{{
			Client: client, HSM: hsm, Name: "NS-web1", ClientAddress: "web1.example.net", HSMAddress: "10.9.8.7",
			Partitions: []string{"p1", "p2"}, Kind: "netscaler", Rights: Rights{Password: &Secret{"env NTL_SETUP_SUDO_PASSWORD"}},
			ReplaceServerCertificate: true, RestartGateway: true, FixModes: true, Deep: true, Root: "/tmp/lab",
		}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Secret{})); diff != "" {
		t.Error(diff)
	}
}

func TestLocalClient(t *testing.T) {
	f := given()
	f.Client, f.ClientAddress = "local", "web1.example.net"
	got, err := f.Resolve(session())
	if err != nil {
		t.Fatal(err)
	}
	l := got.Links[0]
	if diff := cmp.Diff(End{Local: true}, l.Client); diff != "" {
		t.Error(diff)
	}
	if l.Client.Name() != "local" || l.Name != "web1.example.net" {
		t.Errorf("client %q, name %q", l.Client.Name(), l.Name)
	}
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("a", 129)
	missing := filepath.Join(t.TempDir(), "nothing")
	for name, c := range map[string]struct {
		spoil   func(f *Flags)
		message string
		hint    string
	}{
		"nothing given":       {func(f *Flags) { f.Client, f.HSM, f.Partitions = "", "", nil }, "missing: --client, --hsm, --partition", "for example"},
		"no partition":        {func(f *Flags) { f.Partitions = nil }, "missing: --partition", "for example"},
		"unknown output":      {func(f *Flags) { f.Output = "xml" }, `--output "xml" is none of`, ""},
		"unknown kind":        {func(f *Flags) { f.ClientKind = "solaris" }, `--client-kind "solaris" is none of`, ""},
		"no time":             {func(f *Flags) { f.Timeout = 0 }, "--timeout 0s is not a time to wait", ""},
		"negative step time":  {func(f *Flags) { f.StepTimeout = -time.Second }, "--step-timeout -1s", ""},
		"client, bad port":    {func(f *Flags) { f.Client = "root@192.0.2.10:x" }, "--client: ", "[user@]host[:port]"},
		"hsm, a URL":          {func(f *Flags) { f.HSM = "ssh://h" }, "--hsm: ", ""},
		"hsm local":           {func(f *Flags) { f.HSM = "root@" }, "--hsm: ", ""},
		"client by name":      {func(f *Flags) { f.Client = "root@web1" }, "--client-address is needed", "IP address or the host name"},
		"client local":        {func(f *Flags) { f.Client = "local" }, "--client-address is needed: --client local", ""},
		"address, mistyped":   {func(f *Flags) { f.ClientAddress = "192.0.2.300" }, "not an IPv4 address", ""},
		"address, short":      {func(f *Flags) { f.ClientAddress = "10.1.2" }, "not an IPv4 address", ""},
		"address with port":   {func(f *Flags) { f.ClientAddress = "web1:22" }, "has no colon", "port"},
		"address with zone":   {func(f *Flags) { f.ClientAddress = "fe80::1%eth0" }, "has a character", "letters"},
		"address, two dots":   {func(f *Flags) { f.ClientAddress = "web1..net" }, "neither an IP address nor a host name", ""},
		"address, hyphen end": {func(f *Flags) { f.ClientAddress = "web1-.net" }, "neither an IP address nor a host name", ""},
		"address, long label": {func(f *Flags) { f.ClientAddress = strings.Repeat("a", 64) }, "neither an IP address nor a host name", ""},
		"address server":      {func(f *Flags) { f.ClientAddress = "server" }, "appliance's own name", ""},
		"hsm address":         {func(f *Flags) { f.HSMAddress = "a b" }, "--hsm-address", ""},
		"name with blank":     {func(f *Flags) { f.Name = "web 1" }, `--name "web 1" has a character`, "letters, digits"},
		"name with quote":     {func(f *Flags) { f.Name = "web'1" }, "has a character", ""},
		"name with newline":   {func(f *Flags) { f.Name = "web1\nclient delete" }, "has a character", ""},
		"name not ASCII":      {func(f *Flags) { f.Name = "größe" }, "has a character", ""},
		"name is a flag":      {func(f *Flags) { f.Name = "-f" }, "begins with a dash", "lacks its value"},
		"name too long":       {func(f *Flags) { f.Name = long }, "longer than 128", ""},
		"name Server":         {func(f *Flags) { f.Name = "Server" }, "appliance's own name", ""},
		"partition empty":     {func(f *Flags) { f.Partitions = []string{""} }, "--partition is empty", ""},
		"partition list":      {func(f *Flags) { f.Partitions = []string{"p1,p2"} }, "no name of a partition", "repeat --partition"},
		"partition semicolon": {func(f *Flags) { f.Partitions = []string{"p1", "p;2"} }, "has a character", ""},
		"pin without prefix":  {func(f *Flags) { f.HSMHostKey = strings.Repeat("A", 43) }, "--hsm-host-key", "ssh-keygen"},
		"pin too short":       {func(f *Flags) { f.ClientHostKey = "SHA256:AAAA" }, "--client-host-key", ""},
		"pin MD5":             {func(f *Flags) { f.HSMHostKey = "MD5:00:11" }, "--hsm-host-key", ""},
		"no identity":         {func(f *Flags) { f.Identities = []string{missing} }, "--identity-file: ", ""},
		"no password file":    {func(f *Flags) { f.HSMPasswordFile = missing }, "--hsm-password-file: ", ""},
		"root not whole":      {func(f *Flags) { f.ClientRoot = "lab" }, "--client-root", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := given()
			c.spoil(&f)
			got, err := f.Resolve(session())
			if err == nil {
				t.Fatalf("accepted: %+v", got)
			}
			var e *transport.Error
			if !errors.As(err, &e) || e.Class != transport.ClassConfig {
				t.Fatalf("no error of class config: %#v", err)
			}
			if !strings.Contains(e.Error(), c.message) {
				t.Errorf("error %q, want %q in it", e.Error(), c.message)
			}
			if !strings.Contains(e.Hint, c.hint) {
				t.Errorf("hint %q, want %q in it", e.Hint, c.hint)
			}
			if strings.Contains(e.Error(), "\n") {
				t.Errorf("not one line: %q", e.Error())
			}
		})
	}
}

func TestGoodNamesAndAddresses(t *testing.T) {
	for _, address := range []string{
		"192.0.2.1", "2001:db8::7", "::1", "web1", "web1.example.net", "WEB_1.example.net.", "1a.example", "a-b",
	} {
		f := given()
		f.ClientAddress, f.HSMAddress = address, address
		if _, err := f.Resolve(session()); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, name := range []string{"a", "NS-web1", "web_1.x:y", "server1", strings.Repeat("a", 128)} {
		f := given()
		f.Name, f.Partitions = name, []string{name, "server"}
		if _, err := f.Resolve(session()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHSMBehindAnAlias(t *testing.T) {
	env := session()
	env.Home = t.TempDir()
	write(t, filepath.Join(env.Home, ".ssh", "config"), "Host hsm1\n  HostName 10.9.8.7\n", 0o600)
	f := given()
	f.HSM = "admin@hsm1"
	_, err := f.Resolve(env)
	if err == nil || !strings.Contains(err.Error(), "--hsm-address is needed: ~/.ssh/config maps hsm1") {
		t.Errorf("error %v", err)
	}
	f.HSMAddress = "10.9.8.7"
	if _, err := f.Resolve(env); err != nil {
		t.Errorf("with --hsm-address: %v", err)
	}
	f.HSM, f.HSMAddress = "admin@hsm2", ""
	if got, err := f.Resolve(env); err != nil || got.Links[0].HSMAddress != "hsm2" {
		t.Errorf("another host: %v, %+v", err, got)
	}
}

func TestSession(t *testing.T) {
	t.Setenv("HOME", "/somewhere")
	t.Setenv("NTL_SETUP_HSM_PASSWORD", "x")
	e := Session()
	if e.Home != "/somewhere" || e.User == "" || e.Getenv(EnvHSMPassword) != "x" {
		t.Errorf("%q, %q, %q", e.Home, e.User, e.Getenv(EnvHSMPassword))
	}
}

// Whatever is let through can be sent to the appliance as it is.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"web1", "-f", "a b", "a;b", "192.0.2.1", "2001:db8::1", "web1..net", "a\nb", "größe", "server"} {
		f.Add(s)
	}
	safe := regexp.MustCompile(`^[A-Za-z0-9._:][A-Za-z0-9._:-]{0,127}$`)
	f.Fuzz(func(t *testing.T, s string) {
		if err := checkName("--name", s); (err == nil) != safe.MatchString(s) {
			t.Errorf("checkName(%q) = %v", s, err)
		}
		if err := checkAddress("--client-address", s); err == nil && !safe.MatchString(s) {
			t.Errorf("checkAddress lets %q through", s)
		}
	})
}
