package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
)

// allTheWay goes the whole way and wants a second run to do nothing. It
// gives the document of the apply.
func allTheWay(t *testing.T, s *lab.Site, words []string) *bench {
	t.Helper()
	b := dialling(t)
	b.app.patience = patience{full: 30 * time.Second, away: time.Second, pause: time.Second} // a session that ends takes its time
	before := hash(t, s)
	b.expect(t, ui.ExitChanges, the("plan", words)...)
	if hash(t, s) != before {
		t.Error("the plan changed something")
	}
	applied := b.expect(t, ui.ExitOK, the("apply", words, "-y")...)
	after := hash(t, s)
	b.expect(t, ui.ExitOK, the("apply", words)...)
	if hash(t, s) != after {
		t.Error("a run with nothing to do changed something")
	}
	return applied
}

// Every dialect of the appliance, told by what it shows and by no flag.
func TestDialects(t *testing.T) {
	t.Parallel()
	digests := map[string]string{"5": "MD5", "6": "MD5", "7": "SHA-256"}
	for _, dialect := range luna.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			s := lab.Start(t, lab.Options{Kind: lab.Linux, Dialect: dialect})
			applied := allTheWay(t, s, wordsFor(s, "partition1", "partition61"))
			digest := digests[dialect[:1]]
			if dialect == "6.2" {
				digest = "SHA-1"
			}
			if r := stepIn(t, applied, "confirm-client").Reason; !strings.Contains(r, digest+" fingerprint is that of the client's certificate") {
				t.Errorf("%s", r)
			}
			for _, serial := range serialsOf(t, s, "partition1", "partition61") {
				if r := stepIn(t, applied, "verify-link").Reason; !strings.Contains(r, serial) || !strings.Contains(r, "by serial number") {
					t.Errorf("no %s in %s", serial, r)
				}
			}
		})
	}
}

// What differs from box to box within a release.
func TestManners(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]lab.Options{
		"two rows on a line":       {Dialect: "6.2", Appliance: luna.Options{PartitionList: luna.ListPaired}},
		"a blank line behind rule": {Dialect: "7.7", Appliance: luna.Options{PartitionList: luna.ListGap}},
		"SFTP alone":               {Dialect: "7.9", Appliance: luna.Options{Files: "sftp"}},
		"SCP alone, 7.9":           {Dialect: "7.9", Appliance: luna.Options{Files: "scp"}},
		"both, 7.8":                {Dialect: "7", Appliance: luna.Options{Files: "both"}},
		"an odd fingerprint":       {Dialect: "7", Appliance: luna.Options{Fingerprint: "odd"}},
		"the file is consumed":     {Dialect: "6", Appliance: luna.Options{ConsumeFile: true}},
		"trailer 0 under errors":   {Dialect: "5.3", Appliance: luna.Options{ZeroOnError: true}},
		"echo, ANSI, a blank":      {Dialect: "5.1", Appliance: luna.Options{Echo: "on", ANSI: true, TrailingBlank: true}},
	} {
		t.Run(name, func(t *testing.T) {
			o.Kind = lab.Linux
			s := lab.Start(t, o)
			allTheWay(t, s, wordsFor(s, "partition6"))
		})
	}
}

// On real sshd, with the settings of the period.
func TestDialectsOnOpenSSH(t *testing.T) {
	t.Parallel()
	rsa := filepath.Join(t.TempDir(), "rsa")
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen (package openssh-client): %v %s", err, out)
	}
	period := []string{"HostKey " + rsa, "HostKeyAlgorithms ssh-rsa", "KexAlgorithms diffie-hellman-group14-sha1", "Ciphers aes128-cbc", "MACs hmac-sha1"}
	for name, c := range map[string]struct {
		o    lab.Options
		more []string
	}{
		"5.3":                         {lab.Options{Dialect: "5.3", HSMSSHD: period}, []string{"--legacy-ssh", "--accept-new-host-keys", "--known-hosts", filepath.Join(t.TempDir(), "known_hosts")}},
		"6.2":                         {lab.Options{Dialect: "6.2"}, nil},
		"7.8":                         {lab.Options{Dialect: "7", HSMSSHD: []string{"Ciphers aes192-ctr,aes256-ctr"}}, nil},
		"7.9, SFTP, a session a time": {lab.Options{Dialect: "7.9", Appliance: luna.Options{Files: "sftp"}, HSMSSHD: []string{"MaxSessions 1"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Kind, c.o.OpenSSH = lab.Linux, true
			s := lab.Start(t, c.o)
			allTheWay(t, s, append(wordsFor(s, "partition6"), c.more...))
		})
	}
}

// From 7.7.1 on a shell that is idle for half an hour is closed. A person who
// thinks about the plan for longer than that loses nothing.
func TestIdleShellOfTheAppliance(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{Kind: lab.Linux, Dialect: "7.7", Appliance: luna.Options{IdleClose: 2 * time.Second}})
	b := dialling(t)
	b.person.yes = true
	opened := 0
	b.person.during = func() {
		opened = s.HSMSSH.Sessions()
		if !eventually(t, 30*time.Second, func() bool { return s.HSMSSH.Open() == 0 }) {
			t.Error("the shell was not closed")
		}
	}
	if got := b.main(t, the("apply", wordsFor(s, "partition6"))...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	if len(b.person.asked) != 1 || s.HSMSSH.Sessions() <= opened {
		t.Errorf("asked %v, %d sessions, %d before the answer", b.person.asked, s.HSMSSH.Sessions(), opened)
	}
}

