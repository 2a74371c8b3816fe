//go:build linux && cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"ntl-setup/transport"
	"ntl-setup/transport/probe"
)

// progress is one line that a child tells its parent.
type progress struct {
	At     string          `json:"at,omitempty"`     // the call that begins now
	Answer *probe.Document `json:"answer,omitempty"` // everything but the end
	Note   string          `json:"note,omitempty"`   // how the end went, if not well
}

// heard is what a child has told.
type heard struct {
	at     string
	answer *probe.Document
	notes  []string
}

// ask has a library asked by a child process, and says what became of that.
func ask(ctx context.Context, library string, timeout time.Duration) probe.Document {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTooLong)
	defer cancel()
	// The child dies with this process, to be exact: with this thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c, err := start(library)
	if err != nil {
		return probe.Fail(library, "internal", "", "starting another ntl-probe: %v", err)
	}
	h, end := c.wait(ctx)
	return h.judge(library, end, timeout)
}

var errTooLong = errors.New("the time is over")

// child is the process that loads a library.
type child struct {
	cmd   *exec.Cmd
	from  *os.File
	heard chan heard // one, when the child has said its last
	ended chan ended // one, when the process has ended
}

// ended is how a process ended.
type ended struct{ err error }

func start(library string) (*child, error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &child{from: from, heard: make(chan heard, 1), ended: make(chan ended, 1)}
	// The program itself, also where its file has been removed meanwhile. Its
	// output goes to /dev/null: the library may print.
	c.cmd = exec.Command("/proc/self/exe", childWord, library) //nolint:gosec,noctx // it is this program; wait ends it, with its children
	c.cmd.Args[0] = "ntl-probe"
	c.cmd.ExtraFiles = []*os.File{to}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err = c.cmd.Start()
	_ = to.Close() // the child has its own
	if err != nil {
		_ = from.Close() // nothing was read
		return nil, err
	}
	go func() { c.heard <- listen(from) }()
	go func() { c.ended <- ended{c.cmd.Wait()} }()
	return c, nil
}

// listen reads what a child tells, to its end.
func listen(from io.Reader) heard {
	var h heard
	for lines := json.NewDecoder(io.LimitReader(from, probe.Largest)); ; {
		var p progress
		if lines.Decode(&p) != nil {
			return h
		}
		switch {
		case p.At != "":
			h.at = p.At
		case p.Answer != nil:
			h.answer = p.Answer
		case p.Note != "":
			h.notes = append(h.notes, p.Note)
		}
	}
}

// wait waits for the end of the child, or makes it end.
func (c *child) wait(ctx context.Context) (heard, error) {
	// A process that the kernel does not let go is not waited for, nor is a pipe
	// that somebody holds who was started in between.
	const patience = 500 * time.Millisecond
	// Whatever the child started goes with it.
	kill := func() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }
	var end error
	select {
	case e := <-c.ended:
		end = e.err
		kill()
	case <-ctx.Done():
		end = context.Cause(ctx)
		kill()
		select {
		case <-c.ended:
		case <-time.After(patience):
		}
	}
	_ = c.from.SetReadDeadline(time.Now().Add(patience))
	h := <-c.heard
	_ = c.from.Close() // everything was read
	return h, end
}

// judge is the answer, or why there is none.
func (h heard) judge(library string, end error, timeout time.Duration) probe.Document {
	trouble := troubled(end, h.at, timeout)
	switch {
	case h.answer != nil:
		// All was said; what the library did at its end is worth a remark.
		d := *h.answer
		d.Notes = append(d.Notes, h.notes...)
		if trouble != "" {
			d.Notes = append(d.Notes, trouble)
		}
		return d
	case errors.Is(end, errTooLong):
		return probe.Fail(library, transport.ClassTimeout, "--timeout gives it more time", "%s", trouble)
	case errors.Is(end, context.Canceled):
		d := probe.Fail(library, "interrupted", "", "%s", trouble)
		d.Exit = exitInterrupted
		return d
	case trouble == "":
		trouble = "the library ended the process in " + h.at + ", as if all was well"
	}
	return probe.Fail(library, transport.ClassRemote, "", "%s", trouble)
}

// troubled words the end of a child, "" for a good one.
func troubled(end error, at string, timeout time.Duration) string {
	var exit *exec.ExitError
	switch {
	case end == nil:
		return ""
	case errors.Is(end, errTooLong):
		return fmt.Sprintf("the library did not end within %s and was killed; it was in %s", timeout, at)
	case errors.Is(end, context.Canceled):
		return "interrupted; the library was in " + at
	case !errors.As(end, &exit):
		return fmt.Sprintf("waiting for the library: %v", end)
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return fmt.Sprintf("the library crashed in %s (signal %s)", at, signalName(status.Signal()))
	}
	return fmt.Sprintf("the library ended the process in %s (exit status %d)", at, exit.ExitCode())
}

// signalName is a signal as people look it up.
func signalName(s syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGSEGV: "SIGSEGV", syscall.SIGABRT: "SIGABRT", syscall.SIGBUS: "SIGBUS", syscall.SIGFPE: "SIGFPE",
		syscall.SIGILL: "SIGILL", syscall.SIGKILL: "SIGKILL", syscall.SIGSYS: "SIGSYS", syscall.SIGTERM: "SIGTERM", syscall.SIGTRAP: "SIGTRAP",
	}
	if name := names[s]; name != "" {
		return name
	}
	return s.String()
}
