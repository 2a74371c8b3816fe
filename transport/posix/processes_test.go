//go:build unix

package posix

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// Which command lines are those of /v/vtl, asked of the real shell function.
func TestBelongs(t *testing.T) {
	lines := map[string]bool{
		"/v/vtl":                            true,
		"/v/vtl createCert -n x":            true,
		"/bin/sh /v/vtl verify":             true,
		"sh /v/vtl verify":                  true,
		"/usr/bin/bash -eu /v/vtl":          true,
		"/usr/bin/python3.11 /v/vtl":        true,
		"perl -w /v/vtl":                    true,
		"/usr/local/bin/ksh93 /v/vtl":       true,
		"":                                  false,
		"/v/vtl2":                           false,
		"/v/vt":                             false,
		"x/v/vtl":                           false,
		"grep /v/vtl":                       false,
		"vi /v/vtl":                         false,
		"tail -f /v/vtl":                    false,
		"sh -c /v/vtl createCert":           false,
		"bash -ec /v/vtl":                   false,
		"sh":                                false,
		"sh -x":                             false,
		"sh /other /v/vtl":                  false,
		"sh -e -u /v/vtl":                   false,
		"nscli shell ps -aux | grep /v/vtl": false,
		"/v/vtl: worker":                    false,
		"[vtl] <defunct>":                   false,
		"sshd: /v/vtl":                      false,
		"* /v/vtl":                          false,
	}
	// A pattern is no name, even where the file that it would match is there.
	lines["/bin/s[h] /v/vtl"] = false
	var script strings.Builder
	script.WriteString(withoutComments(commonLibrary))
	var order []string
	for line := range lines {
		order = append(order, line)
		script.WriteString("if belongs /v/vtl " + mustQuote(line) + "; then printf 'true\\n'; else printf 'false\\n'; fi\n")
	}
	for _, shell := range posixShells(t) {
		got := strings.Split(feed(t, script.String(), shell...), "\n")
		for i, line := range order {
			if got[i] != strconv.FormatBool(lines[line]) {
				t.Errorf("%v: %q: %s", shell, line, got[i])
			}
		}
	}
}

