package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/transport/ssh"
)

// behind is a site whose two hosts are reached through a jump host, all by names
// of a ~/.ssh/config, and a bench whose user has that file. extra are lines for
// the jump host's sshd.
func behind(t *testing.T, extra ...string) (*bench, *lab.Site, []string) {
	t.Helper()
	s := lab.Start(t, lab.Options{OpenSSH: true})
	gate := lab.Start(t, lab.Options{OpenSSH: true, ClientSSHD: extra})
	home := t.TempDir()
	dir := filepath.Join(home, ".ssh")
	if err := os.MkdirAll(filepath.Join(dir, "conf.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	host := func(name, target, key string) string {
		at, err := ssh.ParseTarget(target, "")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("Host %s\n  HostName %s\n  Port %d\n  User %s\n  IdentityFile %s\n", name, at.Host, at.Port, at.User, key)
	}
	text := "Include conf.d/*.conf\n" + host("gate", gate.ClientTarget, gate.IdentityFile) +
		fmt.Sprintf("Match originalhost web1,hsm1\n  ProxyJump gate\nHost *\n  UserKnownHostsFile %s %s\n  IdentitiesOnly yes\n", s.KnownHosts, gate.KnownHosts)
	for name, text := range map[string]string{
		"config": text, "conf.d/site.conf": host("web1", s.ClientTarget, "~/.ssh/site_key") + host("hsm1", s.HSMTarget, "%d/.ssh/site_key"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	encryptKey(t, s.IdentityFile, filepath.Join(dir, "site_key"), "the long phrase")
	t.Setenv("HOME", home)
	b := dialling(t)
	b.app.env.Home = home
	return b, s, []string{
		"--client", "web1", "--hsm", "hsm1", "--client-address", s.ClientAddress, "--hsm-address", s.HSMAddress,
		"--name", "NS-web1", "--partition", "partition6", "--client-root", s.ClientRoot,
	}
}

// encryptKey copies a key, encrypted.
func encryptKey(t *testing.T, from, to, passphrase string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	key, err := xssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	block, err := xssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Everything about the hosts is in ~/.ssh/config: a first run and a second one,
// through a jump host, with an encrypted key that is asked about once.
func TestBehindAJumpHost(t *testing.T) {
	b, _, words := behind(t)
	b.person.yes, b.person.secret = true, "the long phrase"
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	if n := len(b.person.asked); n != 1 || !strings.Contains(b.person.asked[0], "passphrase of "+filepath.Join(b.app.env.Home, ".ssh", "site_key")) {
		t.Errorf("asked %q", b.person.asked)
	}
	for _, want := range []string{"web1 is ", "hsm1 is ", "through ", "gate:", "ProxyJump ~/.ssh/config:8", "HostName ~/.ssh/conf.d/site.conf:2"} {
		if !strings.Contains(b.err.String(), want) {
			t.Errorf("nothing says %q:\n%s", want, b.err.String())
		}
	}
	again := b.again(t)
	file := filepath.Join(t.TempDir(), "phrase")
	if err := os.WriteFile(file, []byte("the long phrase\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := again.main(t, append([]string{"status", "--identity-passphrase-file", file}, words...)...); got != ui.ExitOK {
		t.Errorf("again: exit %d\n%s\n%s", got, again.out.String(), again.err.String())
	}
	if holdsText(t, b.app.env.State, "the long phrase") || strings.Contains(b.out.String()+b.err.String()+again.err.String(), "the long phrase") {
		t.Error("the passphrase is shown or kept")
	}
}

// holdsText looks for a text in all files of a directory.
func holdsText(t *testing.T, dir, text string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found = found || strings.Contains(string(data), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What goes wrong on the way names the machine where it did.
func TestJumpHostTroubles(t *testing.T) {
	t.Run("no forwarding", func(t *testing.T) {
		b, s, words := behind(t, "AllowTcpForwarding no")
		if got := b.main(t, append([]string{"plan", "-o", "json"}, words...)...); got != ui.ExitUnreachable {
			t.Errorf("exit %d", got)
		}
		e := document(t, b).Links[0].Error
		if e == nil || !strings.Contains(e.Message, "jump host ") || !strings.Contains(e.Message, "does not forward connections to") || !strings.Contains(e.Hint, "AllowTcpForwarding") {
			t.Errorf("%+v", e)
		}
		_ = s
	})
	t.Run("wrong passphrase", func(t *testing.T) {
		b, _, words := behind(t)
		b.person.secret = "another phrase"
		if got := b.main(t, append([]string{"plan"}, words...)...); got != ui.ExitUnreachable {
			t.Errorf("exit %d", got)
		}
		if text := b.err.String(); strings.Count(text, "error:") != 1 || !strings.Contains(text, "the passphrase of ") || len(b.person.asked) != 1 {
			t.Errorf("asked %q\n%s", b.person.asked, text)
		}
	})
	t.Run("nobody to ask", func(t *testing.T) {
		b, _, words := behind(t)
		b.app.openTTY = func() (asker, error) { return nil, ui.ErrNoTerminal }
		words = append(words, "-i", filepath.Join(b.app.env.Home, ".ssh", "site_key"))
		if got := b.main(t, append([]string{"plan"}, words...)...); got != ui.ExitUnreachable {
			t.Errorf("exit %d", got)
		}
		if text := b.err.String(); !strings.Contains(text, "--identity-passphrase-file or "+config.EnvIdentityPassphrase) {
			t.Errorf("%s", text)
		}
	})
}

// The password of an end goes to that end alone; a jump host's is typed.
func TestPasswordsOfJumpHosts(t *testing.T) {
	p := &person{secret: "typed"}
	q := newQuestions(func() (asker, error) { return p, nil }, ui.NewView("plan", ui.Text, ui.Stream{Writer: &strings.Builder{}}, ui.Stream{Writer: &strings.Builder{}}))
	j := job{questions: q, view: q.view}
	known := credentials{hops: newHops(q), passphrases: q.passphrases(nil)}
	gate := config.End{Target: ssh.Target{User: "u", Host: "gate", Port: 22, Name: "u@gate:22"}}
	end := config.End{Target: ssh.Target{User: "root", Host: "web1", Name: "root@web1:22"}, Jump: &gate}
	given := ssh.NewPassword(func(context.Context) (string, error) { return "the end's", nil })
	first, second := j.dialOptions(end, given, known), j.dialOptions(end, given, known)
	switch {
	case first.Password != given:
		t.Error("the end does not get its own password")
	case first.Jump.Options.Password == given:
		t.Error("the jump host gets the end's password")
	case first.Jump.Options.Password != second.Jump.Options.Password:
		t.Error("the jump host's password would be asked for twice")
	}
	if len(p.asked) > 0 {
		t.Errorf("asked before anybody wanted it: %q", p.asked)
	}
}
