package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/orchestrator"
	"ntl-setup/orchestrator/journal"
)

// reading is the journal command of a bench's user.
func (b *bench) reading(t *testing.T, want int, args ...string) (out, err string) {
	t.Helper()
	r := newBench(t)
	r.app.env.State = b.app.env.State
	if got := r.main(t, append([]string{"journal"}, args...)...); got != want {
		t.Errorf("journal %q: exit %d, want %d\n%s", args, got, want, r.err.String())
	}
	return r.out.String(), r.err.String()
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestJournalOfNothing(t *testing.T) {
	b := newBench(t)
	out, _ := b.reading(t, 0)
	contains(t, out, "No runs are on record in "+b.app.env.State)
	_, err := b.reading(t, 64, "2026")
	contains(t, err, `error: no run "2026" in `, "hint: ntl-setup journal lists")
	b.app.env.State = ""
	_, err = b.reading(t, 64)
	contains(t, err, "no place for the journal", "hint: XDG_STATE_HOME")
}

func TestJournalUsage(t *testing.T) {
	b := newBench(t)
	_, err := b.reading(t, 64, "a", "b")
	contains(t, err, "error: ")
	_, err = b.reading(t, 64, "-n", "0")
	contains(t, err, "--last 0")
	out, _ := b.reading(t, 0, "--help")
	contains(t, out, "ntl-setup journal [run] [flags]", "-n, --last number", "none is ever deleted")
}

func TestJournalLists(t *testing.T) {
	w := &world{}
	b := newBench(t, w)
	for range 3 {
		b.main(t, link("-y")...)
	}
	out, _ := b.reading(t, 0)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "RUN ") {
		t.Fatalf("%s", out)
	}
	changes := strings.Count(out, "  step-a\n")
	contains(t, out, "apply    established  192.0.2.10, root@192.0.2.10:22 → admin@192.0.2.20:22  nothing")
	if changes != 1 {
		t.Errorf("%d runs changed something, want 1:\n%s", changes, out)
	}
	if out, _ = b.reading(t, 0, "-n", "1"); strings.Count(out, "\n") != 2 {
		t.Errorf("%s", out)
	}
}

