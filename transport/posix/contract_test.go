//go:build unix

package posix

import (
	"context"
	"testing"

	"ntl-setup/transport"
	"ntl-setup/transport/transporttest"
)

// shellRunner runs lines as the login shell of a machine would: program -c line.
type shellRunner struct {
	program string
	words   []string
}

func (r shellRunner) Name() string { return "tester@" + r.program }

func (r shellRunner) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	return execGroup(ctx, r.Name(), nil, stdin, r.program, append(r.words, "-c", line)...)
}

func TestHostContract(t *testing.T) {
	for name, c := range map[string]struct {
		runner transport.Runner
		shell  string
	}{
		"local":                   {Local("here"), ""},
		"csh as the login shell":  {shellRunner{program: "/bin/csh"}, ""},
		"bash as the POSIX shell": {Local("here"), "bash --posix"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transporttest.TestHost(t, func(t *testing.T) (transport.Host, string) {
				return New(c.runner, Options{Shell: c.shell}), t.TempDir()
			})
		})
	}
}
