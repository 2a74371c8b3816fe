package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"ntl-setup/fixtures/lab"
	"ntl-setup/orchestrator"
	"ntl-setup/orchestrator/journal"
)

// left are the files that a bench's runs left, by name, with their content.
func left(t *testing.T, b *bench) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(b.app.env.State, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[d.Name()] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// lastRun is the last run of a bench, as it was read back.
func lastRun(t *testing.T, b *bench) journal.Story {
	t.Helper()
	runs, err := journal.Runs(filepath.Join(b.app.env.State, "runs"), 1)
	if err != nil || len(runs) != 1 {
		t.Fatalf("%v, %d runs", err, len(runs))
	}
	return runs[0]
}

func TestEveryRunIsOnRecord(t *testing.T) {
	refused := errors.New("no")
	for name, c := range map[string]struct {
		args   []string
		world  world
		result orchestrator.Result
		acts   int
		told   bool // where the journal is
	}{
		"apply":      {link("-y"), world{}, orchestrator.Established, 1, false},
		"dry run":    {link("--dry-run"), world{}, orchestrator.Changes, 0, false},
		"status":     {append([]string{"status"}, link()...), world{holds: true}, orchestrator.Established, 0, false},
		"declined":   {link(), world{}, orchestrator.Declined, 0, false},
		"conflict":   {link("-y"), world{conflict: "another"}, orchestrator.Conflicted, 0, false},
		"act fails":  {link("-y"), world{actErr: refused}, orchestrator.ResFailed, 1, true},
		"look fails": {append([]string{"plan"}, link()...), world{lookErr: refused}, orchestrator.ResFailed, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := c.world
			b := newBench(t, &w)
			status := b.main(t, c.args...)
			s := lastRun(t, b)
			if s.End == nil || s.End.Result != c.result || s.End.Exit != status || s.Links[0].Outcome() != c.result {
				t.Errorf("exit %d, on record %+v", status, s)
			}
			if !slices.Equal(s.Run.Args, c.args) || !strings.HasPrefix(s.Run.Version, "ntl-setup ") || s.Links[0].Client != "root@192.0.2.10:22" {
				t.Errorf("%+v", s)
			}
			if n := len(s.Links[0].Undo()); n != c.acts {
				t.Errorf("%d acts on record, want %d", n, c.acts)
			}
			note := "note: the journal of this run is in " + s.Dir + "\n"
			if got := strings.Count(b.err.String(), note); (got == 1) != c.told || got > 1 {
				t.Errorf("the path is told %d times:\n%s", got, b.err.String())
			}
			want := []string{"client.log", "hsm.log", "journal.ndjson"}
			for file := range left(t, b) {
				if !slices.Contains(want, file) {
					t.Errorf("%s was left", file)
				}
				info, err := os.Stat(filepath.Join(s.Dir, file))
				if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
					t.Errorf("%s: %v, %v", file, info.Mode(), err)
				}
			}
		})
	}
}

// Usage errors connect to nobody and leave nothing.
func TestUsageLeavesNoRecord(t *testing.T) {
	b := newBench(t)
	b.main(t, link("--nonsense")...)
	b.main(t, link("--name", "a b")...)
	if files := left(t, b); len(files) > 0 {
		t.Errorf("%v", files)
	}
}

func TestTheDocumentNamesTheJournal(t *testing.T) {
	b := newBench(t, &world{})
	b.main(t, link("-y", "-o", "json")...)
	if got, want := document(t, b).Links[0].Journal, lastRun(t, b).Dir; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Where no journal can be kept, nothing is changed; looking goes on.
func TestWithoutAPlaceForTheJournal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"no home": "", "below a file": file}
	exits := map[string]int{} // of apply; 64 where it is not said otherwise
	if runtime.GOOS == "linux" {
		places["no such place"] = "/proc/self"
		places["read-only"], exits["read-only"] = "/sys", 1
	}
	for name, place := range places {
		refused := 64
		if other, ok := exits[name]; ok {
			refused = other
		}
		for command, c := range map[string]struct{ status, ran int }{"apply": {refused, 0}, "plan": {2, 1}, "status": {2, 1}} {
			w := &world{}
			b := newBench(t, w)
			b.app.env.State = place
			got := b.main(t, append([]string{command, "-y"}, link()...)...)
			if got != c.status || b.ran != c.ran || w.acted > 0 {
				t.Errorf("%s, %s: exit %d, ran %d times", name, command, got, b.ran)
			}
			label := map[int]string{refused: "error: ", 2: "warning: "}[c.status]
			if said := b.err.String(); strings.Count(said, label) != 1 || !strings.Contains(said, "journal") ||
				c.status == refused && !strings.Contains(said, "XDG_STATE_HOME") {
				t.Errorf("%s, %s: %s", name, command, said)
			}
		}
	}
	b := newBench(t, &world{})
	b.app.env.State = file
	if got := b.main(t, link("-y", "-o", "json")...); got != 64 || document(t, b).Links[0].Error.Class != "config" {
		t.Errorf("exit %d, %s", got, b.out.String())
	}
}

