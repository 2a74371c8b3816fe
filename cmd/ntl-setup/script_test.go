package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"ntl-setup/fixtures/lab"
)

func TestMain(m *testing.M) {
	lab.Dispatch() // the simulated hosts' programs are this one
	testscript.Main(leakChecked{m}, map[string]func(){"ntl-setup": func() { os.Exit(Main(os.Args[1:])) }})
}

// leakChecked are tests that leave no goroutine behind.
type leakChecked struct{ tests *testing.M }

// Run runs the tests and then looks.
func (l leakChecked) Run() int {
	code := l.tests.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// The scripts run the program as a process of its own. What they check is the
// contract: exit status, which stream, and the words that people and programs
// rely on.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_STATE_HOME", e.WorkDir+"/state") // runs leave their journals there
			e.Setenv("GORACE", os.Getenv("GORACE"))        // and end as fast as the tests do
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits},
	})
}

// exits is the script command `exits STATUS program [argument...]`: exec, with
// the one exit status that is right.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS program [argument...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}
