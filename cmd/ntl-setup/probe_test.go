//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/pkcs11"
	"ntl-setup/transport/probe"
)

// ntlProbe builds the program, in a directory that is the first of the search
// path from then on: there it is what ntl-setup brings along.
func ntlProbe(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, probeName)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", program, "ntl-setup/cmd/ntl-probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building ntl-probe (it needs the package gcc): %v: %s", err, out)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return program
}

// useLibrary makes a client's configuration name another PKCS#11 library.
func useLibrary(t *testing.T, s *lab.Site, library string) {
	t.Helper()
	name := filepath.Join(s.ClientRoot, "etc/Chrystoki.conf")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for i, line := range lines {
		if strings.Contains(line, "LibUNIX64") {
			lines[i] = "   LibUNIX64 = " + library + ";\n"
		}
	}
	if err := os.WriteFile(name, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// evidence is what step 8 of a run with these words says.
func evidence8(t *testing.T, b *bench, words ...string) string {
	t.Helper()
	if got := b.main(t, append(words, "-o", "json")...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	return document(t, b).Links[0].Steps[7].Reason
}

// What the client's own library says is evidence of step 8: by a program that is
// brought along in the run that makes the link, and by an installed one later.
func TestPKCS11Evidence(t *testing.T) {
	program := ntlProbe(t)
	for _, openSSH := range []bool{false, true} {
		t.Run(map[bool]string{false: "in process", true: "OpenSSH"}[openSSH], func(t *testing.T) {
			b, s, words := visit(t, lab.Options{Kind: lab.Linux, OpenSSH: openSSH})
			words = append(words, "-i", s.IdentityFile)
			state, err := s.Appliance().State()
			if err != nil {
				t.Fatal(err)
			}
			serial := state.Partitions[5].Serial
			library, err := pkcs11.Build(t.Context(), t.TempDir(), pkcs11.Options{Slots: []pkcs11.Slot{
				{ID: 0, Label: "other", Serial: serial + "0", Model: "LunaSA 7.7.1"},
				{ID: 1, Fresh: true, Serial: serial, Model: "LunaSA 7.7.1", Firmware: [2]byte{7, 7}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			useLibrary(t, s, library)
			want := "PKCS#11 slot 1: not initialised, serial " + serial + ", model LunaSA 7.7.1, firmware 7.7"
			if got := evidence8(t, b, append(words, "apply", "-y")...); !strings.HasSuffix(got, "; "+want) {
				t.Errorf("first run: %s", got)
			}
			after := hash(t, s)
			if got := evidence8(t, b.again(t), append(words, "status")...); !strings.Contains(got, "PKCS#11 not asked: no ntl-probe is installed on the client") {
				t.Errorf("status: %s", got)
			}
			if hash(t, s) != after {
				t.Error("looking changed something")
			}
			if left, err := filepath.Glob(filepath.Join(s.ClientRoot, "usr/safenet/lunaclient/bin/.ntl-setup*")); err != nil || left != nil {
				t.Errorf("left behind: %q, %v", left, err)
			}
			if err := os.Symlink(program, filepath.Join(s.ClientRoot, "usr/safenet/lunaclient/bin", probeName)); err != nil {
				t.Fatal(err)
			}
			if got := evidence8(t, b.again(t), append(words, "status")...); !strings.HasSuffix(got, "; "+want) {
				t.Errorf("installed: %s", got)
			}
			useLibrary(t, s, "/nowhere/lib.so")
			if got := evidence8(t, b.again(t), append(words, "status")...); !strings.Contains(got, "PKCS#11 not asked: ") || !strings.Contains(got, "no such file") {
				t.Errorf("no library: %s", got)
			}
		})
	}
}

// SoftHSM as the client's library: it answers, and has no such partition.
func TestSoftHSMIsTheClientsLibrary(t *testing.T) {
	const library = "/usr/lib/softhsm/libsofthsm2.so"
	if _, err := os.Stat(library); err != nil {
		t.Fatalf("%v: install the package softhsm2", err)
	}
	program := ntlProbe(t)
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	words = append(words, passwords(s)...)
	// The client user's own configuration of SoftHSM.
	home := filepath.Join(s.Dir, "home/.config/softhsm2")
	if err := os.MkdirAll(home+"/tokens", 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(home, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+home+"/tokens\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	for _, label := range []string{"part1", "partition6"} {
		cmd := exec.CommandContext(t.Context(), "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", "12345678")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("softhsm2-util (package softhsm2): %v: %s", err, out)
		}
	}
	useLibrary(t, s, library)
	state, err := s.Appliance().State()
	if err != nil {
		t.Fatal(err)
	}
	// The label is right, and counts for nothing.
	want := "; PKCS#11: wanted serial " + state.Partitions[5].Serial + " is not a slot of the library, which has 3"
	if got := evidence8(t, b, append(words, "apply", "-y")...); !strings.HasSuffix(got, want) {
		t.Errorf("%s", got)
	}
	out, err := exec.CommandContext(t.Context(), program, "-o", "json", "--library", library).Output()
	if err != nil {
		t.Fatal(err)
	}
	if d, err := probe.Parse(out); err != nil || len(d.Slots) != 3 {
		t.Errorf("%v: %s", err, out)
	}
}

// A NetScaler runs no Linux programs, and a client may have nobody to ask.
func TestNothingIsBroughtToANetScaler(t *testing.T) {
	ntlProbe(t)
	b, s, words := visit(t, lab.Options{})
	words = append(words, passwords(s)...)
	if got := evidence8(t, b, append(words, "apply", "-y")...); !strings.HasSuffix(got, "; PKCS#11 not asked: ntl-probe is a Linux program") {
		t.Errorf("%s", got)
	}
}

func TestWhereTheProbeIs(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := probes().Places, filepath.Join(filepath.Dir(own), probeName); len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
	if dir := ownDir(); dir != filepath.Dir(own) {
		t.Errorf("%q", dir)
	}
	j := job{}
	if j.probeDir() != "" {
		t.Error("a remote client's ntl-probe is looked for in a directory of this machine")
	}
	j.link.Client.Local = true
	if j.probeDir() != ownDir() {
		t.Error("this machine's own is not looked for")
	}
}
