package matrix

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"ntl-setup/fixtures/faults"
	"ntl-setup/transport"
	"ntl-setup/transport/transporttest"
)

// trip is how long an exchange with the client host takes.
const trip = 20 * time.Millisecond

// host is a connection to the fake client host.
type host struct {
	*transporttest.FakeHost
	site   *site
	inject *faults.Injector
	net    *network

	mu   sync.Mutex
	dead bool
}

func newHost(s *site, inject *faults.Injector, net *network) *host {
	h := &host{FakeHost: s.client, site: s, inject: inject, net: net}
	net.onCut(h.cut)
	return h
}

func (h *host) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = true
}

// travel is the way there.
func (h *host) travel(ctx context.Context) error {
	pass(trip)
	if err := h.net.reach(ctx, h.Name()); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dead {
		return lost(h.Name())
	}
	return nil
}

// strike is what the kinds that concern the connection do.
func (h *host) strike(ctx context.Context, what faults.Kind) error {
	switch what {
	case faults.Drop, faults.Lost:
		h.cut()
		return lost(h.Name())
	case faults.Kill:
		h.net.cut()
		return lost(h.Name())
	case faults.Stall, faults.Mute:
		return silence(ctx, h.Name())
	case faults.Garble:
		return transport.Errorf(transport.ClassProtocol, h.Name(), "foreign text in the answer")
	case faults.Delay:
		pass(5 * time.Second)
	default:
	}
	return nil
}

// Look is one exchange.
func (h *host) Look(ctx context.Context, queries ...transport.Query) (transport.Facts, error) {
	if err := h.travel(ctx); err != nil {
		return nil, err
	}
	return h.look(ctx, h.inject.Pass(faults.Look, ""), queries)
}

func (h *host) look(ctx context.Context, what faults.Kind, queries []transport.Query) (transport.Facts, error) {
	if err := h.strike(ctx, what); err != nil {
		return nil, err
	}
	h.site.mu.Lock()
	defer h.site.mu.Unlock()
	h.site.looks++
	return h.FakeHost.Look(ctx, queries...)
}

// Do is one exchange; each action may fail on its own.
func (h *host) Do(ctx context.Context, actions ...transport.Action) ([]transport.Output, error) {
	if err := h.travel(ctx); err != nil {
		return nil, err
	}
	var outputs []transport.Output
	for _, a := range actions {
		out, err := h.do(ctx, a)
		outputs = append(outputs, out...)
		if err != nil {
			return outputs, err
		}
	}
	return outputs, nil
}

// DoAndLook is one exchange. What befalls the look takes the acts' answer with
// it, unless it is the look's own text that is bad.
func (h *host) DoAndLook(ctx context.Context, actions []transport.Action, queries []transport.Query) ([]transport.Output, transport.Facts, error) {
	outputs, err := h.Do(ctx, actions...)
	var failed *transport.ActionError
	if err != nil && !errors.As(err, &failed) {
		return outputs, nil, err
	}
	what := h.inject.Pass(faults.Look, "")
	facts, unread := h.look(ctx, what, queries)
	switch {
	case unread == nil:
		return outputs, facts, err
	case what == faults.Garble:
		return outputs, nil, err
	}
	return nil, nil, unread
}

func (h *host) do(ctx context.Context, a transport.Action) ([]transport.Output, error) {
	what := h.inject.Pass(faults.Act, nameOf(a))
	switch what {
	case faults.DiskFull, faults.ReadOnly:
		if out, refused := h.onBadDisk(a, what); refused {
			return []transport.Output{out}, &transport.ActionError{Host: h.Name(), Action: a, Output: out}
		}
	case faults.Lost, faults.Mute:
	default:
		if err := h.strike(ctx, what); err != nil {
			return nil, err
		}
	}
	tool := faults.Kind("")
	if a.Kind == transport.ActRun {
		if tool = h.inject.Pass(faults.Tool, strings.Join(a.Argv[1:], " ")); what.BadDisk() {
			tool = what
		}
	}
	switch tool {
	case faults.GoesOn:
		h.site.late(a.Argv, 3*time.Second, true)
		return nil, h.strike(ctx, faults.Drop)
	case faults.Hangs:
		h.site.late(a.Argv, 40*time.Second, false)
		return nil, h.strike(ctx, faults.Stall)
	default:
	}
	out, err := h.locked(ctx, a, tool)
	if err == nil && (what == faults.Lost || what == faults.Mute) {
		return nil, h.strike(ctx, what)
	}
	return out, err
}

func (h *host) locked(ctx context.Context, a transport.Action, tool faults.Kind) ([]transport.Output, error) {
	h.site.mu.Lock()
	defer h.site.mu.Unlock()
	h.site.tool, h.site.toolSet = tool, a.Kind == transport.ActRun
	defer func() { h.site.toolSet = false }()
	return h.FakeHost.Do(ctx, a)
}

// onBadDisk refuses what a full or read-only disk does not let happen.
func (h *host) onBadDisk(a transport.Action, what faults.Kind) (transport.Output, bool) {
	writes := []transport.ActionKind{transport.ActReplace, transport.ActCreate, transport.ActBackup, transport.ActMakeDir, transport.ActLock, transport.ActBeat}
	words := "No space left on device"
	if what == faults.ReadOnly {
		words = "Read-only file system"
		writes = append(writes, transport.ActMove, transport.ActRemove, transport.ActChmod, transport.ActUnlock)
	}
	if !slices.Contains(writes, a.Kind) {
		return transport.Output{}, false
	}
	if a.Kind == transport.ActMakeDir && h.Mode(a.Path).IsDir() {
		return transport.Output{}, false
	}
	return transport.Output{Status: 1, Stdout: []byte(a.Path + ": " + words)}, true
}

// nameOf is an action as faults name it. Names that hold the time of the run
// end before it.
func nameOf(a transport.Action) string {
	if a.Kind == transport.ActRun {
		return string(a.Kind) + " " + strings.Join(a.Argv[:2], " ")
	}
	path, _, _ := strings.Cut(a.Path, ".ntl-setup-")
	return string(a.Kind) + " " + path
}
