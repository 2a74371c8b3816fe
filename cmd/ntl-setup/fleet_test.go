package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/orchestrator"
)

// fleetOf is a file of links: every client with one appliance, that of the first
// site. The further words are flags that go with it.
func fleetOf(t *testing.T, sites []*lab.Site) (file string, words []string) {
	t.Helper()
	dir := t.TempDir()
	var known, text strings.Builder
	hsm := sites[0]
	fmt.Fprintf(&text, "hsms:\n  hsm1: {host: %q, address: %s, password_file: %q}\nclients:\n", hsm.HSMTarget, hsm.HSMAddress, hsm.HSMPasswordFile)
	for i, s := range sites {
		data, err := os.ReadFile(s.KnownHosts)
		if err != nil {
			t.Fatal(err)
		}
		known.Write(data)
		fmt.Fprintf(&text, "  web%d: {host: %q, address: %s, root: %q, password_file: %q}\n", i, s.ClientTarget, s.ClientAddress, s.ClientRoot, s.ClientPasswordFile)
	}
	text.WriteString("links:\n")
	for i := range sites {
		fmt.Fprintf(&text, "  - {client: web%d, hsm: hsm1, partition: partition6, name: NS-web%d}\n", i, i)
	}
	for name, content := range map[string]string{"ntl.yaml": text.String(), "known": known.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "ntl.yaml"), []string{"-f", filepath.Join(dir, "ntl.yaml"), "--known-hosts", filepath.Join(dir, "known")}
}

func sitesFor(t *testing.T, n int, o lab.Options) []*lab.Site {
	t.Helper()
	sites := make([]*lab.Site, n)
	for i := range sites {
		sites[i] = lab.Start(t, o)
	}
	return sites
}

// results are what became of the links, in the order of the document.
func results(t *testing.T, b *bench) []string {
	t.Helper()
	var all []string
	for _, l := range document(t, b).Links {
		all = append(all, l.ID+" "+string(l.Result))
	}
	return all
}

// Many clients with one appliance: planned, applied over one connection and one
// session there, and found in order; a link added later is the only one that
// changes anything.
func TestFleet(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 6, lab.Options{})
	hsm := sites[0]
	_, words := fleetOf(t, sites)
	b := dialling(t)
	five := append([]string{"-o", "json", "--skip", "web5"}, words...)
	if got := b.main(t, append([]string{"plan"}, five...)...); got != ui.ExitChanges {
		t.Fatalf("plan: exit %d\n%s", got, b.err.String())
	}
	logins := loginsOf(t, hsm)
	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "-y"}, five...)...); got != ui.ExitOK {
		t.Fatalf("apply: exit %d\n%s\n%s", got, b.err.String(), b.out.String())
	}
	want := []string{"web0/hsm1 established", "web1/hsm1 established", "web2/hsm1 established", "web3/hsm1 established", "web4/hsm1 established"}
	if got := results(t, b); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if n := loginsOf(t, hsm) - logins; n != 1 {
		t.Errorf("%d logins for five links", n)
	}
	count := map[string]int{}
	commands, err := hsm.Commands()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		for _, verb := range []string{"client list", "partition list", "client register", "client assignPartition"} {
			if strings.Contains(c, verb) {
				count[verb]++
			}
		}
	}
	// One of each by the plan, one by the run.
	if count["client list"] != 2 || count["partition list"] != 2 || count["client register"] != 5 || count["client assignPartition"] != 5 {
		t.Errorf("%v", count)
	}
	var before []string
	for _, s := range sites[:5] {
		before = append(before, treeOf(t, s))
	}
	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json"}, words...)...); got != ui.ExitOK {
		t.Fatalf("again: exit %d\n%s", got, b.err.String())
	}
	for i, s := range sites[:5] {
		if treeOf(t, s) != before[i] {
			t.Errorf("web%d was changed by a run that had nothing to do there", i)
		}
	}
}

