//go:build unix

package posix

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// canned answers every script with a function of it.
type canned struct {
	answer func(mark, script string) transport.Output
	err    error
	lines  []string
}

func (*canned) Name() string { return "root@192.0.2.24:22" }

func (c *canned) Exec(_ context.Context, line string, stdin []byte) (transport.Output, error) {
	c.lines = append(c.lines, line)
	if c.err != nil {
		return transport.Output{}, c.err
	}
	_, rest, _ := strings.Cut(string(stdin), "mark=")
	mark, _, _ := strings.Cut(rest, "\n")
	return c.answer(mark, string(stdin)), nil
}

// saying makes an answer of a text in which M stands for the mark.
func saying(text string, status int) func(string, string) transport.Output {
	return func(mark, _ string) transport.Output {
		return transport.Output{Stdout: []byte(strings.ReplaceAll(text, "M", mark)), Status: status}
	}
}

func TestUnreadableAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(string, string) transport.Output
		class  transport.Class
		words  string
	}{
		"no sh":              {saying("\x1b[31msh: Command not found.\x1b[0m\n", 127), transport.ClassProtocol, "sh: Command not found."},
		"expired password":   {saying("WARNING: Your password has expired.\nPassword change required but no TTY available.\n", 1), transport.ClassDialogue, "wants a new password"},
		"nologin":            {saying("This account is currently not available.\n", 1), transport.ClassAuth, ": This account is currently not available."},
		"aged password":      {saying("You are required to change your password immediately (administrator enforced).\n", 1), transport.ClassDialogue, "wants a new password"},
		"expired account":    {saying("Your account has expired; please contact your system administrator.\n", 1), transport.ClassDialogue, "account has expired"},
		"restricted shell":   {saying("ERROR: No such command\n", 0), transport.ClassProtocol, "ERROR: No such command"},
		"silence":            {saying("", 0), transport.ClassProtocol, "status 0"},
		"killed in silence":  {saying("", -1), transport.ClassConnect, "ended before"},
		"cut off":            {saying("\nM ready\nM 0 system\nLin", -1), transport.ClassConnect, "ended before"},
		"cut off, status 0":  {saying("\nM ready\n", 0), transport.ClassConnect, "ended before"},
		"foreign text":       {saying("\nM ready\nhello\nM done\n", 0), transport.ClassProtocol, "hello"},
		"unknown answer":     {saying("\nM ready\nM 0 weather\nfine\nM end\nM done\n", 0), transport.ClassProtocol, "weather"},
		"no answer":          {saying("\nM ready\nM done\n", 0), transport.ClassProtocol, "no answer"},
		"clock not a number": {saying("\nM ready\nM 0 clock\n+%s\nM end\nM done\n", 0), transport.ClassProtocol, "+%s"},
		"words on stderr": {func(string, string) transport.Output {
			return transport.Output{Stderr: []byte("exec: sh: not found"), Status: 1}
		}, transport.ClassProtocol, "exec: sh: not found"},
	} {
		t.Run(name, func(t *testing.T) {
			runner := &canned{answer: c.answer}
			facts, err := New(runner, Options{}).Look(context.Background(), transport.System())
			var e *transport.Error
			if !errors.As(err, &e) || e.Class != c.class || facts != nil {
				t.Fatalf("facts %v, error %v (%T), want class %s", facts, err, err, c.class)
			}
			if !strings.Contains(e.Error(), c.words) || strings.ContainsAny(e.Error(), "\x1b\n") {
				t.Errorf("error %q, want %q in it", e, c.words)
			}
			if e.Host != runner.Name() {
				t.Errorf("host %q", e.Host)
			}
			var none *NoShellError
			foreign := strings.Contains(e.Message, "no POSIX shell answered")
			if errors.As(err, &none) != foreign || foreign && !cmp.Equal(none.Answer, c.answer("", "")) {
				t.Errorf("another shell: %+v", none)
			}
			if diff := cmp.Diff([]string{"sh"}, runner.lines); diff != "" {
				t.Errorf("lines:\n%s", diff)
			}
		})
	}
}

func TestRunnersErrorIsPassedOn(t *testing.T) {
	lost := transport.Errorf(transport.ClassConnect, "h", "gone")
	h := New(&canned{err: lost}, Options{})
	if _, err := h.Look(context.Background(), transport.System()); !errors.Is(err, lost) {
		t.Errorf("look: %v", err)
	}
	if out, err := h.Do(context.Background(), transport.MakeDir("/x")); !errors.Is(err, lost) || out != nil {
		t.Errorf("do: %v, %v", out, err)
	}
}

