package ui

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ntl-setup/orchestrator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// apply plays the events of an apply that makes every step of o hold.
func playApply(v *View, o Outcome) {
	for _, s := range o.Report.Steps {
		v.Observe(orchestrator.Event{Kind: orchestrator.Looking, Info: s.Info})
		v.Observe(orchestrator.Event{Kind: orchestrator.Planned, Info: s.Info, Step: s})
	}
	v.Observe(orchestrator.Event{Kind: orchestrator.Looked, Plan: o.Report.Steps})
	v.Plan(o, o.Report.Steps)
	for _, s := range o.Report.Steps {
		if s.Status == orchestrator.NotNeeded {
			v.Observe(orchestrator.Event{Kind: orchestrator.Completed, Info: s.Info, Step: s})
			continue
		}
		v.Observe(orchestrator.Event{Kind: orchestrator.Acting, Info: s.Info, Step: s})
		v.Observe(orchestrator.Event{Kind: orchestrator.Confirm, Info: s.Info})
		s.Status, s.Reason = orchestrator.Changed, "holds now"
		v.Observe(orchestrator.Event{Kind: orchestrator.Completed, Info: s.Info, Step: s})
	}
}

func TestPlanGoesToStandardOutput(t *testing.T) {
	out, outText := plain()
	err, errText := plain()
	v := NewView("plan", Text, out, err)
	defer v.Close()
	v.Finish(sample())
	want := `web1 (192.0.2.10)  root@192.0.2.10:22 → admin@192.0.2.20:22  part1
   1  create-certificate  client  ~ would-change  no pair for 192.0.2.10 yet (0.4s)
         certificate  none → CN=192.0.2.10
   3  add-server          client  ~ would-change  vtl lists no server
         server          (none) → 192.0.2.20
         Chrystoki.conf  no ServerName00 → ServerName00
           --- /etc/Chrystoki.conf
           +++ /etc/Chrystoki.conf
           @@ -1,3 +1,4 @@
            LunaSA Client = {
           +  ServerName00 = 192.0.2.20;
              NetClient = 1;
            }
   5  register-client     hsm     ? unknown       depends on create-certificate
   9  persist-config      client  · n/a           not for this kind of client

Not complete: 2 steps would change, one depends on an earlier step. Nothing was changed.
`
	if diff := cmp.Diff(want, outText.String()); diff != "" {
		t.Error(diff)
	}
	if errText.Len() > 0 {
		t.Errorf("standard error: %q", errText.String())
	}
}

