//go:build linux && cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ntl-setup/fixtures/pkcs11"
	"ntl-setup/transport/probe"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == childWord {
		os.Exit(load(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

// ran is one run of the program.
type ran struct {
	status int
	out    string
	err    string
}

func runProbe(t *testing.T, env map[string]string, argv ...string) ran {
	t.Helper()
	var out, err strings.Builder
	status := run(t.Context(), argv, func(name string) string { return env[name] }, &out, &err)
	return ran{status, out.String(), err.String()}
}

// asked is the document that the program prints of a library.
func asked(t *testing.T, library string, more ...string) probe.Document {
	t.Helper()
	r := runProbe(t, nil, append([]string{"-o", "json", "--library", library}, more...)...)
	if r.err != "" || strings.Count(r.out, "\n") != 1 {
		t.Errorf("stderr %q, stdout %q", r.err, r.out)
	}
	d, err := probe.Parse([]byte(r.out))
	if err != nil {
		t.Fatal(err)
	}
	if d.Exit != r.status || d.Library != library {
		t.Errorf("exit %d, status %d, library %q", d.Exit, r.status, d.Library)
	}
	return d
}

func build(t *testing.T, o pkcs11.Options) string {
	t.Helper()
	library, err := pkcs11.Build(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	return library
}

// luna is a client with a partition, one that was never initialised, one whose
// label is odd, and the place of a backup device.
func luna() []pkcs11.Slot {
	return []pkcs11.Slot{
		{ID: 0, Description: "Net Token Slot", Label: "part 1", Serial: "500752010", Model: "LunaSA 7.7.1", Firmware: [2]byte{7, 7}},
		{ID: 1, Description: "Net Token Slot", Fresh: true, Serial: "1682975235230", Model: "LunaSA 7.7.1"},
		{ID: 2, Description: "Net Token Slot", Label: "a\x1b[31mb\xff\u202e", Serial: "500752012", Model: "K6 Base", Firmware: [2]byte{6, 10}},
		{ID: 5, Description: "Luna UHD Slot", Empty: true},
	}
}

func TestSlotsOfALibrary(t *testing.T) {
	d := asked(t, build(t, pkcs11.Options{Slots: luna()}))
	token := probe.Slot{Description: "Net Token Slot", Present: true, Initialised: true, Manufacturer: "Example HSM", Model: "LunaSA 7.7.1", Firmware: "7.7"}
	first, fresh, odd := token, token, token
	first.Label, first.Serial = "part 1", "500752010"
	fresh.Slot, fresh.Initialised, fresh.Serial, fresh.Firmware = 1, false, "1682975235230", "0.0"
	odd.Slot, odd.Label, odd.Serial, odd.Model, odd.Firmware = 2, `a\x1b[31mb\xff\u202e`, "500752012", "K6 Base", "6.10"
	want := probe.Document{
		Schema: "ntl-probe/1", Library: d.Library, Result: probe.OK,
		About: &probe.About{Manufacturer: "Example HSM", Description: "a library for tests", Version: "7.8", PKCS11: "2.20"},
		Slots: []probe.Slot{first, fresh, odd, {Slot: 5, Description: "Luna UHD Slot"}},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSlotsForPeople(t *testing.T) {
	library := build(t, pkcs11.Options{Slots: luna()})
	r := runProbe(t, nil, "--library", library)
	want := library + `: Example HSM a library for tests 7.8, PKCS#11 2.20
SLOT  LABEL                 SERIAL         MODEL         FIRMWARE  TOKEN
0     part 1                500752010      LunaSA 7.7.1  7.7       initialised
1     -                     1682975235230  LunaSA 7.7.1  0.0       not initialised
2     a\x1b[31mb\xff\u202e  500752012      K6 Base       6.10      initialised
5     -                     -              -             -         none
`
	if diff := cmp.Diff(ran{out: want}, r, cmp.AllowUnexported(ran{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	r = runProbe(t, nil, "--library", build(t, pkcs11.Options{}))
	if r.status != exitOK || !strings.HasSuffix(r.out, "it has no slots\n") {
		t.Errorf("without slots: %+v", r)
	}
}

// A library may take its process down, or never come back: that is an answer.
func TestLibrariesThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		fault     pkcs11.Fault
		at        string
		class     string
		message   string
		withSlots bool // the answer was there before
	}{
		"crash when loaded":     {fault: pkcs11.Crash, at: "load", class: "remote", message: "the library crashed in dlopen (signal SIGSEGV)"},
		"crash at the list":     {fault: pkcs11.Crash, at: "C_GetFunctionList", class: "remote", message: "the library crashed in C_GetFunctionList (signal SIGSEGV)"},
		"crash at the start":    {fault: pkcs11.Crash, at: "C_Initialize", class: "remote", message: "the library crashed in C_Initialize (signal SIGSEGV)"},
		"crash at a token":      {fault: pkcs11.Crash, at: "C_GetTokenInfo", class: "remote", message: "the library crashed in C_GetTokenInfo of slot 0 (signal SIGSEGV)"},
		"abort":                 {fault: pkcs11.Abort, at: "C_GetSlotList", class: "remote", message: "the library crashed in C_GetSlotList (signal SIGABRT)"},
		"exit":                  {fault: pkcs11.Exit, at: "C_Initialize", class: "remote", message: "the library ended the process in C_Initialize (exit status 7)"},
		"exit, and all is well": {fault: pkcs11.Exit0, at: "C_Initialize", class: "remote", message: "the library ended the process in C_Initialize, as if all was well"},
		"refusal":               {fault: pkcs11.Refuse, at: "C_Initialize", class: "remote", message: "C_Initialize: pkcs11: 0x30: CKR_DEVICE_ERROR"},
		"refused slots":         {fault: pkcs11.Refuse, at: "C_GetSlotList", class: "remote", message: "C_GetSlotList: pkcs11: 0x30: CKR_DEVICE_ERROR"},
		"hang":                  {fault: pkcs11.Hang, at: "C_Initialize", class: "timeout", message: "the library did not end within 500ms and was killed; it was in C_Initialize"},
		"crash at the end":      {fault: pkcs11.Crash, at: "C_Finalize", message: "the library crashed in C_Finalize (signal SIGSEGV)", withSlots: true},
		"hang at the end":       {fault: pkcs11.Hang, at: "C_Finalize", message: "the library did not end within 500ms and was killed; it was in C_Finalize", withSlots: true},
		"refusal at the end":    {fault: pkcs11.Refuse, at: "C_Finalize", message: "C_Finalize: pkcs11: 0x30: CKR_DEVICE_ERROR", withSlots: true},
		"no word on itself":     {fault: pkcs11.Refuse, at: "C_GetInfo", message: "C_GetInfo: pkcs11: 0x30: CKR_DEVICE_ERROR", withSlots: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			library := build(t, pkcs11.Options{Slots: luna(), Fault: c.fault, At: c.at})
			timeout := "20s"
			if c.fault == pkcs11.Hang {
				timeout = "500ms"
			}
			d := asked(t, library, "--timeout", timeout)
			if c.withSlots {
				if d.Result != probe.OK || d.Exit != exitOK || len(d.Slots) != 4 || !cmp.Equal(d.Notes, []string{c.message}) {
					t.Errorf("%+v", d)
				}
				return
			}
			if d.Result != probe.Failed || d.Exit != exitFailed || d.Error.Class != c.class || d.Error.Message != c.message {
				t.Errorf("%+v: %+v", d, d.Error)
			}
			noProcessHolds(t, library)
		})
	}
}

// noProcessHolds waits until no process has a library loaded any more; what a
// library started ends with it.
func noProcessHolds(t *testing.T, library string) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for {
		maps, err := filepath.Glob("/proc/[0-9]*/maps")
		if err != nil {
			t.Fatal(err)
		}
		holder := ""
		for _, name := range maps {
			if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), library) {
				holder = name
			}
		}
		if holder == "" {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s still has it loaded", holder)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestASlotThatCannotBeAsked(t *testing.T) {
	d := asked(t, build(t, pkcs11.Options{Slots: luna(), Fault: pkcs11.Refuse, At: "C_GetTokenInfo"}))
	if d.Result != probe.OK || len(d.Slots) != 4 {
		t.Fatalf("%+v", d)
	}
	if s := d.Slots[0]; s.Problem != "C_GetTokenInfo: pkcs11: 0x30: CKR_DEVICE_ERROR" || !s.Present || s.Label != "" {
		t.Errorf("%+v", s)
	}
	if s := d.Slots[3]; s.Problem != "" || s.Present {
		t.Errorf("%+v", s)
	}
}

// The parent's end is the child's: a run that is killed leaves none behind.
func TestTheChildDiesWithItsParent(t *testing.T) {
	library := build(t, pkcs11.Options{Fault: pkcs11.Hang, At: "C_Initialize"})
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestHelperParent$")
	cmd.Env = append(os.Environ(), "PROBE_LIBRARY="+library)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := childOf(t, cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	t.Cleanup(func() { _ = syscall.Kill(-child, syscall.SIGKILL) })
	for deadline := time.Now().Add(10 * time.Second); ; {
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(child) + "/stat"); err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the child lives on")
		}
		<-time.After(20 * time.Millisecond)
	}
}

// TestHelperParent is the parent that is killed.
func TestHelperParent(t *testing.T) {
	if library := os.Getenv("PROBE_LIBRARY"); library != "" {
		ask(context.Background(), library, time.Minute)
		t.Error("the library came back")
	}
}

// childOf waits for the child of a process, and until it has loaded the library.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		stats, err := filepath.Glob("/proc/[0-9]*/stat")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range stats {
			text, _ := os.ReadFile(name)
			_, rest, _ := strings.Cut(string(text), ") ")
			words := strings.Fields(rest)
			if len(words) < 2 || words[1] != strconv.Itoa(parent) {
				continue
			}
			pid := filepath.Base(filepath.Dir(name))
			if maps, _ := os.ReadFile("/proc/" + pid + "/maps"); strings.Contains(string(maps), "libCryptoki2_64") {
				n, err := strconv.Atoi(pid)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
	}
	t.Fatal("the parent has no child")
	return 0
}

func TestInterrupted(t *testing.T) {
	library := build(t, pkcs11.Options{Fault: pkcs11.Hang, At: "C_Initialize"})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	var out, stderr strings.Builder
	status := run(ctx, []string{"--library", library, "-o", "json"}, os.Getenv, &out, &stderr)
	var d probe.Document
	if err := json.Unmarshal([]byte(out.String()), &d); err != nil {
		t.Fatal(err)
	}
	if status != exitInterrupted || d.Error.Class != "interrupted" || d.Exit != exitInterrupted {
		t.Errorf("status %d, %+v", status, d.Error)
	}
	noProcessHolds(t, library)
}

func TestNoLibrary(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.so")
	if err := os.WriteFile(text, []byte("no library\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.so")
	if out, err := exec.CommandContext(t.Context(), "gcc", "-shared", "-o", other, "-xc", "/dev/null").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for library, c := range map[string]struct {
		status int
		says   string
	}{
		"/nowhere/lib.so": {exitUsage, "/nowhere/lib.so: no such file or directory"},
		t.TempDir():       {exitUsage, "is not a regular file"},
		text:              {exitFailed, "it cannot be loaded: " + text + ": file too short"},
		other:             {exitFailed, "it cannot be loaded: it is no PKCS#11 library: it has no C_GetFunctionList"},
	} {
		r := runProbe(t, nil, "--library", library)
		if r.status != c.status || r.out != "" || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, c.says) {
			t.Errorf("%s: %+v, want %q", library, r, c.says)
		}
		if d := asked(t, library); d.Result != probe.Failed || d.Exit != c.status || !strings.Contains(d.Error.Message, c.says) {
			t.Errorf("%s: %+v %+v", library, d, d.Error)
		}
	}
}

// A reader that has gone is told by the status.
func TestNobodyReads(t *testing.T) {
	library := build(t, pkcs11.Options{Slots: luna()})
	for _, form := range []string{"text", "json"} {
		var stderr strings.Builder
		if status := run(t.Context(), []string{"--library", library, "-o", form}, os.Getenv, closed{}, &stderr); status != exitFailed || !strings.Contains(stderr.String(), "gone") {
			t.Errorf("%s: status %d, %q", form, status, stderr.String())
		}
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("gone") }
