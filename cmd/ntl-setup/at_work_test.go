package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
	"ntl-setup/orchestrator"
	"ntl-setup/steps"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/transporttest"
)

// A run that comes while another one's vtl makes the pair waits for it, says so
// once for each vtl that it meets (on a slow day addServer comes before it has
// looked again), and ends well.
func TestASlowVtlOfAnotherRunIsWaitedFor(t *testing.T) {
	t.Parallel()
	first, s, words := visit(t, lab.Options{Vtl: luna.VtlSettings{DelayMS: 5000}})
	words = append(append([]string{"apply", "-y", "-o", "json"}, words...), passwords(s)...)
	second := first.again(t)
	var running sync.WaitGroup
	running.Go(func() {
		if got := first.main(t, words...); got != ui.ExitOK {
			t.Errorf("the first run: exit %d\n%s", got, first.err.String())
		}
	})
	if err := awaitWord(t, filepath.Join(s.ClientRoot, "vtl.log"), "createCert"); err != nil {
		t.Fatal(err)
	}
	if got := second.main(t, words...); got != ui.ExitOK {
		t.Errorf("the second run: exit %d\n%s", got, second.err.String())
	}
	running.Wait()
	const waits = "vtl is at work there and is waited for: process "
	told := map[string]int{}
	for line := range strings.Lines(second.err.String()) {
		if strings.Contains(line, waits) {
			told[line]++
		}
	}
	pair := 0
	for line, n := range told {
		if n != 1 {
			t.Errorf("told %d times: %s", n, line)
		}
		if strings.Contains(line, "createCert") {
			pair++
		}
	}
	if pair != 1 {
		t.Errorf("the vtl that makes the pair was told of %d times:\n%s", pair, second.err.String())
	}
	if n := once(t, filepath.Join(s.ClientRoot, "vtl.log"), "createCert"); n != 1 {
		t.Errorf("vtl createCert was called %d times", n)
	}
	noLock(t, s)
}

// emptyAppliance has no clients, and nothing that may be read.
type emptyAppliance struct{ lunash.Appliance }

func (emptyAppliance) Name() string                                               { return "admin@192.0.2.20:22" }
func (emptyAppliance) Clients(context.Context) ([]string, error)                  { return nil, nil }
func (emptyAppliance) Partitions(context.Context) (p []lunash.Partition, _ error) { return p, nil }
func (emptyAppliance) Fetch(context.Context, string) ([]byte, error) {
	return nil, errors.New("no such file")
}

// busyClient is a Luna client on which vtl makes a pair for that long.
func busyClient(t *testing.T, d time.Duration) *transporttest.FakeHost {
	t.Helper()
	const base = "/usr/safenet/lunaclient"
	h := transporttest.NewHost("root@192.0.2.10:22")
	h.Put(base+"/bin/vtl", []byte("#!"), 0o755)
	h.Put("/etc/Chrystoki.conf", []byte("LunaSA Client = {\n   NetClient = 1;\n}\n"), 0o644)
	h.Dir(base+"/cert/client", 0o755)
	h.Dir(base+"/cert/server", 0o755)
	h.Vtl = func(*transporttest.FakeHost, []string) (string, int) { return "There are no servers registered.\n", 0 }
	h.Launch(base+"/bin/vtl", base+"/bin/vtl createCert -n 192.0.2.10")
	pid := h.Running[0].PID
	time.AfterFunc(d, func() {
		if _, err := h.Do(context.Background(), transport.Stop(pid, base+"/bin/vtl", 0)); err != nil {
			t.Error(err)
		}
	})
	return h
}

// opening is one recognition of that client, with two minutes for a step.
func opening(ctx context.Context, t *testing.T, h *transporttest.FakeHost, said *strings.Builder) (job, error) {
	t.Helper()
	var out strings.Builder
	view := ui.NewView("apply", ui.Text, ui.Stream{Writer: &out}, ui.Stream{Writer: said})
	defer view.Close()
	j := job{
		config: config.Config{StepTimeout: 2 * time.Minute}, view: view,
		link: config.Link{Name: "web1", ClientAddress: "192.0.2.10", HSMAddress: "192.0.2.20", Partitions: []string{"p1"}, Kind: string(steps.Linux)},
	}
	_, err := j.open(ctx, steps.Hosts{Client: h, HSM: emptyAppliance{}})
	return j, err
}

// It may take longer than any step: the host answers all the time.
func TestAVtlIsWaitedForLongerThanAStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		began := time.Now()
		if _, err := opening(t.Context(), t, busyClient(t, 10*time.Minute), &said); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 10*time.Minute || took > 10*time.Minute+2*time.Second {
			t.Errorf("took %v", took)
		}
		if n := strings.Count(said.String(), "is waited for: process "); n != 1 {
			t.Errorf("told %d times: %s", n, said.String())
		}
	})
}

// The run's own time ends the wait: failed, and it is named who was waited for.
// Nobody has to decide anything, and nobody is said to be out of reach.
func TestTheWaitForAVtlEndsWithTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, tooLong{what: "the run", after: 5 * time.Minute, flag: "--timeout"})
		defer cancel()
		j, err := opening(ctx, t, busyClient(t, time.Hour), &said)
		if !errors.Is(err, steps.ErrAtWork) {
			t.Fatalf("%v", err)
		}
		o := j.stopped(ctx, err)
		e := o.Report.Err
		if o.Report.Result != orchestrator.ResFailed || e == nil || e.Class != "lock" {
			t.Fatalf("%s %+v", o.Report.Result, e)
		}
		for _, want := range []string{"root@192.0.2.10:22", "process ", "createCert -n 192.0.2.10", "the run was not done within 5m0s"} {
			if !strings.Contains(e.Message, want) {
				t.Errorf("no %q in %q", want, e.Message)
			}
		}
		if !strings.Contains(e.Hint, "a larger --timeout") {
			t.Errorf("hint %q", e.Hint)
		}
	})
}

// A Ctrl-C ends it at once, and is what is told.
func TestInterruptWhileAVtlIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		began := time.Now()
		j, err := opening(ctx, t, busyClient(t, time.Hour), &said)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %v", took)
		}
		if r := j.stopped(ctx, err).Report; r.Result != orchestrator.Interrupted || r.Err.Class != "interrupted" {
			t.Errorf("%s %+v", r.Result, r.Err)
		}
	})
}
