package lunash

import (
	"context"
	"errors"
	"time"

	"ntl-setup/transport"
)

// patiently tries until there is a session to be had, with growing pauses, for
// so long at most. Nothing was asked of the appliance when it had none.
func patiently(ctx context.Context, limit time.Duration, try func() error) error {
	const first, most = 500 * time.Millisecond, 5 * time.Second
	began := time.Now()
	for pause := first; ; pause = min(2*pause, most) {
		err := try()
		if err == nil || !errors.Is(err, transport.ErrNoSession) || time.Since(began)+pause > limit {
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

// beside does a transfer beside the shell or, where the appliance has no second
// session to give, instead of it: the next command opens a shell again.
func (a *appliance) beside(ctx context.Context, transfer func() error) error {
	if !a.single.Load() {
		err := transfer()
		if !errors.Is(err, transport.ErrNoSession) {
			return err
		}
		a.single.Store(true)
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
	return patiently(ctx, a.o.Patience, transfer)
}
