package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
	"ntl-setup/transport"
)

// statuses are those of a link's checks, by id.
func statuses(l ui.Link) map[string]preflight.Status {
	found := map[string]preflight.Status{}
	for _, c := range l.Preflight {
		found[c.ID] = c.Status
	}
	return found
}

// checked is one check of a document's link.
func checked(t *testing.T, l ui.Link, id string) preflight.Check {
	t.Helper()
	for _, c := range l.Preflight {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no check %s: %+v", id, l.Preflight)
	return preflight.Check{}
}

// sound is what a site has with which nothing is wrong.
func sound() map[string]preflight.Status {
	return map[string]preflight.Status{
		"port": preflight.OK, "certificate": preflight.OK, "clocks": preflight.OK,
		"validity": preflight.OK, "address": preflight.OK, "reverse": preflight.Unknown,
	}
}

// elsewhere is --hsm-address with an address at which nobody listens.
func elsewhere() []string { return []string{"--hsm-address", "127.250.250.1"} }

// A plan of a link that is not there yet has a preflight, in every form of
// output; once the link holds, nothing is asked any more.
func TestPlanHasAPreflight(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(words, passwords(s)...)
	before := hash(t, s)
	if got := b.main(t, append([]string{"plan", "-o", "json"}, words...)...); got != ui.ExitChanges {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	if diff := cmp.Diff(sound(), statuses(document(t, b).Links[0])); diff != "" {
		t.Errorf("%s\n%s", diff, b.out.String())
	}
	b = b.again(t)
	b.main(t, append([]string{"plan"}, words...)...)
	if want := "   preflight: port, certificate, clocks, validity, address ok; reverse not known"; !strings.Contains(b.out.String(), want) {
		t.Errorf("no %q in\n%s", want, b.out.String())
	}
	if hash(t, s) != before {
		t.Error("the preflight changed something")
	}
	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("apply: exit %d\n%s", got, b.err.String())
	}
	if !strings.Contains(b.err.String(), "   preflight: port, ") {
		t.Errorf("the plan that apply shows has none:\n%s", b.err.String())
	}
	sent, err := s.Commands()
	if err != nil {
		t.Fatal(err)
	}
	b = b.again(t)
	if got := b.main(t, append([]string{"apply", "-o", "json"}, words...)...); got != ui.ExitOK {
		t.Fatalf("once more: exit %d\n%s", got, b.err.String())
	}
	if l := document(t, b).Links[0]; l.Preflight != nil {
		t.Errorf("a link that holds was looked at: %+v", l.Preflight)
	}
	now, err := s.Commands()
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range now[len(sent):] {
		if strings.Contains(command, "status date") || strings.Contains(command, "ipcheck") {
			t.Errorf("a link that holds costs %q", command)
		}
	}
}

// What makes the link impossible stops apply before its first act, says what to
// do, and names the flag that decides.
func TestAnImpossibleLinkIsNotBegun(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{})
	words = append(append(words, passwords(s)...), elsewhere()...)
	before := hash(t, s)
	if got := b.main(t, append([]string{"apply", "-y", "-o", "json"}, words...)...); got != ui.ExitConflict {
		t.Errorf("exit %d, want 3\n%s", got, b.err.String())
	}
	l := document(t, b).Links[0]
	if l.Result != orchestrator.Conflicted || l.Error == nil || l.Error.Class != "conflict" ||
		!strings.Contains(l.Error.Message, "127.250.250.1:1792") || !strings.Contains(l.Error.Hint, "--skip-preflight") {
		t.Errorf("%s, %+v", l.Result, l.Error)
	}
	if c := checked(t, l, "port"); c.Status != preflight.Problem || !strings.Contains(c.Evidence, "refused") || !strings.Contains(c.Hint, "NTLS runs") {
		t.Errorf("%+v", c)
	}
	for _, step := range l.Steps {
		if step.Status == orchestrator.WouldChange || step.Status == orchestrator.Unknown {
			t.Errorf("%s is %s, and was not done", step.ID, step.Status)
		}
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
	if len(b.person.asked) > 0 {
		t.Errorf("asked %q", b.person.asked)
	}
	b = b.again(t)
	b.person.err = errors.New("that is how far it came") // the rest would take the time of step 8
	if got := b.main(t, append([]string{"apply", "-o", "json", "--skip-preflight"}, words...)...); got != ui.ExitDeclined {
		t.Errorf("decided otherwise: exit %d\n%s", got, b.err.String())
	}
	if l := document(t, b).Links[0]; l.Preflight != nil || len(b.person.asked) != 1 {
		t.Errorf("%+v, asked %q", l.Preflight, b.person.asked)
	}
}

// The person sees the warnings above the question, and may go on.
func TestWarningsDoNotStop(t *testing.T) {
	t.Parallel()
	b, s, words := visit(t, lab.Options{Appliance: luna.Options{ClockSkew: 3 * time.Minute}})
	words = append(words, passwords(s)...)
	b.person.yes = true
	if got := b.main(t, words...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	if text := b.err.String(); !strings.Contains(text, "! warning  against this machine's clock: the client's agrees; the appliance's is 3m") {
		t.Errorf("standard error:\n%s", text)
	}
}

func TestHereIsADialer(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	conn, err := here{}.DialFrom(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := (here{}).DialFrom(t.Context(), address); !errors.Is(err, transport.ErrUnreached) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (here{}).DialFrom(ctx, address); err == nil {
		t.Error("dialled after the end")
	}
}

// A preflight is made once in a run, and not where the client reaches its
// partitions.
func TestPreflightIsMadeOnce(t *testing.T) {
	t.Parallel()
	made := 0
	view := ui.NewView("plan", ui.Text, ui.Stream{Writer: new(strings.Builder)}, ui.Stream{Writer: new(strings.Builder)})
	defer view.Close()
	p := &preflights{view: view, run: func(context.Context) []preflight.Check {
		made++
		return []preflight.Check{{ID: "port", Status: preflight.OK}}
	}}
	verify := func(s orchestrator.Status) []orchestrator.StepReport {
		return []orchestrator.StepReport{{Info: orchestrator.Info{ID: "verify-link"}, Status: s}}
	}
	if got := p.look(t.Context(), verify(orchestrator.OK)); got != nil || made != 0 {
		t.Errorf("%v, made %d times", got, made)
	}
	for range 2 {
		if got := p.look(t.Context(), verify(orchestrator.WouldChange)); len(got) != 1 || made != 1 {
			t.Errorf("%v, made %d times", got, made)
		}
	}
	if got := (*preflights)(nil).look(t.Context(), nil); got != nil {
		t.Errorf("%v", got)
	}
}
