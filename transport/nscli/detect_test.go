//go:build unix

package nscli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/fixtures/lab"
	"ntl-setup/transport"
)

// How the CLI is told from everything else, and its ways from one another.
func TestDetect(t *testing.T) {
	const noCommand = "ERROR: No such command\n"
	for name, c := range map[string]struct {
		first, piped, plain string
		found               bool
		asked               []string
		failure             string
	}{
		"hands standard input on":   {noCommand, " Done\nM\n Done\n", "", true, []string{"piped"}, ""},
		"blank lines before":        {noCommand, "\n\nDone\nM\n Done\n", "", true, []string{"piped"}, ""},
		"carriage returns":          {noCommand, " Done\r\nM\r\n Done\r\n", "", true, []string{"piped"}, ""},
		"does not":                  {noCommand, " Done\n Done\n", " Done\nM\n Done\n", true, []string{"piped", "plain"}, ""},
		"reads it itself":           {noCommand, "ERROR: No such command [echo M]\n", " Done\nM\n Done\n", true, []string{"piped", "plain"}, ""},
		"allows no shell":           {noCommand, "ERROR: Not authorized to execute this command [shell sh]\n", "ERROR: Not authorized to execute this command [shell echo M]\n", false, nil, "Not authorized"},
		"allows no shell, in short": {"", " Done\n", " Done\n", false, nil, "start no command shell"},
		"cmd.exe":                   {"'sh' is not recognized", "'shell' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", "'shell' is not recognized", false, []string{"piped", "plain"}, ""},
		"a shell without sh":        {"sh: not found\n", "shell: not found\n", "shell: not found\n", false, []string{"piped", "plain"}, ""},
		"an echo":                   {"sh\n", "shell sh\necho M\n", "shell echo M\n", false, []string{"piped", "plain"}, ""},
		"an appliance":              {"Syntax Error: sh\n", "unknown command 'shell'\nCommand Result : 22 (Invalid argument)\n", "", false, []string{"piped", "plain"}, ""},
		"silence":                   {"", "", "", false, []string{"piped", "plain"}, ""},
		"the word in a sentence":    {"", "All Done\n", "it is ERROR: not\n", false, []string{"piped", "plain"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			conn := &canned{answers: map[string]string{"piped": c.piped, "plain": c.plain}}
			host, err := Detect(t.Context(), conn, transport.Output{Stdout: []byte(c.first)})
			if (host != nil) != c.found || (err != nil) != (c.failure != "") {
				t.Fatalf("host %v, error %v", host, err)
			}
			if diff := cmp.Diff(c.asked, conn.lines); c.asked != nil && diff != "" {
				t.Errorf("asked:\n%s", diff)
			}
			if c.failure == "" {
				return
			}
			var e *transport.Error
			if !errors.As(err, &e) || e.Class != transport.ClassRemote || e.Host != conn.Name() ||
				!strings.Contains(e.Message, c.failure) || !strings.Contains(e.Hint, "command policy") {
				t.Errorf("%+v", err)
			}
		})
	}
}

// A line that is lost while it is asked settles nothing.
func TestDetectLosesTheLine(t *testing.T) {
	lost := transport.Errorf(transport.ClassConnect, "h", "gone")
	for _, when := range []string{"piped", "plain"} {
		host, err := Detect(t.Context(), &canned{err: map[string]error{when: lost}}, transport.Output{})
		if host != nil || !errors.Is(err, lost) {
			t.Errorf("%s: %v, %v", when, host, err)
		}
	}
}

// The lab's CLI in its three ways, by real processes.
func TestDetectTheCLI(t *testing.T) {
	for name, lines := range map[string]int{lab.NSCLI: 1, lab.NSCLIDeaf: 2} {
		n := loginTo(t, name)
		host, err := Detect(t.Context(), n, transport.Output{})
		if err != nil || host == nil {
			t.Fatalf("%s: %v, %v", name, host, err)
		}
		if len(n.said()) != lines {
			t.Errorf("%s: asked %q", name, n.said())
		}
		if host.Name() != n.Name() {
			t.Errorf("%s: calls itself %q", name, host.Name())
		}
		facts, err := host.Look(context.Background(), transport.System())
		if err != nil || facts[transport.System()].System == "" {
			t.Errorf("%s: %v, %v", name, facts, err)
		}
	}
	if _, err := Detect(t.Context(), loginTo(t, lab.NSCLIRestricted), transport.Output{}); err == nil || !strings.Contains(err.Error(), "Not authorized") {
		t.Errorf("restricted: %v", err)
	}
}
