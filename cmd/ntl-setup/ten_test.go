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

// Ten runs for ten clients against one appliance that gives three sessions: all
// come to their turn, and never are there more.
func TestTenRunsOneAppliance(t *testing.T) {
	const clients, sessions = 10, 3
	sites := make([]*lab.Site, clients)
	for i := range sites {
		sites[i] = lab.Start(t, lab.Options{Kind: lab.Linux})
	}
	hsm := sites[0]
	user, server, _ := strings.Cut(hsm.HSMTarget, "@")
	g := guarded(t, server, sessions)
	var all sync.WaitGroup
	for i, s := range sites {
		b := dialling(t)
		b.app.patience = patience{full: time.Minute, away: time.Minute, pause: 500 * time.Millisecond}
		line := []string{
			"apply", "-y", "-o", "json", "--client", s.ClientTarget, "--client-address", s.ClientAddress, "--client-root", s.ClientRoot,
			"--hsm", user + "@" + g.address, "--hsm-address", hsm.HSMAddress, "--name", fmt.Sprintf("web%d", i), "--partition", "partition6",
			"--known-hosts", filepath.Join(t.TempDir(), "known"), "--accept-new-host-keys",
			"--client-password-file", s.ClientPasswordFile, "--hsm-password-file", hsm.HSMPasswordFile,
		}
		all.Go(func() {
			if got := b.main(t, line...); got != ui.ExitOK {
				t.Errorf("run %d: exit %d\n%s", i, got, b.err.String())
			}
		})
	}
	all.Wait()
	if most, shut := g.counts(); most != sessions || shut == 0 {
		t.Errorf("%d connections at most, %d shut", most, shut)
	}
	if tried := hsm.HSMSSH.PasswordsTried(); tried != clients {
		t.Errorf("%d passwords were offered for %d logins", tried, clients)
	}
	state, err := hsm.Appliance().State()
	if err != nil {
		t.Fatal(err)
	}
	if len(state.Clients) != clients {
		t.Errorf("%d clients are registered", len(state.Clients))
	}
}
