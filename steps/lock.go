package steps

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"ntl-setup/transport"
)

// Timing of the lock. A holder shows itself every lockBeat; a beat without an
// answer is given up after lockBeatLimit, and after two such in a row the holder
// acts no more, which is before lockExpiry, when others may take over. Whoever
// waits looks again within lockPatience, so that a lock is free within thirty
// seconds of its holder's end.
const (
	lockBeat      = 10 * time.Second
	lockBeatLimit = 5 * time.Second
	lockExpiry    = 28 * time.Second
	lockFresh     = 2 * time.Second // a beat of so long ago speaks for an act elsewhere
	lockPatience  = time.Second
	lockAnswer    = 30 * time.Second // one attempt; a host that says nothing is not a lock that is held
	lockGoodbye   = 3 * time.Second  // letting go, when the run is over already
)

// LockOptions say who wants to hold a site, for others to read.
type LockOptions struct {
	Owner  string // user@machine that runs this program
	PID    int    // of this program over there
	Reason string // the command and the link
	// Break takes the lock from whoever holds it at first, at once.
	Break bool
	// Warn is told, once for each, who is waited for, whose lock was broken, and
	// that a lock could not be removed; nil: nobody is.
	Warn func(string)
}

// holder is what a lock says about who holds it, for people. Nothing is decided
// by it: its times are those of some laptop.
type holder struct {
	Owner  string `json:"owner"`
	PID    int    `json:"pid"`
	Since  string `json:"since"` // RFC 3339, UTC
	Reason string `json:"reason"`
	Beat   int    `json:"beat"` // so that no two beats look the same
}

// String names the holder, safe to show.
func (h holder) String() string {
	if h.Owner == "" {
		return "a run that has not said who it is"
	}
	return transport.Printable(fmt.Sprintf("%s (process %d) since %s, for %s", h.Owner, h.PID, h.Since, h.Reason))
}

// lockError is why a run may not act.
type lockError struct {
	reason, hint string
	err          error // what ended the wait; nil for a lock that was lost
}

func (e *lockError) Error() string      { return e.reason }
func (e *lockError) Unwrap() error      { return e.err }
func (e *lockError) ErrorClass() string { return "lock" }
func (e *lockError) ErrorHint() string  { return e.hint }

// Hold keeps other runs from acting on the client host, by a lock in the Luna
// client's own directory. It waits under ctx for a run that holds it already:
// the error at the end of ctx is of class lock, names that run, and wraps what
// ended ctx. Other errors are those of the host.
//
// While the site is held every act goes to the client right behind a beat, in
// the same exchange: without the lock it is not begun. So an act that was under
// way when the lock was lost is the last one, and a vtl that it started shows in
// the list of processes long before anybody else may take the lock; the look at
// the client waits for it. An act on the appliance is preceded by a beat, by
// lockFresh at most: whoever takes the lock looks at both hosts first, and so at
// what such an act has done.
//
// release lets go; it must be called, and may be called when ctx has ended. What
// the site remembers of both hosts is forgotten: somebody else was at work.
func (s *Site) Hold(ctx context.Context, o LockOptions) (release func(), err error) {
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	l := &lease{
		host: s.do.host, path: lockOf(s.see.layout), token: rand.Text(), warn: o.Warn,
		who: holder{Owner: o.Owner, PID: o.PID, Reason: o.Reason, Since: time.Now().UTC().Format(time.RFC3339)},
	}
	if err := l.take(ctx, o.Break); err != nil {
		return nil, err
	}
	l.begin(ctx)
	s.do.lock = l
	s.see.forget()
	ahead := s.see.goAhead(ctx)
	return func() {
		ahead()
		l.release(ctx)
		s.do.lock, s.see.bring = nil, nil
	}, nil
}

// lockOf is the lock of a client host.
func lockOf(l Layout) string { return path.Join(cmp.Or(l.Locks, l.Base), ".ntl-setup.lock") }

