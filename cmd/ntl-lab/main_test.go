package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ntl-setup/fixtures/lab"

	"go.uber.org/goleak"
)

// TestMain: this program is also the site's tools, and, called as ntl-setup,
// something that behaves as the environment says.
func TestMain(m *testing.M) {
	lab.Dispatch()
	if filepath.Base(os.Args[0]) == "ntl-setup" {
		os.Exit(standIn(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// standIn plays ntl-setup: it tells its words, and ends with the next status of
// the list in STATUSES; in the call number SPOIL it changes the client's tree.
func standIn(words []string) int {
	fmt.Println("stand-in:", strings.Join(words, " "))
	root := words[slices.Index(words, "--client-root")+1]
	count := filepath.Join(filepath.Dir(root), "calls")
	calls, err := os.ReadFile(count)
	if err != nil && !os.IsNotExist(err) {
		return 99
	}
	if err := os.WriteFile(count, append(calls, 'x'), 0o600); err != nil {
		return 99
	}
	if os.Getenv("SPOIL") == fmt.Sprint(len(calls)) {
		if err := os.WriteFile(filepath.Join(root, "etc", "spoilt"), nil, 0o600); err != nil {
			return 99
		}
	}
	return int(os.Getenv("STATUSES")[len(calls)] - '0')
}

// linkStandIn links this program under the name of ntl-setup.
func linkStandIn(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "ntl-setup")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// The demo passes only if every act ends as it should and changes only what it
// may.
func TestDemo(t *testing.T) {
	for _, test := range []struct {
		name, statuses, spoil string
		code                  int
		want                  string
	}{
		{"as it should", "2000", "", 0, "demo: the link stands"},
		{"apply may change things", "2000", "1", 0, "demo: the link stands"},
		{"plan found nothing to do", "0000", "", 1, "demo: 1 of 4 acts"},
		{"apply failed", "2122", "", 1, "demo: 3 of 4 acts"},
		{"plan changed something", "2000", "0", 1, "something was changed on the hosts"},
		{"the second apply changed something", "2000", "3", 1, "demo: 1 of 4 acts"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("STATUSES", test.statuses)
			t.Setenv("SPOIL", test.spoil)
			var out, errs bytes.Buffer
			code := run(t.Context(), []string{"demo", "--dir", filepath.Join(t.TempDir(), "site"), "--ntl-setup", linkStandIn(t)}, &out, &errs)
			if code != test.code || !strings.Contains(out.String(), test.want) {
				t.Errorf("exit status %d, want %d with %q\n%s%s", code, test.code, test.want, out.String(), errs.String())
			}
			for _, words := range []string{"stand-in: plan --client root@127.0.0.1:", "stand-in: apply -y --client root@127.0.0.1:", " --partition partition6 "} {
				if !strings.Contains(out.String(), words) {
					t.Errorf("missing %q in\n%s", words, out.String())
				}
			}
			if strings.Count(out.String(), "$ ") != 4 {
				t.Errorf("not every command line was shown:\n%s", out.String())
			}
		})
	}
}

func TestDemoWithoutProgram(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"demo", "--ntl-setup", filepath.Join(t.TempDir(), "missing")}, &out, &errs)
	if code != exitWrong || !strings.Contains(errs.String(), "run ntl-setup") {
		t.Errorf("exit status %d\n%s", code, errs.String())
	}
}

// up tells everything that one has to type, and takes the site down at the end.
func TestUp(t *testing.T) {
	for _, flags := range [][]string{nil, {"--kind", "linux", "--dialect", "5"}, {"--openssh", "--dialect", "7.9"}, {"--client-shell", "nscli"}} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a site")
			ctx, stop := context.WithCancel(t.Context())
			out := &watched{seen: "Ctrl-C ends the site.", then: stop}
			var errs bytes.Buffer
			if code := run(ctx, append([]string{"up", "--dir", dir}, flags...), out, &errs); code != exitOK {
				t.Fatalf("exit status %d\n%s", code, errs.String())
			}
			for _, want := range []string{" plan \\\n    --client ", " apply \\\n    --client ", "--client-root '" + dir + "/client'", "--known-hosts '" + dir + "/known_hosts'"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("missing %q in\n%s", want, out.String())
				}
			}
			identity := strings.Contains(out.String(), "--identity-file")
			if identity != slices.Contains(flags, "--openssh") || identity == strings.Contains(out.String(), "-password-file") {
				t.Errorf("the wrong credentials are named:\n%s", out.String())
			}
			secret, err := os.ReadFile(filepath.Join(dir, "hsm-password"))
			if err != nil || strings.Contains(out.String(), strings.TrimSpace(string(secret))) {
				t.Errorf("a password was printed, or none is there: %v", err)
			}
		})
	}
}

// watched calls back once it holds a text.
type watched struct {
	bytes.Buffer
	seen string
	then func()
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.seen) {
		w.then()
	}
	return n, err
}

func TestUsage(t *testing.T) {
	for line, want := range map[string]string{
		"nonsense":               `unknown command "nonsense"`,
		"up --nonsense":          "unknown flag",
		"up --dialect 8":         "must be one of 5.1",
		"up --kind beos":         "must be netscaler, linux or windows",
		"demo --dialect=":        "must be one of 5.1",
		"up --client-shell fish": "must be sh, bash, csh, nscli",
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), strings.Fields(line), &out, &errs); code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit status %d\n%s", line, code, errs.String())
		}
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), nil, &out, &errs); code != exitOK || !strings.Contains(out.String(), "ntl-lab [command]") {
		t.Errorf("exit status %d\n%s", code, out.String())
	}
}

// The applets as sub-commands.
func TestApplets(t *testing.T) {
	s := lab.Start(t, lab.Options{Kind: lab.Linux})
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"vtl", s.ClientRoot, "verify"}, &out, &errs); code != exitOK || !strings.Contains(out.String(), "There are no registered servers") {
		t.Errorf("vtl: exit status %d\n%s%s", code, out.String(), errs.String())
	}
	if code := run(t.Context(), []string{"vtl", t.TempDir(), "verify"}, &out, &errs); code != exitWrong {
		t.Errorf("vtl elsewhere: exit status %d", code)
	}
	t.Setenv("SSH_ORIGINAL_COMMAND", "client show -c nobody")
	if code := run(t.Context(), []string{"lunash", s.Appliance().Dir(), "admin"}, &out, &errs); code != exitWrong {
		t.Errorf("lunash: exit status %d", code)
	}
	commands, err := s.Commands()
	if err != nil || !slices.Equal(commands, []string{"client show -c nobody"}) {
		t.Errorf("lunash: %q, %v", commands, err)
	}
}

// The words of --client-shell, and what the lab makes of them.
func TestClientShells(t *testing.T) {
	for name, want := range map[string]string{
		"sh": "", "nscli": lab.NSCLI, "nscli-deaf": lab.NSCLIDeaf, "nscli-restricted": lab.NSCLIRestricted,
	} {
		if got, err := clientShell(name); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"bash", "csh"} {
		if got, err := clientShell(name); err != nil || !filepath.IsAbs(got) || filepath.Base(got) != name {
			t.Errorf("%s: %q, %v (install the package %s)", name, got, err, name)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := clientShell("bash"); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("no bash: %v", err)
	}
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{"": "''", "a b": "'a b'", "it's": `'it'\''s'`, "--x=/y:1,2@z+": "--x=/y:1,2@z+", "$x": "'$x'"} {
		if got := quoted(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
