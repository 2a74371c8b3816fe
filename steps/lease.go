package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ntl-setup/transport"
)

// lease is a lock that is held, and the only way to act while it is.
type lease struct {
	host  transport.Host
	path  string
	token string
	who   holder
	warn  func(string)

	beats  atomic.Int64
	beaten atomic.Pointer[time.Time] // when the last beat was sent that is answered

	alive context.Context         //nolint:containedctx // ends with the lease; acts end with it
	end   context.CancelCauseFunc // nil: let go; a *lockError: lost
	done  sync.WaitGroup
}

// text is who holds the lock, unlike any text before.
func (l *lease) text() []byte {
	who := l.who
	who.Beat = int(l.beats.Add(1))
	text, err := json.Marshal(who)
	if err != nil {
		return nil // a struct of strings and numbers has no such error
	}
	return text
}

// begin keeps the lease alive until release. The run's own end does not end it:
// the step at work may still be confirmed.
func (l *lease) begin(ctx context.Context) {
	l.alive, l.end = context.WithCancelCause(context.WithoutCancel(ctx))
	l.done.Go(func() { l.keep(l.alive) })
}

// release lets go. It has a time of its own, for the run's may be over.
func (l *lease) release(ctx context.Context) {
	l.end(nil)
	l.done.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockGoodbye)
	defer cancel()
	if _, err := l.host.Do(ctx, transport.Unlock(l.path, l.token)); err != nil {
		l.warn(fmt.Sprintf("%s: the lock %s could not be removed, and counts for nothing after %s: %v", l.host.Name(), l.path, lockExpiry, err))
	}
}

// keep shows that this run is alive.
func (l *lease) keep(ctx context.Context) {
	tick := time.NewTicker(lockBeat)
	defer tick.Stop()
	for missed := 0; missed < 2; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		err := l.beat(ctx)
		var lost *lockError
		switch {
		case err == nil:
			missed = 0
		case ctx.Err() != nil, errors.As(err, &lost):
			return
		case errors.Is(err, transport.ErrNoSession):
			// A host that allows one session at a time, and something of ours
			// has it. A tool shows life by itself, and the next act begins by it.
		default:
			if missed++; missed == 2 {
				_ = l.lose(fmt.Sprintf("the client host has not answered for some time (%v)", err))
			}
		}
	}
}

// beat is one sign of life. That the lock is lost ends the lease.
func (l *lease) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lockBeatLimit)
	defer cancel()
	began := time.Now()
	_, err := l.host.Do(ctx, l.sign())
	if err == nil {
		l.shown(began)
	}
	return l.judge(err)
}

func (l *lease) sign() transport.Action { return transport.Beat(l.path, l.token, l.text()) }

// lose ends the lease, and with it every act under way. The first reason counts.
func (l *lease) lose(reason string) error {
	l.end(&lockError{
		reason: fmt.Sprintf("%s: the lock %s was lost, so nothing more is done: %s", l.host.Name(), l.path, reason),
		hint:   "run again: it waits for the other run, if there is one, and goes on from what it finds",
	})
	return context.Cause(l.alive)
}

// judge makes the error of an exchange one of the lock, if that is what it is
// about.
func (l *lease) judge(err error) error {
	if err == nil {
		return nil
	}
	var lost *lockError
	if errors.As(context.Cause(l.alive), &lost) {
		return lost
	}
	var refused *transport.ActionError
	if errors.As(err, &refused) && refused.Action.Kind == transport.ActBeat && refused.Output.Status == transport.LockHeld {
		var now watched
		now.see(refused.Output.Stdout)
		if now.token == "" {
			return l.lose("somebody has removed it")
		}
		return l.lose("it is held by " + now.who.String())
	}
	return err
}

// do does actions on the client, each right behind a beat, and looks behind the
// last (see transport.Follower).
func (l *lease) do(ctx context.Context, after []transport.Query, actions ...transport.Action) ([]transport.Output, transport.Facts, error) {
	fenced := []transport.Action{}
	for _, a := range actions {
		fenced = append(fenced, l.sign(), a)
	}
	var outputs []transport.Output
	var seen transport.Facts
	err := l.during(ctx, func(ctx context.Context) error {
		began := time.Now()
		all, facts, err := transport.DoAndLook(ctx, l.host, fenced, after)
		if seen = facts; len(all) > 0 && all[0].Status == 0 {
			l.shown(began)
		}
		for i, out := range all {
			if i%2 == 1 {
				outputs = append(outputs, out)
			}
		}
		return err
	})
	return outputs, seen, err
}

// elsewhere acts where no beat can stand right before the act. One is sent to
// the client first, unless one that was sent a moment ago is answered.
func (l *lease) elsewhere(ctx context.Context, act func(context.Context) error) error {
	if !l.fresh(time.Now()) {
		if err := l.beat(ctx); err != nil {
			return err
		}
	}
	return l.during(ctx, act)
}

// shown notes a beat that was sent at that time and is answered.
func (l *lease) shown(at time.Time) {
	if last := l.beaten.Load(); last == nil || at.After(*last) {
		l.beaten.Store(&at)
	}
}

// fresh reports whether the last answered beat was sent a moment ago, by both
// clocks: one of them stands still while a laptop sleeps, the other may be set.
func (l *lease) fresh(now time.Time) bool {
	last := l.beaten.Load()
	if last == nil {
		return false
	}
	byWall := now.Round(0).Sub(last.Round(0))
	return now.Sub(*last) < lockFresh && byWall >= 0 && byWall < lockFresh
}

// during ends an act when the lease is lost; once it is, none is begun.
func (l *lease) during(ctx context.Context, act func(context.Context) error) error {
	if l.alive.Err() != nil {
		return context.Cause(l.alive) //nolint:contextcheck // the lease has a life of its own
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lost := func() { cancel(context.Cause(l.alive)) }
	defer context.AfterFunc(l.alive, lost)() //nolint:contextcheck // two contexts end an act: the caller's and the lease's
	return l.judge(act(ctx))
}
