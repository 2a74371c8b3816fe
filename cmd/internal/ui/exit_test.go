package ui

import (
	"errors"
	"fmt"
	"testing"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

func TestExitStatus(t *testing.T) {
	for result, want := range map[orchestrator.Result]int{
		orchestrator.Established: 0,
		orchestrator.ResFailed:   1,
		orchestrator.Changes:     2,
		orchestrator.Conflicted:  3,
		orchestrator.Unreachable: 4,
		orchestrator.Declined:    5,
		orchestrator.Interrupted: 130,
		"something new":          1,
	} {
		if got := ExitStatus(result, ""); got != want {
			t.Errorf("%s: %d, want %d", result, got, want)
		}
		if got := ExitStatus(result, "config"); got != 64 {
			t.Errorf("%s with a config error: %d, want 64", result, got)
		}
	}
}

func TestStopped(t *testing.T) {
	class := func(c transport.Class) error {
		return fmt.Errorf("dial: %w", transport.Errorf(c, "h", "no").WithHint("try"))
	}
	for name, c := range map[string]struct {
		err    error
		result orchestrator.Result
		class  string
		exit   int
	}{
		"connect":     {class(transport.ClassConnect), orchestrator.Unreachable, "connect", 4},
		"auth":        {class(transport.ClassAuth), orchestrator.Unreachable, "auth", 4},
		"host key":    {class(transport.ClassHostKey), orchestrator.Unreachable, "host-key", 4},
		"dialogue":    {class(transport.ClassDialogue), orchestrator.Unreachable, "dialogue", 4},
		"timeout":     {class(transport.ClassTimeout), orchestrator.Unreachable, "timeout", 4},
		"remote":      {class(transport.ClassRemote), orchestrator.ResFailed, "remote", 1},
		"protocol":    {class(transport.ClassProtocol), orchestrator.ResFailed, "protocol", 1},
		"config":      {class(transport.ClassConfig), orchestrator.ResFailed, "config", 64},
		"no class":    {errors.New("what"), orchestrator.ResFailed, "internal", 1},
		"interrupted": {transport.Errorf(transport.ClassAuth, "h", "ask: %w", ErrInterrupted), orchestrator.Interrupted, "interrupted", 130},
	} {
		t.Run(name, func(t *testing.T) {
			r := Stopped(c.err)
			if r.Result != c.result || r.Err.Class != c.class {
				t.Errorf("%s, class %s; want %s, %s", r.Result, r.Err.Class, c.result, c.class)
			}
			if got := ExitStatus(r.Result, r.Err.Class); got != c.exit {
				t.Errorf("exit %d, want %d", got, c.exit)
			}
			if r.Acted || len(r.Steps) > 0 {
				t.Error("claims to have done something")
			}
		})
	}
}

func TestVerdictOfSeveralLinks(t *testing.T) {
	link := func(r orchestrator.Result) Link { return Link{Result: r} }
	e, ch, u, f := orchestrator.Established, orchestrator.Changes, orchestrator.Unreachable, orchestrator.ResFailed
	for name, c := range map[string]struct {
		links  []orchestrator.Result
		result orchestrator.Result
		exit   int
	}{
		"one":                      {[]orchestrator.Result{u}, u, 4},
		"all hold":                 {[]orchestrator.Result{e, e}, e, 0},
		"all pending":              {[]orchestrator.Result{ch, ch}, ch, 2},
		"one of three pending":     {[]orchestrator.Result{e, ch, e}, Partial, 2},
		"the others share a code":  {[]orchestrator.Result{u, e, u}, Partial, 4},
		"two codes":                {[]orchestrator.Result{u, ch}, Partial, 1},
		"two codes, then the same": {[]orchestrator.Result{u, ch, u}, Partial, 1},
		"failed and established":   {[]orchestrator.Result{f, e}, Partial, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var links []Link
			for _, r := range c.links {
				links = append(links, link(r))
			}
			result, exit := verdict(links)
			if result != c.result || exit != c.exit {
				t.Errorf("%s, %d; want %s, %d", result, exit, c.result, c.exit)
			}
		})
	}
	configured := Link{Result: f, Error: &orchestrator.Failure{Class: "config"}}
	if _, exit := verdict([]Link{configured}); exit != 64 {
		t.Errorf("a config error exits %d, want 64", exit)
	}
}