// What a lost line leaves known: the actions that ended before it.
func TestDoCutOff(t *testing.T) {
	const ended = "\nM ready\nM 0 begun\n\nM end\nM 0 output\nhello\n\nM end\nM 0 status\n0\nM end\n"
	for name, c := range map[string]struct {
		text   string
		done   int
		class  transport.Class
		failed bool
	}{
		"after the first":     {ended, 1, transport.ClassConnect, false},
		"in the second":       {ended + "M 1 begun\n\nM end\nM 1 output\nhal", 1, transport.ClassConnect, false},
		"before the first":    {"\nM ready\n", 0, transport.ClassConnect, false},
		"one never answered":  {ended + "M done\n", 1, transport.ClassProtocol, false},
		"the second failed":   {ended + "M 1 output\nno\nM end\nM 1 status\n2\nM end\n", 2, "", true},
		"out of turn":         {"\nM ready\nM 1 status\n0\nM end\nM done\n", 0, transport.ClassProtocol, false},
		"too many":            {ended + strings.ReplaceAll(ended[len("\nM ready\n"):], "M 0", "M 1") + "M 2 status\n0\nM end\nM done\n", 2, transport.ClassProtocol, false},
		"status not a number": {"\nM ready\nM 0 status\nzero\nM end\nM done\n", 0, transport.ClassProtocol, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := New(&canned{answer: saying(c.text, 0)}, Options{})
			out, err := h.Do(context.Background(), transport.MakeDir("/x"), transport.MakeDir("/y"))
			if len(out) != c.done {
				t.Errorf("outputs %v, want %d", out, c.done)
			}
			if c.done > 0 && string(out[0].Stdout) != "hello\n" {
				t.Errorf("output %q", out[0].Stdout)
			}
			var e *transport.Error
			var failed *transport.ActionError
			switch {
			case c.failed:
				if !errors.As(err, &failed) || failed.Action.Path != "/y" || failed.Output.Status != 2 {
					t.Errorf("error %v", err)
				}
			case !errors.As(err, &e) || e.Class != c.class:
				t.Errorf("error %v, want class %s", err, c.class)
			}
		})
	}
}

// Login shells and restricted CLIs print before and after.
func TestNoiseAroundTheAnswer(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/f", "content", 0o644)
	h := New(Local("noisy"), Options{Shell: "printf ' Done\\nLast login: never'; sh; echo ' Done'"})
	if f := lookOne(t, h, transport.File(dir+"/f")); string(f.Data) != "content" {
		t.Errorf("%+v", f)
	}
	if _, err := doOne(t, h, transport.Remove(dir+"/f")); err != nil {
		t.Error(err)
	}
}

// The environment and the clock are the machine's own.
func TestSystemFact(t *testing.T) {
	h, _ := here(t)
	for _, value := range []string{"", "/opt/luna config", "it's $HOME"} {
		t.Setenv("ChrystokiConfigurationPath", value)
		before := time.Now().Truncate(time.Second)
		f := lookOne(t, h, transport.System())
		if f.ConfigDir != value {
			t.Errorf("directory %q, want %q", f.ConfigDir, value)
		}
		if f.Clock.Before(before) || f.Clock.After(time.Now()) {
			t.Errorf("clock %v, not between %v and now", f.Clock, before)
		}
	}
}

func TestOneQueryTwice(t *testing.T) {
	h, dir := here(t)
	q := transport.Dir(dir)
	facts, err := h.Look(context.Background(), q, q, transport.File(dir+"/no"), q)
	if err != nil || len(facts) != 2 || facts[q].Missing || !facts[transport.File(dir+"/no")].Missing {
		t.Errorf("%v, %v", facts, err)
	}
}

func TestKeyWithoutOpenssl(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/aKey.pem", "-----BEGIN RSA PRIVATE KEY-----\nSECRET\n", 0o600)
	h := New(bareRunner(t, "ls", "wc", "sed", "grep", "readlink"), Options{})
	f := lookOne(t, h, transport.Key(dir+"/aKey.pem"))
	if f.Problem != "no openssl on the host" || f.Header != "-----BEGIN RSA PRIVATE KEY-----" {
		t.Errorf("%+v", f)
	}
}

