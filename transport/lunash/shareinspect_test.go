package lunash

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/transport"
)

// inspected is an appliance that says how it is set, a while after it was asked.
type inspected struct {
	Appliance
	mu    sync.Mutex
	asked map[string]int
	fail  error // of the next answer
}

func (i *inspected) ask(what string) error {
	<-time.After(2 * time.Second) // virtual time
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked[what]++
	err := i.fail
	i.fail = nil
	return err
}

func (i *inspected) Clock(context.Context) (Clock, error) {
	err := i.ask("clock")
	// As it was in the middle of the answer, an hour ahead.
	return Clock{Time: time.Now().Add(time.Hour - time.Second), Known: true, Zone: "UTC"}, err
}
func (i *inspected) IPCheck(context.Context) (bool, error) { return true, i.ask("ipcheck") }
func (i *inspected) Serving(context.Context) (bool, error) { return true, i.ask("serving") }

// How an appliance is set is asked once for all links; its clock goes on between.
func TestSharedSettingsAreAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &inspected{asked: map[string]int{}}
		s := Inspect(Share(i))
		var all sync.WaitGroup
		for n := range 4 {
			all.Go(func() {
				if n == 3 {
					<-time.After(time.Minute)
				}
				before := time.Now()
				c, err := s.Clock(t.Context())
				middle := before.Add(time.Since(before) / 2)
				if ahead := c.Time.Sub(middle); err != nil || ahead != time.Hour || !c.Known {
					t.Errorf("%v ahead, %+v, %v", ahead, c, err)
				}
				if on, err := s.IPCheck(t.Context()); !on || err != nil {
					t.Errorf("%v %v", on, err)
				}
				if runs, err := s.Serving(t.Context()); !runs || err != nil {
					t.Errorf("%v %v", runs, err)
				}
			})
		}
		all.Wait()
		if i.asked["clock"] != 1 || i.asked["ipcheck"] != 1 || i.asked["serving"] != 4 {
			t.Errorf("asked %v", i.asked)
		}
	})
}

// A session that was closed is no answer; a refusal is, but not for who asks later.
func TestSharedSettingsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &inspected{asked: map[string]int{}, fail: transport.ErrClosed}
		s := Inspect(Share(i))
		if _, err := s.Clock(t.Context()); err != nil || i.asked["clock"] != 2 {
			t.Errorf("%v, asked %v", err, i.asked)
		}
		i.fail = ErrNotAllowed
		if _, err := s.IPCheck(t.Context()); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("%v", err)
		}
		if on, err := s.IPCheck(t.Context()); err != nil || !on {
			t.Errorf("%v %v", on, err)
		}
	})
}

func TestAnApplianceThatCannotBeInspected(t *testing.T) {
	s := Inspect(Share(&counted{asked: map[string]int{}}))
	_, clock := s.Clock(t.Context())
	_, check := s.IPCheck(t.Context())
	_, serving := s.Serving(t.Context())
	for _, err := range []error{clock, check, serving} {
		if err == nil || err.Error() != "it cannot be asked" {
			t.Errorf("%v", err)
		}
	}
}
