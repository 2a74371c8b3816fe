package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/orchestrator"
)

// byHand is a person with a runbook: a laptop with OpenSSH, and a shell on the
// client.
type byHand struct {
	s     *lab.Site
	dir   string // the laptop's, and where the client's login ends
	shell string
}

// newByHand gives the laptop's ssh and scp what they log in with.
func newByHand(t *testing.T, s *lab.Site, shell string) byHand {
	t.Helper()
	h := byHand{s: s, dir: t.TempDir(), shell: shell}
	settings := filepath.Join(h.dir, "ssh_config")
	text := "IdentityFile " + s.IdentityFile + "\nIdentitiesOnly yes\nUserKnownHostsFile " + s.KnownHosts + "\nStrictHostKeyChecking yes\nBatchMode yes\nLogLevel ERROR\n"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"ssh", "scp"} {
		real, err := exec.LookPath(tool)
		if err != nil {
			t.Fatalf("%s was not found: install the package openssh-client", tool)
		}
		script := "#!/bin/sh\nexec " + real + " -F " + settings + " \"$@\"\n"
		if err := os.WriteFile(filepath.Join(h.dir, tool), []byte(script), 0o700); err != nil { //nolint:gosec // it is to be run
			t.Fatal(err)
		}
	}
	return h
}

// run gives one line to a shell. What it says goes to a file, for a gateway that
// it starts keeps that open.
func (h byHand) run(t *testing.T, shell, line string, stdin string) string {
	t.Helper()
	out, err := os.CreateTemp(h.dir, "said")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, shell, "-c", line)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = h.dir, strings.NewReader(stdin), out, out
	cmd.Env = append(os.Environ(), "PATH="+h.dir+":"+os.Getenv("PATH"))
	err = cmd.Run()
	said, readErr := os.ReadFile(out.Name())
	if err != nil || readErr != nil {
		t.Fatalf("%s: %s: %v, %v\n%s", shell, line, err, readErr, said)
	}
	return string(said)
}

// types types one command where it belongs.
func (h byHand) types(t *testing.T, c orchestrator.Command, hsm string) {
	t.Helper()
	switch file, edit := strings.CutPrefix(c.Line, "vi "); {
	case strings.HasPrefix(c.Line, "#"):
		t.Errorf("not to be typed: %s", c.Line)
	case c.Where == orchestrator.OnLaptop:
		h.run(t, "/bin/sh", c.Line, "")
	case c.Where == orchestrator.OnHSM:
		said := h.run(t, "/bin/sh", hsm, c.Line+"\nexit\n")
		if strings.Contains(said, "Error") || !strings.Contains(said, "Command Result : 0") {
			t.Errorf("lunash, %s:\n%s", c.Line, said)
		}
	case edit:
		h.edits(t, file, c.Diff)
	default:
		h.run(t, h.shell, c.Line, "")
	}
}

// edits makes a file read as in a difference: what goes out, where it is there
// still, and what comes in, where it is not there yet.
func (h byHand) edits(t *testing.T, file, diff string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
		case strings.HasPrefix(line, "-"):
			lines = slices.DeleteFunc(lines, func(l string) bool { return l == line[1:] })
		case strings.HasPrefix(line, "+") && !slices.Contains(lines, line[1:]):
			lines = slices.Insert(lines, len(lines)-1, line[1:]) // before the end of the last section
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// how is the line that logs in to the appliance, as the runbook's head has it.
func how(t *testing.T, runbook, prompt string) string {
	t.Helper()
	_, line, found := strings.Cut(runbook, "# "+prompt+" ")
	line, _, _ = strings.Cut(line, "\n")
	if !found || line == "" {
		t.Fatalf("no %s in\n%s", prompt, runbook)
	}
	return strings.TrimSpace(line)
}

// onRealSSH is a site behind real daemons, and the words that name it.
func onRealSSH(t *testing.T, o lab.Options) (*bench, *lab.Site, []string) {
	t.Helper()
	o.OpenSSH = true
	b, s, words := visit(t, o)
	return b, s, append(words, "--identity-file", s.IdentityFile)
}

// Everything that is printed, typed line by line into real shells and through a
// real scp, makes the link.
func TestRunbookTypedByHand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options lab.Options
		shell   string
	}{
		"NetScaler, csh, an appliance of 7.9": {lab.Options{Dialect: "7.9"}, "/bin/csh"},
		"Linux, sh, an appliance of 6":        {lab.Options{Kind: lab.Linux, Dialect: "6"}, "/bin/sh"},
	} {
		t.Run(name, func(t *testing.T) {
			b, s, words := onRealSSH(t, c.options)
			words = append(words, "--partition", "partition2")
			before := hash(t, s)
			if got := b.main(t, append([]string{"plan", "--commands"}, words...)...); got != ui.ExitChanges {
				t.Fatalf("exit %d\n%s", got, b.err.String())
			}
			text := b.out.String()
			b = b.again(t)
			if got := b.main(t, append([]string{"plan", "--commands", "-o", "json"}, words...)...); got != ui.ExitChanges {
				t.Fatalf("exit %d\n%s", got, b.err.String())
			}
			if hash(t, s) != before {
				t.Error("it changed something")
			}
			person := newByHand(t, s, c.shell)
			hsm := "ssh -T" + strings.TrimPrefix(how(t, text, "lunash:>"), "ssh")
			for _, step := range document(t, b).Links[0].Steps {
				for _, command := range step.Commands {
					person.types(t, command, hsm)
				}
			}
			b = b.again(t)
			if got := b.main(t, append([]string{"plan", "--commands"}, words...)...); got != ui.ExitOK {
				t.Errorf("exit %d after\n%s\n%s\n%s", got, text, b.out.String(), b.err.String())
			}
			contains(t, b.out.String(), "# Everything holds: there is nothing to type.\n")
			if strings.Contains(b.out.String(), "client#") {
				t.Errorf("%s", b.out.String())
			}
		})
	}
}

