package sshconfig

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// told is the part of an answer that the oracle gives too, in its form.
type told struct {
	HostName, User, Port, Alias, Strict, Timeout, Jump, Only, Agent string
	Files, Certificates, KnownHosts                                 []string
}

// home makes a home directory with these files below .ssh.
func home(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, ".ssh", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func localUser(t testing.TB) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

// oracle asks the real OpenSSH. It looks up ~ in the account's own entry, and not
// in HOME; so the paths in question are written with %d, which it takes from
// there too, and the file is given by name.
func oracle(t *testing.T, dir string, q Query) (told, error) {
	t.Helper()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatalf("the test needs ssh: install openssh-client: %v", err)
	}
	args := []string{"-G", "-F", filepath.Join(dir, ".ssh", "config")}
	if q.User != "" {
		args = append(args, "-l", q.User)
	}
	if q.Port != 0 {
		args = append(args, "-p", strconv.Itoa(q.Port))
	}
	var out, problem bytes.Buffer
	cmd := exec.CommandContext(t.Context(), ssh, append(args, q.Host)...) //nolint:gosec // the oracle
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return told{}, fmt.Errorf("%w: %s", err, problem.String())
	}
	var o told
	one := map[string]*string{
		"hostname": &o.HostName, "user": &o.User, "port": &o.Port, "hostkeyalias": &o.Alias, "stricthostkeychecking": &o.Strict,
		"connecttimeout": &o.Timeout, "proxyjump": &o.Jump, "identitiesonly": &o.Only, "identityagent": &o.Agent,
	}
	for line := range strings.Lines(out.String()) {
		keyword, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch p := one[keyword]; {
		case p != nil:
			*p = value
		case keyword == "identityfile":
			o.Files = append(o.Files, value)
		case keyword == "certificatefile":
			o.Certificates = append(o.Certificates, value)
		case keyword == "userknownhostsfile":
			o.KnownHosts = strings.Fields(value)
		}
	}
	return o, nil
}

// ours is the answer of Evaluate in the oracle's form.
func ours(q Query, s Settings) told {
	o := told{
		HostName: strings.ToLower(cmp.Or(s.HostName, q.Host)), User: cmp.Or(q.User, s.User, q.Local), Port: strconv.Itoa(cmp.Or(q.Port, s.Port, 22)),
		Alias: s.HostKeyAlias, Strict: "ask", Timeout: "none", Jump: strings.Join(s.Jumps, ","), Only: "no", Agent: s.Agent,
		Files: s.IdentityFiles, Certificates: s.CertificateFiles, KnownHosts: s.KnownHosts,
	}
	if s.Strict {
		o.Strict = "true"
	}
	if s.ConnectTimeout > 0 {
		o.Timeout = strconv.Itoa(int(s.ConnectTimeout / time.Second))
	}
	if s.IdentitiesOnly {
		o.Only = "yes"
	}
	if s.NoAgent {
		o.Agent = "none"
	}
	if s.NoIdentityFiles {
		o.Files = append(o.Files, "none")
	}
	if s.NoKnownHosts {
		o.KnownHosts = []string{"none"}
	}
	return o
}

// normal drops the oracle's own defaults, and looser ways of checking than ours.
func normal(o told) told {
	if len(o.Files) > 0 && o.Files[0] == "~/.ssh/id_rsa" {
		o.Files = nil
	}
	if len(o.KnownHosts) > 0 && strings.HasSuffix(o.KnownHosts[0], "/.ssh/known_hosts") {
		o.KnownHosts = nil
	}
	if o.Strict != "true" {
		o.Strict = "ask"
	}
	return o
}

func agrees(t *testing.T, q Query, files map[string]string) {
	t.Helper()
	q.Home, q.Local = home(t, files), localUser(t)
	q.Getenv = os.Getenv
	s := Evaluate(q)
	want, err := oracle(t, q.Home, q)
	if err != nil {
		if len(s.Warnings) == 0 {
			t.Errorf("ssh refuses the file, and nothing is said here: %v\n%v", err, files)
		}
		return
	}
	if len(s.Warnings) > 0 {
		t.Errorf("ssh takes the file, and here it is: %q\n%v", s.Warnings, files)
	}
	if diff := gocmp.Diff(normal(want), ours(q, s)); diff != "" {
		t.Errorf("%+v (-ssh +here): %s\n%v", q.Host, diff, files)
	}
}

