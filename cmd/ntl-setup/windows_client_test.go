package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/fixtures/wine"
)

// winLab is the program that the Windows clients of a test are made of.
func winLab(t *testing.T) string {
	t.Helper()
	built := filepath.Join(t.TempDir(), "winlab.exe")
	if err := wine.Build(t.Context(), built); err != nil {
		t.Fatal(err)
	}
	return built
}

const windowsConf = "Program Files/SafeNet/LunaClient/crystoki.ini"

// A Windows client behind a real sshd, by a genuine cmd.exe: plan, apply, apply.
func TestWindowsClient(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{Kind: lab.Windows, WinLab: winLab(t), OpenSSH: true})
	words = append(words, "-i", s.IdentityFile)
	before := hash(t, s)
	if got := b.main(t, append([]string{"plan", "-o", "json"}, words...)...); got != ui.ExitChanges {
		t.Fatalf("plan: exit %d, want 2\n%s\n%s", got, b.out.String(), b.err.String())
	}
	if hash(t, s) != before {
		t.Error("the plan changed something")
	}
	for _, step := range document(t, b).Links[0].Steps {
		if step.N >= 9 && step.Status != "n/a" {
			t.Errorf("step %d is %s", step.N, step.Status)
		}
	}
	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("apply: exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	checkWindowsConf(t, s)

	after := hash(t, s)
	b = b.again(t)
	if got := b.main(t, append([]string{"apply"}, words...)...); got != ui.ExitOK || len(b.person.asked) > 0 {
		t.Errorf("apply once more: exit %d, asked %q\n%s\n%s", got, b.person.asked, b.out.String(), b.err.String())
	}
	if want := `icacls "C:\Program Files\SafeNet\LunaClient\cert\client\` + s.ClientAddress + `Key.pem" /grant`; !strings.Contains(b.out.String(), want) {
		t.Errorf("no %q in\n%s", want, b.out.String())
	}
	if hash(t, s) != after {
		t.Error("a run with nothing to do changed something")
	}
}

// checkWindowsConf: what the link needs is in crystoki.ini, in its own form, and
// what was there before still is.
func checkWindowsConf(t *testing.T, s *lab.Site) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.ClientRoot, windowsConf))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"[LunaSA Client]", "ServerName00=" + s.HSMAddress, "ServerPort00=1792", "CommandTimeoutPedSet=720000",
		`ClientCertFile=C:\Program Files\SafeNet\LunaClient\cert\client\` + s.ClientAddress + ".pem",
		`ServerCAFile=C:\Program Files\SafeNet\LunaClient\cert\server\CAFile.pem`,
	} {
		if !bytes.Contains(data, []byte(line+"\r\n")) {
			t.Errorf("crystoki.ini has no %q:\n%s", line, data)
		}
	}
	if bytes.Count(data, []byte("\n")) != bytes.Count(data, []byte("\r\n")) {
		t.Errorf("line ends were mixed: %q", data)
	}
}

// The same with PowerShell as the default shell (a stand-in that hands on what
// it is given to cmd.exe), and cut off while vtl makes the pair: vtl goes on by
// itself, and the next run waits for it and finishes.
func TestWindowsClientCutOff(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{
		Kind: lab.Windows, WinLab: winLab(t), ClientShell: lab.PowerShell, Vtl: luna.VtlSettings{DelayMS: 15000},
	})
	words = append(append(words, passwords(s)...), "--client-kind", "windows")
	done := make(chan struct{})
	go func() {
		defer close(done)
		cutOff(t, s)
	}()
	got := b.main(t, append([]string{"apply", "-y"}, words...)...)
	<-done
	if got == ui.ExitOK {
		t.Fatalf("the run was not cut off\n%s", b.out.String())
	}
	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "-y", "--break-lock"}, words...)...); got != ui.ExitOK {
		t.Fatalf("the next run: exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	checkWindowsConf(t, s)
	calls, err := s.VtlCalls()
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, call := range calls {
		if strings.HasPrefix(call, "createCert") {
			made++
		}
	}
	if made != 1 {
		t.Errorf("createCert was called %d times: %q", made, calls)
	}
	entries, err := os.ReadDir(filepath.Join(s.ClientRoot, filepath.Dir(windowsConf)))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

// cutOff cuts the client's connections as soon as vtl is at work.
func cutOff(t *testing.T, s *lab.Site) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	for {
		calls, err := s.VtlCalls()
		if err != nil {
			t.Errorf("calls of vtl: %v", err)
			return
		}
		if len(calls) > 0 && strings.HasPrefix(calls[len(calls)-1], "createCert") {
			s.ClientSSH.DropConnections()
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			t.Error("vtl createCert was never called")
			return
		}
	}
}