// treeOf is a hash of the client's world.
func treeOf(t *testing.T, s *lab.Site) string {
	t.Helper()
	if s.Kind == lab.NetScaler {
		gateways, err := s.Gateways()
		if err != nil || len(gateways) != 1 {
			t.Errorf("gateways %v, %v", gateways, err)
		}
	}
	data, err := os.ReadFile(filepath.Join(s.ClientRoot, "etc", "Chrystoki.conf"))
	if err != nil {
		t.Fatal(err)
	}
	calls, err := s.VtlCalls()
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, c := range calls {
		if strings.Contains(c, "createCert") || strings.Contains(c, "addServer") {
			made++
		}
	}
	return fmt.Sprint(string(data), made)
}

// loginsOf is how often somebody logged in at the appliance.
func loginsOf(t *testing.T, s *lab.Site) int { t.Helper(); return s.HSMSSH.Logins() }

// Without -y all links are shown and asked for once; a no changes nothing.
func TestFleetAsksOnce(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 2, lab.Options{Kind: lab.Linux})
	_, words := fleetOf(t, sites)
	for _, yes := range []bool{false, true} {
		b := dialling(t)
		b.person.yes = yes
		want := ui.ExitDeclined
		if yes {
			want = ui.ExitOK
		}
		if got := b.main(t, append([]string{"apply"}, words...)...); got != want {
			t.Fatalf("exit %d, want %d\n%s\n%s", got, want, b.err.String(), b.out.String())
		}
		if len(b.person.asked) != 1 || b.person.asked[0] != "Change these 2 links? [y/N] " {
			t.Errorf("asked %q", b.person.asked)
		}
		for _, shown := range []string{"NS-web0", "NS-web1", "create-certificate"} {
			if !strings.Contains(b.err.String(), shown) {
				t.Errorf("%s was not shown\n%s", shown, b.err.String())
			}
		}
	}
}

