package transporttest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// bench is a Host under test with the calls that most tests make.
type bench struct {
	transport.Host
	t    *testing.T
	root string
}

// at is a path under the root.
func (b *bench) at(name string) string { return b.root + "/" + name }

// look asks one query and fails the test if the exchange failed.
func (b *bench) look(q transport.Query) transport.Fact {
	b.t.Helper()
	facts, err := b.Look(context.Background(), q)
	if err != nil {
		b.t.Fatalf("look %v: %v", q, err)
	}
	f, ok := facts[q]
	if !ok {
		b.t.Fatalf("look %v: no fact", q)
	}
	return f
}

// do does actions that must succeed.
func (b *bench) do(actions ...transport.Action) []transport.Output {
	b.t.Helper()
	out, err := b.Do(context.Background(), actions...)
	if err != nil {
		b.t.Fatalf("do: %v", err)
	}
	if len(out) != len(actions) {
		b.t.Fatalf("do: %d outputs for %d actions", len(out), len(actions))
	}
	return out
}

// refuses does one action that must fail as an ActionError.
func (b *bench) refuses(a transport.Action) {
	b.t.Helper()
	out, err := b.Do(context.Background(), a)
	var failed *transport.ActionError
	if !errors.As(err, &failed) {
		b.t.Fatalf("do %s %s: error %v, want an ActionError", a.Kind, a.Path, err)
	}
	if len(out) != 1 || out[0].Status == 0 || failed.Output.Status != out[0].Status {
		b.t.Errorf("do %s %s: outputs %v, error's output %v", a.Kind, a.Path, out, failed.Output)
	}
	if diff := cmp.Diff(a, failed.Action); diff != "" {
		b.t.Errorf("the error is about another action:\n%s", diff)
	}
	if len(failed.Output.Stdout) == 0 {
		b.t.Errorf("do %s %s: failed without a word", a.Kind, a.Path)
	}
}

// holds checks a file's content.
func (b *bench) holds(name, want string) {
	b.t.Helper()
	f := b.look(transport.File(b.at(name)))
	if f.Missing || f.Problem != "" {
		b.t.Fatalf("%s: missing %v, problem %q", name, f.Missing, f.Problem)
	}
	if diff := cmp.Diff(want, string(f.Data)); diff != "" {
		b.t.Errorf("%s:\n%s", name, diff)
	}
}

// gone checks that nothing bears the name.
func (b *bench) gone(name string) {
	b.t.Helper()
	if !b.look(transport.File(b.at(name))).Missing {
		b.t.Errorf("%s is there", name)
	}
}

// onlyNames checks what is in the root: no temporary file may stay behind.
func (b *bench) onlyNames(want ...string) {
	b.t.Helper()
	want = append([]string{}, want...) // no names are an empty list
	if diff := cmp.Diff(want, b.look(transport.Dir(b.root)).Names); diff != "" {
		b.t.Errorf("names in the directory:\n%s", diff)
	}
}
