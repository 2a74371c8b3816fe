package bench

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ntl-setup/fixtures/accounts"
	"ntl-setup/fixtures/faults"
	"ntl-setup/fixtures/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// programs are the built programs.
type programs struct{ setup, lab string }

// build builds them as `make build` does, where every user can start them.
func build(tb testing.TB) programs {
	tb.Helper()
	dir := open(tb)
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir, "ntl-setup/cmd/ntl-setup", "ntl-setup/cmd/ntl-lab") //nolint:gosec // the words are this file's
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if said, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build: %v\n%s", err, said)
	}
	return programs{filepath.Join(dir, "ntl-setup"), filepath.Join(dir, "ntl-lab")}
}

// open is a directory that every user may enter.
func open(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	for up := dir; len(up) > len(os.TempDir()); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil { //nolint:gosec // nothing in it is secret
			tb.Fatal(err)
		}
	}
	return dir
}

// place is a site, the account by which both its hosts are entered, and what
// runs at it need.
type place struct {
	*lab.Site
	programs programs
	login    string // of both hosts; the same user
	hsmLogin string
	password string // a file
	dir      string
}

// site stands a virgin site up: a NetScaler and an appliance, which take a
// password. As root they are real sshd daemons, else the servers in this process.
func site(tb testing.TB, p programs, who *accounts.Account) place {
	tb.Helper()
	dir := open(tb)
	o := lab.Options{Dir: filepath.Join(dir, "site"), Program: p.lab}
	if who == nil {
		s := lab.Start(tb, o)
		user, _, _ := strings.Cut(s.ClientTarget, "@")
		hsm, _, _ := strings.Cut(s.HSMTarget, "@")
		return place{s, p, user, hsm, s.ClientPasswordFile, dir}
	}
	o.OpenSSH = true
	o.ClientSSHD = []string{"PasswordAuthentication yes"}
	o.HSMSSHD = o.ClientSSHD
	s := lab.Start(tb, o)
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(who.Password+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(s.Dir, 0o755); err != nil { //nolint:gosec // a host's root is open
		tb.Fatal(err)
	}
	// The account rules both hosts, as root does on a client and the user of an
	// appliance in lunash.
	for _, tree := range []string{s.ClientRoot, filepath.Join(s.Dir, "home"), filepath.Join(s.Dir, "hsm")} {
		err := filepath.WalkDir(tree, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, who.UID, who.GID)
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return place{s, p, who.Name, who.Name, password, dir}
}

// far is a site at a distance.
type far struct {
	place
	client, hsm *faults.Distance
	knownHosts  string
}

// away puts a site at a distance.
func (p place) away(tb testing.TB, roundTrip time.Duration) far {
	tb.Helper()
	f := far{place: p, knownHosts: filepath.Join(p.dir, "known_hosts")}
	text, err := os.ReadFile(p.KnownHosts)
	if err != nil {
		tb.Fatal(err)
	}
	for _, end := range []struct {
		target string
		at     **faults.Distance
	}{{p.ClientTarget, &f.client}, {p.HSMTarget, &f.hsm}} {
		_, address, _ := strings.Cut(end.target, "@")
		d, err := faults.NewDistance(address, roundTrip)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = d.Close() }) // what was measured is measured
		*end.at = d
		text = bytes.ReplaceAll(text, []byte("]:"+port(address)+" "), []byte("]:"+port(d.Address())+" "))
	}
	if err := os.WriteFile(f.knownHosts, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	return f
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// logins is how often both hosts let somebody in.
func (p place) logins(tb testing.TB) int {
	tb.Helper()
	n := 0
	logs, err := filepath.Glob(filepath.Join(p.Dir, "*.log"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			tb.Fatal(err)
		}
		n += bytes.Count(text, []byte("Accepted password"))
	}
	return n
}
