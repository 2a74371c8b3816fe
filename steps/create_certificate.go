package steps

import (
	"context"
	"fmt"
	"path"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/chrystoki"
	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
)

// createCertificate is step 1: a valid pair of our own exists on the client.
//
// It is also where a configuration that was lost at a reboot comes back, before
// anything else, because with it comes the identity. An existing pair is never
// made again: every other HSM of the client trusts exactly that certificate,
// and `vtl createCert` overwrites without asking.
func createCertificate(link Link, see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[*clientFacts]{
		Meta: orchestrator.Info{
			Number: 1, ID: "create-certificate", Host: orchestrator.OnClient,
			Title: "the client has a certificate of its own",
		},
		Observe: func(ctx context.Context) (*clientFacts, error) {
			have, err := see.client(ctx)
			if err == nil && refuseCertificate(link, have).Reason == "" {
				err = have.barred(certificateChanges(link, have))
			}
			return have, err
		},
		Want: see.client, // what is wanted follows from what is there
		Diff: func(have, _ *clientFacts) []orchestrator.Change { return certificateChanges(link, have) },
		Refuse: func(have, _ *clientFacts) orchestrator.Refusal {
			if no := refuseCertificate(link, have); no.Reason != "" {
				return no
			}
			return have.closed(certificateChanges(link, have))
		},
		Explain: func(have, _ *clientFacts) string { return explainCertificate(have) },
		Act:     func(ctx context.Context, have, _ *clientFacts) error { return makeCertificate(ctx, link, do, have) },
		Undo:    func(have, _ *clientFacts) []string { return undoCertificate(link, have) },
		Typed:   func(have, _ *clientFacts) []orchestrator.Command { return typedCertificate(link, do, have) },
	}
}

// certificateChanges lists what is to be restored, made and repaired.
func certificateChanges(link Link, c *clientFacts) []orchestrator.Change {
	var changes []orchestrator.Change
	if c.restore.needed() {
		changes = append(changes, orchestrator.Change{
			Field: c.conf.path,
			Have:  "without " + strings.Join(c.restore.lost, ", "),
			Want:  "restored from " + c.persisted.path,
			Diff:  chrystoki.Diff(c.conf.path, c.conf.raw, c.persisted.raw),
		})
	}
	if c.pair.orphan {
		changes = append(changes, orchestrator.Change{
			Field: c.pair.keyPath, Have: "a key without its certificate, named by nothing", Want: "moved aside to " + path.Base(asideName(link, c.pair)),
		})
	}
	if !c.pair.usable() && c.pair.trouble == "" {
		changes = append(changes, orchestrator.Change{
			Field: "certificate", Have: "none", Want: fmt.Sprintf("CN=%s in %s", link.ClientAddress, c.pair.certPath),
		})
	}
	if link.FixModes {
		for _, m := range c.pair.loose {
			changes = append(changes, orchestrator.Change{
				Field: "mode of " + m.path, Have: fmt.Sprintf("%04o", m.have.Perm()), Want: fmt.Sprintf("%04o", m.want.Perm()),
			})
		}
	}
	return changes
}

// refuseCertificate guards the identity.
func refuseCertificate(link Link, c *clientFacts) orchestrator.Refusal {
	p := c.pair
	switch {
	case c.conf.present && len(c.effective.Entries()) == 0:
		return orchestrator.Refusal{
			Reason: c.conf.path + " is there and has no entries at all, as if something had cut it off",
			Hint:   "restore it from a backup beside it, or configure the Luna client anew, and run again",
		}
	case c.restore.conflicting():
		return orchestrator.Refusal{
			Reason: fmt.Sprintf("%s and %s both have entries of their own: only the persisted one has %s; only the one in use has %s",
				c.conf.path, c.persisted.path, strings.Join(c.restore.lost, ", "), strings.Join(c.restore.own, ", ")),
			Hint: "decide by hand which entries count, make the two files equal, and run again",
		}
	case p.trouble != "" && p.named && p.cert != nil && p.cert.Subject.CommonName != link.ClientAddress:
		cn := transport.Printable(p.cert.Subject.CommonName)
		return orchestrator.Refusal{
			Reason: fmt.Sprintf("%s names another client pair: CN=%s (%s)%s; exchanging it would cut every link that hangs on it", c.conf.path, cn, p.certPath, servedBy(c)),
			Hint:   offer("use the identity that is there", "--client-address", p.cert.Subject.CommonName),
		}
	case p.trouble != "":
		return orchestrator.Refusal{
			Reason: p.trouble + servedBy(c),
			Hint:   "nothing is made over an existing pair: restore the right files, or move both away by hand and run again",
		}
	case !p.usable() && len(c.servers) > 0:
		return orchestrator.Refusal{
			Reason: fmt.Sprintf("there is no usable client pair at %s%s; a new one would be unknown to them", p.certPath, servedBy(c)),
			Hint:   "restore the pair from a backup, or remove those servers by hand (vtl deleteServer) if they are no longer used",
		}
	}
	return orchestrator.Refusal{}
}

