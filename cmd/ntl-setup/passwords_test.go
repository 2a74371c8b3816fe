//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/transport/redact"
)

// commanded is an end whose password a command prints, and who asks for it.
func commanded(t *testing.T, line string) (*questions, config.End, *strings.Builder) {
	t.Helper()
	cfg, err := config.Flags{
		Client: "local", ClientAddress: "192.0.2.1", HSM: "admin@192.0.2.20", Partitions: []string{"p"}, Timeout: 1, StepTimeout: 1, HSMPasswordCommand: line,
	}.Resolve(config.Env{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	said := &strings.Builder{}
	view := ui.NewView("plan", ui.Text, ui.Stream{Writer: said}, ui.Stream{Writer: said})
	t.Cleanup(view.Close)
	q := newQuestions(func() (asker, error) { return nil, errors.New("the terminal was opened") }, view)
	q.secrets = &redact.Set{}
	return q, cfg.Links[0].HSM, said
}

func TestPasswordCommand(t *testing.T) {
	for name, c := range map[string]struct {
		line, want string
		fails      string // in the error
		said       string // exactly, on standard error
	}{
		"a line":              {"echo s3cret", "s3cret", "", ""},
		"the first of many":   {"printf 's3cret\\nlogin: alex\\n'", "s3cret", "", ""},
		"shell language":      {"x=s3; echo \"${x}cret\" | cat", "s3cret", "", ""},
		"no end of line":      {"printf s3cret", "s3cret", "", ""},
		"no standard input":   {"cat; echo s3cret", "s3cret", "", ""},
		"a word on the side":  {"echo unlocked >&2; echo s3cret", "s3cret", "", "note: --hsm-password-command: unlocked\n"},
		"it tells all":        {"echo got s3cret >&2; echo s3cret", "s3cret", "", "note: --hsm-password-command: got [redacted]\n"},
		"terminal's controls": {"printf '\\033[31mred\\033[0m\\n' >&2; echo s3cret", "s3cret", "", "note: --hsm-password-command: red\n"},
		"status":              {"echo s3cret; exit 3", "", "the password command failed: exit status 3", ""},
		"its words": {"echo s3cret; echo locked; echo no s3cret >&2; exit 1", "",
			"the password command failed: exit status 1 (no [redacted])", "note: --hsm-password-command: no [redacted]\n"},
		"a signal":            {"kill -9 $$", "", "the password command failed: signal: killed", ""},
		"not there":           {"/nonexistent/pass show hsm", "", "the password command failed: exit status 127 (", "any"},
		"nothing":             {"true", "", "it printed no password", ""},
		"an empty line first": {"echo; echo s3cret", "", "it printed no password", ""},
		"too much":            {"head -c 200000 /dev/zero | tr '\\0' x", "", "too long for a password", ""},
		"a helper stays":      {"sleep 600 & echo $! >$HELPER; echo s3cret", "s3cret", "", ""},
		"not its business":    {"echo s3cret$NTL_SETUP_CLIENT_PASSWORD$NTL_SETUP_HSM_PASSWORD", "s3cret", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			helper := filepath.Join(t.TempDir(), "pid")
			t.Setenv("HELPER", helper)
			t.Setenv("NTL_SETUP_CLIENT_PASSWORD", "canary")
			t.Setenv("NTL_SETUP_HSM_PASSWORD", "canary")
			q, end, said := commanded(t, c.line)
			got, err := q.password(end, "--hsm-password-file", "X")(t.Context())
			if got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
			if c.fails != "" {
				if err == nil {
					t.Fatal("no error")
				}
				f := orchestrator.Fail(err)
				if f.Class != "auth" || !strings.HasPrefix(f.Message, "the password command failed: ") || !strings.Contains(f.Message, c.fails) ||
					!strings.Contains(f.Hint, "--hsm-password-command") || strings.Contains(f.Message+f.Hint, "s3cret") {
					t.Errorf("%+v", f)
				}
			}
			if c.said != "any" && said.String() != c.said {
				t.Errorf("said %q, want %q", said.String(), c.said)
			}
			if c.want != "" && q.secrets.String(c.want) != redact.Placeholder {
				t.Error("the redactor does not know the password")
			}
			killHelper(t, helper)
		})
	}
}

// A password command gets no variable that the file of links takes a password
// from, of whichever host.
func TestPasswordCommandsGetNoOtherPassword(t *testing.T) {
	t.Setenv("OPS_PASSWORD", "canary")
	t.Setenv("OPS_PASSWORD_FILE", "kept")
	q, end, _ := commanded(t, "echo s3cret$OPS_PASSWORD$OPS_PASSWORD_FILE")
	q.variables = []string{"OTHER", "OPS_PASSWORD"}
	if got, err := q.password(end, "--hsm-password-file", "X")(t.Context()); err != nil || got != "s3cretkept" {
		t.Errorf("%q, %v", got, err)
	}
}

// killHelper ends the process that a test's command left behind, if it did.
func killHelper(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		return // it left none
	}
	var pid int
	for _, c := range strings.TrimSpace(string(text)) {
		pid = pid*10 + int(c-'0')
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Error(err)
	}
}

func TestPasswordCommandEndsWithTheRun(t *testing.T) {
	q, end, _ := commanded(t, "exec sleep 600")
	cause := errors.New("the run is over")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, cause)
	defer cancel()
	began := time.Now()
	if _, err := q.password(end, "", "")(ctx); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	q.turn <- struct{}{} // somebody else's question stands
	if _, err := q.password(end, "", "")(ctx); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}

// A prompt's answer is known to the redactor too.
func TestTypedPasswordsAreKnown(t *testing.T) {
	p := &person{secret: "s3cret"}
	q := newQuestions(func() (asker, error) { return p, nil }, quiet(t))
	q.secrets = &redact.Set{}
	if _, err := q.password(end("a@h:22"), "", "")(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := q.secrets.String("a s3cret"); got != "a [redacted]" {
		t.Errorf("%q", got)
	}
}
