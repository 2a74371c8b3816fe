package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
)

// wordsFor names the link of the site's client to one of its HSMs.
func wordsFor(s *lab.Site, partitions ...string) []string {
	words := append([]string{
		"--client", s.ClientTarget, "--hsm", s.HSMTarget, "--client-address", s.ClientAddress, "--hsm-address", s.HSMAddress,
		"--name", "NS-web1", "--known-hosts", s.KnownHosts, "--client-root", s.ClientRoot, "-i", s.IdentityFile, "-o", "json",
	}, passwords(s)...)
	for _, p := range partitions {
		words = append(words, "--partition", p)
	}
	return words
}

func the(command string, words []string, more ...string) []string {
	return append(append([]string{command}, words...), more...)
}

// clientFile reads a file of the client host.
func clientFile(t *testing.T, s *lab.Site, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.ClientRoot, path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// software is where the Luna client of a Linux site lies.
const software = "usr/safenet/lunaclient"

func serialsOf(t *testing.T, s *lab.Site, partitions ...string) []string {
	t.Helper()
	state, err := s.Appliance().State()
	if err != nil {
		t.Fatal(err)
	}
	var serials []string
	for _, want := range partitions {
		for _, p := range state.Partitions {
			if p.Name == want {
				serials = append(serials, p.Serial)
			}
		}
	}
	return serials
}

// Two HSMs, three partitions, one of a name that both have: the same command
// twice. One certificate pair serves both, each is judged on its own, and a
// rerun of either changes nothing.
func TestTwoHSMsThreePartitions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]lab.Options{"in process": {Kind: lab.Linux}, "openssh": {Kind: lab.Linux, OpenSSH: true}} {
		t.Run(name, func(t *testing.T) {
			s := lab.Start(t, o)
			second := lab.AddAppliance(t, s, lab.Options{Dialect: "6.2"})
			first, other := wordsFor(s, "partition1", "partition6"), wordsFor(second, "partition6")
			b := dialling(t)
			b.expect(t, ui.ExitOK, the("apply", first, "-y")...)
			pair := clientFile(t, s, software+"/cert/client/"+s.ClientAddress+".pem")
			key := clientFile(t, s, software+"/cert/client/"+s.ClientAddress+"Key.pem")
			before := string(clientFile(t, s, "etc/Chrystoki.conf"))

			planned := b.expect(t, ui.ExitChanges, the("plan", other)...)
			if step := stepIn(t, planned, "verify-link"); !strings.Contains(fmt.Sprint(step.Changes), serialsOf(t, second, "partition6")[0]) {
				t.Errorf("the first HSM's partition6 counted for the second's: %s %+v", step.Status, step.Changes)
			}
			b.expect(t, ui.ExitOK, the("apply", other, "-y")...)

			if !bytes.Equal(pair, clientFile(t, s, software+"/cert/client/"+s.ClientAddress+".pem")) || !bytes.Equal(key, clientFile(t, s, software+"/cert/client/"+s.ClientAddress+"Key.pem")) {
				t.Error("the client pair was exchanged")
			}
			after := string(clientFile(t, s, "etc/Chrystoki.conf"))
			if diff := cmp.Diff(linesOf(before), without(linesOf(after), "01 = ")); diff != "" {
				t.Errorf("more than the second server's entries changed:\n%s", diff)
			}
			for n, address := range []string{s.HSMAddress, second.HSMAddress} {
				if !strings.Contains(after, fmt.Sprintf("ServerName%02d = %s;", n, address)) {
					t.Errorf("no ServerName%02d for %s in\n%s", n, address, after)
				}
			}
			settled := hash(t, s)
			for _, words := range [][]string{first, other} {
				for _, command := range []string{"apply", "status"} {
					b.expect(t, ui.ExitOK, the(command, words)...)
				}
			}
			if hash(t, s) != settled {
				t.Error("a rerun changed something")
			}

			// The second one loses the client: its own link shows it, the first's does not.
			if err := second.Appliance().Update(func(st *luna.State) error { st.Clients = nil; return nil }); err != nil {
				t.Fatal(err)
			}
			b.expect(t, ui.ExitOK, the("status", first)...)
			b.expect(t, ui.ExitChanges, the("status", other)...)
		})
	}
}

func linesOf(text string) []string { return strings.Split(text, "\n") }

// without drops the lines that hold a text.
func without(lines []string, text string) []string {
	var kept []string
	for _, l := range lines {
		if !strings.Contains(l, text) {
			kept = append(kept, l)
		}
	}
	return kept
}

// A client of a third HSM that is long gone: entries made by hand, with gaps and
// an empty one between them, stay as they are, byte for byte.
func TestAThirdHSMThatIsUnreachable(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string]string{
		"gaps":         "   ServerName00 = 127.9.9.9;\n   ServerPort00 = 1792;\n   ServerHtl00 = 0;\n   ServerName02 = old-hsm.lab.example;\n   ServerPort02 = 1792;\n   ServerHtl02 = 0;\n",
		"an empty one": "   ServerName00 = ;\n   ServerPort00 = ;\n   ServerHtl00 = ;\n   ServerName01 = 127.9.9.9;\n   ServerPort01 = 1792;\n   ServerHtl01 = 0;\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := lab.Start(t, lab.Options{Kind: lab.Linux})
			words := wordsFor(s, "partition6")
			b := dialling(t)
			b.expect(t, ui.ExitOK, the("apply", words, "-y")...) // it makes the pair that the old links have
			forgetClient(t, s)
			conf := string(clientFile(t, s, "etc/Chrystoki.conf"))
			i := strings.Index(conf, "   ServerName00")
			conf = conf[:i] + entries + conf[i+strings.Index(conf[i:], "}"):]
			write := func(path, text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(s.ClientRoot, path), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("etc/Chrystoki.conf", conf)

			b.expect(t, ui.ExitChanges, the("plan", words)...)
			b.expect(t, ui.ExitOK, the("apply", words, "-y")...)
			after := string(clientFile(t, s, "etc/Chrystoki.conf"))
			if name == "gaps" && !strings.Contains(after, entries[:strings.Index(entries, "   ServerName02")]) {
				t.Errorf("the foreign entries changed:\n%s", after)
			}
			for line := range strings.Lines(entries) {
				if !strings.HasSuffix(line, "= ;\n") && !strings.Contains(after, line) {
					t.Errorf("%q is gone:\n%s", line, after)
				}
			}
			if strings.Count(after, "= "+s.HSMAddress+";") != 1 {
				t.Errorf("not registered once:\n%s", after)
			}
			settled := hash(t, s)
			b.expect(t, ui.ExitOK, the("apply", words)...)
			if hash(t, s) != settled {
				t.Error("the rerun changed something")
			}
		})
	}
}

