package matrix

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/fixtures/faults"
	"ntl-setup/fixtures/lab"
)

// sample is one combination over real sockets: a cut of one of the two ends.
type sample struct {
	kind lab.Kind
	end  string // "client" or "hsm"
	cut  faults.Cut
}

func (s sample) String() string { return string(s.kind) + ", " + s.end + " " + s.cut.String() }

// kindOf makes every fourth client a NetScaler, which has more steps and takes
// longer.
func kindOf(i int) lab.Kind {
	if i%4 == 1 {
		return lab.NetScaler
	}
	return lab.Linux
}

// cutKinds are what a proxy can do.
var cutKinds = []faults.Kind{faults.Drop, faults.Reset, faults.Garble, faults.Dribble, faults.Delay, faults.Stall, faults.Gone}

// carried is how many bytes a clean run moves, by end and way.
type carried map[string]map[faults.Way]int64

// samples spreads n cuts over the ends, the ways, the bytes and the kinds. What
// must end by a time-out is put behind the login, which has a longer one.
func samples(n int, all carried) []sample {
	var list []sample
	for i := range n {
		s := sample{kind: kindOf(i), end: []string{"hsm", "client"}[i%2], cut: faults.Cut{Way: faults.FromServer, Do: cutKinds[i%len(cutKinds)]}}
		if i%4 >= 2 {
			s.cut.Way = faults.ToServer
		}
		share := int64(i*37%n) * 80 / int64(n) // percent, in no order; looks differ in number
		if s.cut.Do == faults.Stall || s.cut.Do == faults.Gone {
			share = 40 + share/2
		}
		s.cut.Offset = all[s.end][s.cut.Way] * share / 100
		list = append(list, s)
	}
	return list
}

// through runs the program with a proxy before each end, one of which cuts.
func (r *real) through(s sample) (said, carried, bool) {
	moved := carried{}
	targets := map[string]string{"client": r.lab.ClientTarget, "hsm": r.lab.HSMTarget}
	instead := map[string]string{}
	for end, target := range targets {
		user, address, _ := strings.Cut(target, "@")
		cut := faults.Cut{}
		if s.end == end {
			cut = s.cut
		}
		p, err := faults.NewProxy(address, cut)
		if err != nil {
			r.errorf("%v", err)
			return said{}, nil, false
		}
		instead[target] = p.Address()
		targets[end] = user + "@" + p.Address()
		defer func() {
			if err := p.Close(); err != nil {
				r.errorf("%v", err)
			}
			if s.end == end && !p.Struck() {
				r.errorf("the cut never struck: %d bytes went by", p.Carried(s.cut.Way))
			}
		}()
		defer func() {
			moved[end] = map[faults.Way]int64{faults.FromServer: p.Carried(faults.FromServer), faults.ToServer: p.Carried(faults.ToServer)}
		}()
	}
	doc, ok := r.run(targets["client"], targets["hsm"], r.knownHosts("known_hosts", instead))
	return doc, moved, ok
}

// check is what must hold of the run with the fault.
func (r *real) check(s sample, doc said, took time.Duration) {
	harmless := s.cut.Do == faults.Dribble || s.cut.Do == faults.Delay
	all := doc.failures()
	switch {
	case doc.Result == "established":
	case harmless:
		r.errorf("a sound program works through this: %+v", all)
	case len(all) == 0:
		r.errorf("it ended %s and does not say why", doc.Result)
	}
	for _, f := range all {
		if !slices.Contains(classes, f.Class) {
			r.errorf("a failure of class %q: %s", f.Class, f.Message)
		}
	}
	if took > 125*time.Second { // --timeout, and the end
		r.errorf("it took %s", took)
	}
}

// TestSockets is a sample of the matrix over real sockets: the built program,
// the lab's SSH servers, and a proxy that cuts at a byte. SAMPLES in the
// environment makes it another number than 28.
func TestSockets(t *testing.T) {
	t.Parallel()
	sampleOver(t, number(t, "SAMPLES", 28), 10, lab.Options{})
}

// TestOpenSSH is the same over real daemons.
func TestOpenSSH(t *testing.T) {
	t.Parallel()
	sampleOver(t, 10, 4, lab.Options{OpenSSH: true})
}

// TestDialogues is a sample of what an appliance may say, over real sockets.
func TestDialogues(t *testing.T) {
	t.Parallel()
	told := []faults.Fault{
		{At: faults.Login, Do: faults.Busy},
		{At: faults.Command, Match: "client register", Do: faults.Lost},
		{At: faults.Command, Match: "client register", Do: faults.Question},
		{At: faults.Command, Match: "client register", Do: faults.NoTrailer},
		{At: faults.Command, Match: "client assignPartition", Do: faults.Lost},
		{At: faults.Command, Match: "client assignPartition", Do: faults.ZeroTrailer},
		{At: faults.Command, Match: "client list", Do: faults.Truncate},
		{At: faults.Command, Match: "client fingerprint", Do: faults.Pager},
		{At: faults.Command, Match: "partition list", Do: faults.Secret},
		{At: faults.Copy, Match: "scp -t", Do: faults.Truncate},
		{At: faults.Copy, Match: "scp -t", Do: faults.Short},
		{At: faults.Copy, Match: "scp -f server.pem", Do: faults.ErrorLast},
	}
	each(told, 6, func(f faults.Fault) {
		inject := faults.New(f, nil)
		r, err := newReal(t, f.String(), lab.Options{Kind: lab.Linux, Inject: inject})
		if err != nil {
			t.Errorf("%s: %v", f, err)
			return
		}
		defer r.close()
		began := time.Now()
		doc, ok := r.run(r.lab.ClientTarget, r.lab.HSMTarget, r.lab.KnownHosts)
		if !ok {
			return
		}
		r.check(sample{}, doc, time.Since(began))
		if !inject.Struck() {
			r.errorf("it never struck")
		}
		for _, typed := range inject.Typed() {
			if typed != "quit" || f.Do == faults.Secret {
				r.errorf("it typed %q", typed)
			}
		}
		r.finish()
	})
}

func sampleOver(t *testing.T, n, atOnce int, o lab.Options) {
	t.Helper()
	o.Kind = lab.Linux // the shortest run: its bytes are in every other
	clean, err := newReal(t, "clean", o)
	if err != nil {
		t.Fatal(err)
	}
	defer clean.close()
	doc, moved, ok := clean.through(sample{})
	if !ok || doc.Result != "established" {
		t.Fatalf("without any fault: %+v", doc)
	}
	var mu sync.Mutex
	ends := map[string]int{}
	each(samples(n, moved), atOnce, func(s sample) {
		o := o
		o.Kind = s.kind
		r, err := newReal(t, s.String(), o)
		if err != nil {
			t.Errorf("%s: %v", s, err)
			return
		}
		defer r.close()
		began := time.Now()
		doc, _, ok := r.through(s)
		if !ok {
			return
		}
		r.check(s, doc, time.Since(began))
		mu.Lock()
		ends[doc.Result]++
		mu.Unlock()
		r.finish()
	})
	t.Logf("%d combinations, whose first runs ended so: %v", n, ends)
}

// each does some work for every item, a few at a time.
func each[T any](items []T, atOnce int, do func(T)) {
	var workers sync.WaitGroup
	queue := make(chan T)
	for range atOnce {
		workers.Go(func() {
			for item := range queue {
				do(item)
			}
		})
	}
	for _, item := range items {
		queue <- item
	}
	close(queue)
	workers.Wait()
}
