//go:build unix

package posix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"ntl-setup/transport"
)

func TestLocalExec(t *testing.T) {
	out, err := Local("here").Exec(context.Background(), "cat; echo problem >&2; exit 7", []byte("in\x00put"))
	if err != nil || string(out.Stdout) != "in\x00put" || string(out.Stderr) != "problem\n" || out.Status != 7 {
		t.Errorf("%q %q %d, %v", out.Stdout, out.Stderr, out.Status, err)
	}
	out, err = Local("here").Exec(context.Background(), "kill -9 $$", nil)
	if err != nil || out.Status != -1 {
		t.Errorf("killed: %d, %v", out.Status, err)
	}
	if name := Local("here").Name(); name != "here" {
		t.Errorf("name %q", name)
	}
	// Input that nobody reads is no error.
	out, err = Local("here").Exec(context.Background(), "exit 0", make([]byte, 1<<20))
	if err != nil || out.Status != 0 {
		t.Errorf("unread input: %d, %v", out.Status, err)
	}
}

// What this program was given for itself stays with it.
func TestLocalEnvironment(t *testing.T) {
	t.Setenv("NTL_SETUP_HSM_PASSWORD", "canary")
	t.Setenv("NTL_SETUP_ANYTHING", "canary")
	t.Setenv("NOT_NTL_SETUP_X", "kept")
	t.Setenv("OPS_PASSWORD", "canary")
	out, err := Local("here", "OPS_PASSWORD").Exec(t.Context(), "env", nil)
	if err != nil || strings.Contains(string(out.Stdout), "canary") || !strings.Contains(string(out.Stdout), "NOT_NTL_SETUP_X=kept\n") {
		t.Errorf("%v\n%s", err, out.Stdout)
	}
}