// lockNotes is a remark on a lock that is there before this run asks for it. A
// run that has nothing to do asks for none, and looking removes nothing.
func lockNotes(host string, l Layout, facts transport.Facts) []string {
	if len(facts[transport.Dir(lockOf(l))].Names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s is there: another run is at work, or one ended without letting go; the next run that changes something waits for it or removes it", host, lockOf(l))}
}

// take waits until the lock is ours.
func (l *lease) take(ctx context.Context, breakIt bool) error {
	const first = 250 * time.Millisecond
	var other watched
	attempt := transport.Lock(l.path, l.token, l.text(), lockExpiry)
	for pause := first; ; pause = min(2*pause, lockPatience) {
		said, err := l.attempt(ctx, attempt)
		if err == nil {
			if other.broken != "" && attempt.From == other.broken {
				l.warn(fmt.Sprintf("%s: took the lock of %s, as --break-lock says", l.host.Name(), other.who))
			}
			return nil
		}
		if said == nil {
			if other.since.IsZero() || ctx.Err() == nil {
				return err
			}
			return other.tooLong(ctx, l)
		}
		fresh := other.see(said)
		attempt.From, attempt.Old = other.dead()
		switch {
		case breakIt && other.token != "" && (other.broken == "" || other.broken == other.token):
			other.broken = other.token
			attempt.From, attempt.Old = other.token, nil
			if fresh {
				continue
			}
		case fresh:
			l.warn(fmt.Sprintf("%s: another run is at work there and is waited for: %s; --break-lock takes over at once, if that run is gone", l.host.Name(), other.who))
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return other.tooLong(ctx, l)
		}
	}
}

// attempt asks for the lock once.
func (l *lease) attempt(ctx context.Context, lock transport.Action) (said []byte, _ error) {
	ctx, cancel := context.WithTimeout(ctx, lockAnswer)
	defer cancel()
	return l.held(l.host.Do(ctx, lock))
}

// held tells a lock that somebody else holds (what it says, not nil) from one
// that could not even be asked for.
func (l *lease) held(_ []transport.Output, err error) (said []byte, _ error) {
	var refused *transport.ActionError
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &refused):
		return nil, err
	case refused.Output.Status != transport.LockHeld:
		return nil, transport.Errorf(transport.ClassRemote, "", "nothing is changed without a lock: %w", err).
			WithHint("the client user must be able to write to %s", path.Dir(l.path))
	}
	return append([]byte{}, refused.Output.Stdout...), err
}

// watched is the other holder, as far as waiting has shown.
type watched struct {
	token  string
	text   []byte
	who    holder
	since  time.Time // when that text was first seen, by the monotonic clock here
	broken string    // the token that --break-lock is about
}

// see takes in what a refusal said; true if that is another holder than before.
func (w *watched) see(said []byte) bool {
	token, text, _ := bytes.Cut(said, []byte("\n"))
	fresh := w.since.IsZero() || string(token) != w.token
	if fresh || !bytes.Equal(text, w.text) {
		w.since = time.Now()
	}
	w.token, w.text = string(token), text
	if fresh || w.who.Owner == "" {
		w.who = holder{}
		const longest = 4096
		if len(text) > longest || json.Unmarshal(text, &w.who) != nil {
			w.who = holder{} // nothing depends on it
		}
	}
	return fresh
}

// dead is the holder to take the lock from: one whose text did not change for
// longer than any living one's would. It is for hosts whose find cannot tell
// the age of a beat, or whose clock jumped.
func (w *watched) dead() (token string, seen []byte) {
	if w.token == "" || time.Since(w.since) < lockExpiry {
		return "", nil
	}
	return w.token, w.text
}

// tooLong is the error when the wait ends.
func (w *watched) tooLong(ctx context.Context, l *lease) error {
	cause := context.Cause(ctx)
	return &lockError{
		reason: fmt.Sprintf("%s: the lock %s is held by %s; waited for it until: %v", l.host.Name(), l.path, w.who, cause),
		hint:   "if that run is gone, --break-lock takes over; a larger --timeout waits longer",
		err:    cause,
	}
}
