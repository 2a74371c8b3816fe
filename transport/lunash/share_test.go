package lunash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/transport"
)

// counted is an appliance in memory that counts what it is asked.
type counted struct {
	Appliance // whatever else is asked panics

	mu     sync.Mutex
	names  []string
	asked  map[string]int
	fail   error // of the next answers
	refuse error // of the next change
	slow   time.Duration
}

func (c *counted) ask(ctx context.Context, what string) ([]string, error) {
	c.mu.Lock()
	c.asked[what]++
	names, err := slices.Clone(c.names), c.fail // as it is when the answer is made
	c.mu.Unlock()
	timer := time.NewTimer(c.slow)
	defer timer.Stop()
	select {
	case <-timer.C:
		return names, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *counted) Clients(ctx context.Context) ([]string, error) { return c.ask(ctx, "clients") }

func (c *counted) Partitions(ctx context.Context) ([]Partition, error) {
	_, err := c.ask(ctx, "partitions")
	return []Partition{{Serial: "1", Name: "p"}}, err
}

func (c *counted) HostIPs(ctx context.Context) ([]HostIP, error) {
	_, err := c.ask(ctx, "hostips")
	return nil, err
}

func (c *counted) Fetch(ctx context.Context, name string) ([]byte, error) {
	_, err := c.ask(ctx, "fetch "+name)
	return []byte(name), err
}

func (c *counted) Client(ctx context.Context, name string) (Client, error) {
	_, err := c.ask(ctx, "client "+name)
	return Client{Name: name}, err
}

func (c *counted) Fingerprint(ctx context.Context, name string) (Digest, error) {
	_, err := c.ask(ctx, "fingerprint "+name)
	return Digest{}, err
}

func (c *counted) Register(_ context.Context, r Registration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return c.refuse
	}
	c.names = append(c.names, r.Name)
	return nil
}

func (c *counted) MapHostIP(context.Context, string, string) error { return c.refuse }

func (c *counted) times(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[what]
}

func newCounted() *counted {
	return &counted{asked: map[string]int{}, names: []string{"old"}, slow: time.Second}
}

var errDown = errors.New("down")

// A hundred links that ask at once, and later, make one question each.
func TestSharedReadsAreAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounted()
		s := Share(c)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				names, err := s.Clients(t.Context())
				if err != nil || !slices.Equal(names, []string{"old"}) {
					t.Errorf("%v %v", names, err)
				}
				_, _ = s.Partitions(t.Context())
				_, _ = s.HostIPs(t.Context())
				_, _ = s.Fetch(t.Context(), "server.pem")
				_, _ = s.Fetch(t.Context(), "192.0.2.1.pem")
			})
		}
		all.Wait()
		for what, want := range map[string]int{"clients": 1, "partitions": 1, "hostips": 1, "fetch server.pem": 1, "fetch 192.0.2.1.pem": 100} {
			if got := c.times(what); got != want {
				t.Errorf("%s was asked %d times, want %d", what, got, want)
			}
		}
		if err := s.Close(); err != nil { // the counted one would panic
			t.Error(err)
		}
	})
}

// What is registered through it is in the list, without another question; what
// was refused, or may have been done, is looked at anew.
func TestSharedListIsKeptUpToDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounted()
		s := Share(c)
		list := func() []string {
			names, err := s.Clients(t.Context())
			if err != nil {
				t.Error(err)
			}
			return names
		}
		list()
		for range 2 { // the second is refused by no one here, and makes no second entry
			if err := s.Register(t.Context(), Registration{Name: "web1"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := list(); !slices.Equal(got, []string{"old", "web1"}) || c.times("clients") != 1 {
			t.Errorf("%v after %d questions", got, c.times("clients"))
		}
		list()[0] = "mine" // a caller may do with it what it likes
		if got := list(); got[0] != "old" {
			t.Errorf("%v", got)
		}
		c.refuse = errDown
		if err := s.Register(t.Context(), Registration{Name: "web2"}); !errors.Is(err, errDown) {
			t.Errorf("%v", err)
		}
		if list(); c.times("clients") != 2 {
			t.Error("after a refusal the list was not read anew")
		}
		_, _ = s.HostIPs(t.Context())
		if err := s.MapHostIP(t.Context(), "web1", "192.0.2.1"); !errors.Is(err, errDown) {
			t.Errorf("%v", err)
		}
		if _, _ = s.HostIPs(t.Context()); c.times("hostips") != 2 {
			t.Error("after a mapping the table was not read anew")
		}
	})
}

// A list that was asked for before a registration, and came after it, may lack
// it: it serves whoever asked, and nobody else.
func TestAListThatARegistrationOvertook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounted()
		s := Share(c)
		var asker sync.WaitGroup
		asker.Go(func() {
			if names, err := s.Clients(t.Context()); err != nil || len(names) != 1 {
				t.Errorf("%v %v", names, err)
			}
		})
		synctest.Wait()
		if err := s.Register(t.Context(), Registration{Name: "web1"}); err != nil {
			t.Fatal(err)
		}
		asker.Wait()
		if names, err := s.Clients(t.Context()); err != nil || !slices.Contains(names, "web1") {
			t.Errorf("%v %v", names, err)
		}
	})
}

// An error is shared by those who waited for the answer, and the next one asks
// again; the end of one link's time is no other's.
func TestSharedErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounted()
		c.fail = errDown
		s := Share(c)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if _, err := s.Clients(t.Context()); !errors.Is(err, errDown) {
					t.Errorf("%v", err)
				}
			})
		}
		all.Wait()
		if n := c.times("clients"); n != 1 {
			t.Errorf("asked %d times", n)
		}
		c.fail = nil
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for range 3 {
			all.Go(func() {
				if _, err := s.Clients(impatient); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
			})
		}
		all.Go(func() {
			if names, err := s.Clients(t.Context()); err != nil || len(names) != 1 {
				t.Errorf("%v %v", names, err)
			}
		})
		all.Wait()
	})
}

// A session that turned out to be closed is asked once more what only reads; what
// changes something is not, nor is what no session was had for.
func TestSharedReadsAreAskedAgainOnAFreshSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			fail error
			want int
		}{
			"closed":      {fmt.Errorf("answer: %w", transport.ErrClosed), 2},
			"turned away": {errors.Join(transport.ErrTurnedAway, transport.ErrClosed), 1},
			"none free":   {errors.Join(transport.ErrNoSession, transport.ErrClosed), 1},
			"another":     {errDown, 1},
			"none":        {nil, 1},
		} {
			a := newCounted()
			a.fail, a.refuse = c.fail, c.fail
			s := Share(a)
			_, errClients := s.Clients(t.Context())
			_, _ = s.Partitions(t.Context())
			_, _ = s.HostIPs(t.Context())
			_, _ = s.Client(t.Context(), "web1")
			_, _ = s.Fingerprint(t.Context(), "web1")
			for _, what := range []string{"clients", "partitions", "hostips", "client web1", "fingerprint web1"} {
				if got := a.times(what); got != c.want {
					t.Errorf("%s: %s was asked %d times, want %d", name, what, got, c.want)
				}
			}
			if !errors.Is(errClients, c.fail) {
				t.Errorf("%s: %v", name, errClients)
			}
			_ = s.Register(t.Context(), Registration{Name: "web1"})
			if c.fail != nil && slices.Contains(a.names, "web1") {
				t.Errorf("%s: it was registered all the same", name)
			}
		}
	})
}
