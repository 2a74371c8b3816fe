package journal

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
)

// fact is a step that keeps one fact true.
type fact struct {
	id    string
	holds bool
	act   func(ctx context.Context) error // nil: it is made true
}

func (f *fact) step(n int) orchestrator.Step {
	return orchestrator.Reconcile[bool]{
		Meta:    orchestrator.Info{Number: n, ID: f.id, Host: orchestrator.OnClient},
		Observe: func(context.Context) (bool, error) { return f.holds, nil },
		Want:    func(context.Context) (bool, error) { return true, nil },
		Diff: func(have, want bool) []orchestrator.Change {
			if have == want {
				return nil
			}
			return []orchestrator.Change{{Field: f.id, Have: "no", Want: "yes"}}
		},
		Act: func(ctx context.Context, _, _ bool) error {
			if f.act != nil {
				if err := f.act(ctx); err != nil {
					return err
				}
			}
			f.holds = true
			return nil
		},
		Undo: func(bool, bool) []string { return []string{"rm /" + f.id, "echo " + f.id} },
	}
}

func aLink() Link {
	return Link{Client: "root@192.0.2.10:22", HSM: "admin@192.0.2.20:22", Name: "web1", ClientAddress: "192.0.2.10", Partitions: []string{"p1"}}
}

func begin(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := Begin(dir, Run{Command: "apply", Version: "v1", Args: []string{"apply", "-y"}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// run applies the facts with a recorder and ends its link.
func run(t *testing.T, r *Recorder, facts ...*fact) orchestrator.Report {
	t.Helper()
	var steps []orchestrator.Step
	for i, f := range facts {
		steps = append(steps, f.step(i+1))
	}
	report := orchestrator.Engine{Steps: steps, Observe: r.Observe, Record: r.Record}.
		Apply(t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
	r.End(report.Result, report.Err)
	return report
}

func lines(t *testing.T, dir string) []Entry {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	var all []Entry
	for line := range strings.Lines(string(data)) {
		var e Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, e)
	}
	return all
}

func kinds(entries []Entry) string {
	var words []string
	for _, e := range entries {
		w := string(e.Kind)
		if e.Step != nil {
			w += " " + e.Step.ID
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}

func TestARun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "runs")
	j := begin(t, dir)
	during := ""
	facts := []*fact{{id: "a", holds: true}, {id: "b"}, {id: "c", act: func(context.Context) error {
		during = kinds(lines(t, j.Dir()))
		return nil
	}}}
	report := run(t, j.Link(aLink()), facts...)
	if report.Result != orchestrator.Established {
		t.Fatalf("%+v", report)
	}
	if err := j.End(report.Result, 0); err != nil {
		t.Fatal(err)
	}
	const before = "run, link, seen a, seen b, seen c, completed a, acting b, acted b, completed b, acting c"
	if during != before {
		t.Errorf("when c was made, the file had\n%s, want\n%s", during, before)
	}
	if got, want := kinds(lines(t, j.Dir())), before+", acted c, completed c, link-end, end"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}

	s, err := Find(dir, filepath.Base(j.Dir()))
	if err != nil || s.Problem != "" || s.Spoilt != 0 {
		t.Fatalf("%v, %+v", err, s)
	}
	if s.Run.PID != os.Getpid() || s.Run.Command != "apply" || s.Began.IsZero() || s.Ended.Before(s.Began) || s.End.Result != orchestrator.Established {
		t.Errorf("%+v", s)
	}
	l := s.Links[0]
	if diff := cmp.Diff(aLink(), l.Link); diff != "" {
		t.Error(diff)
	}
	var undo []string
	for _, u := range l.Undo() {
		undo = append(undo, u.Step.ID+": "+strings.Join(u.Commands, "; "))
	}
	if want := []string{"c: rm /c; echo c", "b: rm /b; echo b"}; !slices.Equal(undo, want) {
		t.Errorf("%q, want %q", undo, want)
	}
	for i, want := range []string{"ok", "changed", "changed"} {
		if got := l.Steps[i].State(); got != want {
			t.Errorf("%s: %s, want %s", l.Steps[i].ID, got, want)
		}
	}
	if c := l.Steps[1].Changes; len(c) != 1 || c[0].Want != "yes" {
		t.Errorf("changes %+v", c)
	}
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are none
	}
	top := t.TempDir()
	j := begin(t, filepath.Join(top, "state", "runs"))
	defer j.End("", 0) //nolint:errcheck // only the modes matter
	for path, want := range map[string]os.FileMode{
		filepath.Join(top, "state"): 0o700, filepath.Join(top, "state", "runs"): 0o700,
		j.Dir(): 0o700, filepath.Join(j.Dir(), fileName): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want mode %v", path, info.Mode(), err, want)
		}
	}
}

