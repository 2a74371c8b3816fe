package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
)

// registeredOn are the names of the clients that the appliance knows.
func registeredOn(t *testing.T, s *lab.Site) []string {
	t.Helper()
	state, err := s.Appliance().State()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range state.Clients {
		names = append(names, c.Name)
	}
	slices.Sort(names) // links are done side by side
	return names
}

// planned saves a plan of a file of links.
func planned(t *testing.T, words []string) (out string) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "plan.json")
	b := dialling(t)
	if got := b.main(t, append([]string{"plan", "--out", out}, words...)...); got == ui.ExitOK || got == ui.ExitUsage {
		t.Fatalf("plan: exit %d\n%s", got, b.err.String())
	}
	return out
}

// edit changes a plan in the way of somebody who can also sum it.
func edit(t *testing.T, plan string, change func(*savedPlan)) {
	t.Helper()
	var p savedPlan
	if err := json.Unmarshal(mustRead(t, plan), &p); err != nil {
		t.Fatal(err)
	}
	change(&p)
	text, err := p.signed()
	if err == nil {
		err = os.WriteFile(plan, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A file that is edited while it is planned changes nothing about the plan: what
// was read is what was shown, and what is kept.
func TestASavedPlanKeepsWhatWasPlanned(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 3, lab.Options{Kind: lab.Linux})
	file, words := fleetOf(t, sites)
	all := string(mustRead(t, file))
	two := all[:strings.Index(all, "  - {client: web2")]
	if err := os.WriteFile(file, []byte(two), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "plan.json")
	b := dialling(t)
	b.app.run = func(ctx context.Context, j job) ui.Outcome {
		if err := os.WriteFile(file, []byte(all), 0o600); err != nil { // somebody edits it meanwhile
			t.Error(err)
		}
		return runLink(ctx, j)
	}
	if got := b.main(t, append([]string{"plan", "--out", out, "--parallel", "1"}, words...)...); got != ui.ExitChanges {
		t.Fatalf("plan: exit %d\n%s", got, b.err.String())
	}
	var p savedPlan
	if err := json.Unmarshal(mustRead(t, out), &p); err != nil || p.File.Text != two || len(p.Links) != 2 {
		t.Errorf("%v: %d links, of\n%s", err, len(p.Links), p.File.Text)
	}
	b = dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", out}, words[2:]...)...); got != ui.ExitOK {
		t.Errorf("apply: exit %d\n%s", got, b.err.String())
	}
	if got := registeredOn(t, sites[0]); !slices.Equal(got, []string{"NS-web0", "NS-web1"}) {
		t.Errorf("registered %v", got)
	}
}

// A link that a plan does not show is never worked on, whatever the file in it
// says; a plan that shows one which the file does not give is not begun.
func TestAPlanShowsEveryLinkThatIsDone(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 2, lab.Options{Kind: lab.Linux})
	_, words := fleetOf(t, sites)
	out := planned(t, words)
	whole := mustRead(t, out)
	edit(t, out, func(p *savedPlan) { p.Links[1].Name = "NS-other" })
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", out}, words[2:]...)...); got != ui.ExitConflict || !strings.Contains(b.err.String(), "it does not show the link of") {
		t.Errorf("another link: exit %d\n%s", got, b.err.String())
	}
	if got := registeredOn(t, sites[0]); len(got) > 0 {
		t.Errorf("registered %v", got)
	}
	if err := os.WriteFile(out, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, out, func(p *savedPlan) { p.Links = p.Links[:1] })
	b = dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", out}, words[2:]...)...); got != ui.ExitOK {
		t.Errorf("one link: exit %d\n%s", got, b.err.String())
	}
	if got := registeredOn(t, sites[0]); !slices.Equal(got, []string{"NS-web0"}) {
		t.Errorf("registered %v", got)
	}
}

// The links of a report that a plan was made of are those of the plan.
func TestAPlanOfAReport(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 2, lab.Options{Kind: lab.Linux})
	_, words := fleetOf(t, sites)
	report := filepath.Join(t.TempDir(), "report.json")
	text := `{"schema":"ntl-setup/1","links":[{"id":"web0/hsm1","result":"established"},{"id":"web1/hsm1","result":"failed"}]}`
	if err := os.WriteFile(report, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := planned(t, append([]string{"--retry-failed", report}, words...))
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", out}, words[2:]...)...); got != ui.ExitOK {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	if got := registeredOn(t, sites[0]); !slices.Equal(got, []string{"NS-web1"}) {
		t.Errorf("registered %v", got)
	}
}

// A link that cannot be looked at when a plan is applied is its own failure, and
// the others are done; one that holds by then is fine.
func TestAPlanWithALinkThatIsAway(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 3, lab.Options{Kind: lab.Linux})
	_, words := fleetOf(t, sites)
	out := planned(t, words)
	if err := sites[2].Close(); err != nil {
		t.Fatal(err)
	}
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "--only", "web1"}, words...)...); got != ui.ExitOK {
		t.Fatalf("meanwhile: exit %d\n%s", got, b.err.String())
	}
	b = dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", out}, words[2:]...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	if got := results(t, b); !slices.Equal(got, []string{"web0/hsm1 established", "web1/hsm1 established", "web2/hsm1 unreachable"}) {
		t.Errorf("%v\n%s", got, b.err.String())
	}
}

