//go:build unix

package main

import (
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
)

// Real daemons that allow one session on a connection: what a run does there, it
// does one after the other, and the place of each session is free for the next.
func TestMaxSessionsOne(t *testing.T) {
	t.Parallel()
	one := []string{"MaxSessions 1"}
	for name, o := range map[string]lab.Options{
		"client":             {ClientSSHD: one},
		"client, a slow vtl": {ClientSSHD: one, Vtl: luna.VtlSettings{DelayMS: 2000}},
		"both":               {ClientSSHD: one, HSMSSHD: one},
	} {
		t.Run(name, func(t *testing.T) {
			o.Kind, o.OpenSSH = lab.Linux, true
			b, s, words := visit(t, o)
			words = append(words, "-i", s.IdentityFile)
			for _, c := range []struct {
				command []string
				want    int
			}{
				{[]string{"plan"}, ui.ExitChanges}, {[]string{"apply", "-y"}, ui.ExitOK}, {[]string{"apply"}, ui.ExitOK},
			} {
				b.app.patience = patience{full: time.Minute, away: time.Minute, pause: time.Second}
				if got := b.main(t, append(c.command, words...)...); got != c.want {
					t.Fatalf("%v: exit %d, want %d\n%s", c.command, got, c.want, b.err.String())
				}
				b = b.again(t)
			}
		})
	}
}
