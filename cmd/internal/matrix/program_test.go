package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
)

// programs are the built ntl-setup and ntl-lab.
type programs struct{ setup, lab string }

var built = sync.OnceValues(func() (programs, error) {
	p := programs{setup: filepath.Join(scratch, "ntl-setup"), lab: filepath.Join(scratch, "ntl-lab")}
	out, err := exec.Command("go", "build", "-o", scratch+string(filepath.Separator), "ntl-setup/cmd/ntl-setup", "ntl-setup/cmd/ntl-lab").CombinedOutput()
	if err != nil {
		return p, fmt.Errorf("build: %w\n%s", err, out)
	}
	return p, nil
})

// real is a site on real sockets, for the built program.
type real struct {
	t     *testing.T
	name  string // of the combination
	lab   *lab.Site
	setup string
	dir   string
	words []string // the command line's, without the two targets
}

// errorf is a failure of this combination; many are at work at a time.
func (r *real) errorf(format string, args ...any) {
	r.t.Helper()
	r.t.Errorf("%s: "+format, append([]any{r.name}, args...)...)
}

// newReal stands a site up, with somebody else's client on the appliance.
func newReal(t *testing.T, name string, o lab.Options) (*real, error) {
	p, err := built()
	if err != nil {
		return nil, err
	}
	o.Program = p.lab
	s, err := lab.New(o)
	if err != nil {
		return nil, err
	}
	foreign := luna.Client{Name: "NS-web10", IP: "192.0.2.98", Certificate: "somebody's", Partitions: []luna.Assignment{{Partition: "partition1"}}}
	if err := s.Appliance().Update(func(st *luna.State) error { st.Clients = append(st.Clients, foreign); return nil }); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	r := &real{t: t, name: name, lab: s, setup: p.setup, dir: filepath.Join(s.Dir, "laptop")}
	if err := os.Mkdir(r.dir, 0o700); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	r.words = []string{
		"--client-address", s.ClientAddress, "--hsm-address", s.HSMAddress, "--name", ours, "--partition", partition,
		"--client-root", s.ClientRoot, "-i", s.IdentityFile, "--step-timeout", "25s", "--timeout", "120s", "-y", "-o", "json",
	}
	return r, nil
}

func (r *real) close() {
	if err := r.lab.Close(); err != nil {
		r.errorf("take down the site: %v", err)
	}
}

// knownHosts are the site's, with other addresses for its two ends.
func (r *real) knownHosts(name string, instead map[string]string) string {
	text, err := os.ReadFile(r.lab.KnownHosts)
	if err != nil {
		r.errorf("%v", err)
	}
	for from, to := range instead {
		text = bytes.ReplaceAll(text, []byte("]:"+port(from)+" "), []byte("]:"+port(to)+" "))
	}
	file := filepath.Join(r.dir, name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		r.errorf("%v", err)
	}
	return file
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// command is one call of the program.
func (r *real) command(ctx context.Context, client, hsm, known string) *exec.Cmd {
	argv := append([]string{"apply", "--client", client, "--hsm", hsm, "--known-hosts", known}, r.words...)
	cmd := exec.CommandContext(ctx, r.setup, argv...)
	cmd.Env = append(os.Environ(), "HOME="+r.dir, "XDG_STATE_HOME="+filepath.Join(r.dir, "state"))
	return cmd
}

// said is the part of the JSON document that matters here.
type said struct {
	Result string `json:"result"`
	Exit   int    `json:"exit"`
	Links  []struct {
		Error *failure `json:"error"`
		Steps []struct {
			ID     string   `json:"id"`
			Status string   `json:"status"`
			Error  *failure `json:"error"`
		} `json:"steps"`
	} `json:"links"`
}

type failure struct{ Class, Message string }

// failures are all that a document tells of.
func (s said) failures() []failure {
	var all []failure
	for _, l := range s.Links {
		if l.Error != nil {
			all = append(all, *l.Error)
		}
		for _, step := range l.Steps {
			if step.Error != nil {
				all = append(all, *step.Error)
			}
		}
	}
	return all
}

// run runs the program to its end; ok is false when it had to be ended.
func (r *real) run(client, hsm, known string) (doc said, ok bool) {
	const deadline = 150 * time.Second // more than --timeout
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	cmd := r.command(ctx, client, hsm, known)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		r.errorf("it did not end within %s", deadline)
		return doc, false
	}
	if bad := json.Unmarshal(stdout.Bytes(), &doc); bad != nil {
		r.errorf("no document: %v (%v)\n%s%s", bad, err, stdout.Bytes(), stderr.Bytes())
		return doc, false
	}
	if cmd.ProcessState.ExitCode() != doc.Exit {
		r.errorf("exit status %d, the document says %d", cmd.ProcessState.ExitCode(), doc.Exit)
	}
	if bytes.Contains(stderr.Bytes(), []byte("panic:")) {
		r.errorf("%s", stderr.Bytes())
	}
	return doc, true
}

// finish is the one plain run after a fault, and a look at the world.
func (r *real) finish() {
	r.t.Helper()
	doc, ok := r.run(r.lab.ClientTarget, r.lab.HSMTarget, r.lab.KnownHosts)
	if !ok {
		return
	}
	if doc.Result != "established" || doc.Exit != 0 {
		r.errorf("the rerun ended %s (exit %d): %+v", doc.Result, doc.Exit, doc.failures())
		return
	}
	state, err := r.lab.Appliance().State()
	if err != nil {
		r.errorf("%v", err)
		return
	}
	if len(state.Clients) != 2 || state.Clients[0].Certificate != "somebody's" || len(state.Clients[0].Partitions) != 1 {
		r.errorf("registered: %+v", state.Clients)
		return
	}
	own, err := os.ReadFile(filepath.Join(r.software(), "cert", "client", r.lab.ClientAddress+".pem"))
	if err != nil {
		r.errorf("%v", err)
	}
	mine := state.Clients[1]
	if mine.Name != ours || strings.TrimSpace(mine.Certificate) != strings.TrimSpace(string(own)) || len(mine.Partitions) != 1 || mine.Partitions[0].Partition != partition {
		r.errorf("registered: %+v", mine)
	}
	calls, err := r.lab.VtlCalls()
	if err != nil {
		r.errorf("%v", err)
	}
	for _, word := range []string{"createCert", "addServer"} {
		n := len(slices.DeleteFunc(slices.Clone(calls), func(c string) bool { return !strings.HasPrefix(c, word+" ") }))
		if n != 1 {
			r.errorf("vtl %s was called %d times: %q", word, n, calls)
		}
	}
	if pids, err := r.lab.Gateways(); err != nil || r.lab.Kind == lab.NetScaler && len(pids) != 1 {
		r.errorf("gateways: %v, %v", pids, err)
	}
	r.nothingLeft()
}

// software is where the Luna client lies.
func (r *real) software() string {
	dir := base
	if r.lab.Kind == lab.Linux {
		dir = "/usr/safenet/lunaclient"
	}
	return filepath.Join(r.lab.ClientRoot, filepath.FromSlash(dir))
}

// nothingLeft: no file of a run that was cut off lies about.
func (r *real) nothingLeft() {
	left, err := filepath.Glob(filepath.Join(r.software(), "cert", "*", ".ntl-setup*"))
	if err != nil || len(left) > 0 {
		r.errorf("left behind: %q, %v", left, err)
	}
}
