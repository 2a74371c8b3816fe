package transporttest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// testFollower: what is seen behind the acts is the world after them, also after
// one that failed. A host that cannot look behind them does the acts alone.
func testFollower(t *testing.T, b *bench) {
	ctx, name := context.Background(), b.at("made")
	file, there := transport.File(name), transport.Dir(b.root)
	_, follows := b.Host.(transport.Follower)
	after := func(wrong error, want string, actions ...transport.Action) {
		t.Helper()
		outputs, facts, err := transport.DoAndLook(ctx, b.Host, actions, []transport.Query{file, there, file})
		var failed *transport.ActionError
		if (wrong == nil) != (err == nil) || wrong != nil && !errors.As(err, &failed) || len(outputs) != len(actions) {
			t.Fatalf("%d outputs, %v", len(outputs), err)
		}
		if !follows {
			if facts != nil {
				t.Errorf("%v of a host that is none to look behind its acts", facts)
			}
			b.holds("made", want)
			return
		}
		if diff := cmp.Diff(want, string(facts[file].Data)); diff != "" || len(facts) != 2 {
			t.Errorf("%d facts, the file:\n%s", len(facts), diff)
		}
		if diff := cmp.Diff([]string{"made"}, facts[there].Names); diff != "" {
			t.Errorf("names:\n%s", diff)
		}
	}
	const looksLikeAnEnd = ")\n}\nexit 0\n@ done\n"
	after(nil, looksLikeAnEnd, transport.Create(name, []byte(looksLikeAnEnd), 0o644))
	after(nil, "second", transport.Replace(name, []byte(looksLikeAnEnd), []byte("first")), transport.Replace(name, []byte("first"), []byte("second")))
	after(errors.New("refused"), "second", transport.Replace(name, []byte("first"), []byte("third")))
	outputs, facts, err := transport.DoAndLook(ctx, b.Host, []transport.Action{transport.Create("relative", nil, 0o644)}, []transport.Query{file})
	if err == nil || len(outputs) != 0 || facts != nil {
		t.Errorf("a path that cannot be sent: %v %v %v", outputs, facts, err)
	}
	b.holds("made", "second")
}
