//go:build linux

package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/accounts"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
)

// withUsers: what follows takes users, a real sshd that lets them in, and a real
// sudo; only root can set that up.
func withUsers(t *testing.T) bool {
	t.Helper()
	if !accounts.Possible() {
		t.Log("checked only as root: it takes users and rules for sudo")
		return false
	}
	return true
}

// packaged is a Linux client with the modes of its packages, on a real sshd, and
// the group that may use it.
func packaged(t *testing.T, o lab.Options) (*lab.Site, []string, accounts.Account) {
	t.Helper()
	group := accounts.New(t)
	o.Kind, o.OpenSSH = lab.Linux, true
	_, s, words := visit(t, o)
	if err := s.Share(group.GID); err != nil {
		t.Fatal(err)
	}
	words = append(words, "--identity-file", s.IdentityFile)
	return s, words, group
}

// as is the command line with another user of the client.
func as(words []string, s *lab.Site, who accounts.Account) []string {
	words = slices.Clone(words)
	words[slices.Index(words, "--client")+1] = s.Login(who.Name)
	return words
}

// planApplyRerun is the main line: what is looked at stays, what is made holds,
// and a second run finds nothing to do.
func planApplyRerun(t *testing.T, s *lab.Site, words []string) {
	t.Helper()
	before := hash(t, s)
	b := dialling(t)
	if got := b.main(t, append([]string{"plan"}, words...)...); got != ui.ExitChanges {
		t.Fatalf("plan: exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	if hash(t, s) != before {
		t.Error("the plan changed something")
	}
	b = dialling(t)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("apply: exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	after := hash(t, s)
	b = dialling(t)
	if got := b.main(t, append([]string{"apply"}, words...)...); got != ui.ExitOK || len(b.person.asked) > 0 {
		t.Errorf("rerun: exit %d, asked %q\n%s\n%s", got, b.person.asked, b.out.String(), b.err.String())
	}
	if hash(t, s) != after {
		t.Error("the rerun changed something")
	}
}

// owned checks mode, owner and group of a file.
func owned(t *testing.T, path string, mode fs.FileMode, uid, gid int) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode()&^fs.ModeDir != mode || int(st.Uid) != uid || int(st.Gid) != gid {
		t.Errorf("%s: %v %d:%d, want %v %d:%d", path, info.Mode(), st.Uid, st.Gid, mode, uid, gid)
	}
}

// modesAreKept: the configuration and the directories are as packages made them.
func modesAreKept(t *testing.T, s *lab.Site, group accounts.Account) {
	t.Helper()
	soft := filepath.Join(s.ClientRoot, "usr/safenet/lunaclient")
	owned(t, filepath.Join(s.ClientRoot, "etc/Chrystoki.conf"), 0o660, 0, group.GID)
	for _, dir := range []string{"cert", "cert/client", "cert/server"} {
		owned(t, filepath.Join(soft, dir), 0o770|fs.ModeSetgid, 0, group.GID)
	}
	names, err := filepath.Glob(filepath.Join(soft, "cert", ".ntl-setup*"))
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func TestSudoWithoutAPassword(t *testing.T) {
	t.Parallel()
	if !withUsers(t) {
		return
	}
	s, words, group := packaged(t, lab.Options{})
	who := accounts.New(t, "USER ALL=(ALL) NOPASSWD: ALL")
	planApplyRerun(t, s, as(words, s, who))
	modesAreKept(t, s, group)
	key := filepath.Join(s.ClientRoot, "usr/safenet/lunaclient/cert/client", s.ClientAddress+"Key.pem")
	owned(t, key, 0o600, 0, group.GID)
}

// The password is in a file, in the environment, or that of the login; whatever
// way, it is nowhere afterwards.
func TestSudoWithAPassword(t *testing.T) {
	t.Parallel()
	if !withUsers(t) {
		return
	}
	s, words, group := packaged(t, lab.Options{ClientSSHD: []string{"PasswordAuthentication yes"}})
	who := accounts.New(t, "USER ALL=(ALL) ALL")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(who.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	words = as(words, s, who)
	watch := sample(t, who.Password)
	planApplyRerun(t, s, append(slices.Clone(words), "--sudo-password-file", file))
	modesAreKept(t, s, group)
	watch.end()
	if where := watch.seen(who.Password); where != "" {
		t.Errorf("the password is in the %s", where)
	}

	b := dialling(t)
	b.app.env.Getenv = func(name string) string {
		return map[string]string{"NTL_SETUP_SUDO_PASSWORD": who.Password}[name]
	}
	if got := b.main(t, append([]string{"status"}, words...)...); got != ui.ExitOK {
		t.Errorf("from the environment: exit %d\n%s", got, b.err.String())
	}
	secretIsNowhere(t, b, who.Password)

	b = dialling(t) // typed, since no flag gives it
	b.person.secret = who.Password
	if got := b.main(t, append([]string{"status"}, words...)...); got != ui.ExitOK || len(b.person.asked) != 1 || !strings.Contains(b.person.asked[0], "password for sudo") {
		t.Errorf("typed: exit %d, asked %q\n%s", got, b.person.asked, b.err.String())
	}
	secretIsNowhere(t, b, who.Password)
}

// Where sudo wants the password that the login wanted, it is not asked for again.
func TestSudoWithThePasswordOfTheLogin(t *testing.T) {
	t.Parallel()
	if !withUsers(t) {
		return
	}
	s, words, _ := packaged(t, lab.Options{ClientSSHD: []string{"PasswordAuthentication yes", "PubkeyAuthentication no"}})
	who := accounts.New(t, "USER ALL=(ALL) ALL")
	b := dialling(t)
	b.app.env.Getenv = func(name string) string {
		return map[string]string{"NTL_SETUP_CLIENT_PASSWORD": who.Password}[name]
	}
	if got := b.main(t, append([]string{"plan"}, as(words, s, who)...)...); got != ui.ExitChanges || len(b.person.asked) > 0 {
		t.Errorf("exit %d, asked %q\n%s", got, b.person.asked, b.err.String())
	}
	secretIsNowhere(t, b, who.Password)
}

// secretIsNowhere: not in what was shown, and not in what the run left behind.
func secretIsNowhere(t *testing.T, b *bench, secret string) {
	t.Helper()
	if strings.Contains(b.out.String()+b.err.String(), secret) {
		t.Error("the password was shown")
	}
	transcripts := 0
	err := filepath.WalkDir(b.app.env.State, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), secret) {
			t.Errorf("the password is in %s", path)
		}
		if strings.Contains(string(data), "sudo -k") {
			transcripts++
		}
		return err
	})
	if err != nil || transcripts == 0 {
		t.Errorf("%d transcripts with sudo in them, %v", transcripts, err)
	}
}

