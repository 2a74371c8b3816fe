package main

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
)

// gate is a way to a server that lets so many connections through at a time.
// What is one too many is shut without a word.
type gate struct {
	address string
	mu      sync.Mutex
	open    int
	most    int
	shut    int
}

// guarded puts a gate before a server.
func guarded(t *testing.T, server string, limit int) *gate {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{address: l.Addr().String()}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close() // it ends the loop
		all.Wait()
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !g.enter(limit) {
				_ = c.Close() // that is the refusal
				continue
			}
			all.Go(func() {
				defer g.leave()
				pass(t, c, server)
			})
		}
	})
	return g
}

func (g *gate) enter(limit int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == limit {
		g.shut++
		return false
	}
	g.open++
	g.most = max(g.most, g.open)
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
}

// counts are how many were open at most, and how many were one too many.
func (g *gate) counts() (most, shut int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.most, g.shut
}

// pass carries one connection.
func pass(t *testing.T, c net.Conn, server string) {
	far, err := new(net.Dialer).DialContext(t.Context(), "tcp", server)
	if err != nil {
		_ = c.Close() // the server is gone
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, far}, {far, c}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // ends with either side
			_, _ = way[0].Close(), way[1].Close()
		})
	}
	both.Wait()
}

// runs makes n links to the appliance of the first of n sites, all at once, by
// way of an address.
func runs(t *testing.T, n int, o lab.Options, by func(server string) string, more ...string) *lab.Site {
	t.Helper()
	sites := make([]*lab.Site, n)
	for i := range sites {
		sites[i] = lab.Start(t, o)
	}
	hsm := sites[0]
	user, server, _ := strings.Cut(hsm.HSMTarget, "@")
	address := by(server)
	var all sync.WaitGroup
	for i, s := range sites {
		b := dialling(t)
		b.app.patience = patience{full: 4 * time.Minute, away: 2 * time.Minute, pause: 500 * time.Millisecond}
		line := append([]string{
			"apply", "-y", "-o", "json", "--client", s.ClientTarget, "--client-address", s.ClientAddress, "--client-root", s.ClientRoot,
			"--hsm", user + "@" + address, "--hsm-address", hsm.HSMAddress, "--name", fmt.Sprintf("web%d", i), "--partition", "partition6",
			"--known-hosts", filepath.Join(t.TempDir(), "known"), "--accept-new-host-keys",
			"--client-password-file", s.ClientPasswordFile, "--hsm-password-file", hsm.HSMPasswordFile,
		}, more...)
		all.Go(func() {
			if got := b.main(t, line...); got != ui.ExitOK {
				t.Errorf("run %d: exit %d\n%s", i, got, b.err.String())
			}
		})
	}
	all.Wait()
	state, err := hsm.Appliance().State()
	if err != nil {
		t.Fatal(err)
	}
	if len(state.Clients) != len(sites) {
		t.Errorf("%d clients are registered", len(state.Clients))
	}
	return hsm
}

// Ten runs for ten clients against one appliance that gives three sessions: all
// come to their turn, and never are there more.
func TestTenRunsOneAppliance(t *testing.T) {
	const sessions = 3
	var g *gate
	hsm := runs(t, 10, lab.Options{Kind: lab.Linux}, func(server string) string {
		g = guarded(t, server, sessions)
		return g.address
	})
	if most, shut := g.counts(); most != sessions || shut == 0 {
		t.Errorf("%d connections at most, %d shut", most, shut)
	}
	if tried := hsm.HSMSSH.PasswordsTried(); tried != 10 {
		t.Errorf("%d passwords were offered for ten logins", tried)
	}
}

// The same where the appliance lets everybody in, but counts what they open:
// shells and copies, too many of which it refuses in words, or shuts silently.
func TestTenRunsCountedSessions(t *testing.T) {
	const words = "Too many sessions are open."
	for name, c := range map[string]struct {
		n int
		o lab.Options
	}{
		"in words, four": {10, lab.Options{HSMSessions: 4, HSMFull: words}},
		"in words, one":  {3, lab.Options{HSMSessions: 1, HSMFull: "Error: maximum number of SSH sessions reached"}},
		"silently, two":  {4, lab.Options{HSMSessions: 2}},
		"by SFTP, two":   {4, lab.Options{HSMSessions: 2, HSMFull: words, Dialect: "7.9"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Kind = lab.Linux
			hsm := runs(t, c.n, c.o, func(server string) string { return server }, "--step-timeout", "4m")
			if most, shut := hsm.HSMCrowd(); most != c.o.HSMSessions || shut == 0 {
				t.Errorf("%d sessions at most, %d shut", most, shut)
			}
		})
	}
}

// One run alone gets along with a single session, however it is refused a second.
func TestASingleSession(t *testing.T) {
	for name, full := range map[string]string{"in words": "Too many sessions are open.", "silently": ""} {
		for _, dialect := range []string{"5", "7.9"} {
			t.Run(name+", "+dialect, func(t *testing.T) {
				t.Parallel()
				b, s, words := visit(t, lab.Options{Kind: lab.Linux, HSMSessions: 1, HSMFull: full, Dialect: dialect})
				b.app.patience = patience{full: time.Minute, away: time.Minute, pause: time.Second}
				words = append(append([]string{"apply", "-y"}, words...), passwords(s)...)
				began := time.Now()
				if got := b.main(t, words...); got != ui.ExitOK {
					t.Errorf("exit %d\n%s%s", got, b.out.String(), b.err.String())
				}
				if most, shut := s.HSMCrowd(); most != 1 || shut == 0 {
					t.Errorf("%d sessions at most, %d shut", most, shut)
				}
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("took %v", took)
				}
			})
		}
	}
}
