//go:build unix

package sudo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"ntl-setup/transport"
	"ntl-setup/transport/posix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call is one exchange that a recorder saw.
type call struct{ line, stdin string }

// recorder hands on to another runner and keeps what it was given.
type recorder struct {
	transport.Runner

	calls []call
}

func (r *recorder) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	r.calls = append(r.calls, call{line, string(stdin)})
	return r.Runner.Exec(ctx, line, stdin)
}

// stand puts a script in place of sudo for the rest of the test.
func stand(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sudo"), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// lets is a sudo that wants nothing: it drops its own words.
const lets = `while [ "$1" != -- ]; do shift; done; shift; exec "$@"`

// asks is a sudo that wants the password "right horse", and asks three times.
const asks = `case " $* " in *" -n "*) echo "sudo: a password is required" >&2; exit 1 ;; esac
n=0
while [ $n -lt 3 ]; do
	n=$((n + 1))
	IFS= read -r typed || { echo "sudo: no password was provided" >&2; exit 1; }
	echo "$typed" >>"$SEEN"
	[ "$typed" = "right horse" ] && { ` + lets + `; }
	echo "Sorry, try again." >&2
done
echo "sudo: 3 incorrect password attempts" >&2
exit 1`

func here() *recorder { return &recorder{Runner: posix.Local("ops@here")} }

func run(t *testing.T, r transport.Runner, line, stdin string) string {
	t.Helper()
	out, err := r.Exec(t.Context(), line, []byte(stdin))
	if err != nil {
		t.Fatal(err)
	}
	return string(out.Stdout)
}

func TestNothingIsChangedUntilElevated(t *testing.T) {
	rec := here()
	r := New(rec, Options{})
	if got := run(t, r, "cat", "in\nput"); got != "in\nput" || r.Name() != "ops@here" {
		t.Errorf("%q, %s", got, r.Name())
	}
	if len(rec.calls) != 1 || rec.calls[0] != (call{"cat", "in\nput"}) {
		t.Errorf("%q", rec.calls)
	}
}

// The variable of the session is carried over, the rest of the line's input is
// what stands behind the mark, and quotes in the line survive.
func TestFreely(t *testing.T) {
	stand(t, lets)
	t.Setenv("ChrystokiConfigurationPath", "/opt/a b'c")
	rec := here()
	r := New(rec, Options{})
	for range 2 {
		if err := r.Elevate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := run(t, r, `cat; printf '<%s>' "$ChrystokiConfigurationPath"`, "one\ntwo")
	if !strings.HasSuffix(got, "one\ntwo</opt/a b'c>") {
		t.Errorf("%q", got)
	}
	if len(rec.calls) != 2 || !strings.Contains(rec.calls[0].line, "sudo -k -n -- ") {
		t.Errorf("%q", rec.calls)
	}
	t.Setenv("ChrystokiConfigurationPath", "x")
	if err := os.Unsetenv("ChrystokiConfigurationPath"); err != nil {
		t.Fatal(err)
	}
	if got := run(t, r, `echo "${ChrystokiConfigurationPath-unset}"`, ""); !strings.HasSuffix(got, "unset\n") {
		t.Errorf("%q", got)
	}
}

func TestConfigDir(t *testing.T) {
	stand(t, lets)
	r := New(here(), Options{ConfigDir: "/opt/luna/config"})
	const ask = `echo "$ChrystokiConfigurationPath"`
	if got := run(t, r, "sh", ask); got != "/opt/luna/config\n" {
		t.Errorf("plainly: %q", got)
	}
	if err := r.Elevate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := run(t, r, "sh", ask); !strings.HasSuffix(got, "\n/opt/luna/config\n") {
		t.Errorf("elevated: %q", got)
	}
}

// given is a password, and how often it was fetched.
func given(text string, times *int) *Password {
	return NewPassword(func(context.Context) (string, error) {
		*times++
		return text, nil
	})
}

func TestByPassword(t *testing.T) {
	stand(t, asks)
	seen := filepath.Join(t.TempDir(), "seen")
	t.Setenv("SEEN", seen)
	rec, fetched := here(), 0
	r := New(rec, Options{Password: given("right horse", &fetched)})
	if err := r.Elevate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := run(t, r, "cat", "the rest\n"); !strings.HasSuffix(got, "\nthe rest\n") {
		t.Errorf("%q", got)
	}
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
	typed, _ := os.ReadFile(seen)
	if string(typed) != "right horse\nright horse\n" {
		t.Errorf("sudo read %q", typed)
	}
	for _, c := range rec.calls {
		if strings.Contains(c.line, "horse") {
			t.Errorf("the password is in a command line: %q", c.line)
		}
	}
	if rec.calls[1].stdin != "right horse\n" {
		t.Errorf("it was not offered alone: %q", rec.calls[1].stdin)
	}
}

// A wrong password is offered once, also by another connection, and nothing else
// is ever taken for a password.
func TestWrongPasswordIsOfferedOnce(t *testing.T) {
	stand(t, asks)
	seen := filepath.Join(t.TempDir(), "seen")
	t.Setenv("SEEN", seen)
	fetched := 0
	p := given("canary", &fetched)
	for range 2 {
		r := New(here(), Options{Password: p})
		err := r.Elevate(t.Context())
		var e *transport.Error
		if !errors.As(err, &e) || e.Class != transport.ClassAuth || !strings.Contains(e.Message, "did not accept the password") {
			t.Errorf("%v", err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, e, p), "canary") {
			t.Error("the password is in the error")
		}
	}
	typed, _ := os.ReadFile(seen)
	if string(typed) != "canary\n" || fetched != 1 {
		t.Errorf("sudo read %q, fetched %d times", typed, fetched)
	}
}

// A sudo that lets the user in without reading the password leaves it to nobody.
func TestAPasswordThatIsNotReadIsDropped(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "free")
	stand(t, `[ -e "$FREE" ] && { `+lets+`; }
case " $* " in *" -n "*) echo "sudo: a password is required" >&2; exit 1 ;; esac
read -r typed; : >"$FREE"; `+lets)
	t.Setenv("FREE", flag)
	fetched := 0
	r := New(here(), Options{Password: given("touch canary", &fetched)})
	if err := r.Elevate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := run(t, r, "sh", "echo in\n"); !strings.HasSuffix(got, "\nin\n") || strings.Contains(got, "canary") {
		t.Errorf("%q", got)
	}
}

func TestReasons(t *testing.T) {
	for name, c := range map[string]struct{ script, message, hint string }{
		"requiretty":     {`echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1`, "wants a terminal", "!requiretty"},
		"not a sudoer":   {`echo "ops is not in the sudoers file." >&2; echo "This incident has been reported to the administrator." >&2; exit 1`, "nothing of the kind (ops is not in", "sudoers"},
		"other commands": {`echo "Sorry, user ops is not allowed to execute '/bin/sh' as root on h." >&2; exit 1`, "nothing of the kind", "root"},
		"expired":        {`echo "sudo: Account or password is expired, reset your password and try again" >&2; exit 1`, "put in order", "by hand"},
		"no setuid":      {`echo "sudo: effective uid is not 0, is sudo installed setuid root?" >&2; exit 1`, "cannot work", "root"},
		"missing":        {`echo "env: 'sudo': No such file or directory" >&2; exit 127`, "there is no sudo", "hsmusers"},
		"odd":            {`printf 'wha\033[2Jt\n' >&2; exit 1`, "no rights (wha", "by hand"},
		"silent":         {`exit 1`, "no rights", "by hand"},
		"a second question": {`case " $* " in *" -n "*) echo "sudo: a password is required" >&2; exit 1 ;; esac
read -r one; read -r two || { echo "sudo: no password was provided" >&2; exit 1; }; exec sh`, "more than one answer", "cannot be answered"},
		"after a lecture": {`case " $* " in *" -n "*) echo "sudo: a password is required" >&2; exit 1 ;; esac
printf 'We trust you have received the usual lecture.\n\nSorry, try again.\nsudo: 1 incorrect password attempt\n' >&2; exit 1`, "(sudo: 1 incorrect", "rootpw"},
	} {
		t.Run(name, func(t *testing.T) {
			stand(t, c.script)
			n := 0
			r := New(here(), Options{Password: given("x", &n)})
			err := r.Elevate(t.Context())
			var e *transport.Error
			if !errors.As(err, &e) || e.Class != transport.ClassAuth || !errors.Is(err, ErrNoRights) || e.Host != "ops@here" {
				t.Fatalf("%v", err)
			}
			if !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, c.hint) || strings.Contains(e.Message, "\x1b") {
				t.Errorf("%q, hint %q", e.Message, e.Hint)
			}
			if got := run(t, r, "echo", ""); got != "\n" {
				t.Errorf("after a refusal: %q", got)
			}
		})
	}
}

