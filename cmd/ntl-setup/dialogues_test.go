package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
)

const (
	banner5 = "Last login: Mon Jan  5 09:12:44 2026 from 192.0.2.77\r\n\r\nLuna SA 5.4.7-1 Command Line Shell - Copyright (c) 2001-2014 SafeNet, Inc. All rights reserved.\r\n\r\n"
	banner7 = "Last login: Mon Jan  5 09:12:44 2026\r\n\r\nLuna Network HSM Command Line Shell v7.2.0-220. Copyright (c) 2018 SafeNet. All rights reserved.\r\n\r\n"
	box7    = "***********************************************\r\n**   For security purposes, you must change  **\r\n**   your password before you go on.         **\r\n***********************************************\r\n\r\n"
)

// dialogue is an appliance that wants something else than commands.
type dialogue struct {
	set     func(*door)
	class   string
	exit    int
	message string // must be in the error
	hint    string // must be in the hint
	tried   int64  // passwords and answers that may be given
}

func dialogues() map[string]dialogue {
	const wanted, byHand = "new password", "by hand"
	asking := func(rounds ...question) func(*door) {
		return func(d *door) { d.interactive(doorPassword, rounds...) }
	}
	return map[string]dialogue{
		"first login, 7.x": {shows(banner7+box7+"Changing password for user hsm_admin.\r\n\r\nYou can now choose the new password.\r\n\r\nA valid password should be a mix of upper and lower case letters,\r\ndigits, and other characters.\r\n\r\nNew password: ", false),
			"dialogue", 4, wanted, byHand, 1},
		"first login, 5.x": {shows(banner5+"Changing password for hsm_admin\r\n\r\nEnter new password: ", false), "dialogue", 4, wanted, byHand, 1},
		"expired, PAM's words": {shows("WARNING: Your password has expired.\r\nYou must change your password now and login again!\r\nChanging password for user hsm_admin.\r\n(current) UNIX password: ", false),
			"dialogue", 4, wanted, byHand, 1},
		"aged, PAM's words":        {shows("You are required to change your password immediately (password expired).\r\nCurrent password: ", false), "dialogue", 4, wanted, byHand, 1},
		"must change, and shut":    {shows(banner7+"You must change your password. Contact your administrator.\r\n", true), "dialogue", 4, wanted, byHand, 1},
		"a demand, and quiet":      {shows(banner7+"WARNING: You must change your password\r\n", false), "dialogue", 4, wanted, byHand, 1},
		"change it now":            {shows(banner7+"Your password has expired. Change it now? [y/n] ", false), "dialogue", 4, wanted, byHand, 1},
		"press any key":            {shows(banner7+"Press any key to continue...", false), "dialogue", 4, "asks something", byHand, 1},
		"asks for a PIN":           {shows(banner7+"Please enter the PIN of the appliance: ", false), "dialogue", 4, "asks for a secret", byHand, 1},
		"asks to accept terms":     {shows(banner7+"Do you accept the terms of use (yes/no)? ", false), "dialogue", 4, "asks something", byHand, 1},
		"type proceed":             {shows(banner7+"The HSM was tampered with.\r\nType 'proceed' to continue, or 'quit'\r\nto quit now.\r\n> ", false), "dialogue", 4, "asks something", byHand, 1},
		"too many logins":          {shows("Too many logins for 'hsm_admin'.\r\n", true), "connect", 4, "Too many logins", "sessions", 1},
		"shut after the login":     {shows("", true), "connect", 4, "prompt", "sysconf ssh client", 1},
		"another machine's shell":  {shows("Welcome to web1\r\nroot@web1:~# ", false), "protocol", 1, "does not look like a Luna appliance", "--hsm", 1},
		"no more sessions":         {func(d *door) { d.password(doorPassword); d.reject = "too many sessions" }, "connect", 4, "too many sessions", "sessions", 1},
		"shut before the greeting": {func(d *door) { d.greet = func(net.Conn) {} }, "connect", 4, "without a greeting", "sysconf ssh client", 0},
		"told off before SSH": {func(d *door) {
			d.greet = func(c net.Conn) { _, _ = io.WriteString(c, "Your address is not allowed.\r\n") }
		}, "connect", 4, "not allowed", "port", 0},
		"several questions":          {asking(question{"", []string{"Password: ", "Token code: "}, []bool{false, false}}), "dialogue", 4, "Token code", "-i", 0},
		"an echoed question":         {asking(question{"", []string{"Password: "}, []bool{true}}), "dialogue", 4, "not just a password", "-i", 0},
		"a question of its own":      {asking(asks("Verification code: ")), "dialogue", 4, "Verification code", "-i", 0},
		"interactive, new password":  {asking(asks("New password: ")), "dialogue", 4, wanted, byHand, 0},
		"interactive, expired":       {asking(question{"Your password has expired. Choose a new one.", []string{"Password: "}, []bool{false}}), "dialogue", 4, wanted, byHand, 0},
		"interactive, then new":      {asking(asks("Password: "), asks("New password: "), asks("Retype new password: ")), "dialogue", 4, wanted, byHand, 1},
		"interactive, then a second": {asking(asks("Password: "), asks("Token code: ")), "dialogue", 4, "Token code", "-i", 1},
		"announcement and password": {asking(question{instruction: "Authorised use only."}, asks("Password for hsm_admin@labhsm1: ")),
			"connect", 4, "refuses another channel", "sessions", 1}, // let in, which is the point
	}
}

