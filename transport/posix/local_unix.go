//go:build unix

package posix

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"ntl-setup/transport"
)

// Exec runs a line in /bin/sh.
func (l local) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	return execGroup(ctx, l.name, l.hidden, stdin, "/bin/sh", "-c", line)
}

// execGroup runs a program in its own process group. After the context has
// ended nobody waits for it but the goroutine that collects its status.
func execGroup(ctx context.Context, name string, hidden []string, stdin []byte, program string, words ...string) (transport.Output, error) {
	if ctx.Err() != nil {
		return transport.Output{}, ended(ctx, name)
	}
	cmd := exec.Command(program, words...) //nolint:gosec,noctx // the line is ours; the context hangs up instead of killing
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = environment(os.Environ(), hidden)
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bounded
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return transport.Output{}, transport.Errorf(transport.ClassConnect, name, "starting %s: %w", program, err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-ctx.Done():
		// It may have ended in this moment; then there is nobody to tell.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGHUP)
		return transport.Output{}, ended(ctx, name)
	case err := <-done:
		return collect(name, err, cmd.ProcessState.ExitCode(), &stdout, &stderr)
	}
}

// environment is what local commands are given of this program's own: all but
// the variables that are this program's, and the hidden ones, since passwords
// come by them. A daemon that is started here would show them for as long as it
// runs.
func environment(own, hidden []string) []string {
	const ours = "NTL_SETUP_"
	return slices.DeleteFunc(own, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(name, ours) || slices.Contains(hidden, name)
	})
}

func collect(name string, err error, status int, stdout, stderr *bounded) (transport.Output, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return transport.Output{}, transport.Errorf(transport.ClassConnect, name, "running a command: %w", err)
	}
	if stdout.over || stderr.over {
		return transport.Output{}, transport.Errorf(transport.ClassProtocol, name, "%w", transport.ErrTooLarge)
	}
	return transport.Output{Stdout: stdout.kept.Bytes(), Stderr: stderr.kept.Bytes(), Status: status}, nil
}

// ended is the error of a context that has ended.
func ended(ctx context.Context, name string) error {
	return transport.Errorf(transport.ClassTimeout, name, "waiting for a command: %w", context.Cause(ctx))
}

// bounded keeps the first localLimit bytes and lets the rest pass. The buffer is
// no embedded field: its ReadFrom would let everything in.
type bounded struct {
	kept bytes.Buffer
	over bool
}

// Write never fails, so that the command is not disturbed.
func (b *bounded) Write(p []byte) (int, error) {
	keep := min(len(p), localLimit-b.kept.Len())
	b.over = b.over || keep < len(p)
	b.kept.Write(p[:keep])
	return len(p), nil
}
