package ssh_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// byOpenSSH reports whether ssh itself takes the machine's key by that file.
func byOpenSSH(t *testing.T, s *sshd, file string) bool {
	t.Helper()
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatalf("the test needs ssh: install openssh-client: %v", err)
	}
	//nolint:gosec // the test's own server and files
	cmd := exec.CommandContext(t.Context(), program, "-F", "none", "-T", "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile="+file, "-o", "GlobalKnownHostsFile=none",
		"-o", "UpdateHostKeys=no", "-o", "IdentitiesOnly=yes", "-i", s.id.file(t), "-p", strconv.Itoa(s.Port),
		s.User+"@"+s.Host, "true")
	out, err := cmd.CombinedOutput()
	if err != nil && !bytes.Contains(out, []byte("Host key verification failed")) {
		t.Fatalf("ssh: %v\n%s", err, out)
	}
	return err == nil
}

// What ssh makes of a pattern, we make of it.
func TestPatternsAsOpenSSH(t *testing.T) {
	ca := newKey(t, "ed25519")
	plain := startSSHD(t, "127.44.20.1", []string{"ed25519"})
	certified := withCertificate(t, sha2(t, ca), []string{"ed25519"}, func(c *xssh.Certificate) { c.ValidPrincipals = nil })
	for _, form := range []struct {
		pattern string // HOST and PORT are the server's, PO?T has a ? in it
		fits    bool
	}{
		{"[127.*]:*", true},
		{"[*]:*", true},
		{"*", true},
		{"[127.??.*]:PO?T", false},
		{"[HOS?]:PO?T", true},
		{"[HOST]:*", true},
		{"*:PORT", true},
		{"[HOST]:PORT", true},
		{"elsewhere,[HOST]:PORT", true},
		{"[HOST]:PORT,![*]:*", false},
		{"![HOST]:PORT", false},
		{"!,[HOST]:PORT", true},
		{"[127.45.*]:*", false},
		{"[HOST]:PORT*", true},
		{"[HOST]:?PORT", false},
		{"HOST:PORT", false},
		{"[HOST]:", false},
		{"", false},
	} {
		for marker, s := range map[string]*sshd{"": plain, "@cert-authority ": certified} {
			key := s.host["ed25519"]
			if marker != "" {
				key = ca
			}
			port := strconv.Itoa(s.Port)
			pattern := strings.NewReplacer("HOS?", s.Host[:len(s.Host)-1]+"?", "PO?T", port[:2]+"?"+port[3:], "HOST", s.Host, "PORT", port).Replace(form.pattern)
			want := form.fits || form.pattern == "[127.??.*]:PO?T" && strings.HasPrefix(s.Host, "127.44.")
			t.Run(marker+pattern, func(t *testing.T) {
				t.Parallel()
				o := s.options(t)
				o.KnownHosts = []string{writeFile(t, "known_hosts", marker+pattern+" "+key.authorized())}
				if theirs := byOpenSSH(t, s, o.KnownHosts[0]); theirs != want {
					t.Errorf("ssh says %v", theirs)
				}
				if want {
					dial(t, s.Target, o)
					return
				}
				refused(t, s.Target, o, transport.ClassHostKey)
			})
		}
	}
}

// damaged are lines that ssh passes over, each in its way.
func damaged(key string) map[string]string {
	kind, blob, _ := strings.Cut(strings.TrimSpace(key), " ")
	unknown := base64.StdEncoding.EncodeToString(append([]byte{0, 0, 0, 7}, "ssh-new\x00\x00\x00\x01x"...))
	return map[string]string{
		"an algorithm of tomorrow": "elsewhere ssh-new " + unknown,
		"SSH-1":                    "elsewhere 1024 35 1234567890123456789012345678901234567890",
		"a key cut off":            "elsewhere " + kind + " " + blob[:len(blob)/2],
		"not base64":               "elsewhere " + kind + " ****",
		"another kind":             "elsewhere ssh-rsa " + blob,
		"a marker of tomorrow":     "@trusted elsewhere " + key,
		"two markers":              "@cert-authority @trusted elsewhere " + key,
		"a marker alone":           "@cert-authority",
		"no key":                   "elsewhere",
		"a stray word":             "elsewhere oops",
		"a NUL":                    "else\x00where " + kind,
	}
}