// One link that fails, one that needs a decision, and one that is not reached
// stop themselves alone; a report brings those back.
func TestFleetWithTrouble(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 4, lab.Options{Kind: lab.Linux})
	file, words := fleetOf(t, sites)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(text), sites[1].ClientTarget, "root@127.0.0.1:1", 1)                                             // nobody listens there
	broken = strings.Replace(broken, "client: web2, hsm: hsm1, partition: partition6", "client: web2, hsm: hsm1, partition: none", 1) // no such partition
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json"}, words...)...); got != ui.ExitFailed {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	want := []string{"web0/hsm1 established", "web1/hsm1 unreachable", "web2/hsm1 conflict", "web3/hsm1 established"}
	if got := results(t, b); !slices.Equal(got, want) {
		t.Errorf("%v\n%s", got, b.err.String())
	}
	if d := document(t, b); d.Result != ui.Partial {
		t.Errorf("the whole is %s", d.Result)
	}
	report := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(report, []byte(b.out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil { // somebody has mended the file
		t.Fatal(err)
	}
	b = dialling(t) // the client that was not reached stands in the report by its old address
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", "--retry-failed", report}, words...)...); got != ui.ExitOK {
		t.Errorf("retry: exit %d\n%s", got, b.err.String())
	}
	if got := results(t, b); !slices.Equal(got, []string{"web1/hsm1 established", "web2/hsm1 established"}) {
		t.Errorf("%v", got)
	}
	if said := "2 of the 2 unsuccessful links of " + report + " are tried"; !strings.Contains(b.err.String(), said) {
		t.Errorf("no %q in\n%s", said, b.err.String())
	}
	// Once more with what came of that: there is nothing left, which is no error.
	if err := os.WriteFile(report, []byte(b.out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	b = dialling(t)
	b.app.openTTY = func() (asker, error) { return nil, ui.ErrNoTerminal }
	if got := b.main(t, append([]string{"apply", "-o", "json", "--retry-failed", report}, words...)...); got != ui.ExitOK || !strings.Contains(b.err.String(), "nothing to do") {
		t.Errorf("nothing to retry: exit %d\n%s", got, b.err.String())
	}
	if d := document(t, b); d.Result != orchestrator.Established || len(d.Links) != 0 {
		t.Errorf("%+v", d)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A plan that one person makes is what another applies; once the world has moved
// it is refused.
func TestSavedPlan(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 2, lab.Options{Kind: lab.Linux})
	_, words := fleetOf(t, sites)
	out := filepath.Join(t.TempDir(), "plan.json")
	b := dialling(t)
	if got := b.main(t, append([]string{"plan", "--out", out}, words...)...); got != ui.ExitChanges {
		t.Fatalf("plan: exit %d\n%s", got, b.err.String())
	}
	for _, s := range sites {
		for _, secret := range []string{s.ClientPassword, s.HSMPassword} {
			if strings.Contains(string(mustRead(t, out)), secret) {
				t.Error("the plan holds a password")
			}
		}
	}
	edited := filepath.Join(t.TempDir(), "edited.json")
	if err := os.WriteFile(edited, []byte(strings.Replace(string(mustRead(t, out)), "partition6", "partition5", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := words[2:] // --known-hosts
	b = dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", edited}, keys...)...); got != ui.ExitUsage || !strings.Contains(b.err.String(), "it was damaged or edited") {
		t.Errorf("an edited plan: exit %d\n%s", got, b.err.String())
	}
	b = dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", out, "--name", "x"}, keys...)...); got != ui.ExitUsage {
		t.Errorf("a plan and --name: exit %d\n%s", got, b.err.String())
	}
	// Somebody else makes the first client's pair meanwhile.
	other := dialling(t)
	one := append([]string{"apply", "-y", "--only", "web0"}, words...)
	if got := other.main(t, one...); got != ui.ExitOK {
		t.Fatalf("meanwhile: exit %d\n%s", got, other.err.String())
	}
	if err := os.Remove(filepath.Join(sites[0].ClientRoot, "usr/safenet/lunaclient/cert/server/CAFile.pem")); err != nil {
		t.Fatal(err)
	}
	b = dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", out}, keys...)...); got != ui.ExitConflict {
		t.Errorf("a stale plan: exit %d\n%s", got, b.err.String())
	}
	if got := results(t, b); !slices.Equal(got, []string{"web0/hsm1 conflict", "web1/hsm1 conflict"}) {
		t.Errorf("%v\n%s", got, b.err.String())
	}
	for i, want := range []string{"was changed since the plan was made", "not done: the plan is stale in web0/hsm1"} {
		if e := document(t, b).Links[i].Error; e == nil || !strings.Contains(e.Message, want) {
			t.Errorf("%d: %v, want %q", i, e, want)
		}
	}
	if names := registeredOn(t, sites[0]); slices.Contains(names, "NS-web1") {
		t.Errorf("a plan that is stale in one link was done in another: %v", names)
	}
}

// A password that was refused for one link is offered by none of the others.
func TestFleetOffersAWrongPasswordOnce(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 4, lab.Options{Kind: lab.Linux})
	file, words := fleetOf(t, sites)
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("not it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := string(mustRead(t, file))
	for _, s := range sites {
		text = strings.ReplaceAll(text, s.ClientPasswordFile, wrong)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", "--parallel", "1"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	refused := 0
	for _, s := range sites {
		refused += s.ClientSSH.PasswordsTried()
	}
	if refused != 1 {
		t.Errorf("it was offered %d times", refused)
	}
	for i, l := range document(t, b).Links {
		if said := "has refused it in this run"; l.Error != nil && strings.Contains(l.Error.Message, said) != (i > 0) {
			t.Errorf("%s: %s", l.ID, l.Error.Message)
		}
		if l.Result != orchestrator.Unreachable || l.Error == nil || l.Error.Class != "auth" {
			data, _ := json.Marshal(l.Error)
			t.Errorf("%s: %s %s", l.ID, l.Result, data)
		}
	}
}

// A NetScaler that gets two HSMs in one run: both links come as far as they can
// before the gateway's steps, so that it starts once, with both of them.
func TestFleetStartsTheGatewayOnce(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{})
	second := lab.AddAppliance(t, s, lab.Options{})
	dir := t.TempDir()
	text := fmt.Sprintf(`
hsms:
  hsm1: {host: %q, address: %s, password_file: %q}
  hsm2: {host: %q, address: %s, password_file: %q}
clients:
  ns1: {host: %q, address: %s, root: %q, password_file: %q}
links:
  - {client: ns1, hsm: [hsm1, hsm2], partition: [partition5, partition6]}
`, s.HSMTarget, s.HSMAddress, s.HSMPasswordFile, second.HSMTarget, second.HSMAddress, second.HSMPasswordFile,
		s.ClientTarget, s.ClientAddress, s.ClientRoot, s.ClientPasswordFile)
	file := filepath.Join(dir, "ntl.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	words := []string{"-f", file, "--known-hosts", s.KnownHosts}
	b := dialling(t)
	b.person.yes = true
	if got := b.main(t, append([]string{"apply", "-o", "events"}, words...)...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	acts := map[string]int{}
	for line := range strings.Lines(b.out.String()) {
		var e ui.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Event == ui.EventAct {
			acts[e.Step.ID]++
		}
	}
	for id, want := range map[string]int{
		"create-certificate": 1, "add-server": 2, "register-client": 2, "persist-config": 1, "start-gateway": 1, "enroll-gateway": 1,
	} {
		if acts[id] != want {
			t.Errorf("%s acted %d times, want %d", id, acts[id], want)
		}
	}
	conf := string(mustRead(t, filepath.Join(s.ClientRoot, "etc", "Chrystoki.conf")))
	for _, want := range []string{s.HSMAddress, second.HSMAddress} {
		if !strings.Contains(conf, want) {
			t.Errorf("no %s in\n%s", want, conf)
		}
	}
	noLock(t, s)
	before := treeOf(t, s)
	b = dialling(t)
	if got := b.main(t, append([]string{"apply"}, words...)...); got != ui.ExitOK || len(b.person.asked) > 0 || treeOf(t, s) != before {
		t.Errorf("once more: exit %d, asked %q\n%s", got, b.person.asked, b.err.String())
	}
}

// A password that nobody gave is asked for once, and the prompt says for how
// many hosts it is.
func TestFleetAsksForAPasswordOnce(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 3, lab.Options{Kind: lab.Linux})
	file, words := fleetOf(t, sites)
	text := string(mustRead(t, file))
	for _, s := range sites[:2] {
		text = strings.Replace(text, fmt.Sprintf(", password_file: %q}", s.ClientPasswordFile), "}", 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := dialling(t)
	b.person.secret = sites[0].ClientPassword // the other one has another
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", "--parallel", "1"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	if len(b.person.asked) != 1 || !strings.HasSuffix(b.person.asked[0], " (and one more host) password: ") {
		t.Errorf("asked %q", b.person.asked)
	}
	if got := results(t, b); !slices.Equal(got, []string{"web0/hsm1 established", "web1/hsm1 unreachable", "web2/hsm1 established"}) {
		t.Errorf("%v", got)
	}
}

// An appliance that drops its connection in the middle costs the link that is at
// work, at most: the next one has a connection of its own.
func TestFleetAfterALostConnection(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 3, lab.Options{Kind: lab.Linux})
	hsm := sites[0]
	_, words := fleetOf(t, sites)
	var cut sync.WaitGroup
	cut.Go(func() {
		if err := awaitWord(t, filepath.Join(hsm.Dir, "hsm", "commands.log"), "client register"); err != nil {
			t.Error(err)
		}
		hsm.HSMSSH.DropConnections()
	})
	b := dialling(t)
	words = append([]string{"apply", "-y", "-o", "json", "--parallel", "1"}, words...)
	b.main(t, words...)
	cut.Wait()
	got := results(t, b)
	if len(got) != 3 || got[1] != "web1/hsm1 established" || got[2] != "web2/hsm1 established" {
		t.Errorf("%v\n%s", got, b.err.String())
	}
	b = dialling(t)
	if status := b.main(t, words...); status != ui.ExitOK {
		t.Errorf("rerun: exit %d\n%s", status, b.err.String())
	}
}
