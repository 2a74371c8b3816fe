package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/orchestrator"
)

// visit is a bench whose hosts are a simulated site, and the words that name it.
func visit(t *testing.T, o lab.Options) (*bench, *lab.Site, []string) {
	t.Helper()
	s := lab.Start(t, o)
	return dialling(t), s, []string{
		"--client", s.ClientTarget, "--hsm", s.HSMTarget, "--client-address", s.ClientAddress, "--hsm-address", s.HSMAddress,
		"--name", "NS-web1", "--partition", "partition6", "--known-hosts", s.KnownHosts, "--client-root", s.ClientRoot,
	}
}

// again is the same program started anew.
func (b *bench) again(t *testing.T) *bench {
	t.Helper()
	fresh := dialling(t)
	fresh.person = b.person
	fresh.app.openTTY = b.app.openTTY
	fresh.app.env = b.app.env
	return fresh
}

func passwords(s *lab.Site) []string {
	return []string{"--client-password-file", s.ClientPasswordFile, "--hsm-password-file", s.HSMPasswordFile}
}

func hash(t *testing.T, s *lab.Site) string {
	t.Helper()
	h, err := s.WorldHash()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The main line: plan, apply, plan, apply, status.
func TestMainLine(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(words, passwords(s)...)
	before := hash(t, s)
	if got := b.main(t, append([]string{"plan", "-o", "json"}, words...)...); got != ui.ExitChanges {
		t.Fatalf("plan: exit %d, want 2\n%s", got, b.err.String())
	}
	if hash(t, s) != before {
		t.Error("the plan changed something")
	}
	helpLists(t, document(t, b).Links[0].Steps)

	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("apply: exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	state, err := s.Appliance().State()
	if err != nil {
		t.Fatal(err)
	}
	serial := state.Partitions[5].Serial
	for _, want := range []string{
		"The link is established: NS-web1 reaches partition6 (serial " + serial + ").",
		"add ssl hsmkey <KeyName> -hsmType SAFENET -serialNum " + serial + " -password <partition password>",
	} {
		if !strings.Contains(b.out.String(), want) {
			t.Errorf("no %q in\n%s", want, b.out.String())
		}
	}

	after := hash(t, s)
	for _, command := range []string{"plan", "apply", "status"} {
		b = b.again(t)
		if got := b.main(t, append([]string{command}, words...)...); got != ui.ExitOK {
			t.Errorf("%s once more: exit %d\n%s\n%s", command, got, b.out.String(), b.err.String())
		}
		if len(b.person.asked) > 0 {
			t.Errorf("%s once more: asked %q", command, b.person.asked)
		}
	}
	if !strings.Contains(b.out.String(), "HSM's    certificate is valid until ") {
		t.Errorf("status does not tell when the certificates expire:\n%s", b.out.String())
	}
	if hash(t, s) != after {
		t.Error("a run with nothing to do changed something")
	}
}

// helpLists: the help lists the steps by hand, so that it needs no hosts; it
// must list those that there are.
func helpLists(t *testing.T, steps []ui.Step) {
	t.Helper()
	var want, got []string
	for _, s := range steps {
		want = append(want, strconv.Itoa(s.N)+" "+s.ID+" "+s.Host)
	}
	_, list, _ := strings.Cut(rootTail, "Steps:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		got = append(got, strings.Join(strings.Fields(line)[:3], " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("help lists other steps (-there are +listed):\n%s", diff)
	}
}

// typist types the password that a prompt wants.
type typist struct {
	person
	answers map[string]string // by the host in the prompt
}

func (p *typist) Secret(_ context.Context, prompt string) (string, error) {
	p.note(prompt)
	for host, secret := range p.answers {
		if strings.Contains(prompt, host) {
			return secret, nil
		}
	}
	return "", nil
}

// Both passwords typed at the terminal, and the plan approved there.
func TestEverythingAsked(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{Kind: lab.Linux, HSMAuth: []string{lab.Interactive}})
	p := &typist{person: person{yes: true}, answers: map[string]string{s.ClientTarget: s.ClientPassword, s.HSMTarget: s.HSMPassword}}
	b.app.openTTY = func() (asker, error) { return p, nil }
	if got := b.main(t, words...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	if len(p.asked) != 3 || !strings.HasPrefix(p.asked[2], "Make these ") {
		t.Errorf("asked %q, want two passwords and the approval", p.asked)
	}
	if all := b.out.String() + b.err.String(); strings.Contains(all, s.ClientPassword) || strings.Contains(all, s.HSMPassword) {
		t.Error("a password was shown")
	}
	if strings.Contains(b.out.String(), "hsmkey") {
		t.Error("a Linux client is told NetScaler commands")
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	b.app.env.Getenv = func(name string) string {
		return map[string]string{"NTL_SETUP_CLIENT_PASSWORD": s.ClientPassword, "NTL_SETUP_HSM_PASSWORD": "canary"}[name]
	}
	before := hash(t, s)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d, want 4\n%s", got, b.err.String())
	}
	l := document(t, b).Links[0]
	if l.Error == nil || l.Error.Class != "auth" || l.Result != orchestrator.Unreachable {
		t.Errorf("%+v", l)
	}
	if strings.Contains(b.out.String()+b.err.String(), "canary") {
		t.Error("the password was shown")
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
}

func TestUnknownHostKey(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	if err := os.Truncate(s.KnownHosts, 0); err != nil {
		t.Fatal(err)
	}
	words = append(words, passwords(s)...)
	if got := b.main(t, append([]string{"plan", "-o", "json"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d, want 4", got)
	}
	if e := document(t, b).Links[0].Error; e == nil || e.Class != "host-key" || !strings.Contains(e.Hint, "--accept-new-host-keys") {
		t.Errorf("%+v", e)
	}
	b = b.again(t)
	if got := b.main(t, append([]string{"plan", "--accept-new-host-keys"}, words...)...); got != ui.ExitChanges {
		t.Errorf("accepted: exit %d, want 2\n%s", got, b.err.String())
	}
	b = b.again(t)
	if got := b.main(t, append([]string{"plan"}, words...)...); got != ui.ExitChanges {
		t.Errorf("remembered: exit %d, want 2\n%s", got, b.err.String())
	}
}

// A client without the Luna software is no matter of connecting.
func TestNoLunaClient(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	words = append(append(words, passwords(s)...), "--client-root", t.TempDir(), "-o", "json")
	if got := b.main(t, append([]string{"plan"}, words...)...); got != ui.ExitFailed {
		t.Errorf("exit %d, want 1\n%s", got, b.err.String())
	}
	if e := document(t, b).Links[0].Error; e == nil || e.Class != "remote" || !strings.Contains(e.Message, "no Luna client") {
		t.Errorf("%+v", e)
	}
}

func TestRecognisingTakesTooLong(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(append(words, passwords(s)...), "--step-timeout", "1ms", "-o", "json")
	if got := b.main(t, append([]string{"plan"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d, want 4\n%s", got, b.err.String())
	}
	e := document(t, b).Links[0].Error
	if e == nil || e.Class != "timeout" || !strings.Contains(e.Hint, "--step-timeout") {
		t.Errorf("%+v", e)
	}
}
