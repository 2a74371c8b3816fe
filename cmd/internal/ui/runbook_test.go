package ui

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
)

// typeable is sample with what a person would type.
func typeable() Outcome {
	o := sample()
	o.Seats = []orchestrator.Seat{
		{Where: orchestrator.OnLaptop, Prompt: "laptop$", How: "this machine"},
		{Where: orchestrator.OnClient, Prompt: "client#", How: "ssh root@192.0.2.10"},
		{Where: orchestrator.OnHSM, Prompt: "lunash:>", How: "ssh admin@192.0.2.20"},
	}
	save := orchestrator.Command{Where: orchestrator.OnClient, Line: "test -e /b || cp -p /a /b", Once: true}
	o.Report.Steps[0].Info.Title = "a pair"
	o.Report.Steps[0].Commands = []orchestrator.Command{save, {Where: orchestrator.OnClient, Line: "vtl createCert -n 192.0.2.10"}}
	o.Report.Steps[1].Info.Title = "a server"
	o.Report.Steps[1].Commands = []orchestrator.Command{
		save, {Where: orchestrator.OnLaptop, Line: "scp ./a b:", Note: "look\x1b[2J"},
		{Where: orchestrator.OnClient, Line: "vi /etc/Chrystoki.conf", Diff: "--- a\n+++ a\n@@ -1 +1,2 @@\n x\r\n+y\n"},
	}
	o.Report.Steps[2].Info.Title = "registered"
	o.Report.Steps[2].Commands = []orchestrator.Command{{Where: orchestrator.OnHSM, Line: "client register -client web1 -ip 192.0.2.10"}}
	return o
}

const typedSample = `# web1 (192.0.2.10)  root@192.0.2.10:22 → admin@192.0.2.20:22  part1
# laptop$  this machine
# client#  ssh root@192.0.2.10
# lunash:> ssh admin@192.0.2.20

# 1 create-certificate: a pair
client# test -e /b || cp -p /a /b
client# vtl createCert -n 192.0.2.10

# 3 add-server: a server
# look
laptop$ scp ./a b:
client# vi /etc/Chrystoki.conf
    --- a
    +++ a
    @@ -1 +1,2 @@
     x^M
    +y

# 5 register-client: registered
# Not known yet (depends on create-certificate); this would follow:
lunash:> client register -client web1 -ip 192.0.2.10
`

// finished ends a link with a runbook and returns both streams.
func finished(t *testing.T, format Format, o Outcome) (out, err string) {
	t.Helper()
	outStream, outText := plain()
	errStream, errText := plain()
	v := NewView("plan", format, outStream, errStream)
	defer v.Close()
	v.Runbook()
	v.Begin(o)
	v.Finish(o)
	return outText.String(), errText.String()
}

func TestRunbook(t *testing.T) {
	out, err := finished(t, Text, typeable())
	if d := cmp.Diff(typedSample, out); d != "" {
		t.Error(d)
	}
	if !strings.Contains(err, "Not complete: ") || strings.Contains(err, "client#") {
		t.Errorf("on standard error: %q", err)
	}
	if out, err = finished(t, JSON, typeable()); out+err != "" {
		t.Errorf("beside the document: %q, %q", out, err)
	}
}

// Where a person must decide, or a look failed, there is the table and no line to
// type; where all holds, that is said.
func TestRunbookWithoutLines(t *testing.T) {
	for _, result := range results {
		o := typeable()
		o.Report.Result = result
		out, err := finished(t, Text, o)
		switch result {
		case orchestrator.Changes:
		case orchestrator.Established:
			if !strings.HasSuffix(out, "# Everything holds: there is nothing to type.\n") || strings.Contains(out, "createCert") {
				t.Errorf("%s: %q", result, out)
			}
		default:
			if out != "" || !strings.Contains(err, "create-certificate") || strings.Contains(err, "createCert") {
				t.Errorf("%s: %q, %q", result, out, err)
			}
			for _, s := range o.link().Steps {
				if s.Commands != nil {
					t.Errorf("%s: %v", result, s.Commands)
				}
			}
		}
	}
}

func TestRunbookInTheDocument(t *testing.T) {
	var got [][]orchestrator.Command
	for _, s := range typeable().link().Steps {
		got = append(got, s.Commands)
	}
	want := [][]orchestrator.Command{
		{{Where: "client", Line: "test -e /b || cp -p /a /b"}, {Where: "client", Line: "vtl createCert -n 192.0.2.10"}},
		{{Where: "laptop", Line: "scp ./a b:", Note: "look"}, {Where: "client", Line: "vi /etc/Chrystoki.conf", Diff: "--- a\n+++ a\n@@ -1 +1,2 @@\n x^M\n+y\n"}},
		{{Where: "hsm", Line: "client register -client web1 -ip 192.0.2.10"}}, nil,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	o := typeable()
	o.Seats = nil // nobody asked for it
	for _, s := range o.link().Steps {
		if s.Commands != nil {
			t.Errorf("%v", s.Commands)
		}
	}
}

func TestRunbooksOfAFleet(t *testing.T) {
	outStream, out := plain()
	errStream, err := plain()
	v := NewView("plan", Text, outStream, errStream)
	defer v.Close()
	v.Runbook()
	refused := typeable()
	refused.Report.Result = orchestrator.Conflicted
	f := v.Fleet(3)
	all := []Outcome{typeable(), refused, typeable()}
	f.Plans(all)
	f.Table([]string{"a", "b", "c"}, all)
	if d := cmp.Diff(typedSample+"\n"+typedSample, out.String()); d != "" {
		t.Error(d)
	}
	if !strings.Contains(err.String(), "3 links: 2 changes, 1 conflict") {
		t.Errorf("%q", err)
	}
}