// The main line's own journal, with the commands that would undo it.
func TestJournalOfAFirstRun(t *testing.T) {
	b, s, words := visit(t, lab.Options{})
	if got := b.main(t, append(append([]string{"apply", "-y"}, words...), passwords(s)...)...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	run := lastRun(t, b)
	out, _ := b.reading(t, 0, run.ID[:20])
	at := func(text string) int {
		t.Helper()
		i := strings.Index(out, text)
		if i < 0 {
			t.Fatalf("no %q in\n%s", text, out)
		}
		return i
	}
	contains(t, out, "Run      "+run.ID+"\n", "Result   established, exit status 0\n", "Files    "+run.Dir+"\n", "Command  ntl-setup apply -y --client "+s.ClientTarget,
		"   1  create-certificate  client  changed       CN="+s.ClientAddress, "   4  list-clients        hsm     ok ", "certificate: none → CN=")
	root := s.ClientRoot
	last := at("To undo what it changed, in this order:")
	for _, next := range []string{
		"  on the client, " + s.ClientTarget + ", in a shell:", "    rm " + root + "/var/safenet/safenet_is_enrolled\n", "    pkill -x safenet_gw\n", "    cp -p " + root + "/var/safenet/config/Chrystoki.conf.ntl-setup-",
		"  on the HSM, " + s.HSMTarget + ", in lunash:", "    client revokePartition -client NS-web1 -partition partition6\n", "    client delete -client NS-web1\n",
		"    rm " + root + "/var/safenet/safenet/lunaclient/cert/server/" + s.HSMAddress + "Cert.pem\n",
		"    my file delete " + s.ClientAddress + ".pem\n", "    rm " + root + "/var/safenet/safenet/lunaclient/cert/client/" + s.ClientAddress + ".pem ",
		"Look before you type",
	} {
		i := at(next)
		if i < last {
			t.Errorf("%q stands too early", next)
		}
		last = i
	}
	// A run that changed nothing has nothing to undo.
	again := b.again(t)
	if got := again.main(t, append(append([]string{"plan"}, words...), passwords(s)...)...); got != ui.ExitOK {
		t.Fatalf("exit %d", got)
	}
	out, _ = again.reading(t, 0, lastRun(t, again).ID)
	contains(t, out, "This run changed nothing here.")
	if strings.Contains(out, "undo") {
		t.Errorf("%s", out)
	}
}

// A run that was killed within an act, and one whose act failed: both may have
// taken effect.
func TestJournalOfARunCutOff(t *testing.T) {
	b := newBench(t)
	dir := filepath.Join(b.app.env.State, "runs")
	j, err := journal.Begin(dir, journal.Run{Command: "apply", Args: []string{"apply"}}, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := j.Link(journal.Link{Client: "root@c", HSM: "a@h", Name: "web1"})
	info := orchestrator.Info{Number: 5, ID: "register-client", Host: orchestrator.OnHSM}
	step := orchestrator.StepReport{Info: info, Status: orchestrator.WouldChange, Undo: []string{"client delete -client web1"}}
	if err := r.Record(orchestrator.Event{Kind: orchestrator.Acting, Info: info, Step: step}); err != nil {
		t.Fatal(err)
	}
	out, _ := b.reading(t, 0)
	contains(t, out, "apply    not ended  web1, root@c → a@h  register-client (begun, not ended)")
	out, _ = b.reading(t, 0, "2")
	contains(t, out, "not ended: it is still at work, or was killed", "register-client     hsm     begun, not ended",
		"    # register-client: begun, not ended; look first whether it took place\n    client delete -client web1\n")

	step.Status, step.Err = orchestrator.Failed, &orchestrator.Failure{Class: "remote", Message: "no\x1b[31m answer"}
	if err := r.Record(orchestrator.Event{Kind: orchestrator.Confirm, Info: info, Step: step}); err != nil {
		t.Fatal(err)
	}
	out, _ = b.reading(t, 0, "2")
	contains(t, out, "# register-client: begun, ended, not confirmed; look first")
	r.Observe(orchestrator.Event{Kind: orchestrator.Completed, Info: info, Step: step})
	r.End(orchestrator.ResFailed, step.Err)
	if err := j.End(orchestrator.ResFailed, 1); err != nil {
		t.Fatal(err)
	}
	out, _ = b.reading(t, 0, "2")
	contains(t, out, "# register-client: failed; look first whether it took place", "  error: no answer\n", "Result   failed, exit status 1")
}

// Whatever a journal holds, it cannot steer the terminal.
func TestJournalIsPlainText(t *testing.T) {
	b := newBench(t)
	j, err := journal.Begin(filepath.Join(b.app.env.State, "runs"), journal.Run{Command: "a\x1b[31m", Version: "\x07", Args: []string{"\u202eabc"}}, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bad := "x\x1b]0;owned\x07\r\n\u202ey\x9b31m"
	r := j.Link(journal.Link{Client: bad, HSM: bad, Name: bad, ClientAddress: bad, Partitions: []string{bad}})
	step := orchestrator.StepReport{
		Info: orchestrator.Info{ID: bad, Host: bad}, Status: orchestrator.Status(bad), Reason: bad, Undo: []string{bad},
		Changes: []orchestrator.Change{{Field: bad, Have: bad, Want: bad}}, Err: &orchestrator.Failure{Message: bad},
	}
	if err := r.Record(orchestrator.Event{Kind: orchestrator.Acting, Step: step}); err != nil {
		t.Fatal(err)
	}
	r.Observe(orchestrator.Event{Kind: orchestrator.Completed, Step: step})
	r.End(orchestrator.Result(bad), step.Err)
	if err := j.End(orchestrator.Result(bad), 1); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"2"}} {
		out, _ := b.reading(t, 0, args...)
		for _, c := range out {
			if c < ' ' && c != '\n' || c == 0x7f || c == 0x9b || c == '\u202e' {
				t.Fatalf("%q in %q", c, out)
			}
		}
	}
}

func TestJournalOfASpoiltFile(t *testing.T) {
	b := newBench(t, &world{holds: true})
	b.main(t, append([]string{"status"}, link()...)...)
	run := lastRun(t, b)
	f, err := os.OpenFile(filepath.Join(run.Dir, "journal.ndjson"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"kind":"act`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	out, _ := b.reading(t, 0, run.ID)
	contains(t, out, "1 lines of the journal are spoilt", "Result   established")
	if err := os.Remove(filepath.Join(run.Dir, "journal.ndjson")); err != nil {
		t.Fatal(err)
	}
	out, _ = b.reading(t, 0)
	contains(t, out, run.ID, "no such file")
	out, _ = b.reading(t, 0, run.ID)
	contains(t, out, "the journal could not be read to its end")
}
