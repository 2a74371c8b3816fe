package journal

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ntl-setup/orchestrator"
)

// plant lays a journal of a given text.
func plant(t *testing.T, dir, id, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, id), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, id, fileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const beginning = `{"time":"2026-03-02T09:30:00Z","kind":"run","run":{"command":"apply","version":"v1","args":[],"pid":1}}
`

func TestRunsAndFind(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"20260302T093000Z-aaaaaa", "20260302T093000Z-abbbbb", "20260301T000000Z-zzzzzz", "20260303T000000Z-aaaaaa"} {
		plant(t, dir, id, beginning)
	}
	for _, other := range []string{"notes", "20260302T093000Z-aaaaaa.old", "20260302T093000Z-AAAAAA"} {
		plant(t, dir, other, beginning)
	}
	stories, err := Runs(dir, 3)
	var ids []string
	for _, s := range stories {
		ids = append(ids, s.ID)
	}
	if want := []string{"20260303T000000Z-aaaaaa", "20260302T093000Z-abbbbb", "20260302T093000Z-aaaaaa"}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("%v, %q", err, ids)
	}
	for prefix, want := range map[string]string{
		"20260301":                "20260301T000000Z-zzzzzz",
		"20260302T093000Z-aa":     "20260302T093000Z-aaaaaa",
		"20260302T093000Z-abbbbb": "20260302T093000Z-abbbbb",
		"20260302":                "2 runs begin with",
		"":                        "4 runs begin with",
		"2025":                    `no run "2025"`,
		"../../etc":               "no run",
	} {
		s, err := Find(dir, prefix)
		got := s.ID
		if err != nil {
			got = err.Error()
			if f := orchestrator.Fail(err); f.Class != "config" || f.Hint == "" {
				t.Errorf("%+v", f)
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", prefix, got, want)
		}
	}
}

func TestNoRuns(t *testing.T) {
	if stories, err := Runs(filepath.Join(t.TempDir(), "none"), 5); err != nil || len(stories) != 0 {
		t.Errorf("%v, %v", stories, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Runs(file, 5); err == nil || orchestrator.Fail(err).Class != "config" {
		t.Errorf("%v", err)
	}
}

func TestDamagedJournals(t *testing.T) {
	const link = `{"kind":"link","link":1,"of":{"name":"web1"}}` + "\n"
	for name, c := range map[string]struct {
		text   string
		spoilt int
		links  int
	}{
		"empty":               {"", 0, 0},
		"cut short":           {beginning + link[:20], 1, 0},
		"mended by a newline": {beginning + link[:20] + "\n" + link, 1, 1},
		"an empty line":       {beginning + "\n" + link, 0, 1},
		"no JSON":             {beginning + "rm -rf /\n" + link, 1, 1},
		"an unknown kind":     {beginning + link + `{"kind":"later","link":1}` + "\n", 1, 1},
		"an unknown field":    {beginning + strings.Replace(link, "{", `{"new":1,`, 1), 0, 1},
		"a link out of turn":  {beginning + strings.ReplaceAll(link, "1,", "7,"), 1, 0},
		"a step of no link":   {beginning + `{"kind":"acting","link":3,"step":{"id":"a"}}` + "\n", 1, 0},
		"a run of nothing":    {`{"kind":"run"}` + "\n", 1, 0},
	} {
		dir := t.TempDir()
		plant(t, dir, "20260302T093000Z-aaaaaa", c.text)
		s, err := Find(dir, "2026")
		if err != nil || s.Spoilt != c.spoilt || len(s.Links) != c.links || s.Problem != "" {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
	}
	dir := t.TempDir()
	plant(t, dir, "20260302T093000Z-aaaaaa", beginning+strings.Repeat("x", longestLine+1))
	if s, err := Find(dir, "2026"); err != nil || s.Problem == "" || s.Run.Command != "apply" {
		t.Errorf("%v, %+v", err, s)
	}
	if err := os.MkdirAll(filepath.Join(dir, "20260302T093000Z-bbbbbb"), 0o700); err != nil {
		t.Fatal(err)
	}
	if s, err := Find(dir, "20260302T093000Z-b"); err != nil || s.Problem == "" {
		t.Errorf("%v, %+v", err, s)
	}
}

func TestStates(t *testing.T) {
	text := beginning + `{"kind":"link","link":1,"of":{"name":"web1"}}
{"kind":"seen","link":1,"step":{"id":"a","status":"would-change"}}
{"kind":"acting","time":"2026-03-02T09:30:01Z","link":1,"step":{"id":"a","status":"would-change","undo":["x"]}}
{"kind":"acted","time":"2026-03-02T09:30:02Z","link":1,"step":{"id":"a","status":"would-change"}}
`
	for more, want := range map[string]string{
		"": "begun, ended, not confirmed",
		`{"kind":"completed","link":1,"step":{"id":"a","status":"failed"}}`: "failed",
	} {
		dir := t.TempDir()
		plant(t, dir, "20260302T093000Z-aaaaaa", text+more)
		s, err := Find(dir, "2026")
		if err != nil || s.Links[0].Steps[0].State() != want || len(s.Links[0].Undo()) != 1 {
			t.Errorf("%v: %+v, want %s", err, s, want)
		}
	}
}

// Nothing that acts may read a journal, or know of one; and it knows nothing
// but the engine's own words.
func TestNothingDecidesByAJournal(t *testing.T) {
	list := func(args ...string) []string {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
		cmd.Dir = "../.."
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	const own = "ntl-setup/orchestrator/journal"
	acting := list("-deps", "./orchestrator", "./steps/...", "./transport/...")
	if !slices.Contains(acting, "ntl-setup/steps") || slices.Contains(acting, own) {
		t.Errorf("what acts depends on the journal: %v", acting)
	}
	for _, dep := range list("-deps", "./orchestrator/journal") {
		if strings.HasPrefix(dep, "ntl-setup/") && dep != own && dep != "ntl-setup/orchestrator" || strings.Contains(strings.Split(dep, "/")[0], ".") && !strings.HasPrefix(dep, "vendor/") {
			t.Errorf("the journal imports %s", dep)
		}
	}
	// Of the command, one file shows journals; no other reads them.
	files, err := filepath.Glob("../../cmd/ntl-setup/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reads := strings.Contains(string(text), "journal.Runs(") || strings.Contains(string(text), "journal.Find(")
		if base := filepath.Base(file); reads && base != "journal.go" && !strings.HasSuffix(base, "_test.go") {
			t.Errorf("%s reads journals", base)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(beginning + `{"kind":"link","link":1,"of":{"name":"web1"}}` + "\n" + `{"kind":"acting","link":1,"step":{"id":"a","undo":["x"]}}`))
	f.Add([]byte(`{"kind":"link","link":-1,"of":{}}` + "\n\n{}\nnull\n[]\n{\"kind\":\"seen\",\"link\":1}"))
	dir := f.TempDir()
	const id = "20260302T093000Z-aaaaaa"
	if err := os.MkdirAll(filepath.Join(dir, id), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, id, fileName), text, 0o600); err != nil {
			t.Fatal(err)
		}
		s := read(dir, id)
		for _, l := range s.Links {
			for _, u := range l.Undo() {
				if u.Step.Begun.IsZero() {
					t.Error("undo of an act that never began")
				}
			}
			_ = l.Outcome()
		}
	})
}
