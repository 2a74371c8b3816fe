package matrix

import (
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/fixtures/faults"
	"ntl-setup/fixtures/lab"
	"ntl-setup/orchestrator"
)

// scratch is a directory for what all tests share.
var scratch string

func TestMain(m *testing.M) {
	lab.Dispatch() // the lab's programs may be this one
	dir, err := os.MkdirTemp("", "matrix-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	debug.SetGCPercent(400) // much is made, little is kept
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// longest is what a run with a fault may take at most, by its own clock: one
// look or act that ends by its time-out, the look after it, and some work.
const longest = 3*stepTimeout + time.Minute

// classes are the contract's, without "internal".
var classes = []string{"connect", "auth", "host-key", "dialogue", "conflict", "remote", "protocol", "timeout", "lock", "interrupted", "config"}

// TestMatrix is every step, every fault, and the rerun. Each fault meets one of
// the sites; with MATRIX=all in the environment, each meets all of them.
func TestMatrix(t *testing.T) {
	if _, err := theKit(); err != nil {
		t.Fatal(err)
	}
	var met coverage
	count, everything := 0, os.Getenv("MATRIX") == "all"
	t.Run("combinations", func(t *testing.T) {
		for _, set := range settings() {
			var tr trace
			synctest.Test(t, func(t *testing.T) { tr = follow(t, set) })
			for i, f := range tr.all() {
				if !everything && i%3 != set.third {
					continue
				}
				count++
				t.Run(set.name+"/"+f.String(), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { met.add(f, combine(t, set, f)) })
				})
			}
		}
	})
	met.log(t)
	t.Logf("%d combinations of a site and a fault, three runs each", count)
	if count < 500 {
		t.Errorf("%d combinations are too few", count)
	}
}

// combine is one combination: a run with the fault, a plain run, a third.
func combine(t *testing.T, set setting, f faults.Fault) outcome {
	s := newSite(t, set)
	first := s.run(&f)
	checkFirst(t, f, first)
	s.checkForeign(handover, lock)
	second := s.run(nil)
	if second.fail != nil || second.report.Result != orchestrator.Established {
		t.Fatalf("the rerun ended %s: %+v\nafter %s: %+v", second.report.Result, second.fail, first.report.Result, first.fail)
	}
	s.checkEstablished()
	if second.report.Acted {
		s.checkForeign()
	} else {
		s.checkForeign(lock)
	}
	before := s.world()
	third := s.run(nil)
	if third.report.Result != orchestrator.Established || third.report.Acted {
		t.Errorf("the third run ended %s, acted %t", third.report.Result, third.report.Acted)
	}
	if d := cmp.Diff(before, s.world()); d != "" {
		t.Error("the third run changed something:", d)
	}
	s.checkSent()
	return first
}

// checkFirst: the run with the fault ended in time and says what went wrong.
func checkFirst(t *testing.T, f faults.Fault, o outcome) {
	t.Helper()
	if o.took > longest {
		t.Errorf("it took %s", o.took)
	}
	switch {
	case o.report.Result == orchestrator.Established && o.fail == nil:
	case o.fail == nil:
		t.Errorf("it ended %s and does not say why", o.report.Result)
	case !slices.Contains(classes, o.fail.Class) || o.fail.Message == "":
		t.Errorf("a failure of class %q: %s", o.fail.Class, o.fail.Message)
	case f.Harmless():
		t.Errorf("a sound program works through this: %+v", o.fail)
	}
	for _, typed := range o.typed {
		if f.Do == faults.Secret || typed != "quit" {
			t.Errorf("it typed %q", typed)
		}
	}
}

// checkSent: the appliance was never sent anything but what the procedure needs.
func (s *site) checkSent() {
	sent, err := s.app.Commands()
	if err != nil {
		s.t.Fatal(err)
	}
	may := []string{"client list", "client show -client NS-web1", "client fingerprint -client NS-web1", "partition list",
		"client register -client NS-web1 -ip 192.0.2.10", "client assignPartition -client NS-web1 -partition partition6",
		"scp -f server.pem", "scp -f 192.0.2.10.pem", "scp -t 192.0.2.10.pem",
		"sftp get server.pem", "sftp get 192.0.2.10.pem", "sftp put 192.0.2.10.pem",
		"client show -client NS-web10"} // whose address it might be
	for _, line := range sent {
		if !slices.Contains(may, line) {
			s.t.Errorf("it sent %q", line)
		}
	}
}

// coverage is which faults struck at which step.
type coverage struct {
	mu    sync.Mutex
	steps map[string]map[faults.Kind]int
	ends  map[string]int // by class of failure
}

func (c *coverage) add(f faults.Fault, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if step := keeps(f); step != "" {
		o.struck = step
	}
	if c.steps == nil {
		c.steps, c.ends = map[string]map[faults.Kind]int{}, map[string]int{}
	}
	if c.steps[o.struck] == nil {
		c.steps[o.struck] = map[faults.Kind]int{}
	}
	c.steps[o.struck][f.Do]++
	if o.fail == nil {
		c.ends["established"]++
	} else {
		c.ends[o.fail.Class]++
	}
}

// keeps is the step whose fact a command or a copy tells; several read it, and
// what was read once is remembered, so the step at work as it is read may be
// another one.
func keeps(f faults.Fault) string {
	words := strings.Fields(f.Match)
	switch {
	case f.At != faults.Command && f.At != faults.Copy || len(words) < 2:
		return ""
	case strings.HasSuffix(f.Match, "server.pem"):
		return "add-server"
	case f.At == faults.Copy:
		return "send-certificate"
	}
	return map[string]string{
		"client list": "list-clients", "client register": "register-client", "client show": "confirm-client",
		"client fingerprint": "confirm-client", "client assignPartition": "assign-partition", "partition list": "assign-partition",
	}[words[0]+" "+words[1]]
}

// log tells what was met, and fails where a step met too little.
func (c *coverage) log(t *testing.T) {
	for _, step := range slices.Sorted(maps.Keys(c.steps)) {
		total := 0
		var kinds []string
		for _, k := range slices.Sorted(maps.Keys(c.steps[step])) {
			total += c.steps[step][k]
			kinds = append(kinds, string(k))
		}
		t.Logf("%-20s %4d combinations, %2d kinds of fault: %s", step, total, len(kinds), strings.Join(kinds, " "))
	}
	t.Log("the runs with a fault ended so:", c.ends)
	for _, step := range stepIDs {
		if len(c.steps[step]) < 5 {
			t.Errorf("%s met only %v", step, c.steps[step])
		}
	}
}

var stepIDs = []string{"create-certificate", "send-certificate", "add-server", "list-clients", "register-client", "confirm-client",
	"assign-partition", "verify-link", "persist-config", "start-gateway", "confirm-gateway", "enroll-gateway"}