func TestAgainstOpenSSH(t *testing.T) {
	for name, text := range map[string]string{
		"empty":               "",
		"an alias":            "Host hsm1\n  HostName 10.9.8.7\n  Port 2222\n  User ops\n",
		"first wins":          "Host hsm1\n Port 1\n User a\nHost *\n Port 2\n User b\n HostName x.example.net\n",
		"another host":        "Host hsm2\n HostName 10.9.8.7\n",
		"whole names":         "Host hsm\n HostName 10.9.8.7\nHost hsm10\n Port 3\n",
		"negated":             "Host hsm* !hsm1\n Port 3\nHost !hsm2 hsm*\n Port 4\n",
		"only negated":        "Host !other\n Port 3\n",
		"case of Host":        "Host HSM1\n Port 3\n",
		"case of Match":       "Match host HSM1\n Port 3\n",
		"equals signs":        "Host=hsm1\nHostName = 10.9.8.7\nPort=7\n",
		"quotes":              "Host \"hsm1\"\n HostName \"10.9.8.7\"\n IdentityFile \"/keys/with blank\"\n",
		"comments":            "Host hsm1 # mine\n Port 5 # five\n# Port 6\n",
		"CRLF and TAB":        "Host\thsm1\r\n\tPort\t5\r\n",
		"before the first":    "Port 5\nHost x\n Port 6\n",
		"%h and domain":       "Host hsm?\n HostName %h.example.net\n",
		"%%":                  "HostName a%%b\n",
		"Match host":          "Host hsm1\n HostName real.example.net\nMatch host real.example.net\n Port 7\nMatch host hsm1\n User no\n",
		"Match originalhost":  "Host hsm1\n HostName real.example.net\nMatch originalhost hsm1\n Port 7\n",
		"Match user":          "User ops\nMatch user ops\n Port 7\nMatch user root\n User no\n",
		"Match lists":         "Match originalhost a,hsm*,!hsm2 user *\n Port 7\n",
		"Match negated list":  "Match originalhost hsm*,!hsm1\n Port 7\n",
		"Match negated":       "Match !originalhost hsm1\n Port 7\nMatch !user nobody\n Port 8\n",
		"Match all":           "Match originalhost x\n Port 7\nMatch all\n Port 8\n",
		"Match localuser":     "Match localuser nobody\n Port 7\nMatch localuser *\n Port 8\n",
		"Match with =":        "Match originalhost=hsm1\n Port 7\n",
		"Match not final":     "Match !final originalhost hsm1\n Port 7\n",
		"Match not canonical": "Match !canonical originalhost hsm1\n Port 7\n",
		"files add up":        "IdentityFile /a\nHost hsm1\n IdentityFile /b\n CertificateFile /c\nHost *\n IdentityFile /d\n CertificateFile /e\n",
		"no files":            "IdentityFile none\n",
		"jumps":               "ProxyJump a@b:33,[::1]:44,h\n",
		"no jump":             "Host hsm1\n ProxyJump none\nHost *\n ProxyJump b\n",
		"jump after command":  "ProxyCommand none\nProxyJump b\n",
		"host keys":           "HostKeyAlias boxes\nUserKnownHostsFile /a /b\nStrictHostKeyChecking yes\n",
		"no known hosts":      "UserKnownHostsFile none\n",
		"looser":              "StrictHostKeyChecking no\nHost *\n StrictHostKeyChecking yes\n",
		"keys":                "IdentitiesOnly yes\nIdentityAgent /run/agent\n",
		"no agent":            "IdentityAgent none\n",
		"agent by name":       "IdentityAgent SSH_AUTH_SOCK\n",
		"time":                "ConnectTimeout 7\n",
		"bad port":            "Port abc\n",
		"bad port elsewhere":  "Host hsm2\n User x\nHost hsm1\n Port 70000\n",
		"unknown keyword":     "HostNaem x\n",
		"ignored keyword":     "IgnoreUnknown HostN*\nHostNaem x\n",
		"known, not taken":    "ServerAliveInterval 3\nForwardAgent yes\n",
		"no value":            "HostName\n",
		"two values":          "HostName a b\n",
		"open quote":          "HostName \"a\n",
		"bad token":           "HostName %z\n",
		"bad criterion":       "Match host\n Port 3\n",
		"unknown criterion":   "Match moon full\n Port 3\n",
		"neither":             "IdentitiesOnly maybe\n",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "agent by name" {
				t.Setenv("SSH_AUTH_SOCK", "") // the oracle would answer with the name
				t.Setenv("SSH_AUTH_SOCK", "SSH_AUTH_SOCK")
			}
			agrees(t, Query{Host: "hsm1"}, map[string]string{"config": text})
			agrees(t, Query{Host: "hsm1", User: "typed", Port: 99}, map[string]string{"config": text})
		})
	}
}

