package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"ntl-setup/cmd/internal/ui"
)

// failing takes so many writes, and then none.
type failing struct {
	good int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.good--; f.good < 0 {
		return 0, f.err
	}
	return len(p), nil
}

// What could not be told is no success and no list of changes: exit 1, and one
// line says so, in every form of output and of every command.
func TestStandardOutputIsFull(t *testing.T) {
	full := errors.New("no space left on device")
	for args, c := range map[string]struct {
		world *world
		exit  int
		said  string // the line about it; "": none
		gone  string // the same, where the reader went away
	}{
		"status":            {&world{holds: true}, 1, "the run has ended (established), but its result could not be written", ""},
		"status -o json":    {&world{holds: true}, 1, "the run has ended (established), but its result could not be written", ""},
		"plan":              {&world{}, 1, "the run has ended (changes), but its result could not be written", ""},
		"plan -o json":      {&world{}, 1, "the run has ended (changes), but its result could not be written", ""},
		"plan -o events":    {&world{}, 1, "the run has ended (changes), but its result could not be written", ""},
		"doctor":            {&world{holds: true}, 1, "its result could not be written", ""},
		"apply -y":          {&world{}, 1, "the link is established, but that could not be written", "the link is established, but"},
		"apply -y -o json":  {&world{}, 1, "the link is established, but that could not be written", "the link is established, but"},
		"plan --timeout 1s": {&world{conflict: "no"}, 3, "the run has ended (conflict)", ""},
		"help":              {nil, 1, "not everything could be written", ""},
		"plan --help":       {nil, 1, "not everything could be written", ""},
		"schema":            {nil, 1, "not everything could be written", ""},
		"version":           {nil, 1, "not everything could be written", ""},
		"journal":           {nil, 1, "not everything could be written", ""},
		"completion bash":   {nil, 1, "not everything could be written", ""},
		"plan --nothing":    {nil, 64, "", ""},
	} {
		for _, why := range []error{full, fmt.Errorf("write: %w", syscall.EPIPE)} {
			want := c.said
			if !errors.Is(why, full) {
				want = c.gone
			}
			words := strings.Fields(args)
			var worlds []*world
			if c.world != nil {
				copied := *c.world
				worlds, words = append(worlds, &copied), append(words[:1:1], link(words[1:]...)...)
			}
			b := newBench(t, worlds...)
			b.app.out.Writer = &failing{err: why}
			exit := b.main(t, words...)
			lines := 0
			for line := range strings.Lines(b.err.String()) {
				if strings.Contains(line, "standard output") {
					lines++
					if want == "" || !strings.Contains(line, want) || !strings.Contains(line, why.Error()) {
						t.Errorf("%s, %v: %s", args, why, line)
					}
				}
			}
			if exit != c.exit || (lines == 1) != (want != "") {
				t.Errorf("%s, %v: exit %d, said %d times:\n%s", args, why, exit, lines, b.err.String())
			}
		}
	}
}

// Nothing is written behind what was lost: a reader would take it for all.
func TestNothingFollowsALoss(t *testing.T) {
	under := &failing{good: 1, err: io.ErrShortWrite}
	out := &told{w: under}
	a := &app{out: ui.Stream{Writer: out}}
	for i, want := range []error{nil, io.ErrShortWrite, io.ErrShortWrite} {
		if _, err := out.Write([]byte("x")); !errors.Is(err, want) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if under.good != -1 || !errors.Is(a.lost(), io.ErrShortWrite) {
		t.Errorf("%d, %v", under.good, a.lost())
	}
}
