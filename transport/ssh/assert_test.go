package ssh_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

func dial(t *testing.T, to ssh.Target, o ssh.Options) transport.Conn {
	t.Helper()
	c, err := ssh.Dial(t.Context(), to, o)
	if err != nil {
		t.Fatalf("dial: %v\nhint: %s", err, hintOf(err))
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// refused dials where that must fail with a class, and returns the error.
func refused(t *testing.T, to ssh.Target, o ssh.Options, class transport.Class) *transport.Error {
	t.Helper()
	c, err := ssh.Dial(t.Context(), to, o)
	if err == nil {
		closeQuietly(c)
		t.Fatal("dialling succeeded")
	}
	return classed(t, err, class)
}

func classed(t *testing.T, err error, class transport.Class) *transport.Error {
	t.Helper()
	var e *transport.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T) is no *transport.Error", err, err)
	}
	if e.Class != class {
		t.Errorf("class %q, want %q: %v", e.Class, class, err)
	}
	if e.Host == "" {
		t.Errorf("the error names no machine: %v", err)
	}
	return e
}

func hintOf(err error) string {
	var e *transport.Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

func holds(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not hold %q", text, p)
		}
	}
}

func fixed(secret string) *ssh.Password { return counted(secret, new(int)) }

func within(t *testing.T, what string, limit time.Duration, do func()) {
	t.Helper()
	start := time.Now()
	do()
	if took := time.Since(start); took > limit {
		t.Errorf("%s took %v", what, took)
	}
}
