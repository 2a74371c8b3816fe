package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
)

// Clients that are not reached say nothing about their appliance: one connection
// and one lunash session for all links, and its lists are read once.
func TestUnreachableClientsLeaveTheApplianceAlone(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 5, lab.Options{Kind: lab.Linux})
	hsm := sites[0]
	file, words := fleetOf(t, sites)
	text := string(mustRead(t, file))
	for _, away := range []int{0, 1, 2} {
		text = strings.Replace(text, fmt.Sprintf("{host: %q, address: %s, root", sites[away].ClientTarget, sites[away].ClientAddress),
			fmt.Sprintf("{host: %q, address: %s, root", "root@127.0.0.1:"+fmt.Sprint(away+1), sites[away].ClientAddress), 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", "--parallel", "1"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	want := []string{"web0/hsm1 unreachable", "web1/hsm1 unreachable", "web2/hsm1 unreachable", "web3/hsm1 established", "web4/hsm1 established"}
	if got := results(t, b); !slices.Equal(got, want) {
		t.Errorf("%v\n%s", got, b.err.String())
	}
	if n := loginsOf(t, hsm); n != 1 {
		t.Errorf("%d logins", n)
	}
	commands, err := hsm.Commands()
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"client list", "partition list"} {
		if n := strings.Count(strings.Join(commands, "\n"), list); n != 1 {
			t.Errorf("%d times %s", n, list)
		}
	}
}

// acted counts the acts in the events of a run, by step.
func acted(t *testing.T, events string) map[string]int {
	t.Helper()
	acts := map[string]int{}
	for line := range strings.Lines(events) {
		var e ui.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Event == ui.EventAct {
			acts[e.Step.ID]++
		}
	}
	return acts
}

// A link that lost its appliance is tried once more before the gateway starts for
// the client's others: then it starts with all of them.
func TestALostLinkIsTriedBeforeTheGatewayStarts(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]string{"the first": "hsm1", "the last": "hsm2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cuts atomic.Int32
			faulty := lab.Options{Faults: func(command string, done bool) bool {
				return !done && strings.HasPrefix(command, "client register") && cuts.Add(1) == 1
			}}
			options := map[string]lab.Options{lose: faulty}
			s := lab.Start(t, options["hsm1"])
			second := lab.AddAppliance(t, s, options["hsm2"])
			b := dialling(t)
			if got := b.main(t, append([]string{"apply", "-y", "-o", "events"}, twoHSMs(t, s, second)...)...); got != ui.ExitOK {
				t.Errorf("exit %d\n%s", got, b.err.String())
			}
			if said := "note: ns1/" + lose + ": trying once more, before the client's gateway is started without this HSM"; !strings.Contains(b.err.String(), said) {
				t.Errorf("no %q in\n%s", said, b.err.String())
			}
			if strings.Contains(b.err.String(), "another run is at work") {
				t.Errorf("the run's own lock is told as somebody's\n%s", b.err.String())
			}
			if n := acted(t, b.out.String())["start-gateway"]; n != 1 {
				t.Errorf("the gateway was started %d times", n)
			}
			noLock(t, s)
			treeOf(t, s)
		})
	}
}

// Where the gateway starts without one of several HSMs, that link says what its
// next run needs, and why; and so it is.
func TestTheGatewayIsStartedWithoutAnHSM(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{})
	second := lab.AddAppliance(t, s, lab.Options{})
	words := twoHSMs(t, s, second)
	text := string(mustRead(t, words[1]))
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(words[1], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(text, s.HSMTarget, "hsm_admin@127.0.0.1:1", 1)) // nobody listens there
	report := filepath.Join(t.TempDir(), "report.json")
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	if got := results(t, b); !slices.Equal(got, []string{"ns1/hsm1 unreachable", "ns1/hsm2 established"}) {
		t.Fatalf("%v\n%s", got, b.err.String())
	}
	hint := document(t, b).Links[0].Error.Hint
	if !strings.Contains(hint, "safenet_gw was started without this HSM") || !strings.HasSuffix(hint, "the next run will need --restart-gateway") {
		t.Errorf("the hint is %q", hint)
	}
	if err := os.WriteFile(report, []byte(b.out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	write(text)
	retry := append([]string{"apply", "-y", "--retry-failed", report}, words...)
	b = dialling(t)
	if got := b.main(t, retry...); got != ui.ExitConflict || !strings.Contains(b.err.String()+b.out.String(), "--restart-gateway") {
		t.Errorf("without the flag: exit %d\n%s", got, b.err.String())
	}
	b = dialling(t)
	if got := b.main(t, append(retry, "--restart-gateway")...); got != ui.ExitOK {
		t.Errorf("with the flag: exit %d\n%s", got, b.err.String())
	}
}

// A password command that hosts share fails for each of them by its own name.
func TestASharedPasswordCommandFailsForEachHost(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{Kind: lab.Linux})
	second := lab.AddAppliance(t, s, lab.Options{})
	words := twoHSMs(t, s, second)
	text := strings.ReplaceAll(string(mustRead(t, words[1])), fmt.Sprintf("password_file: %q}\n  hsm2", s.HSMPasswordFile), "password_command: exit 3}\n  hsm2")
	text = strings.ReplaceAll(text, fmt.Sprintf("password_file: %q}\nclients", second.HSMPasswordFile), "password_command: exit 3}\nclients")
	if err := os.WriteFile(words[1], []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := dialling(t)
	if got := b.main(t, append([]string{"plan", "-o", "json"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	for i, l := range document(t, b).Links {
		if want := []string{s.HSMTarget, second.HSMTarget}[i] + ": the password command failed"; l.Error == nil || !strings.HasPrefix(l.Error.Message, want) {
			t.Errorf("%s: %+v, want %q", l.ID, l.Error, want)
		}
	}
}

// What --max-failures ends is told alike by all links that were not begun.
func TestMaxFailuresIsToldOnce(t *testing.T) {
	t.Parallel()
	file, words := fleetOf(t, sitesFor(t, 1, lab.Options{Kind: lab.Linux}))
	text := string(mustRead(t, file))
	var clients, links strings.Builder
	for i := range 4 {
		fmt.Fprintf(&clients, "  c%d: {host: \"root@127.0.0.1:%d\", address: 192.0.2.%d}\n", i, i+1, i+1)
		fmt.Fprintf(&links, "  - {client: c%d, hsm: hsm1, partition: partition6}\n", i)
	}
	text = text[:strings.Index(text, "clients:\n")] + "clients:\n" + clients.String() + "links:\n" + links.String()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := dialling(t)
	b.main(t, append([]string{"apply", "-y", "-o", "json", "--parallel", "1", "--max-failures", "2"}, words...)...)
	for i, l := range document(t, b).Links {
		if began := i < 2; l.Error == nil || (l.Error.Message == "not begun: --max-failures 2 is reached") == began {
			t.Errorf("%s: %+v", l.ID, l.Error)
		}
	}
}
