package transport_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"ntl-setup/transport"
)

func TestError(t *testing.T) {
	cause := fmt.Errorf("reading: %w", fs.ErrNotExist)
	err := transport.Errorf(transport.ClassRemote, "root@192.0.2.1:22", "file %s: %w", "/etc/x", cause).
		WithHint("look at %s", "/etc/x")
	if got, want := err.Error(), "root@192.0.2.1:22: file /etc/x: reading: file does not exist"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	if err.ErrorClass() != "remote" || err.ErrorHint() != "look at /etc/x" {
		t.Errorf("class %q, hint %q", err.ErrorClass(), err.ErrorHint())
	}
	if strings.Count(err.Error(), "file does not exist") != 1 {
		t.Errorf("the cause is told twice: %q", err)
	}
}

func TestErrorWithoutHostOrCause(t *testing.T) {
	err := transport.Errorf(transport.ClassConfig, "", "no such flag")
	if err.Error() != "no such flag" || err.Unwrap() != nil || err.ErrorHint() != "" {
		t.Errorf("%q, cause %v, hint %q", err, err.Unwrap(), err.ErrorHint())
	}
}

// The words of the classes are part of the command line's JSON contract.
func TestClassWords(t *testing.T) {
	for class, want := range map[transport.Class]string{
		transport.ClassConnect: "connect", transport.ClassAuth: "auth", transport.ClassHostKey: "host-key",
		transport.ClassDialogue: "dialogue", transport.ClassRemote: "remote", transport.ClassProtocol: "protocol",
		transport.ClassTimeout: "timeout", transport.ClassConfig: "config",
	} {
		err := fmt.Errorf("outer: %w", transport.Errorf(class, "h", "m"))
		var asked interface{ ErrorClass() string }
		if !errors.As(err, &asked) || asked.ErrorClass() != want {
			t.Errorf("class %q, want %q", class, want)
		}
	}
}

func TestActionError(t *testing.T) {
	long := strings.Repeat("x", 400)
	for name, c := range map[string]struct {
		out         transport.Output
		want, avoid string
	}{
		"standard output": {transport.Output{Stdout: []byte("Error: no\n"), Status: 2}, "h: run /v/vtl failed (status 2): Error: no", ""},
		"standard error":  {transport.Output{Stdout: []byte("out"), Stderr: []byte("err"), Status: 1}, "(status 1): err", "out"},
		"escapes":         {transport.Output{Stdout: []byte("\x1b[31mred\x07\n"), Status: -1}, "(status -1): red", "\x1b"},
		"long":            {transport.Output{Stdout: []byte(long), Status: 1}, strings.Repeat("x", 300) + "…", long},
	} {
		t.Run(name, func(t *testing.T) {
			err := &transport.ActionError{Host: "h", Action: transport.Run("/v/vtl", "createCert"), Output: c.out}
			if !strings.Contains(err.Error(), c.want) || c.avoid != "" && strings.Contains(err.Error(), c.avoid) {
				t.Errorf("%q, want %q in it and %q not", err, c.want, c.avoid)
			}
			if err.ErrorClass() != "remote" || err.ErrorHint() != "" {
				t.Errorf("class %q, hint %q", err.ErrorClass(), err.ErrorHint())
			}
		})
	}
}

func TestSentinelsDiffer(t *testing.T) {
	all := []error{transport.ErrTooLarge, transport.ErrNoSFTP, transport.ErrClosed}
	for i, a := range all {
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%v and %v", a, b)
			}
		}
	}
}

// Whatever lost the connection, it is told that nothing is lost by it.
func TestALostConnectionHasAHint(t *testing.T) {
	for want, err := range map[string]*transport.Error{
		"the same command looks again and goes on from there": transport.Errorf(transport.ClassConnect, "root@192.0.2.10:22", "run a command: connection lost"),
		"check the port": transport.Errorf(transport.ClassConnect, "root@192.0.2.10:22", "refused").WithHint("check the port"),
		"":               transport.Errorf(transport.ClassRemote, "root@192.0.2.10:22", "refused"),
	} {
		if got := err.ErrorHint(); !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("%v: hint %q, want %q", err, got, want)
		}
	}
}
