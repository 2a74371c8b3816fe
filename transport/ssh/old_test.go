//go:build unix

package ssh_test

import (
	"net"
	"testing"

	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// optionsOf know what that text says.
func optionsOf(known string, t *testing.T) ssh.Options {
	t.Helper()
	return ssh.Options{KnownHosts: []string{writeFile(t, "known_hosts", known)}}
}

// As old and as new as appliances come, by the real OpenSSH.
func TestOldAndNewServers(t *testing.T) {
	old := []string{
		"HostKeyAlgorithms ssh-rsa", "KexAlgorithms diffie-hellman-group14-sha1", "Ciphers aes128-cbc", "MACs hmac-sha1",
		"PubkeyAcceptedAlgorithms +ssh-rsa",
	}
	for name, tt := range map[string]struct {
		kinds  []string
		config []string
		legacy []string // what the refusal without it names; nil: it is not needed
		never  string   // what the refusal names in either case
	}{
		"7.8.3":           {[]string{"rsa"}, []string{"Ciphers aes192-ctr,aes256-ctr"}, nil, ""},
		"5.x":             {[]string{"rsa"}, old, []string{"diffie-hellman-group14-sha1"}, ""},
		"SHA-1 host key":  {[]string{"rsa"}, old[:1], []string{"host key", "ssh-rsa"}, ""},
		"group 1":         {[]string{"rsa"}, []string{"KexAlgorithms diffie-hellman-group1-sha1"}, []string{"diffie-hellman-group1-sha1"}, ""},
		"CBC":             {[]string{"rsa"}, old[2:3], []string{"aes128-cbc"}, ""},
		"triple DES":      {[]string{"rsa"}, []string{"Ciphers 3des-cbc"}, []string{"3des-cbc"}, ""},
		"aes256-cbc":      {[]string{"rsa"}, []string{"Ciphers aes256-cbc"}, nil, "aes256-cbc"},
		"both large CBCs": {[]string{"rsa"}, []string{"Ciphers aes192-cbc,aes256-cbc"}, nil, "aes192-cbc"},
		"CBC, two kinds":  {[]string{"rsa"}, []string{"Ciphers aes256-cbc,aes128-cbc"}, []string{"aes128-cbc"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSSHD(t, "127.0.0.1", tt.kinds, tt.config...)
			o := s.trusting(t)
			warned := ""
			o.Warn = func(text string) { warned += text }
			if tt.never != "" {
				for _, o.Legacy = range []bool{false, true} {
					e := refused(t, s.Target, o, transport.ClassConnect)
					holds(t, e.Error(), "no common algorithm", tt.never, "ntl-setup offers")
					holds(t, e.Hint, "aes256-ctr", "sysconf ssh ciphers", "Go")
				}
				return
			}
			if tt.legacy != nil {
				e := refused(t, s.Target, o, transport.ClassConnect)
				holds(t, e.Error(), append(tt.legacy, "the machine offers", "ntl-setup offers")...)
				holds(t, e.Hint, "--legacy-ssh")
				o.Legacy = true
			}
			saysHello(t, dial(t, s.Target, o))
			if (warned != "") != (tt.legacy != nil) {
				t.Errorf("warned: %q", warned)
			}
		})
	}
}

// An IPv6 address in known_hosts stands with its port in brackets; the usual
// port stands alone.
func TestIPv6EveryWay(t *testing.T) {
	s := startSSHD(t, "::1", []string{"ed25519"})
	for _, known := range []string{s.knows(s.host["ed25519"]), s.hashed(s.host["ed25519"])} {
		o := s.options(t)
		o.KnownHosts = []string{writeFile(t, "known_hosts", known)}
		saysHello(t, dial(t, s.Target, o))
	}
	typed, err := ssh.ParseTarget("root@"+net.JoinHostPort("::1", portOf(s)), "")
	if err != nil {
		t.Fatal(err)
	}
	typed.User = s.User
	o := s.options(t)
	o.AcceptNew = true
	dial(t, typed, o)
	o.AcceptNew = false
	o.Jump = s.hop(t) // the way on is an IPv6 address, too
	dial(t, s.Target, o)
}

func portOf(s *sshd) string {
	_, port, _ := net.SplitHostPort(s.address())
	return port
}