// Whatever an appliance wants at the door: it is recognised before one byte is
// typed, with an error of its own and advice, and nothing is changed anywhere.
// All the runs wait side by side.
func TestDialoguesAtTheDoor(t *testing.T) {
	_, s, words := visit(t, lab.Options{})
	before := hash(t, s)
	type run struct {
		*bench
		door   *door
		status int
	}
	runs := map[string]*run{}
	var all sync.WaitGroup
	for name, c := range dialogues() {
		r := &run{bench: dialling(t), door: opened(t, c.set)}
		runs[name] = r
		line := slices.Concat([]string{"apply", "-y", "-o", "json", "--timeout", "2m"}, words, []string{"--client-password-file", s.ClientPasswordFile,
			"--hsm", r.door.address, "--hsm-host-key", r.door.pin, "--hsm-password-file", r.door.passwordFile})
		all.Go(func() { r.status = r.app.main(t.Context(), line) })
	}
	all.Wait()
	for name, c := range dialogues() {
		t.Run(name, func(t *testing.T) {
			r := runs[name]
			if r.status != c.exit {
				t.Errorf("exit %d, want %d\n%s", r.status, c.exit, r.err.String())
			}
			e := document(t, r.bench).Links[0].Error
			if e == nil || e.Class != c.class || !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("want %s, %q and %q: %+v", c.class, c.message, c.hint, e)
			}
			if n := r.door.typed.Load(); n != 0 {
				t.Errorf("%d bytes were typed", n)
			}
			if n := r.door.tried.Load(); n != c.tried {
				t.Errorf("%d passwords or answers were given, want %d", n, c.tried)
			}
			if all := r.out.String() + r.err.String(); strings.Contains(all, doorPassword) {
				t.Error("the password was shown")
			}
		})
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
}

// A demand that was seen when the time was over is what is told, and not the time.
// It must be seen by then also on a machine that has much else to do.
func TestADialogueGoesBeforeTheClock(t *testing.T) {
	t.Parallel()
	for _, limit := range []string{"--step-timeout", "--timeout"} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			_, s, words := visit(t, lab.Options{})
			d := opened(t, shows(banner7+"WARNING: You must change your password\r\n", false))
			b := dialling(t)
			got := b.main(t, slices.Concat([]string{"plan", "-o", "json", limit, "12s"}, words, []string{"--client-password-file", s.ClientPasswordFile,
				"--hsm", d.address, "--hsm-host-key", d.pin, "--hsm-password-file", d.passwordFile})...)
			if e := document(t, b).Links[0].Error; got != ui.ExitUnreachable || e == nil || e.Class != "dialogue" || !strings.Contains(e.Message, "must change your password") {
				t.Errorf("exit %d, %+v", got, e)
			}
		})
	}
}

