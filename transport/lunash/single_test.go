package lunash

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/transport"
)

// crowdedConn is a connection whose peer gives so many sessions at a time.
type crowdedConn struct {
	fakeConn
	most int

	mu      sync.Mutex
	inUse   int
	atMost  int
	refused int
}

func errFull() error {
	e := transport.Errorf(transport.ClassConnect, "admin@hsm.test:22", "open: the machine refuses another channel").WithHint("close others")
	e.Err = transport.ErrNoSession
	return e
}

func (c *crowdedConn) enter() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inUse == c.most {
		c.refused++
		return errFull()
	}
	c.inUse++
	c.atMost = max(c.atMost, c.inUse)
	return nil
}

// leaving is a stream whose end gives its session back.
type leaving struct {
	transport.Stream
	leave func()
}

func (l *leaving) Close() error {
	defer l.leave()
	return l.Stream.Close()
}

func (c *crowdedConn) held(open func() (transport.Stream, error)) (transport.Stream, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	s, err := open()
	if err != nil {
		return nil, err
	}
	return &leaving{s, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inUse--
	})}, nil
}

func (c *crowdedConn) Terminal(ctx context.Context, cols, rows int) (transport.Stream, error) {
	return c.held(func() (transport.Stream, error) { return c.fakeConn.Terminal(ctx, cols, rows) })
}

func (c *crowdedConn) Stream(ctx context.Context, line string) (transport.Stream, error) {
	return c.held(func() (transport.Stream, error) { return c.fakeConn.Stream(ctx, line) })
}

const nobodyListed = "\r\nclient list\r\n\r\nThere are no clients registered.\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt

// crowdedBox is an appliance with a file, behind a connection of one session.
func crowdedBox(t *testing.T, o Options) (*appliance, *crowdedConn) {
	t.Helper()
	side := &farSide{files: map[string][]byte{"server.pem": []byte("a certificate")}}
	c := &crowdedConn{most: 1, fakeConn: fakeConn{scripts: []script{answer(nobodyListed, nobodyListed)}, stream: side.scp}}
	a := newAppliance(c, o, newMatcher)
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a, c
}

// An appliance that refuses a second session: the shell makes room for a
// transfer, and is opened again for the next command.
func TestOneSessionAtATime(t *testing.T) {
	a, c := crowdedBox(t, Options{})
	for round := range 3 {
		if names, err := a.Clients(t.Context()); err != nil || len(names) != 0 {
			t.Fatalf("round %d: %v, %v", round, names, err)
		}
		data, err := a.Fetch(t.Context(), "server.pem")
		if err != nil || string(data) != "a certificate" {
			t.Fatalf("round %d: %q, %v", round, data, err)
		}
	}
	if c.atMost != 1 || c.terminals() != 3 {
		t.Errorf("%d sessions at most, %d shells", c.atMost, c.terminals())
	}
	if c.refused != 1 {
		t.Errorf("asked for a second session %d times: once should teach it", c.refused)
	}
	if got := strings.Join(c.lines(), "; "); got != "client list; client list; client list" {
		t.Errorf("sent %s", got)
	}
}

// A transfer does not take the shell away from a command that is at work.
func TestACommandIsNotDisturbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := crowdedBox(t, Options{})
		c.scripts = []script{func(s *terminal) {
			s.say(hsmPrompt)
			s.hear()
			s.pause(10 * time.Second)
			s.say(nobodyListed)
			s.hang()
		}}
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := a.Clients(t.Context()); err != nil {
				t.Errorf("the command: %v", err)
			}
		})
		synctest.Wait()
		began := time.Now()
		if _, err := a.Fetch(t.Context(), "server.pem"); err != nil {
			t.Errorf("the transfer: %v", err)
		}
		if took := time.Since(began); took < 10*time.Second {
			t.Errorf("the transfer did not wait: %v", took)
		}
		both.Wait()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

// While somebody else has all sessions they are waited for, for so long; nothing
// was sent meanwhile, and the error says what was missing.
func TestNoSessionIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		free time.Duration // when a session becomes free; 0: never
		want bool
	}{
		"soon": {20 * time.Second, true}, "never": {0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, box := crowdedBox(t, Options{Patience: time.Minute})
				box.inUse = 1
				if c.free > 0 {
					time.AfterFunc(c.free, func() {
						box.mu.Lock()
						defer box.mu.Unlock()
						box.inUse = 0
					})
				}
				began := time.Now()
				_, cmdErr := a.Clients(t.Context())
				took := time.Since(began)
				_, copyErr := a.Fetch(t.Context(), "server.pem")
				for what, err := range map[string]error{"command": cmdErr, "transfer": copyErr} {
					switch {
					case c.want && err != nil:
						t.Errorf("%s: %v", what, err)
					case !c.want && (!errors.Is(err, transport.ErrNoSession) || classOf(err) != "connect" || !strings.Contains(err.Error(), "another channel")):
						t.Errorf("%s: %v, class %s", what, err, classOf(err))
					}
				}
				if took > time.Minute || c.want && (took < c.free || took > c.free+5*time.Second) {
					t.Errorf("took %v", took)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The wait ends with the context too.
func TestWaitingForASessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, box := crowdedBox(t, Options{})
		box.inUse = 1
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		_, err := a.Clients(ctx)
		if err == nil || time.Since(began) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// An appliance that lets one in only to say that it is full.
func TestTooManySessionsAtLogin(t *testing.T) {
	full := func(text string) script { return func(s *terminal) { s.say(text) } }
	for name, c := range map[string]struct {
		text string
		kind error // nil: neither
	}{
		"too many":     {"Too many sessions are open.\r\n", transport.ErrNoSession},
		"PAM's words":  {"Too many logins for 'admin'.\r\n", transport.ErrNoSession},
		"maximum":      {"Error: maximum number of SSH sessions reached\r\n", transport.ErrNoSession},
		"not a word":   {"", transport.ErrTurnedAway},
		"other reason": {"The system is going down for maintenance.\r\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, conn := open(t, newMatcher, Options{Patience: time.Minute}, full(c.text), full(c.text), answer(nobodyListed))
				_, err := a.Clients(t.Context())
				if errors.Is(c.kind, transport.ErrNoSession) {
					if err != nil || conn.terminals() != 3 {
						t.Errorf("%v after %d terminals", err, conn.terminals())
					}
				} else {
					for _, kind := range []error{transport.ErrNoSession, transport.ErrTurnedAway} {
						if errors.Is(err, kind) != errors.Is(c.kind, kind) {
							t.Errorf("%v: %v is %t", err, kind, errors.Is(err, kind))
						}
					}
					if classOf(err) != "connect" || conn.terminals() != 1 {
						t.Errorf("class %s, %d terminals", classOf(err), conn.terminals())
					}
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A connection that ends when the first terminal is asked for.
func TestTurnedAwayAtTheTerminal(t *testing.T) {
	lost := transport.Errorf(transport.ClassConnect, "h", "open a terminal: connection lost")
	for err, kind := range map[error]error{
		lost: transport.ErrTurnedAway, errFull(): transport.ErrNoSession,
		transport.Errorf(transport.ClassTimeout, "h", "late"): nil,
	} {
		got := unopened(err)
		if classOf(got) != classOf(err) || got.Error() != err.Error() {
			t.Errorf("%v became %v", err, got)
		}
		for _, k := range []error{transport.ErrNoSession, transport.ErrTurnedAway} {
			if errors.Is(got, k) != errors.Is(kind, k) {
				t.Errorf("%v: %v is %t", got, k, errors.Is(got, k))
			}
		}
	}
}
