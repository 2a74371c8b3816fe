package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/transport"
)

// printedMost bounds what is kept of what a password command prints, in bytes,
// on each of its two streams.
const printedMost = 64 << 10

// head keeps the beginning of what is written to it and takes the rest too, so
// that the writer is not stopped.
type head struct{ bytes.Buffer }

// Write keeps what there is room for.
func (h *head) Write(p []byte) (int, error) {
	_, err := h.Buffer.Write(p[:min(len(p), printedMost-h.Len())])
	return len(p), err
}

// runPasswordCommand runs a command line in the user's shell and returns the
// first line that it prints. It may ask on the terminal by itself (a pin entry),
// but gets no standard input. noted is what it said on standard error: kept
// until its end, for it may hold the password, which is only known then. hidden
// are variables that it does not get.
func runPasswordCommand(ctx context.Context, line string, hidden []string) (password, noted string, err error) {
	shell := []string{"/bin/sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/c"}
	}
	var out, said head
	cmd := exec.CommandContext(ctx, shell[0], shell[1], line) //nolint:gosec // the user's own command line, from a flag
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.Cancel = func() error { return endAll(cmd) } //nolint:contextcheck // ctx has ended then
	// A helper that it leaves running may hold the pipes open.
	cmd.WaitDelay = 2 * time.Second
	// It has no use for the other secrets.
	hidden = append([]string{config.EnvClientPassword, config.EnvHSMPassword, config.EnvIdentityPassphrase, config.EnvSudoPassword}, hidden...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.ContainsFunc(hidden, func(secret string) bool { return sameVariable(name, secret) })
	})
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	if err == nil {
		password, err = config.FirstLine(out.String())
		return password, said.String(), err
	}
	password, _ = config.FirstLine(out.String()) // for the redactor alone
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return password, said.String(), err
}

// sameVariable compares names of variables as the system does.
func sameVariable(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}

// fromCommand gets the password of one end from its command. One command at a
// time, and no prompt meanwhile: it may use the terminal.
func (q *questions) fromCommand(ctx context.Context, end config.End) (string, error) {
	select {
	case q.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-q.turn }()
	var password, noted string
	err := q.view.Ask(func() (err error) {
		password, noted, err = runPasswordCommand(ctx, end.Command.Reveal(), q.variables)
		return err
	})
	q.secrets.Add(password)
	lines := strings.Split(strings.TrimSpace(q.secrets.String(noted)), "\n")
	for i, line := range lines {
		if i < 10 && line != "" {
			q.view.Note(end.CommandFlag + ": " + line)
		}
	}
	if err == nil {
		return password, nil
	}
	if ctx.Err() != nil {
		return "", err
	}
	why := err.Error()
	if last := lines[len(lines)-1]; last != "" {
		why += fmt.Sprintf(" (%s)", transport.Printable(last))
	}
	// Many hosts may share it: whoever dials one names that.
	return "", transport.Errorf(transport.ClassAuth, "", "the password command failed: %s", q.secrets.String(why)).
		WithHint("run what %s names by hand: its first line of output is to be the password", end.CommandFlag)
}