// What is typed may be anything that is a host.
func TestAgainstOpenSSHOtherHosts(t *testing.T) {
	text := "Host HSM1\n Port 1\nHost hsm1\n Port 2\nHost 10.*\n Port 3\nHost ::1 2001:db8:*\n Port 4\nMatch host hsm1\n User m\n"
	for _, host := range []string{"hsm1", "HSM1", "Hsm1", "10.1.2.3", "::1", "2001:db8::7", "x"} {
		agrees(t, Query{Host: host}, map[string]string{"config": text})
	}
}

// Include is looked at with absolute paths, since the oracle has another home.
func TestIncludeAgainstOpenSSH(t *testing.T) {
	more := t.TempDir()
	for name, text := range map[string]string{
		"10.conf": "Host hsm1\n Port 10\nHost other\n",
		"20.conf": "Port 20\nUser twenty\n",
		"in.conf": "Include " + more + "/20.conf\nHostName in.example.net\n",
	} {
		if err := os.WriteFile(filepath.Join(more, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		"Include %/*0.conf\n", "Include %/20.conf %/10.conf\n", "Include %/in.conf\nPort 5\n", "Include %/missing*\nPort 5\n",
		"Host other\n Include %/20.conf\nHost hsm1\n Port 6\n", "Host hsm1\n Include %/10.conf\n User after\nHost *\n User last\n",
		"Match user nobody\n Include %/in.conf\n", "Include\n", "Include %/loop.conf\n",
	} {
		text = strings.ReplaceAll(text, "%", more)
		if err := os.WriteFile(filepath.Join(more, "loop.conf"), []byte("Include "+more+"/loop.conf\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		agrees(t, Query{Host: "hsm1"}, map[string]string{"config": text})
	}
}

// Files made of right lines in any order.
func TestRandomFilesAgainstOpenSSH(t *testing.T) {
	lines := []string{
		"Host hsm1", "Host hsm*", "Host *", "Host a b !hsm1", "Host hsm? !hsm2", "Host !hsm1 *", "Match all", "Match host hsm1",
		"Match host real.example.net user ops", "Match originalhost hsm* !user root", "Match !host hsm2 originalhost hsm1", "Match user ops,root",
		"HostName real.example.net", "HostName %h.example.net", "Port 1", "Port 2", "User ops", "User root", "IdentityFile /a", "IdentityFile /b",
		"IdentitiesOnly yes", "IdentitiesOnly no", "ProxyJump one", "ProxyJump none", "ProxyJump one,two:2", "ProxyCommand none", "HostKeyAlias x",
		"UserKnownHostsFile /k", "StrictHostKeyChecking yes", "StrictHostKeyChecking no", "ConnectTimeout 3", "ForwardAgent no", "# nothing", "",
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same files each time
	for range 60 {
		var file []string
		for range 5 + random.IntN(20) {
			file = append(file, lines[random.IntN(len(lines))])
		}
		q := Query{Host: []string{"hsm1", "hsm2", "real.example.net"}[random.IntN(3)]}
		agrees(t, q, map[string]string{"config": strings.Join(slices.Clone(file), "\n") + "\n"})
		if t.Failed() {
			return
		}
	}
}
