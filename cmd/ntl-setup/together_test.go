package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
)

// once counts the lines of a log that hold a text.
func once(t *testing.T, path, text string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(data), text)
}

// Two runs started together against one client: one works, the other waits and
// says for whom, nothing is done twice, and both end well.
func TestTwoRunsTogether(t *testing.T) {
	first, s, words := visit(t, lab.Options{Vtl: luna.VtlSettings{DelayMS: 1500}})
	words = append(append([]string{"apply", "-y", "-o", "json"}, words...), passwords(s)...)
	runs := []*bench{first, first.again(t)}
	var both sync.WaitGroup
	status := make([]int, len(runs))
	for i, b := range runs {
		both.Go(func() { status[i] = b.main(t, words...) })
	}
	both.Wait()
	waited := 0
	for i, b := range runs {
		if status[i] != ui.ExitOK {
			t.Errorf("run %d: exit %d\n%s", i, status[i], b.err.String())
		}
		if strings.Contains(b.err.String(), "another run is at work there and is waited for: "+whoAmI()) {
			waited++
			for _, step := range document(t, b).Links[0].Steps {
				if step.Status != orchestrator.OK {
					t.Errorf("the run that waited: %s %s", step.ID, step.Status)
				}
			}
		}
	}
	if waited != 1 {
		t.Errorf("%d runs waited\n%s\n%s", waited, runs[0].err.String(), runs[1].err.String())
	}
	if n := once(t, filepath.Join(s.ClientRoot, "vtl.log"), "createCert"); n != 1 {
		t.Errorf("vtl createCert was called %d times", n)
	}
	commands, err := s.Commands()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"client register", "client assignPartition"} {
		if n := strings.Count(strings.Join(commands, "\n"), c); n != 1 {
			t.Errorf("%s was sent %d times", c, n)
		}
	}
	noLock(t, s)
}

func lockOf(s *lab.Site) string {
	base := "/var/safenet/safenet/lunaclient"
	if s.Kind == lab.Linux {
		base = "/usr/safenet/lunaclient"
	}
	return filepath.Join(s.ClientRoot, base, ".ntl-setup.lock")
}

func noLock(t *testing.T, s *lab.Site) {
	t.Helper()
	if _, err := os.Lstat(lockOf(s)); !os.IsNotExist(err) {
		t.Errorf("the lock is left: %v", err)
	}
}

// locked puts another run's lock there.
func locked(t *testing.T, s *lab.Site) {
	t.Helper()
	entry := filepath.Join(lockOf(s), "OTHER")
	if err := os.MkdirAll(entry, 0o700); err != nil {
		t.Fatal(err)
	}
	text := `{"owner":"carol@desk","pid":7,"since":"2026-01-05T09:00:00Z","reason":"apply NS-web7","beat":1}`
	if err := os.WriteFile(filepath.Join(entry, "beat"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A lock is waited for until the run's end; --break-lock does not wait, and -y
// does not break it.
func TestLockedByAnother(t *testing.T) {
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	locked(t, s)
	words = append(append([]string{"apply", "-y", "-o", "json"}, words...), passwords(s)...)
	if got := b.main(t, append(words, "--timeout", "4s")...); got != ui.ExitFailed {
		t.Fatalf("exit %d, want 1\n%s", got, b.err.String())
	}
	e := document(t, b).Links[0].Error
	if e == nil || e.Class != "lock" || !strings.Contains(e.Message, "carol@desk (process 7)") || !strings.Contains(e.Hint, "--break-lock") {
		t.Errorf("%+v", e)
	}
	b = b.again(t)
	if got := b.main(t, append(words, "--break-lock")...); got != ui.ExitOK {
		t.Errorf("--break-lock: exit %d\n%s", got, b.err.String())
	}
	if !strings.Contains(b.err.String(), "took the lock of carol@desk") {
		t.Errorf("not told:\n%s", b.err.String())
	}
	noLock(t, s)
}

// on runs a function when a text is written.
type on struct {
	io.Writer
	text string
	do   func()
}

func (o *on) Write(p []byte) (int, error) {
	if strings.Contains(string(p), o.text) {
		o.do()
	}
	return o.Writer.Write(p)
}

// Nothing is at work while a run waits: one Ctrl-C ends it.
func TestInterruptWhileWaitingForTheLock(t *testing.T) {
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	locked(t, s)
	before := hash(t, s)
	b.app.err = ui.Stream{Writer: &on{Writer: &b.err, text: "is waited for", do: func() { b.signals <- os.Interrupt }}}
	words = append(append([]string{"apply", "-y"}, words...), passwords(s)...)
	if got := b.main(t, words...); got != ui.ExitInterrupted {
		t.Errorf("exit %d, want 130\n%s", got, b.err.String())
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
}

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