// What sudo says is said to the user, before anything is changed.
func TestSudoThatGivesNoRights(t *testing.T) {
	t.Parallel()
	if !withUsers(t) {
		return
	}
	s, words, _ := packaged(t, lab.Options{})
	before := hash(t, s)
	for name, c := range map[string]struct {
		rules         []string
		message, hint string
	}{
		"wrong password": {[]string{"USER ALL=(ALL) ALL"}, "did not accept the password; it was offered once", "--sudo-password-file"},
		"requiretty":     {[]string{"Defaults:USER requiretty", "USER ALL=(ALL) NOPASSWD: ALL"}, "wants a terminal", "!requiretty"},
		"not a sudoer":   {nil, "sudo ", "hsmusers"},
	} {
		who := accounts.New(t, c.rules...)
		b := dialling(t)
		b.person.secret = "canary-of-sudo"
		if name == "not a sudoer" {
			b.person.secret = who.Password
		}
		if got := b.main(t, append([]string{"apply", "-y", "-o", "json"}, as(words, s, who)...)...); got != ui.ExitUnreachable {
			t.Errorf("%s: exit %d, want 4\n%s", name, got, b.err.String())
		}
		e := document(t, b).Links[0].Error
		if e == nil || e.Class != "auth" || !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, c.hint) ||
			!strings.Contains(e.Message, "this user may not read "+s.ClientRoot+"/etc/Chrystoki.conf") {
			t.Errorf("%s: %+v", name, e)
		}
		if strings.Contains(b.out.String()+b.err.String(), "canary-of-sudo") {
			t.Errorf("%s: the password was shown", name)
		}
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
}

