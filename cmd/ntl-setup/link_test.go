package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
)

// closedPort is a port of this machine where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // that is its purpose
	return l.Addr().String()
}

// silent is a machine that accepts connections and never says a word.
func silent(t *testing.T) (address string, accepted <-chan struct{}) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	conns := make(chan struct{}, 4)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			conns <- struct{}{}
		}
	}()
	return l.Addr().String(), conns
}

// dialling is a bench whose links are really dialled.
func dialling(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.app.run = runLink
	return b
}

func args(t *testing.T, command, client, hsm string, more ...string) []string {
	t.Helper()
	return append([]string{
		command, "--client", client, "--hsm", hsm, "--client-address", "192.0.2.10", "--hsm-address", "192.0.2.20", "--partition", "p",
		"--known-hosts", filepath.Join(t.TempDir(), "known_hosts"), "-o", "json",
	}, more...)
}

func TestNobodyListens(t *testing.T) {
	for name, client := range map[string]string{"both away": "root@" + closedPort(t), "client is here": "local"} {
		t.Run(name, func(t *testing.T) {
			b := dialling(t)
			if got := b.main(t, args(t, "plan", client, "admin@"+closedPort(t))...); got != ui.ExitUnreachable {
				t.Errorf("exit %d, want 4\n%s", got, b.err.String())
			}
			d := document(t, b)
			if l := d.Links[0]; l.Result != orchestrator.Unreachable || l.Error == nil || l.Error.Class != "connect" || len(l.Steps) != 0 {
				t.Errorf("%+v", d)
			}
		})
	}
}

// One host that cannot be had ends the attempt at the other at once.
func TestOneRefusalEndsTheOtherDial(t *testing.T) {
	quiet, _ := silent(t)
	b := dialling(t)
	began := time.Now()
	if got := b.main(t, args(t, "plan", "root@"+quiet, "admin@"+closedPort(t))...); got != ui.ExitUnreachable {
		t.Errorf("exit %d, want 4\n%s", got, b.err.String())
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
	if e := document(t, b).Links[0].Error; e.Class != "connect" || !strings.Contains(e.Message, "admin@") {
		t.Errorf("the refusal is not the error that is told: %+v", e)
	}
}

func TestDialWithinTheRunsTime(t *testing.T) {
	client, _ := silent(t)
	hsm, _ := silent(t)
	b := dialling(t)
	if got := b.main(t, args(t, "status", "root@"+client, "admin@"+hsm, "--timeout", "100ms")...); got != ui.ExitUnreachable {
		t.Errorf("exit %d, want 4\n%s", got, b.err.String())
	}
	if e := document(t, b).Links[0].Error; e.Class != "timeout" || !strings.Contains(e.Message, "the run was not done within 100ms") {
		t.Errorf("%+v", e)
	}
}

func TestInterruptWhileDialling(t *testing.T) {
	client, accepted := silent(t)
	hsm, _ := silent(t)
	b := dialling(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		select {
		case <-accepted:
			b.signals <- os.Interrupt
		case <-ctx.Done():
		}
	}()
	if got := b.main(t, args(t, "apply", "root@"+client, "admin@"+hsm, "-y")...); got != ui.ExitInterrupted {
		t.Errorf("exit %d, want 130\n%s", got, b.err.String())
	}
	if d := document(t, b); d.Result != orchestrator.Interrupted || d.Links[0].Error.Class != "interrupted" {
		t.Errorf("%+v", d)
	}
}
