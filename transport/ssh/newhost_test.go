//go:build unix

package ssh_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

func TestAcceptNewHostKey(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", allKinds)
	for name, before := range map[string]string{
		"no file":       "",
		"hashed others": "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= " + newKey(t, "ed25519").authorized(),
		"no line end":   "# mine",
	} {
		t.Run(name, func(t *testing.T) {
			o := s.options(t)
			o.KnownHosts = []string{filepath.Join(t.TempDir(), "new", "known_hosts")}
			if before != "" {
				o.KnownHosts = []string{writeFile(t, "known_hosts", before)}
			}
			o.AcceptNew = true
			warned := ""
			o.Warn = func(text string) { warned += text }
			dial(t, s.Target, o)
			holds(t, warned, s.host["ed25519"].fingerprint(), o.KnownHosts[0])
			want := before
			if want != "" && !strings.HasSuffix(want, "\n") {
				want += "\n"
			}
			want += s.knows(s.host["ed25519"])
			after, err := os.ReadFile(o.KnownHosts[0])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(after)); diff != "" {
				t.Errorf("known_hosts (-want +got):\n%s", diff)
			}
			info, err := os.Stat(o.KnownHosts[0])
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v", info.Mode())
			}
			if before == "" {
				folder, err := os.Stat(filepath.Dir(o.KnownHosts[0]))
				if err != nil {
					t.Fatal(err)
				}
				if folder.Mode().Perm() != 0o700 {
					t.Errorf("the folder has mode %v", folder.Mode())
				}
			}
			o.AcceptNew, warned = false, ""
			dial(t, s.Target, o) // known now, to OpenSSH as well
			if warned != "" {
				t.Errorf("warned again: %s", warned)
			}
			knownToOpenSSH(t, s, o.KnownHosts[0])
		})
	}
}

func knownToOpenSSH(t *testing.T, s *sshd, file string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-F", xknownhosts.Normalize(s.address()), "-f", file).Output()
	if err != nil {
		t.Fatalf("ssh-keygen does not find the host: %v", err)
	}
	holds(t, string(out), strings.Fields(s.host["ed25519"].authorized())[1])
}

// A key must be remembered before anything is sent to its owner.
func TestAcceptNewThatCannotBeWritten(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	o := s.options(t)
	o.AcceptNew = true
	o.KnownHosts = []string{filepath.Join(writeFile(t, "plain", ""), "known_hosts")} // a file for a folder
	_, err := ssh.Dial(t.Context(), s.Target, o)
	classed(t, err, transport.ClassConfig)
}

// Keys are exchanged anew in a long connection: the key that was accepted then
// is neither written again nor forgotten.
func TestNewHostKeyAndRekeying(t *testing.T) {
	p := newPeer(t)
	p.config.RekeyThreshold = 1 << 10
	p.channel = echo
	p.start(t)
	o := p.pinned(t, ssh.Options{AcceptNew: true, KnownHosts: []string{filepath.Join(t.TempDir(), "known_hosts")}})
	o.HostKeyPin = ""
	c := dial(t, p.Target, o)
	data := strings.Repeat("0123456789abcdef", 4<<10)
	out, err := c.Exec(t.Context(), "cat", []byte(data))
	if err != nil || string(out.Stdout) != data {
		t.Fatalf("%d bytes came back, %v", len(out.Stdout), err)
	}
	known, err := os.ReadFile(o.KnownHosts[0])
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(known), "\n"); lines != 1 {
		t.Errorf("%d lines were written:\n%s", lines, known)
	}
}

// Two links to one new machine at the same time leave a readable file.
func TestAcceptNewSideBySide(t *testing.T) {
	p := newPeer(t).start(t)
	o := p.pinned(t, ssh.Options{AcceptNew: true, KnownHosts: []string{filepath.Join(t.TempDir(), "known_hosts")}})
	o.HostKeyPin = ""
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			c, err := ssh.Dial(t.Context(), p.Target, o)
			if err != nil {
				t.Error(err)
				return
			}
			closeQuietly(c)
		})
	}
	all.Wait()
	o.AcceptNew = false
	dial(t, p.Target, o)
}