func TestApplyShowsThePlanOnStandardError(t *testing.T) {
	out, outText := plain()
	err, errText := plain()
	v := NewView("apply", Text, out, err)
	defer v.Close()
	playApply(v, sample())
	v.Finish(done())
	want := `   1  create-certificate  client  + changed       holds now (0.4s)
   3  add-server          client  + changed       holds now
   5  register-client     hsm     + changed       holds now
   9  persist-config      client  · n/a           not for this kind of client

The link is established: web1 reaches part1 (serial 700123001).
`
	if got := outText.String(); !strings.HasPrefix(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	for _, line := range []string{"web1 (192.0.2.10)", "certificate  none → CN=192.0.2.10", "+  ServerName00"} {
		if !strings.Contains(errText.String(), line) {
			t.Errorf("no %q on standard error:\n%s", line, errText.String())
		}
	}
	if strings.Contains(errText.String(), "\x1b") {
		t.Errorf("escape sequences in a file: %q", errText.String())
	}
}

// A plan that apply may not begin was shown as it is: once is enough. What is
// found to be another way since is told.
func TestAPlanThatIsNotBegunIsNotToldTwice(t *testing.T) {
	for _, late := range []bool{false, true} {
		out, outText := plain()
		err, errText := plain()
		v := NewView("apply", Text, out, err)
		o := sample()
		v.Observe(orchestrator.Event{Kind: orchestrator.Looked, Plan: o.Report.Steps})
		v.Plan(o, o.Report.Steps)
		o.Report.Steps = slices.Clone(o.Report.Steps)
		for i := range o.Report.Steps[:3] {
			o.Report.Steps[i].Status, o.Report.Steps[i].Reason = orchestrator.Blocked, "nothing was done"
		}
		o.Report.Result, o.Report.Err = orchestrator.Conflicted, &orchestrator.Failure{Class: "conflict", Message: "port 1792 is closed"}
		want := "A person must decide. Nothing was changed.\n"
		if late {
			o.Report.Err = nil
			o.Report.Steps[1].Status, o.Report.Steps[1].Reason = orchestrator.Conflict, "it trusts another one now"
			want = "   3  add-server          client  ! conflict      it trusts another one now\n"
		}
		v.Finish(o)
		v.Close()
		said := outText.String()
		if !strings.Contains(said, want) || strings.Contains(said, "create-certificate  client") || strings.Contains(said, "blocked") {
			t.Errorf("late %v: %s", late, said)
		}
		if strings.Count(errText.String(), "create-certificate  client") != 1 {
			t.Errorf("late %v: %s", late, errText.String())
		}
	}
}

func TestFailureComesBeforeWhatWasDone(t *testing.T) {
	var both bytes.Buffer
	v := NewView("apply", Text, Stream{Writer: &both}, Stream{Writer: &both})
	defer v.Close()
	o := sample()
	o.Report.Acted, o.Report.Result = true, orchestrator.ResFailed
	o.Report.Steps = o.Report.Steps[:3]
	steps := o.Report.Steps
	for i := range steps {
		steps[i].Changes = nil
	}
	steps[0].Status = orchestrator.Changed
	steps[1].Status, steps[1].Reason = orchestrator.Failed, "vtl said no"
	steps[1].Err = &orchestrator.Failure{Class: "remote", Message: "vtl said no", Hint: "ask vtl"}
	steps[2].Status, steps[2].Reason = orchestrator.Blocked, "not done: add-server stopped the run"
	v.Observe(orchestrator.Event{Kind: orchestrator.Completed, Info: steps[0].Info, Step: steps[0]})
	v.Observe(orchestrator.Event{Kind: orchestrator.Completed, Info: steps[1].Info, Step: steps[1]})
	v.Finish(o)
	want := `   1  create-certificate  client  + changed       no pair for 192.0.2.10 yet (0.4s)
   3  add-server          client  ✗ failed        vtl said no
   5  register-client     hsm     - blocked       not done: add-server stopped the run

error: add-server: vtl said no
hint: ask vtl
done:      create-certificate
not done:  add-server, register-client
One change was made; nothing needs undoing: the same command goes on from there.
`
	if diff := cmp.Diff(want, both.String()); diff != "" {
		t.Error(diff)
	}
}

func TestUnreachable(t *testing.T) {
	out, outText := plain()
	err, errText := plain()
	v := NewView("apply", Text, out, err)
	defer v.Close()
	o := sample()
	o.Report = orchestrator.Report{Result: orchestrator.Unreachable,
		Err: &orchestrator.Failure{Class: "auth", Message: "admin@h:22: refu\x1b[1msed", Hint: "another key"}}
	v.Finish(o)
	if diff := cmp.Diff("error: admin@h:22: refused\nhint: another key\n", errText.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("Nothing was changed.\n", outText.String()); diff != "" {
		t.Error(diff)
	}
}

func TestJSONIsAloneOnStandardOutput(t *testing.T) {
	out, outText := plain()
	err, errText := plain()
	v := NewView("apply", JSON, out, err)
	defer v.Close()
	v.Warn("old box")
	playApply(v, sample())
	v.Finish(done())
	doc := NewDocument("apply", done())
	if outText.Len() > 0 {
		t.Errorf("before the document: %q", outText.String())
	}
	if err := v.Done(doc, out.Writer); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := WriteDocument(&want, doc); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), outText.String()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(errText.String(), "warning: old box\n") || !strings.Contains(errText.String(), "create-certificate") {
		t.Errorf("standard error lacks the warning or the plan:\n%s", errText.String())
	}
}

func TestTextHasNoDocument(t *testing.T) {
	out, outText := plain()
	v := NewView("plan", Text, out, out)
	defer v.Close()
	if err := v.Done(NewDocument("plan", sample()), out.Writer); err != nil || outText.Len() > 0 {
		t.Errorf("%v, %q", err, outText.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A reader that went away ends no run, but a document that nobody got is told.
func TestClosedPipe(t *testing.T) {
	v := NewView("apply", JSON, Stream{Writer: broken{}}, Stream{Writer: broken{}})
	defer v.Close()
	v.Warn("x")
	playApply(v, sample())
	v.Finish(done())
	if err := v.Done(NewDocument("apply", done()), broken{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

func TestMessagesHangOnATerminal(t *testing.T) {
	var b bytes.Buffer
	v := NewView("plan", Text, Stream{Writer: io.Discard}, Stream{Writer: &b})
	defer v.Close()
	v.err.Width = 30 // no moving line, which only a terminal at the start gets
	v.Note("the client has no interface with that address")
	v.Failure("add-server", &orchestrator.Failure{Message: "vtl said something unkind", Hint: "ask it again, and then once more"})
	want := `note: the client has no
      interface with that
      address
error: add-server: vtl said
       something unkind
hint: ask it again, and then
      once more
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