// watched is a file that notes its syncs, and may fail.
type watched struct {
	file
	synced  int
	writes  int
	syncErr error
	full    int // the write that fails, half-way; 0: none does
}

func (w *watched) Write(p []byte) (int, error) {
	w.writes++
	if w.writes == w.full {
		n, err := w.file.Write(p[:len(p)/2])
		return n, errors.Join(err, errors.New("no space left on device"))
	}
	return w.file.Write(p)
}

func (w *watched) Sync() error {
	w.synced++
	return errors.Join(w.syncErr, w.file.Sync())
}

func TestSyncedBeforeAndAfterEachAct(t *testing.T) {
	j := begin(t, t.TempDir())
	w := &watched{file: j.file}
	j.file = w
	r := j.Link(aLink())
	var before []int
	note := func(context.Context) error { before = append(before, w.synced); return nil }
	run(t, r, &fact{id: "a", act: note}, &fact{id: "b", act: note})
	if want := []int{1, 3}; !slices.Equal(before, want) || w.synced != 4 {
		t.Errorf("synced %v times before the acts, want %v; %d in all, want 4", before, want, w.synced)
	}
}

// A journal that cannot be written stops the run before the next act, whichever
// entry it was that failed; the act at work ends in peace.
func TestAFullDiskStopsBeforeAnAct(t *testing.T) {
	// link 1, seen 2-4, acting a 5, acted a 6, completed a 7, acting b 8 ...
	for full, acts := range map[int]int{1: 0, 2: 0, 4: 0, 5: 0, 6: 1, 7: 1, 8: 1, 9: 2, 0: 3} {
		j := begin(t, t.TempDir())
		w := &watched{file: j.file, full: full}
		j.file = w
		done := 0
		act := func(context.Context) error { done++; return nil }
		report := run(t, j.Link(aLink()), &fact{id: "a", act: act}, &fact{id: "b", act: act}, &fact{id: "c", act: act})
		if done != acts {
			t.Errorf("full at write %d: %d acts, want %d", full, done, acts)
		}
		err := j.End(report.Result, 1)
		if full == 0 {
			if err != nil || report.Result != orchestrator.Established {
				t.Errorf("%v, %+v", err, report)
			}
			continue
		}
		if err == nil {
			t.Errorf("full at write %d: the end does not tell", full)
		}
		stopped := slices.IndexFunc(report.Steps, func(s orchestrator.StepReport) bool { return s.Status == orchestrator.Failed })
		if stopped != acts {
			t.Fatalf("full at write %d: step %d stopped the run", full, stopped)
		}
		f := report.Steps[stopped].Err
		if f.Class != "internal" || !strings.Contains(f.Message, "no space left") || !strings.Contains(f.Hint, "XDG_STATE_HOME") {
			t.Errorf("%+v", f)
		}
		// The torn line spoils itself alone.
		s := read(filepath.Dir(j.Dir()), filepath.Base(j.Dir()))
		if full > 1 && (s.Spoilt != 1 || len(s.Links) != 1 || s.Links[0].End == nil || s.End == nil) {
			t.Errorf("full at write %d: %+v", full, s)
		}
		text, err := os.ReadFile(filepath.Join(j.Dir(), fileName))
		if err != nil {
			t.Fatal(err)
		}
		good := 0
		for line := range strings.Lines(string(text)) {
			if json.Valid([]byte(line)) {
				good++
			}
		}
		if good != w.writes { // the beginning more, the torn one less
			t.Errorf("full at write %d of %d: %d good lines", full, w.writes, good)
		}
	}
}

func TestADiskThatDoesNotSync(t *testing.T) {
	j := begin(t, t.TempDir())
	j.file = &watched{file: j.file, syncErr: errors.New("input/output error")}
	acted := false
	report := run(t, j.Link(aLink()), &fact{id: "a", act: func(context.Context) error { acted = true; return nil }})
	if acted || report.Result != orchestrator.ResFailed || report.Acted {
		t.Errorf("acted %v, %+v", acted, report)
	}
}

