//go:build unix

package ssh_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ntl-setup/transport/ssh"
)

// sshd is a real OpenSSH server on a loopback port, run as the present user.
type sshd struct {
	ssh.Target
	dir  string
	host map[string]keyPair // its host keys by kind
	id   keyPair            // the key that it lets in
	log  string
}

// startSSHD runs OpenSSH with host keys of those kinds and further lines of
// configuration.
func startSSHD(t *testing.T, listen string, kinds []string, config ...string) *sshd {
	t.Helper()
	program, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		t.Fatalf("the test needs sshd: install openssh-server: %v", err)
	}
	if os.Geteuid() == 0 {
		// sshd wants it for its unprivileged child when it is root, wherever its
		// configuration lies; the distribution's service makes it at boot.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &sshd{dir: t.TempDir(), host: map[string]keyPair{}, id: newKey(t, "ed25519")}
	s.log = filepath.Join(s.dir, "log")
	lines := []string{
		"AuthorizedKeysFile " + s.write(t, "authorized_keys", s.id.authorized()),
		"StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"PermitRootLogin yes", "PidFile none", "UseDNS no", "LogLevel VERBOSE", "PrintMotd no", "PrintLastLog no",
	}
	if !strings.Contains(strings.Join(config, "\n"), "Subsystem ") {
		lines = append(lines, "Subsystem sftp internal-sftp")
	}
	for _, kind := range kinds {
		s.host[kind] = newKey(t, kind)
		lines = append(lines, "HostKey "+s.write(t, "host_"+kind, string(s.host[kind].pem)))
	}
	// The first value of a keyword counts.
	text := strings.Join(append(config, lines...), "\n") + "\n"
	for range 5 { // another program may take the port in between
		address := freePort(t, listen)
		s.Target = target(t, address)
		s.User = me.Username
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		path := s.write(t, "config", fmt.Sprintf("Port %s\nListenAddress %s\n%s", port, host, text))
		if s.run(t, program, path, address) {
			return s
		}
	}
	log, err := os.ReadFile(s.log)
	t.Fatalf("sshd does not start (%v):\n%s", err, log)
	return nil
}

func (s *sshd) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run reports whether it came up.
func (s *sshd) run(t *testing.T, program, config, address string) bool {
	t.Helper()
	// A file, not a pipe: a child that outlives sshd would keep a pipe open.
	log, err := os.OpenFile(s.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(log)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "-D", "-e", "-f", config)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = cmd.Wait() // killed, in the end
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // may be gone
		<-gone
	})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		if greets(t, address) {
			return true
		}
		select {
		case <-gone:
			return false
		case <-limit.C:
			return false
		case <-tick.C:
		}
	}
}

func greets(t *testing.T, address string) bool {
	t.Helper()
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return false
	}
	defer closeQuietly(c)
	if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return false
	}
	greeting := make([]byte, 4)
	n, err := c.Read(greeting)
	return err == nil && string(greeting[:n]) == "SSH-"
}

func freePort(t *testing.T, host string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(l)
	return l.Addr().String()
}

// options let the right user in and pin nothing.
func (s *sshd) options(t *testing.T) ssh.Options {
	t.Helper()
	return ssh.Options{
		Keys:       ssh.Keys{Files: []string{s.id.file(t)}},
		KnownHosts: []string{filepath.Join(t.TempDir(), "known_hosts")},
		PinFlag:    "--hsm-host-key",
		Warn:       func(text string) { t.Log("warned:", text) },
	}
}

// trusting are options that accept the host.
func (s *sshd) trusting(t *testing.T) ssh.Options {
	t.Helper()
	o := s.options(t)
	for _, key := range s.host {
		o.HostKeyPin = key.fingerprint()
	}
	return o
}