// Rights that are taken away in the middle of a run are missed at once.
func TestRightsThatAreTakenAway(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	stand(t, `[ -e "$GONE" ] && { echo "ops is not in the sudoers file." >&2; exit 1; }; `+lets)
	t.Setenv("GONE", gone)
	r := New(here(), Options{})
	if err := r.Elevate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(gone, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Exec(t.Context(), "sh", nil); !errors.Is(err, ErrNoRights) {
		t.Errorf("%v", err)
	}
}

func TestNoPasswordToGive(t *testing.T) {
	stand(t, asks)
	t.Setenv("SEEN", filepath.Join(t.TempDir(), "seen"))
	errAsked := errors.New("nobody there")
	for name, p := range map[string]*Password{
		"none":       nil,
		"empty":      NewPassword(func(context.Context) (string, error) { return "", nil }),
		"two lines":  NewPassword(func(context.Context) (string, error) { return "a\nb", nil }),
		"no answer":  NewPassword(func(context.Context) (string, error) { return "", errAsked }),
		"NUL inside": NewPassword(func(context.Context) (string, error) { return "a\x00b", nil }),
	} {
		rec := here()
		err := New(rec, Options{Password: p}).Elevate(t.Context())
		if err == nil || len(rec.calls) != 1 || name == "no answer" && !errors.Is(err, errAsked) {
			t.Errorf("%s: %v, %d exchanges", name, err, len(rec.calls))
		}
	}
}

// A prompt that ended with the run was no answer: the next one is asked.
func TestAnInterruptedPromptIsNoAnswer(t *testing.T) {
	stand(t, asks)
	t.Setenv("SEEN", filepath.Join(t.TempDir(), "seen"))
	ctx, cancel := context.WithCancel(t.Context())
	times := 0
	p := NewPassword(func(ctx context.Context) (string, error) {
		times++
		if times == 1 {
			cancel()
			return "", context.Cause(ctx)
		}
		return "right horse", nil
	})
	if err := New(here(), Options{Password: p}).Elevate(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := New(here(), Options{Password: p}).Elevate(t.Context()); err != nil || times != 2 {
		t.Errorf("%v, asked %d times", err, times)
	}
}

// fakeConn is a connection of which only Exec and Name are ever used.
type fakeConn struct{ *recorder }

func (fakeConn) Stream(context.Context, string) (transport.Stream, error) {
	return nil, errors.ErrUnsupported
}
func (fakeConn) Terminal(context.Context, int, int) (transport.Stream, error) {
	return nil, errors.ErrUnsupported
}
func (fakeConn) Files(context.Context) (transport.Files, error) { return nil, errors.ErrUnsupported }
func (fakeConn) Close() error                                   { return nil }

func TestConnRunsWithRights(t *testing.T) {
	stand(t, lets)
	inner := fakeConn{here()}
	r := New(inner, Options{})
	c := r.Conn(inner)
	if err := r.Elevate(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := c.Exec(t.Context(), "cat", []byte("x"))
	if err != nil || !bytes.HasSuffix(out.Stdout, []byte("\nx")) || c.Name() != "ops@here" {
		t.Errorf("%q %v", out.Stdout, err)
	}
	if _, err := c.Files(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}
