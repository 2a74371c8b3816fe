package steps

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// warnings is somebody who is told.
type warnings struct {
	mu   sync.Mutex
	told []string
}

func (w *warnings) warn(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, text)
}

// run is one of several runs on a site.
type run struct {
	warnings
	*Site
	options LockOptions
}

// run opens the site for a run of its own, through a wire of its own.
func (s *site) run(owner string, wire transport.Host) *run {
	s.t.Helper()
	if s.host.Now == nil {
		s.host.Now = time.Now
	}
	if wire == nil {
		wire = s.host
	}
	opened, err := Open(s.t.Context(), Hosts{Client: wire, HSM: s.hsm}, s.link)
	if err != nil {
		s.t.Fatal(err)
	}
	r := &run{Site: opened}
	r.options = LockOptions{Owner: owner, PID: 4711, Reason: "apply NS-web1", Warn: r.warn}
	return r
}

func (r *run) engine() orchestrator.Engine {
	return orchestrator.Engine{Steps: r.All(), Hold: func(ctx context.Context) (func(), error) { return r.Hold(ctx, r.options) }}
}

func (r *run) apply(ctx context.Context) orchestrator.Report {
	return r.engine().Apply(ctx, func([]orchestrator.StepReport) error { return nil }, nil)
}

// hold holds the site, or fails the test.
func (r *run) hold(t *testing.T) (release func()) {
	t.Helper()
	release, err := r.Hold(t.Context(), r.options)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// unlocked checks that no lock is left.
func (s *site) unlocked() {
	s.t.Helper()
	for _, name := range s.host.Files() {
		if strings.HasPrefix(name, lockPath) {
			s.t.Errorf("left behind: %s", name)
		}
	}
	if s.host.Mode(lockPath) != 0 {
		s.t.Error("the lock is left behind")
	}
}

// left makes the lock of a run that is dead: nobody beats it.
func (s *site) left(token, text string) {
	s.t.Helper()
	s.host.Now = time.Now
	if _, err := s.host.Do(s.t.Context(), transport.Lock(lockPath, token, []byte(text), lockExpiry)); err != nil {
		s.t.Fatal(err)
	}
}

const deadRun = `{"owner":"bob@desk","pid":99,"since":"2026-03-02T09:00:00Z","reason":"apply NS-web9","beat":3}`

// wire is a way to the client host on which exchanges can be held up or lost.
type wire struct {
	transport.Host
	// before is asked before an exchange; an error ends it. It may take its time.
	before func(ctx context.Context, actions []transport.Action) error
}

func (w *wire) Do(ctx context.Context, actions ...transport.Action) ([]transport.Output, error) {
	if w.before != nil {
		if err := w.before(ctx, actions); err != nil {
			return nil, err
		}
	}
	return w.Host.Do(ctx, actions...)
}

// takes lets (virtual) time go by.
func takes(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// runs reports whether one of the actions runs a tool.
func runs(actions []transport.Action) bool {
	return slices.ContainsFunc(actions, func(a transport.Action) bool { return a.Kind == transport.ActRun })
}

func beats(actions []transport.Action) bool {
	return len(actions) == 1 && actions[0].Kind == transport.ActBeat
}
