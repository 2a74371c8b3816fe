package ui

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
)

func TestRow(t *testing.T) {
	const long = "vtl lists 192.0.2.20 and its certificate is the one that the HSM holds now, SHA256 0a1b2c3d"
	ok := report(3, "add-server", orchestrator.OnClient, orchestrator.OK, long)
	ok.Duration = 1300 * time.Millisecond
	for name, c := range map[string]struct {
		width int
		want  string
	}{
		"file: one line, whatever its length": {0,
			"   3  add-server          client  ✓ ok            " + long + " (1.3s)\n"},
		"wide terminal": {160,
			"   3  add-server          client  ✓ ok            " + long + " (1.3s)\n"},
		"narrow terminal: the reason below": {80,
			"   3  add-server          client  ✓ ok            (1.3s)\n" +
				"       vtl lists 192.0.2.20 and its certificate is the one that the HSM holds\n" +
				"       now, SHA256 0a1b2c3d\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, row(ok, Stream{Width: c.width})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// No line may reach the last column, where terminals differ.
func TestRowNeverWraps(t *testing.T) {
	s := report(12, "enroll-gateway", orchestrator.OnClient, orchestrator.WouldChange, strings.Repeat("word ", 60))
	s.Duration = 12 * time.Second
	for width := 60; width < 200; width++ {
		for line := range strings.Lines(row(s, Stream{Width: width})) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Fatalf("width %d: line of %d columns: %q", width, n, line)
			}
		}
	}
}

func TestRowWithoutReason(t *testing.T) {
	s := report(2, "send-certificate", orchestrator.OnHSM, orchestrator.Blocked, "")
	if diff := cmp.Diff("   2  send-certificate    hsm     - blocked\n", row(s, Stream{Width: 80})); diff != "" {
		t.Error(diff)
	}
}

func TestRowWithChanges(t *testing.T) {
	want := `   3  add-server          client  ~ would-change  vtl lists no server
         server          (none) → 192.0.2.20
         Chrystoki.conf  no ServerName00 → ServerName00
           --- /etc/Chrystoki.conf
           +++ /etc/Chrystoki.conf
           @@ -1,3 +1,4 @@
            LunaSA Client = {
           +  ServerName00 = 192.0.2.20;
              NetClient = 1;
            }
`
	if diff := cmp.Diff(want, row(sample().Report.Steps[1], Stream{})); diff != "" {
		t.Error(diff)
	}
}

func TestLongChanges(t *testing.T) {
	s := report(8, "verify-link", orchestrator.OnClient, orchestrator.WouldChange, "")
	s.Changes = []orchestrator.Change{
		{Field: "/var/safenet/config/Chrystoki.conf", Have: "differs", Want: "equal"},
		{Field: "pair", Have: "none", Want: "CN=192.0.2.10 in /var/safenet/safenet/lunaclient/cert/client/192.0.2.10.pem"},
		{Field: "vtl", Have: "no", Want: "yes"},
	}
	const head = "   8  verify-link         client  ~ would-change\n"
	for width, want := range map[int]string{
		0: head +
			"         /var/safenet/config/Chrystoki.conf  differs → equal\n" +
			"         pair  none → CN=192.0.2.10 in /var/safenet/safenet/lunaclient/cert/client/192.0.2.10.pem\n" +
			"         vtl   no → yes\n",
		80: head +
			"         /var/safenet/config/Chrystoki.conf  differs → equal\n" +
			"         pair\n" +
			"             none\n" +
			"           → CN=192.0.2.10 in\n" +
			"             /var/safenet/safenet/lunaclient/cert/client/192.0.2.10.pem\n" +
			"         vtl   no → yes\n",
	} {
		if diff := cmp.Diff(want, row(s, Stream{Width: width})); diff != "" {
			t.Errorf("width %d: %s", width, diff)
		}
	}
}

// A fingerprint stays whole at 80 columns, for it is to be compared, and what
// follows it has no line of its own.
func TestAFingerprintIsNotBroken(t *testing.T) {
	sum := "SHA256:" + strings.Repeat("0123456789ABCDEF", 4)
	s := report(3, "add-server", orchestrator.OnClient, orchestrator.WouldChange, "the client has "+sum+", and trusts it")
	s.Changes = []orchestrator.Change{
		{Field: "server 192.0.2.20", Have: "trusted by " + sum, Want: "registered, trusted by " + sum},
		{Field: "192.0.2.10.pem", Have: "not there", Want: sum},
	}
	want := "   3  add-server          client  ~ would-change\n" +
		"       the client has\n" +
		"       " + sum + ",\n" +
		"       and trusts it\n" +
		"         server 192.0.2.20\n" +
		"             trusted by\n" +
		"         " + sum + "\n" +
		"           → registered, trusted by\n" +
		"         " + sum + "\n" +
		"         192.0.2.10.pem\n" +
		"             not there\n" +
		"       → " + sum + "\n"
	if diff := cmp.Diff(want, row(s, Stream{Width: 80})); diff != "" {
		t.Error(diff)
	}
	told := row(s, Stream{Width: 80}) + labelled(red, "error", "it is not "+sum+", but another", Stream{Width: 80}) +
		folded("in order:  "+sum+", "+sum+"\n", Stream{Width: 80})
	for line := range strings.Lines(told) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 && !strings.HasPrefix(line, "in order:") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

// What a machine sent must not steer the terminal, wherever it is shown.
func TestRowIsPrintable(t *testing.T) {
	const evil = "a\x1b[2Jb\u202e\rc\nd"
	s := report(1, "x", orchestrator.OnHSM, orchestrator.Conflict, evil)
	s.Changes = []orchestrator.Change{{Field: evil, Have: evil, Want: evil, Diff: evil}}
	got := row(s, Stream{Width: 100})
	if i := strings.IndexFunc(got, hidden); i >= 0 {
		t.Errorf("hidden rune at %d of %q", i, got)
	}
	if n := strings.Count(got, "\n"); n != 4 {
		t.Errorf("%d lines, want the row, the change and the two of its diff:\n%s", n, got)
	}
}

func TestColoredDiff(t *testing.T) {
	got := colored("--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n\\ No newline at end of file\n", Stream{Color: true})
	for _, want := range []string{
		"\x1b[1m--- a\x1b[0m", "\x1b[1m+++ b\x1b[0m", "\x1b[2m@@ -1 +1 @@\x1b[0m",
		"\x1b[31m-old\x1b[0m", "\x1b[32m+new\x1b[0m", "\n" + deeper + "   same\n", `\ No newline`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if got := colored("", Stream{}); got != "" {
		t.Errorf("no diff gives %q", got)
	}
}

func TestColorSaysNothingOfItsOwn(t *testing.T) {
	for _, s := range sample().Report.Steps {
		without := row(s, Stream{Width: 100})
		with := row(s, Stream{Width: 100, Color: true})
		for _, sgr := range []string{red, green, yellow, bold, faint, "0"} {
			with = strings.ReplaceAll(with, "\x1b["+sgr+"m", "")
		}
		if diff := cmp.Diff(without, with); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTitle(t *testing.T) {
	o := sample()
	if diff := cmp.Diff("web1 (192.0.2.10)  root@192.0.2.10:22 → admin@192.0.2.20:22  part1\n", title(o, Stream{})); diff != "" {
		t.Error(diff)
	}
	o.Name = o.ClientAddress
	o.Partitions = []string{"part1", "part2"}
	if diff := cmp.Diff("192.0.2.10  root@192.0.2.10:22 → admin@192.0.2.20:22  part1, part2\n", title(o, Stream{})); diff != "" {
		t.Error(diff)
	}
}
