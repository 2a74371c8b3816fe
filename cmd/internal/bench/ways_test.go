package bench

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// way is one way of doing the procedure.
type way struct {
	name     string
	verified string
	command  func(f far) *exec.Cmd
}

const (
	name      = "NS-web1"
	partition = "partition6"
)

func ways() []way {
	return []way{
		{"ntl-setup", "yes", func(f far) *exec.Cmd { return f.setup("-y") }},
		{"script, one login per command", "no", func(f far) *exec.Cmd { return f.script("") }},
		{"script, two shared connections", "no", func(f far) *exec.Cmd { return f.script("1") }},
	}
}

// setup is a run of ntl-setup.
func (f far) setup(words ...string) *exec.Cmd {
	cmd := exec.Command(f.programs.setup, append(words, //nolint:gosec,noctx // the program that was built; the benchmark bounds it
		"--client", f.login+"@"+f.client.Address(), "--hsm", f.hsmLogin+"@"+f.hsm.Address(),
		"--client-address", f.ClientAddress, "--hsm-address", f.HSMAddress, "--name", name, "--partition", partition,
		"--known-hosts", f.knownHosts, "--client-root", f.ClientRoot,
		"--client-password-file", f.password, "--hsm-password-file", f.hsmPassword())...)
	cmd.Env = []string{"HOME=" + f.dir, "XDG_STATE_HOME=" + filepath.Join(f.dir, "state"), "PATH=" + os.Getenv("PATH")}
	return cmd
}

func (f far) hsmPassword() string {
	if f.login == f.hsmLogin {
		return f.password
	}
	return f.HSMPasswordFile
}

// script is a run of the admin's script.
func (f far) script(shared string) *exec.Cmd {
	cmd := exec.Command("bash", "testdata/procedure.sh") //nolint:noctx // the benchmark bounds it
	work := filepath.Join(f.dir, "work")
	_ = os.MkdirAll(work, 0o700) // the script says so if it is not there
	cmd.Env = []string{
		"HOME=" + f.dir, "PATH=" + os.Getenv("PATH"), "USER_NAME=" + f.login,
		"CLIENT_PORT=" + port(f.client.Address()), "HSM_PORT=" + port(f.hsm.Address()),
		"PASSWORD=" + f.password, "KNOWN_HOSTS=" + f.knownHosts, "WORK=" + work, "ROOT=" + f.ClientRoot,
		"CLIENT_ADDRESS=" + f.ClientAddress, "HSM_ADDRESS=" + f.HSMAddress, "NAME=" + name, "PARTITION=" + partition, "SHARED=" + shared,
	}
	return cmd
}

// cost is what a run took.
type cost struct {
	wall, cpu time.Duration
	logins    int
}

// least is the smaller of each: what else the machine does only ever adds.
func (c cost) least(o cost) cost {
	if o.wall == 0 {
		return c
	}
	return cost{min(c.wall, o.wall), min(c.cpu, o.cpu), c.logins}
}

// run runs a way to its end, which must be a good one.
func (f far) run(tb testing.TB, w way) cost {
	tb.Helper()
	before := f.logins(tb)
	var said bytes.Buffer
	cmd := w.command(f)
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%s: %v\n%s", w.name, err, said.String())
	}
	wall := time.Since(began)
	return cost{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), f.logins(tb) - before}
}