// servedBy names the servers that hang on the identity.
func servedBy(c *clientFacts) string {
	if len(c.servers) == 0 {
		return ""
	}
	return ", registered servers: " + transport.Printable(strings.Join(c.servers, ", "))
}

func explainCertificate(c *clientFacts) string {
	if c.restore.needed() {
		return fmt.Sprintf("the persisted configuration has what the one in use lost (a reboot?); %s", c.pair.describe())
	}
	return c.pair.describe()
}

// certificateActions restore, repair and create, in this order, and leave alone
// what is not in the differences. create: the last one is vtl, and makes the pair.
func certificateActions(link Link, do *hands, c *clientFacts) (actions []transport.Action, create bool, err error) {
	if c.restore.needed() {
		actions = append(actions, do.writeConf(c.conf, c.persisted.raw)...)
	}
	if link.FixModes {
		for _, m := range c.pair.loose {
			actions = append(actions, transport.Chmod(m.path, m.want))
		}
	}
	create = !c.pair.usable() && c.pair.trouble == ""
	if create {
		if c.conf.present && !c.restore.needed() {
			actions = append(actions, do.backup(c.conf.path)) // vtl rewrites it
		}
		actions = append(actions, transport.MakeDir(c.layout.Certs), transport.Absent(c.pair.certPath))
		if c.pair.orphan {
			actions = append(actions, transport.Move(c.pair.keyPath, asideName(link, c.pair)))
		}
		actions = append(actions, transport.Absent(c.pair.keyPath)) // vtl would overwrite it
		argv, err := vtl.CreateCert(c.layout.Vtl, link.ClientAddress)
		if err != nil {
			return nil, create, err
		}
		actions = append(actions, transport.Run(argv...))
	}
	return actions, create, nil
}

// typedCertificate is step 1 by hand.
func typedCertificate(link Link, do *hands, c *clientFacts) []orchestrator.Command {
	actions, _, err := certificateActions(link, do, c)
	if err != nil {
		return nil // no name that the configuration lets through
	}
	t := do.typist(c)
	t.lies(c.persisted.raw, c.persisted.path)
	return t.actions(actions...)
}

// makeCertificate does them.
func makeCertificate(ctx context.Context, link Link, do *hands, c *clientFacts) error {
	actions, create, err := certificateActions(link, do, c)
	if err != nil {
		return err
	}
	if !create { // a restored configuration and a mode are nothing new to a running gateway
		_, err := do.client(ctx, actions...)
		return err
	}
	out, err := do.reconfigure(ctx, "the client pair", actions...)
	if err != nil {
		return err
	}
	said := out[len(out)-1].Stdout
	if _, err := vtl.ParseCreateCert(said); err != nil {
		return transport.Errorf(transport.ClassRemote, do.host.Name(), "%w", err)
	}
	return nil
}

// asideName is where an orphaned key goes.
func asideName(link Link, p pair) string { return p.keyPath + ".orphan-" + link.Stamp }

// writeConf replaces a copy of Chrystoki.conf, or makes it, with a backup first.
func (h *hands) writeConf(c confCopy, data []byte) []transport.Action {
	const confMode = 0o644 // what a NetScaler's own safenet_config gives it
	if !c.present {
		return []transport.Action{transport.MakeDir(path.Dir(c.path)), transport.Create(c.path, data, confMode)}
	}
	return []transport.Action{h.backup(c.path), transport.Replace(c.path, c.raw, data)}
}