func TestUnreadableLinesArePassedOver(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	for name, line := range damaged(newKey(t, "ed25519").authorized()) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := s.options(t)
			o.KnownHosts = []string{writeFile(t, "known_hosts", "# mine\n"+strings.TrimSpace(line)+"\n"+s.knows(s.host["ed25519"]))}
			if !byOpenSSH(t, s, o.KnownHosts[0]) {
				t.Error("ssh does not pass over it")
			}
			var warned []string
			o.Warn = func(text string) { warned = append(warned, text) }
			dial(t, s.Target, o)
			if len(warned) != 1 {
				t.Fatalf("warned: %q", warned)
			}
			holds(t, warned[0], o.KnownHosts[0]+":2 (", "passed over")
		})
	}
}

// What fits no line of some length is a comment all the same.
func TestLongLines(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	long := strings.Repeat("remark ", 20_000)
	own := strings.TrimSpace(s.knows(s.host["ed25519"]))
	for name, text := range map[string]string{
		"a comment":          "# " + long + "\n" + own,
		"behind a key":       own + " " + long + "\n",
		"a list of machines": strings.Repeat("elsewhere.example,", 10_000) + own + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			o := s.options(t)
			o.KnownHosts = []string{writeFile(t, "known_hosts", text)}
			o.Warn = func(text string) { t.Errorf("warned: %.300q", text) }
			dial(t, s.Target, o)
		})
	}
}

// A warning stays short, however much is damaged.
func TestManyUnreadableLines(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	o := s.options(t)
	o.KnownHosts = []string{writeFile(t, "known_hosts", strings.Repeat("elsewhere\n", 40)+s.knows(s.host["ed25519"]))}
	var warned []string
	o.Warn = func(text string) { warned = append(warned, text) }
	dial(t, s.Target, o)
	if len(warned) != 1 || len(warned[0]) > 1000 {
		t.Fatalf("warned: %q", warned)
	}
	holds(t, warned[0], ":1 (", ":3 (", "37 more")
}

// A line that shuts a key out is never passed over: the key may be this one.
func TestDamagedRevocation(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	whole := s.host["ed25519"].authorized()
	lines := map[string]string{"two markers with it": "@cert-authority @revoked * " + whole, "in capitals": "@REVOKED * " + whole, "alone": "@revoked"}
	for name, line := range damaged(newKey(t, "ed25519").authorized()) {
		if !strings.HasPrefix(line, "@") {
			lines[name] = "@revoked " + line
		}
	}
	for name, line := range lines {
		for _, pin := range []string{"", s.host["ed25519"].fingerprint()} {
			t.Run(name+pin, func(t *testing.T) {
				o := s.options(t)
				o.HostKeyPin, o.AcceptNew = pin, true
				o.KnownHosts = []string{writeFile(t, "known_hosts", s.knows(s.host["ed25519"])+strings.TrimSpace(line)+"\n")}
				e := refused(t, s.Target, o, transport.ClassHostKey)
				holds(t, e.Message, o.KnownHosts[0]+":2", "@revoked")
				holds(t, e.Hint, o.KnownHosts[0]+":2", "mend or remove")
			})
		}
	}
}

// A file that is there and cannot be read is no empty one.
func TestKnownHostsThatCannotBeRead(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	o := s.options(t)
	o.KnownHosts = []string{t.TempDir()}
	holds(t, refused(t, s.Target, o, transport.ClassConfig).Error(), o.KnownHosts[0])
}

// An IPv6 address has its port behind brackets, and none where it is the usual.
func TestKnownByIPv6(t *testing.T) {
	s := startSSHD(t, "::1", []string{"ed25519"})
	for _, form := range []string{"[::1]:%d", "::1", "[::*]:%d", "[::1]:22,::1,[%[1]x]:%[1]d"} {
		o := s.options(t)
		pattern := form
		if strings.Contains(form, "%") {
			pattern = fmt.Sprintf(form, s.Port)
		}
		o.KnownHosts = []string{writeFile(t, "known_hosts", pattern+" "+s.host["ed25519"].authorized())}
		dial(t, s.Target, o)
	}
	o := s.options(t)
	o.AcceptNew = true
	dial(t, s.Target, o)
	text, err := os.ReadFile(o.KnownHosts[0])
	if err != nil {
		t.Fatal(err)
	}
	o.AcceptNew = false
	dial(t, s.Target, o)
	if !byOpenSSH(t, s, o.KnownHosts[0]) {
		t.Errorf("ssh does not take what was written: %s", text)
	}
}