// A member of the group needs no sudo: he may write to the configuration, though
// not make a file beside it.
func TestMemberOfTheGroup(t *testing.T) {
	t.Parallel()
	if !withUsers(t) {
		return
	}
	s, words, group := packaged(t, lab.Options{})
	who := accounts.New(t)
	who.Join(t, group)
	planApplyRerun(t, s, as(words, s, who))
	modesAreKept(t, s, group)
	soft := filepath.Join(s.ClientRoot, "usr/safenet/lunaclient")
	owned(t, filepath.Join(soft, "cert/client", s.ClientAddress+"Key.pem"), 0o600, who.UID, group.GID)
	beside, _ := filepath.Glob(filepath.Join(s.ClientRoot, "etc/*ntl-setup*"))
	sheltered, _ := filepath.Glob(filepath.Join(soft, "cert/Chrystoki.conf.ntl-setup-*"))
	if len(beside) != 0 || len(sheltered) == 0 {
		t.Errorf("backups of the configuration: beside it %v, in the group's directory %v", beside, sheltered)
	}
}

// Who may look and not write gets a plan, which says so, and no more.
func TestReaderAlone(t *testing.T) {
	t.Parallel()
	if !withUsers(t) {
		return
	}
	s, words, _ := packaged(t, lab.Options{})
	soft := filepath.Join(s.ClientRoot, "usr/safenet/lunaclient")
	for path, mode := range map[string]fs.FileMode{
		filepath.Join(s.ClientRoot, "etc/Chrystoki.conf"): 0o544, filepath.Join(soft, "cert"): 0o755,
		filepath.Join(soft, "cert/client"): 0o755, filepath.Join(soft, "cert/server"): 0o755,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	before := hash(t, s)
	who := accounts.New(t)
	for _, command := range []string{"plan", "apply"} {
		b := dialling(t)
		b.app.openTTY = func() (asker, error) { return nil, ui.ErrNoTerminal }
		if got := b.main(t, append([]string{command, "-y", "-o", "json"}, as(words, s, who)...)...); got != ui.ExitUnreachable {
			t.Errorf("%s: exit %d, want 4\n%s", command, got, b.err.String())
		}
		steps := document(t, b).Links[0].Steps
		if len(steps) == 0 || !strings.Contains(steps[0].Reason, "this user may not write to ") || !strings.Contains(steps[0].Reason, "sudo wants a password") {
			t.Errorf("%s: %+v", command, steps)
		}
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
}

// The minimal client: its configuration is found by the session's variable, or
// by the flag where the session has none.
func TestMinimalClient(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]lab.Options{
		"by the variable": {OpenSSH: true},
		"by the flag":     {},
	} {
		t.Run(name, func(t *testing.T) {
			o.Kind, o.Dir = lab.Linux, filepath.Join(t.TempDir(), "site")
			o.Vtl = luna.VtlSettings{Banner: "vtl (64-bit) v10.7.2-16. Copyright (c) 2024 Example. All rights reserved."}
			o.ClientSSHD = []string{lab.MinimalConfig(o.Dir)}
			_, s, words := visit(t, o)
			dir, err := s.Minimal()
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, "--identity-file", s.IdentityFile)
			if !o.OpenSSH {
				words = append(words, "--client-config-path", dir)
			}
			planApplyRerun(t, s, words)
			for _, file := range []string{s.ClientAddress + ".pem", s.ClientAddress + "Key.pem", "CAFile.pem", s.HSMAddress + "Cert.pem"} {
				if _, err := os.Stat(filepath.Join(dir, "certs", file)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// The program is killed while vtl is at work as root: vtl goes on to its end, and
// a rerun takes over what the dead run held and finishes.
func TestKilledUnderSudo(t *testing.T) {
	t.Parallel()
	if !withUsers(t) {
		return
	}
	s, words, group := packaged(t, lab.Options{Vtl: luna.VtlSettings{DelayMS: 1500}})
	who := accounts.New(t, "USER ALL=(ALL) NOPASSWD: ALL")
	words = as(words, s, who)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "ntl-setup")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{"apply", "-y"}, words...)...) //nolint:gosec // this program
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed
	}()
	creating := func() bool {
		calls, err := s.VtlCalls()
		return err == nil && slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "createCert") })
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !creating(); {
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("it ended by itself: %s", said.String())
		case <-limit:
			t.Fatal("vtl createCert was not reached")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("rerun: exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	calls, err := s.VtlCalls()
	made := 0
	for _, c := range calls {
		if strings.HasPrefix(c, "createCert") {
			made++
		}
	}
	if made != 1 || err != nil {
		t.Errorf("%d pairs were made, %v", made, err)
	}
	modesAreKept(t, s, group)
}