// eventually looks until something holds, for so long at most.
func eventually(t *testing.T, limit time.Duration, holds func() bool) bool {
	t.Helper()
	deadline, tick := time.After(limit), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		case <-t.Context().Done():
			return false
		}
	}
	return true
}

// What a user's role may not ask is evidence, not failure, as long as the link
// can be made and proved; a right without which it cannot be made is named.
func TestRoles(t *testing.T) {
	t.Parallel()
	without := func(commands ...string) []string { return commands }
	for name, c := range map[string]struct {
		forbidden []string
		exit      int
		step      string
		says      []string
	}{
		"admin":                      {luna.Admin.Forbidden(), ui.ExitOK, "confirm-client", []string{"fingerprint is that of the client's certificate"}},
		"operator":                   {luna.Operator.Forbidden(), ui.ExitOK, "verify-link", []string{"by serial number"}},
		"the guides' registrar":      {luna.Registrar.Forbidden(), ui.ExitOK, "confirm-client", []string{"may not ask `client show`", "may not ask `client fingerprint`", "vtl verify decides"}},
		"without client show":        {without("client show"), ui.ExitOK, "assign-partition", []string{"may not ask `client show`; vtl verify reaches partition6"}},
		"without client fingerprint": {without("client fingerprint"), ui.ExitOK, "confirm-client", []string{"may not ask `client fingerprint`", "vtl verify decides"}},
		"without partition list":     {without("partition list"), ui.ExitOK, "verify-link", []string{"by label", "may not ask for serial numbers"}},
		"without any of these":       {without("client show", "client fingerprint", "partition list"), ui.ExitOK, "verify-link", []string{"by label"}},
		"without client register":    {without("client register"), ui.ExitFailed, "register-client", []string{"this user lacks the right to `client register`"}},
		"without assignPartition":    {without("client assignPartition"), ui.ExitFailed, "assign-partition", []string{"this user lacks the right to `client assignPartition`"}},
		"without client list":        {without("client list"), ui.ExitFailed, "", []string{"this user lacks the right to `client list`"}},
		"without copying":            {without("scp"), ui.ExitFailed, "add-server", []string{"server.pem"}},
		"monitor":                    {luna.Monitor.Forbidden(), ui.ExitFailed, "add-server", []string{"server.pem"}},
	} {
		for _, dialect := range []string{"5.3", "7.9"} {
			t.Run(name+" "+dialect, func(t *testing.T) {
				s := lab.Start(t, lab.Options{Kind: lab.Linux, Dialect: dialect, Appliance: luna.Options{Forbidden: c.forbidden}})
				b := dialling(t)
				applied := b.expect(t, c.exit, the("apply", wordsFor(s, "partition6"), "-y")...)
				said := ""
				if c.step == "" {
					said = document(t, applied).Links[0].Error.Message
				} else {
					said = stepIn(t, applied, c.step).Reason
				}
				for _, want := range c.says {
					if !strings.Contains(said, want) {
						t.Errorf("no %q in %s", want, said)
					}
				}
				if c.exit != ui.ExitOK {
					return
				}
				after := hash(t, s)
				b.expect(t, ui.ExitOK, the("apply", wordsFor(s, "partition6"))...)
				if hash(t, s) != after {
					t.Error("a run with nothing to do changed something")
				}
			})
		}
	}
}

// Whoever may only read sees a link that somebody else has made.
func TestMonitorSeesTheLink(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"5.3", "7.9"} {
		s := lab.Start(t, lab.Options{Kind: lab.Linux, Dialect: dialect})
		words := wordsFor(s, "partition6")
		b := dialling(t)
		b.expect(t, ui.ExitOK, the("apply", words, "-y")...)
		if err := s.Appliance().Update(func(st *luna.State) error { st.Options.Forbidden = luna.Monitor.Forbidden(); return nil }); err != nil {
			t.Fatal(err)
		}
		before := hash(t, s)
		seen := b.expect(t, ui.ExitOK, the("status", words)...)
		for id, want := range map[string]string{
			"add-server":       "this user may not copy files",
			"confirm-client":   "may not ask `client fingerprint`",
			"assign-partition": "NS-web1 has partition6",
			"verify-link":      "by label",
		} {
			if step := stepIn(t, seen, id); step.Status != orchestrator.OK || !strings.Contains(step.Reason, want) {
				t.Errorf("%s %s: %s, no %q in %s", dialect, id, step.Status, want, step.Reason)
			}
		}
		if hash(t, s) != before {
			t.Error("something was changed")
		}
	}
}

// The command that is refused is not tried again, and nothing is sent that the
// role has no use for.
func TestARefusedRightIsAskedOnce(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{Kind: lab.Linux, Appliance: luna.Options{Forbidden: []string{"client register"}}})
	dialling(t).expect(t, ui.ExitFailed, the("apply", wordsFor(s, "partition6"), "-y")...)
	commands, err := s.Commands()
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count([]byte(strings.Join(commands, "\n")), []byte("client register")); n != 1 {
		t.Errorf("sent %d times:\n%s", n, strings.Join(commands, "\n"))
	}
}
