package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/steps"
	"ntl-setup/transport/redact"
)

// filesIn are the files of a directory and what is in them.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
		if info, err := e.Info(); runtime.GOOS != "windows" && (err != nil || info.Mode() != 0o600) {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	return files
}

func TestCollect(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(words, passwords(s)...)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	before := hash(t, s)
	dir := filepath.Join(t.TempDir(), "for support")
	b = b.again(t)
	if got := b.main(t, append([]string{"doctor", "--collect", dir}, words...)...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	if hash(t, s) != before {
		t.Error("collecting changed something")
	}
	if lines := strings.Split(strings.TrimSpace(b.err.String()), "\n"); !strings.Contains(lines[len(lines)-1], "what was collected is in "+dir) {
		t.Errorf("standard error ends so: %q", lines)
	}
	if info, err := os.Stat(dir); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o700) {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	files := filesIn(t, dir)
	for name, want := range map[string]string{
		"README.txt":                      "NOT left out: host names",
		"client.log":                      "look_route",
		"hsm.log":                         "status date",
		"journal.ndjson":                  `"doctor"`,
		"result.json":                     `"preflight":[{"id":"port"`,
		"client.txt":                      "kind: netscaler",
		"client-Chrystoki.conf":           "ServerName00 = " + s.HSMAddress,
		"client-persisted-Chrystoki.conf": "ServerName00 = " + s.HSMAddress,
		"client-vtl-listServers.txt":      s.HSMAddress,
		"client-vtl-verify.txt":           "partition6",
		"client-bundle-of-servers.pem":    "BEGIN CERTIFICATE",
		"client-certificate.pem":          "BEGIN CERTIFICATE",
		"hsm.txt":                         "NS-web1",
		"hsm-server.pem":                  "BEGIN CERTIFICATE",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("no %q in %s: %s", want, name, files[name])
		}
		if name != "README.txt" && !strings.Contains(files["README.txt"], "\n  "+name+" ") {
			t.Errorf("README.txt does not tell of %s", name)
		}
	}
	key, err := os.ReadFile(filepath.Join(s.ClientRoot, "var/safenet/safenet/lunaclient/cert/client", s.ClientAddress+"Key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Split(string(key), "\n")[3]
	for name, text := range files {
		for _, secret := range []string{line, s.ClientPassword, s.HSMPassword} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds a secret", name)
			}
		}
	}
	var d ui.Document
	if err := json.Unmarshal([]byte(files["result.json"]), &d); err != nil || d.Command != "doctor" || d.Result != ui.Sound {
		t.Errorf("%+v, %v", d, err)
	}
}

// A directory that holds something is not written to, and nobody is connected.
func TestCollectWantsAnEmptyDirectory(t *testing.T) {
	t.Parallel()
	full, file, empty := t.TempDir(), filepath.Join(t.TempDir(), "file"), t.TempDir()
	for _, name := range []string{filepath.Join(full, "precious"), file} {
		if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{full, file, filepath.Join(full, "no", "such", "parent")} {
		b := newBench(t)
		if got := b.main(t, append([]string{"doctor", "--collect", dir}, link()...)...); got != ui.ExitUsage || b.ran > 0 {
			t.Errorf("%s: exit %d, ran %d times", dir, got, b.ran)
		}
		if text := b.err.String(); !strings.Contains(text, "error: --collect: ") || !strings.Contains(text, "hint: name a directory that is new or empty") {
			t.Errorf("%s: %s", dir, text)
		}
	}
	b := newBench(t)
	if got := b.main(t, append([]string{"doctor", "--collect", empty}, link()...)...); got == ui.ExitUsage || b.ran != 1 {
		t.Errorf("an empty one: exit %d, ran %d times\n%s", got, b.ran, b.err.String())
	}
	b = newBench(t)
	b.app.collect = t.TempDir()
	if _, err := b.app.gather(&evidence{}, 2); err == nil || !strings.Contains(err.Error(), "one link") {
		t.Errorf("two links: %v", err)
	}
	b = newBench(t)
	if got := b.main(t, append([]string{"plan", "--collect", empty}, link()...)...); got != ui.ExitUsage {
		t.Errorf("plan --collect: exit %d", got)
	}
}

// Of a run that did not get in, the transcripts are what is left.
func TestCollectWithoutConnecting(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	if err := os.Truncate(s.KnownHosts, 0); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "c")
	words = append(append(words, passwords(s)...), "--collect", dir)
	if got := b.main(t, append([]string{"doctor"}, words...)...); got != ui.ExitUnreachable {
		t.Errorf("exit %d, want 4\n%s", got, b.err.String())
	}
	if files := filesIn(t, dir); files["README.txt"] == "" || !strings.Contains(files["result.json"], `"host-key"`) {
		t.Errorf("%v", files)
	}
}

// A role that may ask for nothing leaves why.
func TestCollectOfASmallRole(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{Kind: lab.Linux, Appliance: luna.Options{
		Forbidden: []string{"partition list", "client show", "client fingerprint", "status date", "ntls ipcheck show", "service status"},
	}})
	dir := filepath.Join(t.TempDir(), "c")
	words = append(append(words, passwords(s)...), "--collect", dir)
	if got := b.main(t, append([]string{"doctor"}, words...)...); got != ui.ExitOK {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	if text := filesIn(t, dir)["hsm.txt"]; strings.Count(text, "Unknown command") != 4 { // no client is registered to be shown
		t.Errorf("%s", text)
	}
}

// What should never be read is not written either.
func TestCollectionKeepsKeysOut(t *testing.T) {
	t.Parallel()
	secrets := &redact.Set{}
	secrets.Add("hunter2 canary")
	c := &collection{dir: t.TempDir(), secrets: secrets, evidence: &evidence{}, readings: []steps.Reading{
		{Name: "a.txt", Data: []byte("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n")},
		{Name: "b.txt", Data: []byte("the password is hunter2 canary.")},
	}}
	if err := c.write(ui.Outcome{}); err != nil {
		t.Fatal(err)
	}
	files := filesIn(t, c.dir)
	if strings.Contains(files["a.txt"], "MIIE") || strings.Contains(files["b.txt"], "hunter2") || len(files) != 4 {
		t.Error(cmp.Diff(map[string]string{}, files))
	}
}

// A collection that cannot be written is an error that is told, not a crash.
func TestCollectionThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	var out, said strings.Builder
	view := ui.NewView("doctor", ui.Text, ui.Stream{Writer: &out}, ui.Stream{Writer: &said})
	defer view.Close()
	c := &collection{dir: filepath.Join(t.TempDir(), "gone"), evidence: &evidence{}, readings: []steps.Reading{{Name: "x.txt"}}}
	c.finish(ui.Outcome{Report: ui.Stopped(errors.New("x"))}, view)
	if !strings.Contains(said.String(), "error: --collect: write down what was read: ") || strings.Contains(said.String(), "README") {
		t.Errorf("%s", said.String())
	}
	(*collection)(nil).finish(ui.Outcome{}, view) // nothing was asked for
}
