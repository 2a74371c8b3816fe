package lunash

import (
	"context"
	"errors"
	"time"

	"ntl-setup/transport"
)

// errMute: a copy ended before it began, and nobody said why. An appliance with
// no session free does that, and one whose user may not copy files.
var errMute = errors.New("the far side gave no reason")

// patiently tries again, with growing pauses and for so long at most, what
// failed for want of a session. Nothing was asked of the appliance when it had
// none.
func patiently(ctx context.Context, limit time.Duration, wanting func(error) bool, try func() error) error {
	const first, most = 500 * time.Millisecond, 5 * time.Second
	began := time.Now()
	for pause := first; ; pause = min(2*pause, most) {
		err := try()
		if err == nil || !wanting(err) || time.Since(began)+pause > limit {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err // why it had to wait says more than that it did
		}
	}
}

// wantsSession tells a copy that failed for want of a session. Without a reason
// that is only supposed until it was waited for once in vain.
func (a *appliance) wantsSession(err error) bool {
	return errors.Is(err, transport.ErrNoSession) || errors.Is(err, errMute) && !a.mute.Load()
}

// wantsShell tells a shell that was not to be had for want of a session. One
// that ends without a word counts if there was one before: then nobody is kept
// out of here, and who lets everybody wait is left to the caller.
func (a *appliance) wantsShell(err error) bool {
	return errors.Is(err, transport.ErrNoSession) || errors.Is(err, transport.ErrTurnedAway) && a.entered.Load()
}

// beside does a transfer beside the shell or, where the appliance has no second
// session to give, instead of it: the next command opens a shell again.
func (a *appliance) beside(ctx context.Context, transfer func() error) error {
	if !a.single.Load() {
		err := transfer()
		if !a.wantsSession(err) {
			return err
		}
	}
	select {
	case a.turn <- struct{}{}: // a command that is at work ends first
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-a.turn }()
	a.mu.Lock()
	s := a.shell
	a.mu.Unlock()
	if s != nil {
		a.drop(s)
	}
	err := patiently(ctx, a.o.Patience, a.wantsSession, transfer)
	if errors.Is(err, errMute) {
		a.mute.Store(true)
	} else {
		a.single.Store(true)
	}
	return err
}

// full is the error of an appliance that says it has no session to give.
func full(host, words string) *transport.Error {
	e := transport.Errorf(transport.ClassConnect, host, "the appliance has no session free: %s", transport.Printable(words)).WithHint(crowdedHint)
	e.Err = transport.ErrNoSession
	return e
}