// forgetClient takes the client off the appliance, and the appliance off the
// client's bundle.
func forgetClient(t *testing.T, s *lab.Site) {
	t.Helper()
	if err := s.Appliance().Update(func(st *luna.State) error { st.Clients = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"CAFile.pem", s.HSMAddress + "Cert.pem"} {
		if err := os.Remove(filepath.Join(s.ClientRoot, software, "cert/server", name)); err != nil {
			t.Fatal(err)
		}
	}
}

// Two appliances whose certificates have the same issuer, subject and serial
// number are two: what is compared is the whole certificate.
func TestSameNameAndSerialOnBothCertificates(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{Kind: lab.Linux})
	second := lab.AddAppliance(t, s, lab.Options{})
	for _, one := range []*lab.Site{s, second} {
		if err := one.Appliance().RegenAs("local_host"); err != nil {
			t.Fatal(err)
		}
	}
	b := dialling(t)
	for _, one := range []*lab.Site{s, second} {
		b.expect(t, ui.ExitOK, the("apply", wordsFor(one, "partition6"), "-y")...)
	}
	if bundle := clientFile(t, s, software+"/cert/server/CAFile.pem"); bytes.Count(bundle, []byte("BEGIN CERTIFICATE")) != 2 {
		t.Errorf("the bundle has not both:\n%s", bundle)
	}
	// One of them regenerated: that one alone is in conflict.
	if err := second.Appliance().RegenAs("local_host"); err != nil {
		t.Fatal(err)
	}
	b.expect(t, ui.ExitOK, the("status", wordsFor(s, "partition6"))...)
	b.expect(t, ui.ExitConflict, the("status", wordsFor(second, "partition6"))...)
}

// On a NetScaler the gateway that serves the first HSM is restarted for the
// second one only when a person says so, and the plan foresees it.
func TestASecondHSMAndTheGateway(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{})
	second := lab.AddAppliance(t, s, lab.Options{Dialect: "7.9"})
	b := dialling(t)
	b.expect(t, ui.ExitOK, the("apply", wordsFor(s, "partition6"), "-y")...)
	gateways, err := s.Gateways()
	if err != nil || len(gateways) != 1 {
		t.Fatalf("%v %v", gateways, err)
	}
	before := hash(t, s)
	for _, command := range [][]string{{"plan"}, {"apply", "-y"}} {
		stopped := b.expect(t, ui.ExitConflict, append(command, wordsFor(second, "partition6")...)...)
		if step := stepIn(t, stopped, "start-gateway"); step.Status != orchestrator.Conflict || !strings.Contains(step.Error.Hint, "--restart-gateway") {
			t.Errorf("%v: %s %+v", command, step.Status, step.Error)
		}
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
	b.expect(t, ui.ExitOK, the("apply", wordsFor(second, "partition6"), "-y", "--restart-gateway")...)
	if now, err := s.Gateways(); err != nil || len(now) != 1 || now[0] == gateways[0] {
		t.Errorf("gateways %v, before %v: %v", now, gateways, err)
	}
	for _, one := range []*lab.Site{s, second} {
		b.expect(t, ui.ExitOK, the("apply", wordsFor(one, "partition6"))...)
	}
}

// Other people's clients on the appliance: names with blanks, one that begins
// like ours, and one with our very certificate. Ours is made, none of theirs
// is touched.
func TestOtherPeoplesClients(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, lab.Options{Kind: lab.Linux, Dialect: "5.3"})
	words := append(wordsFor(s, "partition1"), "--name", "web1")
	for i, name := range []string{"payment gateway east", "web10", "web1 old", "Web1"} {
		if err := s.Appliance().RegisterForeign(name, fmt.Sprintf("203.0.113.%d", 10+i)); err != nil {
			t.Fatal(err)
		}
	}
	b := dialling(t)
	b.expect(t, ui.ExitOK, the("apply", words, "-y")...)
	// The same certificate once more, under another name and address: a clone.
	if err := s.Appliance().Update(func(st *luna.State) error {
		twin := st.Clients[len(st.Clients)-1]
		twin.Name, twin.IP, twin.Partitions = "web1-clone", "203.0.113.99", nil
		st.Clients = append([]luna.Client{twin}, st.Clients...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	settled := hash(t, s)
	applied := b.expect(t, ui.ExitOK, the("apply", words)...)
	if r := stepIn(t, applied, "list-clients").Reason; !strings.HasPrefix(r, "6 client(s); web1 is registered; MD5 fingerprint is that") {
		t.Errorf("%s", r)
	}
	b.expect(t, ui.ExitOK, the("status", words, "--deep")...)
	if hash(t, s) != settled {
		t.Error("something was changed")
	}
}
