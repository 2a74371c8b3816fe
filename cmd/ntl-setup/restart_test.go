package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
)

// behindOpenSSH is a bench whose hosts are behind real daemons.
func behindOpenSSH(t *testing.T, o lab.Options) (*bench, *lab.Site, []string) {
	t.Helper()
	o.OpenSSH = true
	b, s, words := visit(t, o)
	return b, s, append([]string{"apply", "-y", "-o", "json", "-i", s.IdentityFile}, words...)
}

// An sshd that is restarted in the middle takes every connection with it. The
// run says so in good time, and the next one finishes.
func TestRestartedSSHD(t *testing.T) {
	for name, c := range map[string]struct {
		client bool   // whose sshd it is
		log    string // below the site's directory
		word   string // in the log: then it happens
	}{
		"the client's, while vtl makes the pair": {client: true, log: "client/vtl.log", word: "createCert"},
		"the client's, while vtl adds a server":  {client: true, log: "client/vtl.log", word: "addServer"},
		"the appliance's, after the list":        {log: "hsm/commands.log", word: "client list"},
		"the appliance's, at the registration":   {log: "hsm/commands.log", word: "client register"},
		"the appliance's, at the assignment":     {log: "hsm/commands.log", word: "client assignPartition"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, s, words := behindOpenSSH(t, lab.Options{Kind: lab.Linux, Vtl: luna.VtlSettings{DelayMS: 800}})
			target := s.HSMTarget
			if c.client {
				target = s.ClientTarget
			}
			restarted := make(chan error, 1)
			go func() {
				if err := awaitWord(t, filepath.Join(s.Dir, filepath.FromSlash(c.log)), c.word); err != nil {
					restarted <- err
					return
				}
				restarted <- s.RestartSSHD(target)
			}()
			began := time.Now()
			status := b.main(t, words...)
			if err := <-restarted; err != nil {
				t.Fatal(err)
			}
			if status != ui.ExitOK {
				steps := document(t, b).Links[0]
				if class := failureOf(steps).Class; class != "connect" {
					t.Errorf("class %q after %v\n%s", class, time.Since(began), b.err.String())
				}
			}
			again := b.again(t)
			if got := again.main(t, words...); got != ui.ExitOK {
				t.Fatalf("rerun: exit %d\n%s", got, again.err.String())
			}
			if n := once(t, filepath.Join(s.ClientRoot, "vtl.log"), "createCert"); n != 1 {
				t.Errorf("vtl createCert was called %d times", n)
			}
			noLock(t, s)
		})
	}
}

// failureOf is the first error that a link tells.
func failureOf(l ui.Link) orchestrator.Failure {
	if l.Error != nil {
		return *l.Error
	}
	for _, step := range l.Steps {
		if step.Error != nil {
			return *step.Error
		}
	}
	return orchestrator.Failure{}
}

// awaitWord waits until a log holds a word.
func awaitWord(t *testing.T, path, word string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(path)
		switch {
		case err == nil && strings.Contains(string(data), word):
			return nil
		case err != nil && !os.IsNotExist(err):
			return err
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			return t.Context().Err()
		}
	}
}

// An appliance that closes a shell in which nobody types gets a new one, when
// there is something to say: the run goes on.
func TestIdleShellIsClosed(t *testing.T) {
	t.Parallel()
	b, s, words := behindOpenSSH(t, lab.Options{
		Kind: lab.Linux, Vtl: luna.VtlSettings{DelayMS: 6000},
		HSMSSHD: []string{"ChannelTimeout session:shell=5s", "LogLevel VERBOSE"}, // OpenSSH 9.2 and later
	})
	if got := b.main(t, words...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	log := filepath.Join(s.Dir, "hsm-sshd.log")
	if once(t, log, "closing after 5 seconds of inactivity") == 0 {
		data, _ := os.ReadFile(log)
		t.Errorf("no shell was closed\n%s", data)
	}
}