// The passwords of both hosts are nowhere in what a run leaves, wherever they
// came from, also where a host says them; and the wires are there.
func TestEvidenceOfARealRun(t *testing.T) {
	for name, give := range map[string]func(*bench, *lab.Site) []string{
		"files": func(_ *bench, s *lab.Site) []string { return passwords(s) },
		"commands": func(_ *bench, s *lab.Site) []string {
			return []string{"--client-password-command", "echo '" + s.ClientPassword + "'", "--hsm-password-command=cat '" + s.HSMPasswordFile + "'"}
		},
		"environment": func(b *bench, s *lab.Site) []string {
			b.app.env.Getenv = func(name string) string {
				return map[string]string{"NTL_SETUP_CLIENT_PASSWORD": s.ClientPassword, "NTL_SETUP_HSM_PASSWORD": s.HSMPassword}[name]
			}
			return nil
		},
		"a prompt": func(b *bench, s *lab.Site) []string {
			p := &typist{answers: map[string]string{s.ClientTarget: s.ClientPassword, s.HSMTarget: s.HSMPassword}}
			b.app.openTTY = func() (asker, error) { return p, nil }
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "commands" && runtime.GOOS == "windows" {
				return // other quotes
			}
			b, s, words := visit(t, lab.Options{})
			// The client's own files have both passwords in them.
			conf := filepath.Join(s.ClientRoot, "etc", "Chrystoki.conf")
			text, err := os.ReadFile(conf)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, "Extra = {\n  ToolsDir = /opt/"+s.ClientPassword+"/"+s.HSMPassword+";\n}\n"...)
			for _, path := range []string{conf, filepath.Join(s.ClientRoot, "var/safenet/config/Chrystoki.conf")} {
				if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // as on a NetScaler
					t.Fatal(err)
				}
			}
			words = append(words, give(b, s)...)
			command := map[bool]string{true: "plan", false: "apply"}[name == "environment" || name == "a prompt"]
			if got := b.main(t, append([]string{command, "-y"}, words...)...); got != map[string]int{"plan": 2, "apply": 0}[command] {
				t.Fatalf("exit %d\n%s", got, b.err.String())
			}
			files := left(t, b)
			for file, text := range files {
				for _, secret := range []string{s.ClientPassword, s.HSMPassword, "PRIVATE KEY-----\nMII"} {
					if strings.Contains(text, secret) {
						t.Errorf("%s holds %q", file, secret)
					}
				}
			}
			for file, wants := range map[string][]string{
				"client.log":     {" $ sh", " < ", "ToolsDir = /opt/[redacted]/[redacted];", " = status 0", " = closed"},
				"hsm.log":        {" $ the login shell", " > client list", "Command Result : 0 (Success)", "BEGIN CERTIFICATE", " = closed"},
				"journal.ndjson": {`"kind":"seen"`, `"id":"enroll-gateway"`, `"kind":"end"`},
			} {
				for _, want := range wants {
					if !strings.Contains(files[file], want) {
						t.Errorf("%s has no %q", file, want)
					}
				}
			}
			if name == "commands" && strings.Count(files["journal.ndjson"], "(not recorded)") != 2 {
				t.Error("the password commands are on record")
			}
		})
	}
}

// Nothing is decided by what runs leave: without it, or with nonsense in its
// place, the same follows.
func TestEvidenceDecidesNothing(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"lost": func(t *testing.T, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		},
		"nonsense": func(t *testing.T, dir string) {
			files, err := filepath.Glob(filepath.Join(dir, "runs", "*", "*"))
			if err != nil || len(files) == 0 {
				t.Fatal(err, files)
			}
			for _, f := range files {
				if err := os.WriteFile(f, []byte("{\"kind\":\"acting\"}\nnonsense"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		w := &world{}
		b := newBench(t, w)
		if got := b.main(t, link("-y")...); got != 0 || w.acted != 1 {
			t.Fatalf("exit %d", got)
		}
		spoil(t, b.app.env.State)
		again := newBench(t, w)
		again.app.env.State = b.app.env.State
		if got := again.main(t, link("-y")...); got != 0 || w.acted != 1 || !strings.Contains(again.out.String(), "nothing had to be changed") {
			t.Errorf("%s: exit %d, %d acts\n%s", name, got, w.acted, again.out.String())
		}
	}
}

func TestRecordable(t *testing.T) {
	for _, c := range []struct{ args, want []string }{
		{nil, []string{}},
		{[]string{"plan", "--hsm", "h"}, []string{"plan", "--hsm", "h"}},
		{[]string{"--hsm-password-command", "echo s3cret", "-y"}, []string{"--hsm-password-command", "(not recorded)", "-y"}},
		{[]string{"--client-password-command=echo s3cret"}, []string{"--client-password-command=(not recorded)"}},
		{[]string{"--hsm-password-command"}, []string{"--hsm-password-command"}},
		{[]string{"--hsm-password-file", "pw"}, []string{"--hsm-password-file", "pw"}},
	} {
		before := slices.Clone(c.args)
		if got := recordable(c.args); !slices.Equal(got, c.want) || !slices.Equal(before, c.args) {
			t.Errorf("%q: %q, want %q", before, got, c.want)
		}
	}
}