// The client's login may refuse to run anything too.
func TestClientWithAnExpiredPassword(t *testing.T) {
	_, s, words := visit(t, lab.Options{})
	for name, text := range map[string]string{
		"expired": "WARNING: Your password has expired.\nPassword change required but no TTY available.\n",
		"aged":    "You are required to change your password immediately (administrator enforced).\nPassword change required but no TTY available.\n",
	} {
		t.Run(name, func(t *testing.T) {
			d := opened(t, func(d *door) {
				d.password(doorPassword)
				d.serve = func(s io.ReadWriter, _, _ string) int { _, _ = io.WriteString(s, text); return 1 }
			})
			b := dialling(t)
			args := append([]string{"plan", "-o", "json"}, words...)
			args = append(args, "--client", d.address, "--client-host-key", d.pin, "--client-password-file", d.passwordFile, "--hsm-password-file", s.HSMPasswordFile)
			if got := b.main(t, args...); got != ui.ExitUnreachable {
				t.Errorf("exit %d, want 4\n%s", got, b.err.String())
			}
			if e := document(t, b).Links[0].Error; e == nil || e.Class != "dialogue" || !strings.Contains(e.Hint, "by hand") {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A wrong password is offered once, whichever methods a server lists, and once
// to each where both hosts got the same one.
func TestWrongPasswordIsOfferedOnce(t *testing.T) {
	password := func(d *door) { d.password("another") }
	interactive := func(d *door) { d.interactive("another", asks("Password: ")) }
	key := func(d *door) {
		d.config.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, errDoor }
	}
	for name, set := range map[string][]func(*door){
		"password": {password}, "interactive": {interactive}, "both": {password, interactive}, "all": {key, interactive, password},
		"asks again and again": {func(d *door) {
			d.interactive("another", asks("Password: "), asks("Password: "), asks("Password: "))
		}},
	} {
		for _, both := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", both hosts"}[both], func(t *testing.T) {
				all := func(d *door) {
					for _, f := range set {
						f(d)
					}
				}
				hsm, client := opened(t, all), opened(t, func(d *door) { d.password(doorPassword) })
				if both {
					client = opened(t, all)
				}
				b := dialling(t)
				got := b.main(t, args(t, "plan", client.address, hsm.address, "--client-host-key", client.pin, "--hsm-host-key", hsm.pin,
					"--client-password-file", client.passwordFile, "--hsm-password-file", hsm.passwordFile)...)
				if e := document(t, b).Links[0].Error; got != ui.ExitUnreachable || e == nil || e.Class != "auth" || !strings.Contains(e.Hint, "offered once") {
					t.Errorf("exit %d, %+v", got, e)
				}
				if n := hsm.tried.Load(); n > 1 || n == 0 && !both {
					t.Errorf("the appliance was offered %d passwords", n)
				}
				if n := client.tried.Load(); n > 1 {
					t.Errorf("the client was offered %d passwords", n)
				}
				if hsm.seen.Load() > 1 || client.seen.Load() > 1 {
					t.Errorf("dialled %d and %d times", hsm.seen.Load(), client.seen.Load())
				}
			})
		}
	}
}

// Banners and messages of the day are noise, whatever they say.
func TestNoiseBeforeThePrompt(t *testing.T) {
	noise := "\x1b[2J\x1b[1;31m*** WARNING: unauthorised access is prohibited ***\x1b[0m\r\n" +
		"Your password will expire in 3 days; you must change your password soon.\r\nQuestions? Ask security@example.net\r\n" +
		"Use [labhsm1] lunash:> help for help.\r\n\x1b]0;owned\x07Software: Luna Network HSM Command Line Shell v7.8.5-20\r\n> \r\n"
	b, s, words := visit(t, lab.Options{Kind: lab.Linux, Appliance: luna.Options{Banner: noise, ANSI: true, TrailingBlank: true}})
	words = append(words, passwords(s)...)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Errorf("exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	unsteered(t, "a noisy banner", b.out.String()+b.err.String())
}

// An appliance that wants `hsm login` first is recognised by its answer alone;
// the login is never sent, and the same command goes on once it is done.
func TestApplianceThatWantsALogin(t *testing.T) {
	b, s, words := visit(t, lab.Options{Kind: lab.Linux, Appliance: luna.Options{ForceSOLogin: true}})
	words = append(words, passwords(s)...)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json"}, words...)...); got != ui.ExitFailed {
		t.Errorf("exit %d, want 1\n%s", got, b.err.String())
	}
	l := document(t, b).Links[0]
	var failure *orchestrator.Failure
	for _, step := range l.Steps {
		if step.ID == "register-client" {
			failure = step.Error
		}
	}
	if failure == nil || failure.Class != "remote" || !strings.Contains(failure.Hint, "forceSOLogin") && !strings.Contains(failure.Hint, "hsm login") {
		t.Errorf("%+v", failure)
	}
	state, err := s.Appliance().State()
	if err != nil {
		t.Fatal(err)
	}
	if state.Logins != 0 {
		t.Errorf("hsm login was sent %d times", state.Logins)
	}
	if err := s.Appliance().Update(func(st *luna.State) error { st.Options.ForceSOLogin = false; return nil }); err != nil {
		t.Fatal(err)
	}
	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Errorf("once more: exit %d\n%s", got, b.err.String())
	}
}

// The pin of the HSM's certificate, through the command line.
func TestPinnedCertificate(t *testing.T) {
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	words = append(append(words, passwords(s)...), "--replace-server-certificate", "-y", "-o", "json")
	before := hash(t, s)
	if got := b.main(t, append([]string{"apply", "--hsm-certificate", "SHA256:" + strings.Repeat("00", 32)}, words...)...); got != ui.ExitConflict {
		t.Errorf("exit %d, want 3\n%s", got, b.err.String())
	}
	e := document(t, b).Links[0].Error
	if e == nil || e.Class != "conflict" || !strings.Contains(e.Message, strings.Repeat("00", 32)) {
		t.Fatalf("%+v", e)
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
	_, shown, _ := strings.Cut(e.Message, "it holds SHA256:")
	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "--hsm-certificate", strings.ToLower(shown[:64])}, words...)...); got != ui.ExitOK {
		t.Errorf("with what it holds: exit %d\n%s", got, b.err.String())
	}
}

// A run never writes to a file of this machine but known_hosts, whatever names
// the hosts use for what they send.
func TestFilesOfThisMachineStay(t *testing.T) {
	home := t.TempDir()
	t.Chdir(home)
	t.Setenv("HOME", home)
	b, s, words := visit(t, lab.Options{Kind: lab.Linux, Dialect: "5"})
	words = append(words, passwords(s)...)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	err := filepath.WalkDir(home, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
