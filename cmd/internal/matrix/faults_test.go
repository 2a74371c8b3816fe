package matrix

import (
	"strings"
	"testing"
	"time"

	"ntl-setup/fixtures/faults"
)

// trace is where a run without faults passes: the places of all faults.
type trace struct {
	commands, copies, acts, tools []string
	looks                         int
	bytes                         int64
	took                          time.Duration
}

// follow makes the link on a fresh site and notes the places.
func follow(t *testing.T, set setting) trace {
	t.Helper()
	s := newSite(t, set)
	o := s.run(nil)
	if o.fail != nil {
		t.Fatalf("without any fault: %+v", o.fail)
	}
	s.checkEstablished()
	tr := trace{looks: s.looks, bytes: o.bytes, took: o.took}
	sent, err := s.app.Commands()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range sent {
		if strings.HasPrefix(line, "scp ") || strings.HasPrefix(line, "sftp ") {
			tr.copies = append(tr.copies, line)
		} else {
			tr.commands = append(tr.commands, line)
		}
	}
	for _, a := range s.client.Acts {
		tr.acts = append(tr.acts, nameOf(a))
	}
	for _, words := range s.called {
		words, _, _ = strings.Cut(words, " -")
		tr.tools = append(tr.tools, words)
	}
	return tr
}

// The kinds that make sense at each place.
func commandKinds() []faults.Kind {
	return []faults.Kind{
		faults.Drop, faults.Lost, faults.Stall, faults.Mute, faults.Halt, faults.Truncate, faults.Garble, faults.Dribble, faults.Delay,
		faults.Refuse, faults.NoTrailer, faults.ZeroTrailer, faults.LateError, faults.PromptTwice, faults.PromptBare,
		faults.PromptInside, faults.Question, faults.Secret, faults.Pager,
	}
}

func copyKinds(line string) []faults.Kind {
	if strings.HasPrefix(line, "sftp") {
		return []faults.Kind{faults.Drop, faults.Lost}
	}
	return []faults.Kind{
		faults.Drop, faults.Stall, faults.Halt, faults.Mute, faults.Truncate, faults.Short, faults.Lost, faults.ErrorLast,
		faults.Refuse, faults.Garble, faults.Dribble, faults.Delay,
	}
}

func toolKinds(words string) []faults.Kind {
	kinds := []faults.Kind{faults.Fails, faults.Banner, faults.Silent, faults.ErrorLast}
	if words == "createCert" || words == "addServer" {
		kinds = append(kinds, faults.Dies, faults.DiesLate, faults.Hangs, faults.GoesOn)
	}
	return kinds
}

// all are the faults of a run, in the order of their places.
func (tr trace) all() []faults.Fault {
	var all []faults.Fault
	add := func(f faults.Fault, kinds ...faults.Kind) {
		for _, f.Do = range kinds {
			all = append(all, f)
		}
	}
	add(faults.Fault{At: faults.Login}, faults.Drop, faults.Stall, faults.Busy, faults.Lost, faults.Halt, faults.Truncate, faults.Dribble, faults.Delay)
	for n := range 1 + len(tr.copies) {
		add(faults.Fault{At: faults.Channel, Nth: n + 1}, faults.Refuse, faults.Drop, faults.Stall)
	}
	passings(tr.commands, func(line string, nth int) {
		add(faults.Fault{At: faults.Command, Match: line, Nth: nth}, commandKinds()...)
	})
	passings(tr.copies, func(line string, nth int) {
		add(faults.Fault{At: faults.Copy, Match: line, Nth: nth}, copyKinds(line)...)
	})
	passings(tr.acts, func(name string, nth int) {
		if strings.HasPrefix(name, "beat ") && nth > 3 {
			return // each act has one before it
		}
		add(faults.Fault{At: faults.Act, Match: name, Nth: nth},
			faults.Drop, faults.Lost, faults.Kill, faults.Stall, faults.Mute, faults.DiskFull, faults.ReadOnly)
	})
	passings(tr.tools, func(words string, nth int) {
		if nth <= 2 {
			add(faults.Fault{At: faults.Tool, Match: words, Nth: nth}, toolKinds(words)...)
		}
	})
	for n := range tr.looks {
		add(faults.Fault{At: faults.Look, Nth: n + 1}, faults.Drop, faults.Stall, faults.Garble, faults.Delay)
	}
	for n := range int64(12) {
		add(faults.Fault{At: faults.Wire, Offset: n * (tr.bytes - 1) / 11}, faults.Drop, faults.Stall, faults.Dribble)
	}
	for n := range time.Duration(20) {
		add(faults.Fault{At: faults.Clock, After: (2*n + 1) * tr.took / 41}, faults.Kill, faults.Gone)
	}
	return all
}

// passings tells each place and how often it was passed, this time included.
func passings(places []string, tell func(place string, nth int)) {
	times := map[string]int{}
	for _, p := range places {
		times[p]++
		tell(p, times[p])
	}
}
