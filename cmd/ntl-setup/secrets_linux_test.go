package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/fixtures/lab"
)

// forms are the ways in which secrets may show.
func forms(secrets ...string) []string {
	var all []string
	for _, s := range secrets {
		all = append(all, s, url.QueryEscape(s), strings.ReplaceAll(s, " ", `\ `), hex.EncodeToString([]byte(s)),
			base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	return all
}

// shownIn is the first of the forms that a text holds; "" if there is none.
func shownIn(text []byte, forms []string) string {
	for _, f := range forms {
		if bytes.Contains(text, []byte(f)) {
			return f
		}
	}
	return ""
}

// sampler reads the process table again and again.
type sampler struct {
	forms []string // that are looked for
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu    sync.Mutex
	found map[string]string // form: where it was seen
	turns int
}

func sample(t *testing.T, forms ...string) *sampler {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &sampler{forms: forms, stop: stop, found: map[string]string{}}
	s.done.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			s.look()
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(s.end)
	return s
}

func (s *sampler) end() {
	s.stop()
	s.done.Wait()
}

// look is one look at the arguments and the environment of everything.
func (s *sampler) look() {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Name()[0] < '0' || e.Name()[0] > '9' {
			continue
		}
		for _, what := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(filepath.Join("/proc", e.Name(), what))
			if err != nil {
				continue // it ended, or is somebody else's
			}
			if secret := shownIn(data, s.forms); secret != "" {
				s.mu.Lock()
				s.found[secret] = fmt.Sprintf("%s of process %s: %.200q", what, e.Name(), data)
				s.mu.Unlock()
			}
		}
	}
	s.mu.Lock()
	s.turns++
	s.mu.Unlock()
}

func (s *sampler) seen(secret string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found[secret]
}