// A key on one line with its header (old Macintosh line ends) must not come along.
func TestKeyStaysThere(t *testing.T) {
	dir := t.TempDir()
	var wire strings.Builder
	h := New(tapped{Local("here"), &wire}, Options{})
	for name, text := range map[string]string{
		"mac":     "-----BEGIN RSA PRIVATE KEY-----\rSECRETSECRET\r-----END RSA PRIVATE KEY-----\r",
		"glued":   "-----BEGIN PRIVATE KEY-----SECRETSECRET-----END PRIVATE KEY-----",
		"lower":   "-----begin SECRETSECRET\n",
		"garbage": "SECRETSECRET\n-----BEGIN RSA PRIVATE KEY-----\nSECRETSECRET\n",
	} {
		write(t, dir+"/"+name, text, 0o600)
		for _, q := range []transport.Query{transport.Key(dir + "/" + name), transport.File(dir + "/" + name)} {
			if f := lookOne(t, h, q); q.Kind == transport.QueryKey && f.Problem == "" {
				t.Errorf("%s: %+v", name, f)
			}
			if q.Kind == transport.QueryFile && name == "lower" {
				wire.Reset() // no key by any sign
			}
		}
	}
	if strings.Contains(wire.String(), "SECRET") {
		t.Errorf("the key crossed the wire:\n%s", wire.String())
	}
}

// tapped keeps what a runner brings.
type tapped struct {
	transport.Runner
	wire *strings.Builder
}

func (r tapped) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	out, err := r.Runner.Exec(ctx, line, stdin)
	r.wire.Write(out.Stdout)
	r.wire.Write(out.Stderr)
	return out, err
}

func TestTooLargeAFile(t *testing.T) {
	h, dir := here(t)
	check(t, os.WriteFile(dir+"/big", make([]byte, largestFile+1), 0o600))
	if f := lookOne(t, h, transport.File(dir+"/big")); f.Problem != "larger than 1048576 bytes" || f.Data != nil {
		t.Errorf("problem %q, %d bytes", f.Problem, len(f.Data))
	}
	check(t, os.Truncate(dir+"/big", largestFile))
	if f := lookOne(t, h, transport.File(dir+"/big")); f.Problem != "" || len(f.Data) != largestFile {
		t.Errorf("problem %q, %d bytes", f.Problem, len(f.Data))
	}
}

// Marks are never the same twice, and long enough not to be guessed.
func TestMarks(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		m := newMark()
		if len(m) < 20 || seen[m] || strings.ContainsAny(m, " '\n$") {
			t.Fatalf("mark %q", m)
		}
		seen[m] = true
	}
}

// Reading a whole machine is one exchange; this is what it costs there.
func BenchmarkLook(b *testing.B) {
	dir := b.TempDir()
	h := New(Local("here"), Options{})
	for b.Loop() {
		if _, err := h.Look(context.Background(), everyQuery(dir)...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRenderReplace(b *testing.B) {
	data := []byte(strings.Repeat("   LibUNIX64 = /usr/safenet/lunaclient/lib/libCryptoki2_64.so;\n", 40))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := renderDo("@M", []transport.Action{transport.Replace("/etc/x", data, data)}); err != nil {
			b.Fatal(err)
		}
	}
}

// Acts and the look behind them are one line to run. What is cut off behind the
// acts leaves their outcome, and no facts.
func TestDoAndLookIsOneExchange(t *testing.T) {
	acted := func(mark string) string {
		return "\n" + mark + " ready\n" + mark + " 0 output\n\n" + mark + " end\n" + mark + " 0 status\n0\n" + mark + " end\n" + mark + " done\n"
	}
	seen := func(mark string) string {
		return "\n" + mark + " ready\n" + mark + " 0 names\n/a\n" + mark + " end\n" + mark + " done\n"
	}
	for name, c := range map[string]struct {
		say         func(first, second string) string
		ok, noticed bool
	}{
		"whole":                {func(a, b string) string { return acted(a) + seen(b) }, true, true},
		"the look is cut off":  {func(a, b string) string { return acted(a) + seen(b)[:30] }, true, false},
		"no look":              {func(a, _ string) string { return acted(a) }, true, false},
		"the act is cut off":   {func(a, _ string) string { return acted(a)[:40] }, false, false},
		"only the look came":   {func(_, b string) string { return seen(b) }, false, true},
		"an answer of nowhere": {func(a, b string) string { return acted(a) + strings.Replace(seen(b), "names", "weather", 1) }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			marks := []string{"@ONE", "@TWO"}
			r := &canned{answer: func(string, string) transport.Output {
				return transport.Output{Stdout: []byte(c.say("@ONE", "@TWO"))}
			}}
			h := &host{runner: r, shell: "sh", mark: func() (m string) { m, marks = marks[0], marks[1:]; return m }}
			outputs, facts, err := h.DoAndLook(t.Context(), []transport.Action{transport.MakeDir("/a")}, []transport.Query{transport.Dir("/")})
			if len(r.lines) != 1 || (err == nil) != c.ok || (len(outputs) == 1) != c.ok || (facts != nil) != c.noticed {
				t.Errorf("%d lines, %d outputs, facts %v, error %v", len(r.lines), len(outputs), facts, err)
			}
		})
	}
}