// A link that was away when a plan was made has nothing that anybody approved of.
func TestAPlanThatShowsNothingOfALink(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 2, lab.Options{Kind: lab.Linux})
	_, words := fleetOf(t, sites)
	out := planned(t, words)
	edit(t, out, func(p *savedPlan) { p.Links[1].Steps, p.Links[1].Result = []savedStep{}, "unreachable" })
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", out}, words[2:]...)...); got != ui.ExitConflict {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	if got := results(t, b); !slices.Equal(got, []string{"web0/hsm1 established", "web1/hsm1 conflict"}) {
		t.Errorf("%v", got)
	}
	if e := document(t, b).Links[1].Error; e == nil || !strings.Contains(e.Message, "it was unreachable when the plan was made") {
		t.Errorf("%v", e)
	}
}

// A plan holds digests of the client's files, no content of them, and is stale as
// soon as one of them is not as it was, though no step would show that.
func TestAPlanIsOfTheClientsFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		text func(old []byte) []byte
	}{
		"configuration":           {"etc/Chrystoki.conf", remarked},
		"persisted configuration": {"var/safenet/config/Chrystoki.conf", remarked},
		"bundle":                  {"var/safenet/safenet/lunaclient/cert/server/CAFile.pem", func([]byte) []byte { return []byte("\n") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, s, words := visit(t, lab.Options{})
			words = append(words, passwords(s)...)
			out := filepath.Join(t.TempDir(), "plan.json")
			if got := b.main(t, append([]string{"plan", "--out", out}, words...)...); got != ui.ExitChanges {
				t.Fatalf("plan: exit %d\n%s", got, b.err.String())
			}
			path := filepath.Join(s.ClientRoot, c.file)
			old, _ := os.ReadFile(path) // the bundle may not be there yet
			if err := os.WriteFile(path, c.text(old), 0o600); err != nil {
				t.Fatal(err)
			}
			keys := append([]string{"--known-hosts", s.KnownHosts}, passwords(s)...)
			b = dialling(t)
			if got := b.main(t, append([]string{"apply", "-y", "-o", "json", out}, keys...)...); got != ui.ExitConflict {
				t.Errorf("exit %d\n%s", got, b.err.String())
			}
			if want := "the plan is stale: " + path + " was changed since the plan was made"; !strings.Contains(b.err.String(), want) {
				t.Errorf("no %q in\n%s", want, b.err.String())
			}
			if err := os.WriteFile(path, old, 0o600); err != nil {
				t.Fatal(err)
			}
			if old == nil {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			b = dialling(t)
			if got := b.main(t, append([]string{"apply", "-y", "-o", "json", out}, keys...)...); got != ui.ExitOK {
				t.Errorf("as it was again: exit %d\n%s", got, b.err.String())
			}
		})
	}
}

// remarked is a configuration with a setting that no step is about.
func remarked(old []byte) []byte {
	return []byte(strings.Replace(string(old), "}", "   PEDTimeout9 = 1;\n}", 1))
}

// The links of one client do not make each other stale.
func TestASavedPlanOfTwoHSMsOfOneClient(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{})
	second := lab.AddAppliance(t, s, lab.Options{})
	words := twoHSMs(t, s, second)
	out := planned(t, words)
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json", out}, words[2:]...)...); got != ui.ExitOK {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	if got := results(t, b); !slices.Equal(got, []string{"ns1/hsm1 established", "ns1/hsm2 established"}) {
		t.Errorf("%v", got)
	}
	treeOf(t, s)
}

// twoHSMs is a file of one NetScaler that gets two HSMs, and the flags for it.
func twoHSMs(t *testing.T, s, second *lab.Site) []string {
	t.Helper()
	text := fmt.Sprintf(`
hsms:
  hsm1: {host: %q, address: %s, password_file: %q}
  hsm2: {host: %q, address: %s, password_file: %q}
clients:
  ns1: {host: %q, address: %s, root: %q, password_file: %q}
links:
  - {client: ns1, hsm: [hsm1, hsm2], partition: [partition6]}
`, s.HSMTarget, s.HSMAddress, s.HSMPasswordFile, second.HSMTarget, second.HSMAddress, second.HSMPasswordFile,
		s.ClientTarget, s.ClientAddress, s.ClientRoot, s.ClientPasswordFile)
	file := filepath.Join(t.TempDir(), "ntl.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"-f", file, "--known-hosts", s.KnownHosts}
}

// Plans of another form are refused with a sentence, also where their fields are
// others.
func TestPlansOfAnotherForm(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"ntl-setup-plan/1", "ntl-setup-plan/3"} {
		plan := filepath.Join(t.TempDir(), "plan.json")
		if err := os.WriteFile(plan, []byte(`{"schema":"`+form+`","colour":"red"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		b := newBench(t)
		if got := b.main(t, "apply", "-y", plan); got != ui.ExitUsage || !strings.Contains(b.err.String(), "a plan of the form \""+form+"\"") {
			t.Errorf("%s: exit %d\n%s", form, got, b.err.String())
		}
	}
}
