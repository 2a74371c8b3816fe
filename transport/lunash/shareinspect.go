package lunash

import (
	"context"
	"errors"
	"time"
)

// Inspect is the Inspector that an appliance is; of one that is none, each
// question fails.
func Inspect(a Reader) Inspector {
	if i, ok := a.(Inspector); ok {
		return i
	}
	return uninspected{}
}

// uninspected is an appliance that cannot be asked how it is set.
type uninspected struct{}

var errUninspected = errors.New("it cannot be asked")

func (uninspected) Clock(context.Context) (c Clock, _ error) { return c, errUninspected }
func (uninspected) IPCheck(context.Context) (bool, error)    { return false, errUninspected }
func (uninspected) Serving(context.Context) (bool, error)    { return false, errUninspected }

// clockReading is a clock as it was read at a time of ours.
type clockReading struct {
	clock Clock
	at    time.Time
}

// Clock is `status date`, asked once, and told as of the middle of this call: that
// is what a reading of one's own is taken for.
func (s *shared) Clock(ctx context.Context) (Clock, error) {
	began := time.Now()
	r, err := s.clock.get(ctx, again(func(ctx context.Context) (clockReading, error) {
		before := time.Now()
		c, err := Inspect(s.Appliance).Clock(ctx)
		return clockReading{c, before.Add(time.Since(before) / 2)}, err
	}))
	if err == nil {
		middle := began.Add(time.Since(began) / 2)
		r.clock.Time = r.clock.Time.Add(middle.Sub(r.at))
	}
	return r.clock, err
}

// IPCheck is `ntls ipcheck show`.
func (s *shared) IPCheck(ctx context.Context) (bool, error) {
	return s.ipCheck.get(ctx, again(Inspect(s.Appliance).IPCheck))
}

// Serving is `service status ntls`, which somebody may be mending meanwhile: it is
// asked each time.
func (s *shared) Serving(ctx context.Context) (bool, error) {
	return again(Inspect(s.Appliance).Serving)(ctx)
}