// The two forms say the same lines, and what a saved one holds is the runbook
// alone.
func TestRunbookOnStandardOutput(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(words, passwords(s)...)
	if got := b.main(t, append([]string{"plan", "--commands"}, words...)...); got != ui.ExitChanges {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	text := b.out.String()
	last := 0
	soft := s.ClientRoot + "/var/safenet/safenet/lunaclient"
	for _, next := range []string{
		"# NS-web1 (" + s.ClientAddress + ")  " + s.ClientTarget, "\n# 1 create-certificate: ",
		"client# test -e " + soft + "/cert/client/" + s.ClientAddress + ".pem || ", soft + "/bin/vtl createCert -n " + s.ClientAddress + "\n",
		"\n# 2 send-certificate: ", "\n# Not known yet (", "laptop$ scp -P ", "laptop$ scp -O -P ",
		"\n# 3 ", ":server.pem ./" + s.HSMAddress + ".pem\n", soft + "/bin/vtl addServer -n " + s.HSMAddress + " -c ",
		"lunash:> client register -client NS-web1 -ip " + s.ClientAddress + "\n", "lunash:> client assignPartition -client NS-web1 -partition partition6\n",
		"client# vi " + s.ClientRoot + "/etc/Chrystoki.conf\n    --- ", "    +   ServerName00 = " + s.HSMAddress + ";\n", soft + "/bin/vtl verify\n",
		"client# cp " + s.ClientRoot + "/etc/Chrystoki.conf " + s.ClientRoot + "/var/safenet/config/Chrystoki.conf\n",
		"client# /bin/sh " + s.ClientRoot + "/var/safenet/gateway/start_safenet_gw\n", "client# touch " + s.ClientRoot + "/var/safenet/safenet_is_enrolled\n",
	} {
		at := strings.Index(text[last:], next)
		if at < 0 {
			t.Fatalf("no %q in its place in\n%s", next, text)
		}
		last += at
	}
	for _, never := range []string{s.ClientPassword, s.HSMPassword, "Not complete", "# 4 "} {
		if strings.Contains(text, never) {
			t.Errorf("%q is on standard output:\n%s", never, text)
		}
	}
	contains(t, b.err.String(), "Not complete: ", "Nothing was changed.")
}

// Without the flag a document is what it always was; with it, and a decision to
// be made first, no line is offered.
func TestNoRunbook(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(words, passwords(s)...)
	none := func(want int, words ...string) {
		t.Helper()
		b = b.again(t)
		if got := b.main(t, words...); got != want {
			t.Fatalf("exit %d, want %d\n%s", got, want, b.err.String())
		}
		if strings.Contains(b.out.String(), `"commands"`) || strings.Contains(b.out.String(), "createCert") {
			t.Errorf("%s", b.out.String())
		}
	}
	none(ui.ExitChanges, append([]string{"plan", "-o", "json"}, words...)...)
	words[slices.Index(words, "partition6")] = "partition7" // which the appliance does not have
	none(ui.ExitConflict, append([]string{"plan", "--commands", "-o", "json"}, words...)...)
	var doc map[string]any
	if err := json.Unmarshal([]byte(b.out.String()), &doc); err != nil {
		t.Error(err)
	}
	none(ui.ExitConflict, append([]string{"plan", "--commands"}, words...)...)
	if b.out.String() != "" {
		t.Errorf("on standard output: %s", b.out.String())
	}
	contains(t, b.err.String(), "the HSM has no partition partition7", "A person must decide.")
}

// Many links are told one behind the other, each under its own head, and the
// table of results is not among them.
func TestRunbookOfManyLinks(t *testing.T) {
	t.Parallel()
	b, s, _ := visit(t, lab.Options{})
	file := filepath.Join(t.TempDir(), "ntl.yaml")
	// The site's client under two paths, which the file cannot know for the same.
	text := "hsms:\n  h:\n    host: " + s.HSMTarget + "\n    address: " + s.HSMAddress + "\n    password_file: " + s.HSMPasswordFile + "\nclients:\n"
	for i, address := range []string{s.ClientAddress, "192.0.2.99"} {
		text += "  c" + strconv.Itoa(i) + ":\n    host: " + s.ClientTarget + "\n    address: " + address + "\n    root: " + s.ClientRoot + strings.Repeat("/.", i) +
			"\n    password_file: " + s.ClientPasswordFile + "\n"
	}
	text += "links:\n"
	for i := range 2 {
		text += "  - client: c" + strconv.Itoa(i) + "\n    hsm: h\n    name: web" + strconv.Itoa(i) + "\n    partition: partition" + strconv.Itoa(i+1) + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := b.main(t, "plan", "--commands", "-f", file, "--known-hosts", s.KnownHosts, "--skip-preflight"); got != ui.ExitChanges {
		t.Fatalf("exit %d\n%s\n%s", got, b.out.String(), b.err.String())
	}
	contains(t, b.out.String(), "# web0 (", "# web1 (", "lunash:> client register -client web0 ", "lunash:> client register -client web1 ")
	if strings.Contains(b.out.String(), "2 links") {
		t.Errorf("%s", b.out.String())
	}
	contains(t, b.err.String(), "2 links: 2 changes")
}
