//go:build linux

package sudo

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ntl-setup/fixtures/accounts"
	"ntl-setup/transport"
	"ntl-setup/transport/posix"
	"ntl-setup/transport/transporttest"
)

// user runs lines as a user of this machine, in a login shell of his.
type user struct {
	accounts.Account

	shell string
}

func (u user) Name() string { return u.Account.Name + "@here" }

func (u user) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	if ctx.Err() != nil {
		return transport.Output{}, transport.Errorf(transport.ClassTimeout, u.Name(), "run: %w", context.Cause(ctx))
	}
	cmd := exec.CommandContext(ctx, u.shell, "-c", line) //nolint:gosec // what a login is
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=de_DE.UTF-8", "ChrystokiConfigurationPath=/opt/luna client"}
	// A session of its own: no terminal, as under sshd.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true, Credential: &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}, //nolint:gosec // numbers of users
	}
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return transport.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Status: cmd.ProcessState.ExitCode()}, err
}

// possible: without root there are no users to try sudo with; what can be told
// without them the other tests tell.
func possible(t *testing.T) bool {
	t.Helper()
	if !accounts.Possible() {
		t.Log("checked only as root: it takes users and rules for sudo")
		return false
	}
	for _, program := range []string{"sudo", "csh"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: install the package %s", program, program)
		}
	}
	return true
}

const whoAndWhere = `echo "uid $(id -u), $ChrystokiConfigurationPath"`

func TestRealSudo(t *testing.T) {
	if !possible(t) {
		return
	}
	for name, c := range map[string]struct {
		rules   []string
		shell   string
		wrong   bool
		message string // "": it works
		fetched int
	}{
		"without a password":       {rules: []string{"USER ALL=(ALL) NOPASSWD: ALL"}, shell: "/bin/sh"},
		"without one, csh":         {rules: []string{"USER ALL=(ALL) NOPASSWD: ALL"}, shell: "/bin/csh"},
		"with a password":          {rules: []string{"USER ALL=(ALL) ALL"}, shell: "/bin/sh", fetched: 1},
		"with a password, csh":     {rules: []string{"USER ALL=(ALL) ALL"}, shell: "/bin/csh", fetched: 1},
		"with a lecture":           {rules: []string{"Defaults:USER lecture=always", "USER ALL=(ALL) ALL"}, shell: "/bin/sh", fetched: 1},
		"in a terminal of its own": {rules: []string{"Defaults:USER use_pty", "USER ALL=(ALL) ALL"}, shell: "/bin/sh", fetched: 1},
		"a wrong password":         {rules: []string{"USER ALL=(ALL) ALL"}, shell: "/bin/sh", wrong: true, message: "did not accept the password", fetched: 1},
		"requiretty":               {rules: []string{"Defaults:USER requiretty", "USER ALL=(ALL) NOPASSWD: ALL"}, shell: "/bin/sh", message: "requiretty"},
		"not in the sudoers file":  {shell: "/bin/sh", message: "nothing of the kind", fetched: 1},
		"one command alone":        {rules: []string{"USER ALL=(ALL) NOPASSWD: /bin/true"}, shell: "/bin/sh", message: "nothing of the kind", fetched: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := user{accounts.New(t, c.rules...), c.shell}
			fetched, text := 0, u.Password
			if c.wrong {
				text = "canary"
			}
			r := New(u, Options{Password: given(text, &fetched)})
			err := r.Elevate(t.Context())
			if fetched != c.fetched {
				t.Errorf("the password was fetched %d times, want %d", fetched, c.fetched)
			}
			if c.message != "" {
				if err == nil || !errors.Is(err, ErrNoRights) || !strings.Contains(err.Error(), c.message) {
					t.Errorf("%v, want %q", err, c.message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if got := run(t, r, "sh", whoAndWhere); !strings.HasSuffix(got, "\nuid 0, /opt/luna client\n") {
					t.Errorf("%q", got)
				}
			}
		})
	}
}

// sudo counts the attempts: one, however it asks.
func TestRealSudoCountsOneAttempt(t *testing.T) {
	if !possible(t) {
		return
	}
	u := user{accounts.New(t, "USER ALL=(ALL) ALL"), "/bin/sh"}
	n := 0
	err := New(u, Options{Password: given("canary", &n)}).Elevate(t.Context())
	if err == nil || !strings.Contains(err.Error(), "1 incorrect password attempt") {
		t.Errorf("%v", err)
	}
}

// A Host on top does everything that a Host must do, as root by sudo.
func TestHostContractBySudo(t *testing.T) {
	if !possible(t) {
		return
	}
	u := user{accounts.New(t, "USER ALL=(ALL) NOPASSWD: ALL"), "/bin/sh"}
	transporttest.TestHost(t, func(t *testing.T) (transport.Host, string) {
		r := New(u, Options{})
		if err := r.Elevate(t.Context()); err != nil {
			t.Fatal(err)
		}
		h := posix.New(r, posix.Options{})
		facts, err := h.Look(t.Context(), transport.System())
		if err != nil || facts[transport.System()].User != strconv.Itoa(0) {
			t.Fatalf("%+v, %v", facts, err)
		}
		return h, t.TempDir()
	})
}
