package main

import (
	"bufio"
	"bytes"
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
	pid := strconv.Itoa(cmd.Process.Pid)
	if runtime.GOOS == "windows" {
		if exec.Command("taskkill", "/T", "/F", "/PID", pid).Run() == nil { //nolint:gosec,noctx // a number; it is the end of a context
			return nil
		}
		return cmd.Process.Kill()
	}
	table, _ := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output() //nolint:noctx // without it the shell alone is ended
	err := cmd.Process.Kill()                                         // first: it would go on with its next command
	for _, p := range offspring(table, cmd.Process.Pid) {
		if p, err := os.FindProcess(p); err == nil {
			_ = p.Signal(syscall.SIGTERM) // it may have ended by itself
		}
	}
	return err
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