// control proves that the sampler sees a secret in arguments and environment.
func (s *sampler) control(t *testing.T) {
	t.Helper()
	for i, secret := range []string{"control-argv", "control-environ"} {
		cmd := exec.CommandContext(t.Context(), "sleep", "60")
		if i == 0 {
			cmd.Args[0] = secret
		} else {
			cmd.Env = []string{"X=" + secret}
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		deadline := time.NewTimer(20 * time.Second)
		for tick := time.NewTicker(time.Millisecond); s.seen(secret) == ""; {
			select {
			case <-tick.C:
			case <-deadline.C:
				t.Fatalf("the sampler does not see %s", secret)
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	}
}

// planted are the secrets of a site, and those that nobody accepts.
type planted struct {
	site  *lab.Site
	forms []string // of the secrets
	files []string // that hold them by right
	state string   // where the program may leave something
}

func plant(t *testing.T, s *lab.Site) planted {
	t.Helper()
	state := t.TempDir()
	t.Setenv("HOME", filepath.Join(state, "home"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(state, "state"))
	t.Setenv("TMPDIR", state)
	return planted{
		site: s, state: state, files: []string{s.ClientPasswordFile, s.HSMPasswordFile},
		forms: forms(s.ClientPassword, s.HSMPassword, "wrong canary 7Qk", "wrong canary by env 9Zx"),
	}
}

// grep searches every file that the site and the program have.
func (p planted) grep(t *testing.T) {
	t.Helper()
	for _, dir := range []string{p.site.Dir, p.state} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || slices.Contains(p.files, path) {
				return err
			}
			data, err := os.ReadFile(path)
			if secret := shownIn(data, p.forms); secret != "" {
				t.Errorf("%s holds %q", path, secret)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// run is one call of the program, whose output is searched.
func (p planted) run(t *testing.T, b *bench, args ...string) {
	t.Helper()
	b.main(t, args...)
	if secret := shownIn([]byte(b.out.String()+b.err.String()+fmt.Sprint(b.person.asked)), p.forms); secret != "" {
		t.Errorf("%q shows %q:\n%s\n%s", args, secret, b.out.String(), b.err.String())
	}
}

// No secret comes out or stays anywhere: every command in every form of output,
// passwords from each source, in good order and with each kind of failure.
func TestSecretsStaySecret(t *testing.T) {
	var fault sync.Map // a command whose session is to be cut
	b, s, words := visit(t, lab.Options{Kind: lab.Linux, HSMAuth: []string{lab.Interactive}, Faults: func(command string, _ bool) bool {
		_, cut := fault.LoadAndDelete(strings.Join(strings.Fields(command)[:min(2, len(strings.Fields(command)))], " "))
		return cut
	}})
	p := plant(t, s)
	watch := sample(t, append([]string{"control-argv", "control-environ"}, p.forms...)...)
	watch.control(t)

	env := map[string]string{}
	b.app.env.Getenv = func(name string) string { return env[name] }
	again := func() *bench { b = b.again(t); return b }
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("wrong canary 7Qk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := passwords(s)
	for _, mode := range []string{"text", "json", "events"} {
		words := append(slices.Clone(words), "-o", mode)
		// Failures: a refused password by file and by environment, a host key that
		// is not the one, a pin that does not fit, an act that is cut off.
		p.run(t, again(), slices.Concat([]string{"plan"}, words, files, []string{"--hsm-password-file", wrong})...)
		env["NTL_SETUP_CLIENT_PASSWORD"] = "wrong canary by env 9Zx"
		p.run(t, again(), slices.Concat([]string{"apply", "-y"}, words, files[2:])...)
		delete(env, "NTL_SETUP_CLIENT_PASSWORD")
		p.run(t, again(), slices.Concat([]string{"status"}, words, files, []string{"--hsm-host-key", "SHA256:" + strings.Repeat("A", 43)})...)
		p.run(t, again(), slices.Concat([]string{"apply", "-y"}, words, files, []string{"--hsm-certificate", strings.Repeat("ab", 32)})...)
		fault.Store("client register", true)
		p.run(t, again(), slices.Concat([]string{"apply", "-y"}, words, files, []string{"--restart-gateway"})...)
		// In order: by environment, by file, by command, by prompt.
		env["NTL_SETUP_CLIENT_PASSWORD"], env["NTL_SETUP_HSM_PASSWORD"] = s.ClientPassword, s.HSMPassword
		p.run(t, again(), slices.Concat([]string{"apply", "-y"}, words)...)
		clear(env)
		p.run(t, again(), slices.Concat([]string{"status"}, words, files)...)
		// By command: its words are in the process table, what it prints is not.
		p.run(t, again(), slices.Concat([]string{"plan"}, words, []string{
			"--client-password-command", "cat '" + s.ClientPasswordFile + "'", "--hsm-password-command", "cat '" + wrong + "'; echo complaint >&2; exit 3"})...)
		p.run(t, again(), slices.Concat([]string{"status"}, words, []string{
			"--client-password-command", "cat '" + s.ClientPasswordFile + "'", "--hsm-password-command", "cat '" + s.HSMPasswordFile + "'"})...)
		asked := &typist{person: person{yes: true}, answers: map[string]string{s.ClientTarget: s.ClientPassword, s.HSMTarget: s.HSMPassword}}
		b = again()
		b.app.openTTY = func() (asker, error) { return asked, nil }
		p.run(t, b, slices.Concat([]string{"plan"}, words)...)
		if len(asked.asked) != 2 || shownIn([]byte(fmt.Sprint(asked.asked)), p.forms) != "" {
			t.Errorf("asked %q", asked.asked)
		}
		// What doctor leaves for others to look at.
		p.run(t, again(), slices.Concat([]string{"doctor", "--collect", filepath.Join(p.state, "collected-"+mode)}, words, files)...)
		p.run(t, again(), slices.Concat([]string{"doctor", "--collect", filepath.Join(p.state, "refused-"+mode)}, words, files, []string{"--hsm-password-file", wrong})...)
		// Usage.
		p.run(t, again(), slices.Concat([]string{"plan", "--nonsense"}, words, files)...)
	}
	watch.end()
	for _, f := range p.forms {
		if where := watch.seen(f); where != "" {
			t.Errorf("%q was seen: %s", f, where)
		}
	}
	if watch.turns < 20 {
		t.Errorf("the process table was only read %d times", watch.turns)
	}
	p.grep(t)
}

// On this machine as the client, commands inherit an environment: not the
// passwords in it.
func TestLocalCommandsDoNotInheritPasswords(t *testing.T) {
	b, s, words := visit(t, lab.Options{})
	p := plant(t, s)
	t.Setenv("NTL_SETUP_CLIENT_PASSWORD", s.ClientPassword)
	t.Setenv("NTL_SETUP_HSM_PASSWORD", s.HSMPassword)
	b.app.env.Getenv = os.Getenv
	watch := sample(t, p.forms...)
	p.run(t, b, slices.Concat([]string{"apply", "-y"}, words, []string{"--client", "local"})...)
	for _, name := range []string{"NTL_SETUP_CLIENT_PASSWORD", "NTL_SETUP_HSM_PASSWORD"} {
		t.Setenv(name, "") // what the site itself runs from here on is not the program's
	}
	pids, err := s.Gateways()
	if err != nil || len(pids) != 1 {
		t.Fatalf("gateways %v, %v\n%s", pids, err, b.err.String())
	}
	watch.look() // it runs for good
	watch.end()
	for _, f := range p.forms {
		if where := watch.seen(f); where != "" {
			t.Errorf("%q was seen: %s", f, where)
		}
	}
	p.grep(t)
}
