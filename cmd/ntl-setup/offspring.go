package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
)

// endAll ends a command that was given up, and what it started: a shell does not
// pass its own end on, and a pin entry that is left behind would go on reading the
// terminal. Those get a word first, to give the terminal back as it was.
func endAll(cmd *exec.Cmd) error {
	if runtime.GOOS == "windows" {
		if _, err := besides(cmd, "taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)); err == nil {
			return nil
		}
		return cmd.Process.Kill()
	}
	table, _ := besides(cmd, "ps", "-A", "-o", "pid=,ppid=") // without it the shell alone is ended
	err := cmd.Process.Kill()                                // first: it would go on with its next command
	for _, p := range offspring(table, cmd.Process.Pid) {
		if p, err := os.FindProcess(p); err == nil {
			_ = p.Signal(syscall.SIGTERM) // it may have ended by itself
		}
	}
	return err
}

// besides runs a tool of the system that gets to know no more than cmd does, and
// is not waited for long: the run is over.
func besides(cmd *exec.Cmd, argv ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cmd.WaitDelay)
	defer cancel()
	tool := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // from above
	tool.Env, tool.WaitDelay = cmd.Env, cmd.WaitDelay
	return tool.Output()
}

// offspring are the processes that one started, and theirs, by a table of lines
// with the numbers of each process and its parent.
func offspring(table []byte, of int) []int {
	children := map[int][]int{}
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		var pid, parent int
		if n, _ := fmt.Sscan(lines.Text(), &pid, &parent); n == 2 {
			children[parent] = append(children[parent], pid)
		}
	}
	found := slices.Clone(children[of])
	for i := 0; i < len(found); i++ {
		for _, p := range children[found[i]] {
			if !slices.Contains(found, p) { // a system's first process may be its own parent
				found = append(found, p)
			}
		}
	}
	return found
}
