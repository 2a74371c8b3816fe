//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOffspring(t *testing.T) {
	const table = "    0     0\n    1     0\n   10     1\n   20    10\n   30    20\n   21    10\n  200    11\nnonsense\n\n"
	for of, want := range map[int][]int{10: {20, 21, 30}, 20: {30}, 30: nil, 99: nil, 0: {0, 1, 10, 20, 21, 30}} {
		if got := offspring([]byte(table), of); !slices.Equal(got, want) {
			t.Errorf("of %d: %v, wanted %v", of, got, want)
		}
	}
}

// atWork reports whether a process runs; one that has ended and was not fetched
// yet does not.
func atWork(t *testing.T, pid string) bool {
	t.Helper()
	state, err := exec.CommandContext(t.Context(), "ps", "-o", "stat=", "-p", pid).Output()
	var none *exec.ExitError
	if err != nil && !errors.As(err, &none) {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(state))
	return text != "" && !strings.HasPrefix(text, "Z")
}

// A password command that is given up ends with all that it started: a pin entry
// that stays would read what is typed into the shell afterwards.
func TestAPasswordCommandLeavesNothing(t *testing.T) {
	left := filepath.Join(t.TempDir(), "left")
	for name, line := range map[string]string{
		"a child":      `sh -c 'echo $$ >"` + left + `"; exec sleep 600'; echo later >&2`,
		"a grandchild": `sh -c 'sh -c "echo \$\$ >` + left + `; exec sleep 600"; true'; true`,
		"a pipe":       `sh -c 'echo $$ >"` + left + `"; exec sleep 600' | head -1`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(left, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			q, end, said := commanded(t, line)
			cause := errors.New("the run is over")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			read := func() string { text, _ := os.ReadFile(left); return strings.TrimSpace(string(text)) } //nolint:errcheck // it was written above
			go func() {
				for read() == "" && ctx.Err() == nil {
					<-time.After(5 * time.Millisecond)
				}
				cancel(cause)
			}()
			if _, err := q.password(end, "", "")(ctx); !errors.Is(err, cause) {
				t.Fatal(err)
			}
			pid := read()
			for end := time.Now().Add(20 * time.Second); atWork(t, pid); <-time.After(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("process %s is still at work", pid)
				}
			}
			if said.Len() > 0 {
				t.Errorf("said %q", said)
			}
		})
	}
}

// A system on which even ps hangs does not hold up the end of the run.
func TestAPasswordCommandEndsWithoutPs(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "ps"), []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	q, end, _ := commanded(t, "exec sleep 600")
	cause := errors.New("the run is over")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, cause)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := q.password(end, "", "")(ctx)
		ended <- err
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, cause) {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it is still waited for")
	}
}
