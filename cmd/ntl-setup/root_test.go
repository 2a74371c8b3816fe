package main

import (
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
)

func TestWantedFormat(t *testing.T) {
	for args, want := range map[string]ui.Format{
		"":                          ui.Text,
		"-o json":                   ui.JSON,
		"--output json":             ui.JSON,
		"--output=json":             ui.JSON,
		"-ojson":                    ui.JSON,
		"-o=json":                   ui.JSON,
		"-o events":                 ui.Events,
		"--output=events":           ui.Events,
		"plan --nonsense -o json":   ui.JSON,
		"-o text":                   ui.Text,
		"-o":                        ui.Text,
		"json":                      ui.Text,
		"-- -o json":                ui.Text,
		"--name -o --client json":   ui.Text,
		"-o text --hsm x -o json":   ui.JSON,
		"-o json --hsm x -o text":   ui.Text,
		"--output jsonish -ojsonic": ui.Text,
	} {
		if got := wantedFormat(strings.Fields(args)); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
}

func TestVersionLine(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got := versionLine(info); !strings.HasPrefix(got, "ntl-setup v1.2.3 0123456789ab (modified) go") {
		t.Error(got)
	}
	if got := versionLine(&debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "01"}}}); !strings.HasPrefix(got, "ntl-setup (devel) 01 go") {
		t.Error(got)
	}
	if got := versionLine(nil); !strings.HasPrefix(got, "ntl-setup (devel) go") {
		t.Error(got)
	}
}

func TestHelpListsEveryCommandAndFlag(t *testing.T) {
	b := newBench(t)
	if got := b.main(t, "--help"); got != 0 {
		t.Errorf("exit %d", got)
	}
	text := b.out.String()
	for _, name := range order() {
		if !strings.Contains(text, "\n  "+name+" ") {
			t.Errorf("no command %s", name)
		}
	}
	// The contract's flags, none more and none less.
	flags := strings.Fields(`
		accept-new-host-keys break-lock client client-address client-config-path client-host-key client-kind
		client-password-command client-password-file deep dry-run file fix-modes help hsm hsm-address
		hsm-certificate hsm-host-key hsm-password-command hsm-password-file identity-file identity-passphrase-file
		known-hosts legacy-ssh map-host-ip max-failures name only output parallel partition
		replace-server-certificate restart-gateway retry-failed skip skip-preflight step-timeout sudo
		sudo-password-command sudo-password-file timeout yes`)
	var listed []string
	for line := range strings.Lines(text) {
		flag := strings.TrimLeft(line, " ")
		if len(flag) > 4 && flag[0] == '-' && flag[2] == ',' { // a short form goes before
			flag = flag[4:]
		}
		if name, ok := strings.CutPrefix(flag, "--"); ok {
			listed = append(listed, strings.Fields(name)[0])
		}
	}
	slices.Sort(listed)
	if diff := cmp.Diff(flags, listed); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(line)); n > 121 {
			t.Errorf("line of %d columns: %s", n, line)
		}
	}
}

func TestHelpOfCommands(t *testing.T) {
	for args, want := range map[string]string{
		"help":                 "Exit status:",
		"help plan":            "ntl-setup plan [flags]",
		"plan --help":          "ntl-setup plan [flags]",
		"help completion":      "ntl-setup completion [command]",
		"completion":           "fish",
		"help completion bash": "ntl-setup completion bash\n",
		"version --help":       "Print the version\n",
		"help help":            "Explain a command\n",
	} {
		b := newBench(t)
		if got := b.main(t, strings.Fields(args)...); got != 0 || !strings.Contains(b.out.String(), want) || b.err.Len() > 0 {
			t.Errorf("%s: exit %d, standard error %q, no %q in\n%s", args, got, b.err.String(), want, b.out.String())
		}
	}
	b := newBench(t)
	b.main(t, "help", "version")
	if strings.Contains(b.out.String(), "--client") {
		t.Errorf("version has the flags of a run:\n%s", b.out.String())
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		b := newBench(t)
		if got := b.main(t, "completion", shell); got != 0 || !strings.Contains(b.out.String(), "ntl-setup") || b.out.Len() < 1000 {
			t.Errorf("%s: exit %d, %d bytes", shell, got, b.out.Len())
		}
	}
	for args, want := range map[string]string{
		"__complete plan --output ":  "text\njson\n",
		"__complete --client-kind ":  "auto\nnetscaler\nlinux\n",
		"__complete help pl":         "plan\tLook at both hosts",
		"__complete status --hsm-ad": "--hsm-address",
	} {
		b := newBench(t)
		if b.main(t, strings.Split(args, " ")...); !strings.Contains(b.out.String(), want) {
			t.Errorf("%q: no %q in %q", args, want, b.out.String())
		}
	}
}