// everyString sets every text in v to text, and makes what pointers point to.
func everyString(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		everyString(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			everyString(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				everyString(v.Field(i), text)
			}
		}
	default:
	}
}

// Every text of an entry goes through Redact, also one of a field that is added
// to it some day; but for the words that the program chooses from a fixed list.
func TestEveryTextIsRedacted(t *testing.T) {
	var e Entry
	everyString(reflect.ValueOf(&e).Elem(), "canary")
	fixed := func(e *Entry) {
		e.Kind, e.Run.Command, e.Run.Version, e.Step.ID, e.Step.Host, e.Step.Status, e.End.Result = "", "", "", "", "", "", ""
		e.Step.Error.Class, e.End.Error.Class = "", ""
	}
	fixed(&e)
	text, err := json.Marshal(e)
	planted := strings.Count(string(text), "canary")
	if err != nil || planted < 20 {
		t.Fatalf("%v: %d texts planted in %s", err, planted, text)
	}
	clean := e.redacted(func(string) string { return "-" })
	got, err := json.Marshal(clean)
	if err != nil || strings.Contains(string(got), "canary") || strings.Count(string(got), `"-"`) != planted {
		t.Errorf("%v: %s", err, got)
	}
	if again, _ := json.Marshal(e); string(again) != string(text) {
		t.Error("the entry itself was changed")
	}
}

func TestRedactIsUsed(t *testing.T) {
	j, err := Begin(t.TempDir(), Run{Args: []string{"hunter2"}}, Options{Redact: func(s string) string { return strings.ReplaceAll(s, "hunter2", "-") }})
	if err != nil {
		t.Fatal(err)
	}
	run(t, j.Link(Link{Name: "hunter2"}), &fact{id: "a", act: func(context.Context) error { return errors.New("no: hunter2") }})
	if err := j.End("failed", 1); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(j.Dir(), fileName))
	if err != nil || strings.Contains(string(data), "hunter2") || !strings.Contains(string(data), "no: -") {
		t.Errorf("%v: %s", err, data)
	}
}

func TestSeveralLinksAtOnce(t *testing.T) {
	j := begin(t, t.TempDir())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { run(t, j.Link(aLink()), &fact{id: "a"}, &fact{id: "b"}) })
	}
	wg.Wait()
	if err := j.End("established", 0); err != nil {
		t.Fatal(err)
	}
	s := read(filepath.Dir(j.Dir()), filepath.Base(j.Dir()))
	if len(s.Links) != 8 || s.Spoilt != 0 {
		t.Fatalf("%d links, %d lines spoilt", len(s.Links), s.Spoilt)
	}
	for _, l := range s.Links {
		if len(l.Undo()) != 2 || l.Outcome() != orchestrator.Established {
			t.Errorf("%+v", l)
		}
	}
}

func TestNoJournal(t *testing.T) {
	var j *Journal
	r := j.Link(aLink())
	if report := run(t, r, &fact{id: "a"}); report.Result != orchestrator.Established {
		t.Errorf("%+v", report)
	}
	if j.Dir() != "" || j.Err() != nil || j.End("established", 0) != nil {
		t.Error("a nil journal does something")
	}
}

func TestPlacesThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"below a file": filepath.Join(file, "runs"), "a file": file}
	if runtime.GOOS == "linux" {
		places["a file system that makes no directories"] = "/proc/self/runs" // not even for root
	}
	wants := map[string]string{}
	if runtime.GOOS == "linux" {
		places["a place that takes nothing"], wants["a place that takes nothing"] = "/sys/runs", "internal"
	}
	if os.Geteuid() != 0 {
		locked := filepath.Join(dir, "locked")
		if err := os.Mkdir(locked, 0o500); err != nil {
			t.Fatal(err)
		}
		places["a read-only directory"], wants["a read-only directory"] = locked, "internal"
	}
	for name, place := range places {
		_, err := Begin(place, Run{}, Options{})
		f := &orchestrator.Failure{}
		if err != nil {
			f = orchestrator.Fail(err)
		}
		want := "config"
		if other, ok := wants[name]; ok {
			want = other
		}
		if f.Class != want || !strings.Contains(f.Message, "the journal cannot be kept") || f.Hint == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
