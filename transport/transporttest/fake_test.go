package transporttest

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

func TestFakeHostContract(t *testing.T) {
	TestHost(t, func(*testing.T) (transport.Host, string) {
		h := NewHost("fake")
		h.Vtl = EmulateTool
		h.Dir("/root dir", 0o755)
		return h, "/root dir"
	})
}

func look(t *testing.T, h *FakeHost, q transport.Query) transport.Fact {
	t.Helper()
	facts, err := h.Look(context.Background(), q)
	must(t, err)
	return facts[q]
}

func TestFakeFiles(t *testing.T) {
	h := NewHost("fake")
	h.Put("/etc/conf", []byte("a"), 0o644)
	h.Link("/var/conf", "../etc/conf")
	h.Link("/var/far", "/var/conf")
	h.Link("/var/loop", "loop")
	h.Link("/var/nowhere", "no")
	h.Own("/var/conf", "12", "34")
	h.Put("/var/far", []byte("b"), 0o600)
	if data, ok := h.Get("/etc/conf"); !ok || string(data) != "b" {
		t.Errorf("through two links: %q, %v", data, ok)
	}
	f := look(t, h, transport.File("/var/far"))
	if f.Link != "/var/conf" || string(f.Data) != "b" || f.Owner != "12" || f.Group != "34" || f.Mode != 0o600 {
		t.Errorf("%+v", f)
	}
	for _, name := range []string{"/var/loop", "/var/nowhere"} {
		if f := look(t, h, transport.File(name)); !f.Missing || f.Link == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if diff := cmp.Diff([]string{"/etc/conf", "/var/conf", "/var/far", "/var/loop", "/var/nowhere"}, h.Files()); diff != "" {
		t.Error(diff)
	}
	if h.Mode("/var/conf") != 0o600 || h.Mode("/etc") != fs.ModeDir|0o755 || h.Mode("/no") != 0 {
		t.Errorf("modes %v %v %v", h.Mode("/var/conf"), h.Mode("/etc"), h.Mode("/no"))
	}
	h.Delete("/etc/conf")
	if _, ok := h.Get("/var/far"); ok || !look(t, h, transport.File("/var/far")).Missing {
		t.Error("deleted, and still there")
	}
	if _, ok := h.Get("/etc"); ok {
		t.Error("a directory was read as a file")
	}
}

// A test may not change the host's files by the bytes that it put or got.
func TestFakeCopiesBytes(t *testing.T) {
	h := NewHost("fake")
	data := []byte("abc")
	h.Put("/f", data, 0o644)
	data[0] = 'X'
	got, _ := h.Get("/f")
	got[1] = 'X'
	look(t, h, transport.File("/f")).Data[2] = 'X'
	if got, _ := h.Get("/f"); string(got) != "abc" {
		t.Errorf("holds %q", got)
	}
}

func TestFakeFaults(t *testing.T) {
	dropped := errors.New("the line dropped")
	for name, c := range map[string]struct {
		before bool
		done   string
		acts   int
	}{
		"before the deed": {true, "/one", 1}, "after the deed": {false, "/one /two", 2},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHost("fake")
			fault := func(a transport.Action) error {
				if a.Path == "/two" {
					return dropped
				}
				return nil
			}
			if c.before {
				h.Before = fault
			} else {
				h.After = fault
			}
			out, err := h.Do(context.Background(), transport.Create("/one", nil, 0o644),
				transport.Create("/two", nil, 0o644), transport.Create("/three", nil, 0o644))
			if !errors.Is(err, dropped) || len(out) != 1 {
				t.Errorf("outputs %v, error %v", out, err)
			}
			if got := strings.Join(h.Files(), " "); got != c.done || len(h.Acts) != c.acts {
				t.Errorf("files %s, %d acts", got, len(h.Acts))
			}
		})
	}
}

func TestFakeJournal(t *testing.T) {
	h := NewHost("fake")
	h.Put("/v", nil, 0o755)
	h.Vtl = func(h *FakeHost, argv []string) (string, int) {
		h.Put("/made/by/vtl", []byte(strings.Join(argv, " ")), 0o600)
		return "done\n", 0
	}
	look(t, h, transport.System())
	_, err := h.Do(context.Background(), transport.Run("/v", "createCert"), transport.Remove("/no"))
	must(t, err)
	want := []transport.Action{transport.Run("/v", "createCert"), transport.Remove("/no")}
	if diff := cmp.Diff(want, h.Acts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]transport.Query{{transport.System()}}, h.Looked); diff != "" {
		t.Error(diff)
	}
	if data, _ := h.Get("/made/by/vtl"); string(data) != "/v createCert" {
		t.Errorf("the hook wrote %q", data)
	}
}

func TestFakeProcesses(t *testing.T) {
	h := NewHost("fake")
	h.Put("/gw", nil, 0o755)
	h.Put("/old", nil, 0o644)
	first := h.Launch("/gw", "/gw -d")
	h.Launch("/gw2", "")
	h.Advance(2 * time.Second)
	h.Put("/soon", nil, 0o644)
	h.Advance(28 * time.Second)
	h.Put("/new", nil, 0o644)
	f := look(t, h, transport.Processes("/gw", "/old", "/soon", "/new", "/missing"))
	want := []transport.Process{{
		PID: first, Started: "Mon Mar  2 09:30:00 2026", Age: 30 * time.Second, Command: "/gw -d", Newer: []string{"/new"},
	}}
	if diff := cmp.Diff(want, f.Processes); diff != "" {
		t.Error(diff)
	}
	h.Stop = func(p FakeProcess) bool { return p.PID != first }
	if _, err := h.Do(context.Background(), transport.Stop(first, "/gw", 0)); err == nil || len(h.Running) != 2 {
		t.Errorf("a process that ignores SIGTERM: %v, %v", err, h.Running)
	}
	var started []string
	h.Start = func(argv []string) { started = argv }
	_, err := h.Do(context.Background(), transport.Start("/gw", "-x"))
	must(t, err)
	if diff := cmp.Diff([]string{"/gw", "-x"}, started); diff != "" || len(h.Running) != 2 {
		t.Errorf("start hook: %s, %v", diff, h.Running)
	}
}

func TestFakeProblems(t *testing.T) {
	h := NewHost("fake")
	h.Put("/f", []byte("x"), 0o600)
	h.Problems["/f"] = "cat: /f: Permission denied"
	for _, q := range []transport.Query{transport.File("/f"), transport.Key("/f")} {
		f := look(t, h, q)
		if f.Problem != "cat: /f: Permission denied" || f.Data != nil || f.Mode != 0o600 || f.Missing {
			t.Errorf("%s: %+v", q.Kind, f)
		}
	}
}