func TestProcessFact(t *testing.T) {
	f, err := processFact([]section{
		{0, "now", []byte("Sat Nov 21 18:20:36 2026")},
		{0, "process", []byte("310 1 Sat Nov 21 18:20:06 2026 /g/gw -d")},
		{0, "newer", []byte("/etc/a")},
		{0, "newer", []byte("/etc/b")},
		{0, "process", []byte("311 310 Sat Nov 21 18:20:07 2026 /g/gw -d")},
		{0, "newer", []byte("/etc/a")},
		{0, "process", []byte("400 310 Sun Nov 1 18:20:36 2026 /g/gw  -x  y")},
		{0, "process", []byte("401 1 Sat Nov 21 18:20:37 2026 /g/gw -d")},
	})
	check(t, err)
	want := []transport.Process{
		{PID: 310, Started: "Sat Nov 21 18:20:06 2026", Age: 30 * time.Second, Command: "/g/gw -d", Newer: []string{"/etc/a", "/etc/b"}},
		{PID: 400, Started: "Sun Nov  1 18:20:36 2026", Age: 20 * 24 * time.Hour, Command: "/g/gw  -x  y"},
		{PID: 401, Started: "Sat Nov 21 18:20:37 2026", Command: "/g/gw -d"},
	}
	if diff := cmp.Diff(want, f.Processes); diff != "" {
		t.Error(diff)
	}
	for name, s := range map[string]section{
		"newer alone": {0, "newer", []byte("/a")}, "no clock": {0, "now", []byte("yesterday")},
		"short": {0, "process", []byte("1 2 Sat Nov 21")}, "no month": {0, "process", []byte("1 2 Sat Nuv 21 18:20:06 2026 x")},
		"no pid": {0, "process", []byte("x 2 Sat Nov 21 18:20:06 2026 x")}, "no parent": {0, "process", []byte("1 x Sat Nov 21 18:20:06 2026 x")},
		"other": {0, "surprise", nil},
	} {
		if _, err := processFact([]section{s}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A program that goes on, in the three ways that a gateway or vtl may come: a
// shell script, a script of another interpreter, a binary.
func TestRealProcesses(t *testing.T) {
	h, dir := here(t)
	binary := filepath.Join(dir, "binary")
	sleep, err := os.ReadFile(need(t, "sleep", "coreutils"))
	check(t, err)
	write(t, binary, string(sleep), 0o755)
	write(t, dir+"/script", "#!/bin/sh\nn=0\nwhile [ $n -lt 60 ]; do x=$(sleep 1); n=$((n+1)); done\n", 0o755)
	write(t, dir+"/perl", "#!"+need(t, "perl", "perl")+" -w\nsleep 60;\n", 0o755)
	decoy := dir + "/decoy"
	write(t, decoy, read(t, dir+"/script"), 0o755)
	for name, argv := range map[string][]string{
		"binary": {binary, "60"}, "script": {dir + "/script", "createCert"}, "perl": {dir + "/perl"},
	} {
		t.Run(name, func(t *testing.T) {
			// The name of the executable in another program's words is no process of it.
			start(t, h, decoy, "-f", argv[0])
			p := start(t, h, argv...)
			if !strings.HasSuffix(p.Command, strings.Join(argv, " ")) {
				t.Errorf("command %q", p.Command)
			}
			if _, err := time.Parse(lstart, p.Started); err != nil {
				t.Errorf("start %q: %v", p.Started, err)
			}
			if len(p.Newer) != 0 {
				t.Errorf("newer %q", p.Newer)
			}
		})
	}
}

// start starts a program that ends with the test, and finds its process.
func start(t *testing.T, h transport.Host, argv ...string) transport.Process {
	t.Helper()
	_, err := doOne(t, h, transport.Start(argv...))
	check(t, err)
	q := transport.Processes(argv[0])
	var found []transport.Process
	eventually(t, argv[0]+" runs", func() bool {
		found = lookOne(t, h, q).Processes
		return len(found) > 0
	})
	t.Cleanup(func() {
		for _, p := range lookOne(t, h, q).Processes {
			if said, err := doOne(t, h, transport.Stop(p.PID, argv[0], 10*time.Second)); err != nil {
				t.Errorf("%v %s", err, said)
			}
		}
	})
	if len(found) != 1 {
		t.Fatalf("processes %+v", found)
	}
	return found[0]
}

func TestNewerFiles(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/gw", "#!/bin/sh\nn=0\nwhile [ $n -lt 60 ]; do sleep 1; n=$((n+1)); done\n", 0o755)
	started, err := time.ParseInLocation(lstart, start(t, h, dir+"/gw").Started, time.Local)
	check(t, err)
	after := map[string]time.Duration{"old": -time.Hour, "same": 0, "second": time.Second, "two": 2 * time.Second, "four": 4 * time.Second, "later": time.Hour}
	var files []string
	for name, d := range after {
		file := filepath.Join(dir, name+" file")
		write(t, file, "x", 0o644)
		check(t, os.Chtimes(file, started.Add(d), started.Add(d)))
		files = append(files, file)
	}
	check(t, os.Symlink(dir+"/later file", dir+"/link"))
	check(t, os.Symlink(dir+"/nowhere", dir+"/dangling"))
	files = append(files, dir+"/link", dir+"/dangling", dir+"/missing")
	q := transport.Processes(dir+"/gw", files...)
	f := lookOne(t, h, q)
	if f.Problem != "" {
		t.Fatal(f.Problem)
	}
	newer := strings.Join(f.Processes[0].Newer, "|")
	for name, want := range map[string]bool{
		"old file": false, "same file": false, "second file": false, "two file": false,
		"four file": true, "later file": true, "link": true, "dangling": false, "missing": false,
	} {
		if strings.Contains(newer, dir+"/"+name) != want {
			t.Errorf("%s: newer is %v", name, !want)
		}
	}
}

// Where ps or find cannot do what is asked, that is told; silence would read as
// "nothing runs" and "nothing changed".
func TestProcessesOnAPoorMachine(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/gw", "#!/bin/sh\nn=0\nwhile [ $n -lt 60 ]; do sleep 1; n=$((n+1)); done\n", 0o755)
	start(t, h, dir+"/gw")
	q := transport.Processes(dir+"/gw", dir+"/gw")
	t.Run("find", func(t *testing.T) {
		stub(t, "find", "echo 'find: unrecognized: -newermt' >&2; exit 1")
		if f := lookOne(t, h, q); f.Problem != "find: unrecognized: -newermt" || len(f.Processes) != 1 {
			t.Errorf("%+v", f)
		}
	})
	t.Run("ps", func(t *testing.T) {
		stub(t, "ps", "echo 'ps: unrecognized option: x' >&2; exit 1")
		if f := lookOne(t, h, q); f.Problem != "ps: unrecognized option: x" || f.Processes != nil {
			t.Errorf("%+v", f)
		}
		said, err := doOne(t, h, transport.Stop(1<<22, dir+"/gw", 0))
		if err == nil || !strings.Contains(said, "unrecognized option") {
			t.Errorf("stop: %q, %v", said, err)
		}
	})
}