func TestLocalBounds(t *testing.T) {
	_, err := Local("here").Exec(context.Background(), "head -c 17000000 /dev/zero", nil)
	if !errors.Is(err, transport.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

// slowTool waits for a word on a pipe, says more than a pipe holds, and leaves
// a file.
func slowTool(t *testing.T, dir string) string {
	t.Helper()
	check(t, syscall.Mkfifo(dir+"/go", 0o600))
	write(t, dir+"/tool", "#!/bin/sh\n: >"+dir+"/begun\nread x <"+dir+"/go\n"+
		"yes words | head -n 40000\necho >&2 more || exit 1\n: >"+dir+"/finished\n", 0o755)
	return dir + "/tool"
}

func release(t *testing.T, dir string) {
	t.Helper()
	check(t, os.WriteFile(dir+"/go", []byte("go\n"), 0o600))
}

// The context ends the wait; the tool goes on to its end, the next action is
// not begun.
func TestLocalContextLeavesTheToolAlone(t *testing.T) {
	h, dir := here(t)
	tool := slowTool(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() {
		_, err := h.Do(ctx, transport.Run(tool))
		failed <- err
	}()
	eventually(t, "the tool begins", func() bool { return exists(dir + "/begun") })
	cancel()
	var e *transport.Error
	if err := <-failed; !errors.As(err, &e) || e.Class != transport.ClassTimeout || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if exists(dir + "/finished") {
		t.Fatal("the tool did not wait")
	}
	release(t, dir)
	eventually(t, "the tool ends", func() bool { return exists(dir + "/finished") })
	eventually(t, "nobody is left", func() bool { return len(lookOne(t, h, transport.Processes(tool)).Processes) == 0 })
}

// A look has nothing to finish: it is hung up on.
func TestLocalContextEndsALook(t *testing.T) {
	h, dir := here(t)
	vtl := slowTool(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := h.Look(ctx, transport.VtlVerify(vtl)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	eventually(t, "vtl is gone", func() bool { return len(lookOne(t, h, transport.Processes(vtl)).Processes) == 0 })
	if exists(dir + "/finished") {
		t.Error("vtl went on")
	}
}

// A vtl that an earlier run left at work is seen by the next.
func TestOrphanedToolIsSeen(t *testing.T) {
	h, dir := here(t)
	tool := slowTool(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		_, err := h.Do(ctx, transport.Run(tool, "createCert", "-n", "192.0.2.7"))
		ended <- err
	}()
	eventually(t, "the tool begins", func() bool { return exists(dir + "/begun") })
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	p := lookOne(t, h, transport.Processes(tool)).Processes
	if len(p) != 1 || !strings.HasSuffix(p[0].Command, tool+" createCert -n 192.0.2.7") {
		t.Errorf("processes %+v", p)
	}
	release(t, dir)
	eventually(t, "the tool ends", func() bool { return len(lookOne(t, h, transport.Processes(tool)).Processes) == 0 })
}

// The line drops for good: nobody reads any more, the terminal hangs up. The
// tool ends as it would have, the action after it is not begun.
func TestDroppedLine(t *testing.T) {
	for _, shell := range posixShells(t)[1:] {
		t.Run(shell[0], func(t *testing.T) {
			dir := t.TempDir()
			tool := slowTool(t, dir)
			script, err := renderDo(testMark, []transport.Action{transport.Run(tool), transport.MakeDir(dir + "/next")})
			check(t, err)
			cmd := exec.CommandContext(t.Context(), shell[0], shell[1:]...)
			cmd.Stdin = bytes.NewReader(script)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			out, err := cmd.StdoutPipe()
			check(t, err)
			check(t, cmd.Start())
			first := make([]byte, len("\n"+testMark+" ready\n"))
			_, err = io.ReadFull(out, first)
			check(t, err)
			eventually(t, "the tool begins", func() bool { return exists(dir + "/begun") })
			check(t, out.Close())
			check(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGHUP))
			release(t, dir)
			_ = cmd.Wait() // its status is nobody's business any more
			if !exists(dir + "/finished") {
				t.Error("the tool was cut off")
			}
			if exists(dir + "/next") {
				t.Error("the next action was begun though nobody listens")
			}
		})
	}
}

// A shell that is ended in the middle of an action takes its temporary file
// with it.
func TestTerminatedScriptCleansUp(t *testing.T) {
	dir := t.TempDir()
	check(t, syscall.Mkfifo(dir+"/hold", 0o600))
	check(t, os.Mkdir(dir+"/d", 0o755))
	write(t, dir+"/d/conf", "old", 0o644)
	stub(t, "mv", ": >"+dir+"/begun; read x <"+dir+"/hold; exit 1")
	h := New(Local("here"), Options{})
	ended := make(chan error, 1)
	go func() {
		_, err := h.Do(context.Background(), transport.Replace(dir+"/d/conf", []byte("old"), []byte("new")))
		ended <- err
	}()
	eventually(t, "mv is at work", func() bool { return exists(dir + "/begun") })
	if names := namesIn(t, dir+"/d"); !strings.Contains(names, ".conf.ntl-setup.") {
		t.Errorf("no temporary file beside it: %s", names)
	}
	var pids []int
	for _, line := range strings.Split(feed(t, "ps ax -o pid= -o ppid= -o command= | grep '[.]conf[.]ntl-setup'", "/bin/sh"), "\n") {
		var pid, parent int
		if n, _ := fmt.Sscan(line, &pid, &parent); n == 2 {
			pids = append(pids, parent)
		}
	}
	if len(pids) != 1 {
		t.Fatalf("parents of mv: %v", pids)
	}
	check(t, syscall.Kill(pids[0], syscall.SIGTERM))
	check(t, os.WriteFile(dir+"/hold", []byte("\n"), 0o600))
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	if names := namesIn(t, dir+"/d"); names != "conf" || read(t, dir+"/d/conf") != "old" {
		t.Errorf("left: %s, %q", names, read(t, dir+"/d/conf"))
	}
}
