package steps

import (
	"bytes"
	"context"
	"fmt"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/chrystoki"
)

// twoCopies are the configuration in use and the one that survives a reboot.
type twoCopies struct {
	client *clientFacts
	// coming is the configuration in use as it will be after the steps before
	// this one; equal to what is there once they are done.
	coming []byte
}

// persistConfig is step 9: the persisted configuration equals the one in use.
func persistConfig(see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[twoCopies]{
		Meta: orchestrator.Info{
			Number: 9, ID: "persist-config", Host: orchestrator.OnClient,
			Title: "the configuration survives a reboot",
		},
		Applies: func() bool { return see.layout.NetScaler() },
		Observe: func(ctx context.Context) (twoCopies, error) {
			facts, err := see.client(ctx)
			if err != nil {
				return twoCopies{}, err
			}
			coming, err := expectedConf(see.link, facts)
			if err != nil {
				return twoCopies{}, err
			}
			return twoCopies{facts, coming.Bytes()}, nil
		},
		Want:    func(context.Context) (twoCopies, error) { return twoCopies{}, nil },
		Diff:    func(have, _ twoCopies) []orchestrator.Change { return have.changes() },
		Explain: func(have, _ twoCopies) string { return have.explain() },
		Undo:    func(have, _ twoCopies) []string { return undoConf(see.link, have.client.persisted) },
		Typed: func(have, _ twoCopies) []orchestrator.Command {
			t, conf := do.typist(have.client), have.client.conf
			t.lies(conf.raw, conf.path)
			return t.actions(do.writeConf(have.client.persisted, conf.raw)...)
		},
		Act: func(ctx context.Context, have, _ twoCopies) error {
			_, err := do.reconfigure(ctx, "the persisted configuration",
				do.writeConf(have.client.persisted, have.client.conf.raw)...)
			return err
		},
	}
}

func (t twoCopies) changes() []orchestrator.Change {
	saved := t.client.persisted
	if saved.present && bytes.Equal(saved.raw, t.coming) {
		return nil
	}
	change := orchestrator.Change{Field: saved.path, Have: "differs from " + t.client.conf.path, Want: "equal to it"}
	if !saved.present {
		change.Have = "missing"
	}
	// A difference that verify-link shows already is not shown twice.
	if saved.present && bytes.Equal(t.coming, t.client.effective.Bytes()) {
		change.Diff = chrystoki.Diff(saved.path, saved.raw, t.coming)
	}
	return []orchestrator.Change{change}
}

func (t twoCopies) explain() string {
	said := fmt.Sprintf("%s equals %s", t.client.persisted.path, t.client.conf.path)
	if len(t.changes()) > 0 {
		said = fmt.Sprintf("/etc is on a RAM disk; only %s survives a reboot", t.client.persisted.path)
	}
	if t.client.library != "" {
		said += "; " + t.client.library
	}
	return said
}
