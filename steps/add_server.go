package steps

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/chrystoki"
	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// serverTrust is how the client knows the HSM.
type serverTrust struct {
	client *clientFacts
	// now is what the HSM holds now (server.pem). nil: this user may not copy
	// files, and the client is registered with the HSM already.
	now *x509.Certificate
}

// addServer is step 3: vtl lists the HSM, and the certificate that the client
// trusts for it is the one that it holds now.
func addServer(link Link, see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[serverTrust]{
		Meta: orchestrator.Info{
			Number: 3, ID: "add-server", Host: orchestrator.OnClient,
			Title: "the client knows and trusts the HSM",
		},
		Observe: func(ctx context.Context) (serverTrust, error) {
			facts, err := see.client(ctx)
			if err != nil {
				return serverTrust{}, err
			}
			have, err := see.serverTrust(ctx, facts)
			if err == nil && have.refuse(link).Reason == "" {
				err = facts.barred(have.changes(link))
			}
			return have, err
		},
		Want: func(context.Context) (serverTrust, error) { return serverTrust{}, nil },
		Diff: func(have, _ serverTrust) []orchestrator.Change {
			return append(have.changes(link), have.client.tidying()...)
		},
		Refuse: func(have, _ serverTrust) orchestrator.Refusal {
			if no := have.refuse(link); no.Reason != "" {
				return no
			}
			return have.client.closed(have.changes(link))
		},
		Explain: func(have, _ serverTrust) string {
			return strings.Join(append([]string{have.explain(link)}, have.client.trust.notes...), "; ")
		},
		Act:   func(ctx context.Context, have, _ serverTrust) error { return have.make(ctx, link, do) },
		Undo:  func(have, _ serverTrust) []string { return have.undo(link) },
		Typed: func(have, _ serverTrust) []orchestrator.Command { return have.typed(link, do) },
	}
}

// serverTrust compares what the client trusts with what the HSM holds. A user
// who may not copy files cannot say whether it is the same any more, but where
// the client has the HSM already nothing is to be done here: `vtl verify` fails
// on another certificate. A pin is not left to that.
func (e *eyes) serverTrust(ctx context.Context, c *clientFacts) (serverTrust, error) {
	cert, err := e.serverCertificate(ctx)
	if errors.Is(err, lunash.ErrNoCopying) && c.lists(e.link.HSMAddress) && e.link.HSMCertificate == "" {
		return serverTrust{client: c}, nil
	}
	return serverTrust{client: c, now: cert}, err
}

// copied is the copy that vtl keeps under the HSM's name; nil: none.
func (s serverTrust) copied(link Link) *x509.Certificate {
	return s.client.trust.copies[link.HSMAddress]
}

// other reports whether another certificate is on record under the HSM's name.
func (s serverTrust) other(link Link) bool {
	if !s.client.lists(link.HSMAddress) {
		return false
	}
	if own := s.copied(link); own != nil {
		return !own.Equal(s.now)
	}
	return !holds(s.client.trust.bundle, s.now)
}

func (s serverTrust) changes(link Link) []orchestrator.Change {
	c := s.client
	if s.now == nil {
		return nil
	}
	if !c.lists(link.HSMAddress) {
		return []orchestrator.Change{{
			Field: "server " + link.HSMAddress, Have: "not registered", Want: "registered, trusted by " + fingerprint(s.now),
		}}
	}
	var changes []orchestrator.Change
	if s.other(link) {
		changes = append(changes, orchestrator.Change{
			Field: "certificate of " + link.HSMAddress, Have: s.describeOld(link), Want: fingerprint(s.now),
		})
	} else if !holds(c.trust.bundle, s.now) {
		changes = append(changes, orchestrator.Change{
			Field: c.trust.path, Have: "without the HSM's certificate", Want: "with " + fingerprint(s.now),
		})
	}
	return changes
}

func (s serverTrust) describeOld(link Link) string {
	if own := s.copied(link); own != nil {
		return fingerprint(own)
	}
	return "not in " + s.client.trust.path
}

func (s serverTrust) refuse(link Link) orchestrator.Refusal {
	if s.now == nil {
		return orchestrator.Refusal{}
	}
	if !s.client.lists(link.HSMAddress) {
		if name := s.client.sameServer(link.HSMAddress, s.now); name != "" {
			return orchestrator.Refusal{
				Reason: fmt.Sprintf("the client seems to know this HSM already under another name, %s (%s)", transport.Printable(name), fingerprint(s.now)),
				Hint:   offer("use that name", "--hsm-address", name),
			}
		}
		return orchestrator.Refusal{}
	}
	if s.other(link) && !link.ReplaceServerCertificate {
		return orchestrator.Refusal{
			Reason: fmt.Sprintf("the client trusts another certificate for %s: %s, while the HSM holds %s now",
				link.HSMAddress, s.describeOld(link), fingerprint(s.now)),
			Hint: "if the HSM's certificate was regenerated, compare it there (sysconf fingerprint), then use --replace-server-certificate",
		}
	}
	return orchestrator.Refusal{}
}

func (s serverTrust) explain(link Link) string {
	if s.now == nil {
		return fmt.Sprintf("vtl lists %s; this user may not copy files, so whether the HSM still holds the certificate that the client trusts, vtl verify decides", link.HSMAddress)
	}
	if !s.client.lists(link.HSMAddress) {
		return fmt.Sprintf("vtl lists %d server(s), not %s", len(s.client.servers), link.HSMAddress)
	}
	if s.other(link) {
		return fmt.Sprintf("vtl lists %s, with another certificate", link.HSMAddress)
	}
	return fmt.Sprintf("vtl lists %s, trusted by %s", link.HSMAddress, fingerprint(s.now))
}

// actions register the server with vtl, or mend what the client trusts it by.
// The bundle and the copy are edited here, not by `vtl deleteServer` and
// addServer: that would leave a moment without the HSM.
func (s serverTrust) actions(link Link, do *hands) ([]transport.Action, error) {
	c, t := s.client, s.client.trust
	actions := c.tidy()
	if len(s.changes(link)) == 0 { // nothing but that
		return actions, nil
	}
	if c.lists(link.HSMAddress) {
		actions = append(actions, do.writeFile(t.path, t.present, t.raw, t.withTrusted(s.now, s.replaced(link)))...)
		if own := s.copied(link); own != nil && !own.Equal(s.now) {
			copyPath := c.layout.ServerCert(link.HSMAddress)
			actions = append(actions, do.backup(copyPath), transport.Remove(copyPath), transport.Create(copyPath, encodePEM(s.now), 0o644))
		}
		return actions, nil
	}
	pem := handover(link, c.layout)
	argv, err := vtl.AddServer(c.layout.Vtl, link.HSMAddress, pem)
	if err != nil {
		return nil, err
	}
	actions = append(actions, do.backup(c.conf.path), do.backup(t.path), transport.MakeDir(c.layout.Trust))
	// What a vtl that was cut off had added, it would add once more, which old
	// OpenSSL refuses to load. It is taken out only where it can be nobody else's.
	if holds(t.bundle, s.now) && c.accounted(link.HSMAddress) {
		actions = append(actions, transport.Replace(t.path, t.raw, t.without(s.now)))
	}
	return append(actions, transport.Create(pem, encodePEM(s.now), 0o644), transport.Run(argv...), transport.Remove(pem)), nil
}

// typed is the same by hand.
func (s serverTrust) typed(link Link, do *hands) []orchestrator.Command {
	actions, err := s.actions(link, do)
	if err != nil {
		return nil // no name that the configuration lets through
	}
	t := do.typist(s.client)
	if s.now != nil {
		t.comes(encodePEM(s.now), "server.pem", link.HSMAddress+".pem", "the plan saw "+fingerprint(s.now))
	}
	return t.actions(actions...)
}

// make does them.
func (s serverTrust) make(ctx context.Context, link Link, do *hands) error {
	actions, err := s.actions(link, do)
	if err != nil {
		return err
	}
	switch {
	case len(s.changes(link)) == 0:
		_, err = do.client(ctx, actions...)
		return err
	case s.client.lists(link.HSMAddress):
		_, err = do.reconfigure(ctx, "the servers' certificates", actions...)
		return err
	}
	out, err := do.reconfigure(ctx, "the servers and their certificates", actions...)
	if err != nil {
		return err
	}
	said := out[len(out)-2].Stdout
	if _, err := vtl.ParseAddServer(said, link.HSMAddress); err != nil {
		return transport.Errorf(transport.ClassRemote, do.host.Name(), "%w", err)
	}
	return nil
}

// replaced is the certificate that goes out of the bundle: the one on record
// under the HSM's name, unless another server has the same.
func (s serverTrust) replaced(link Link) *x509.Certificate {
	own := s.copied(link)
	if own == nil || own.Equal(s.now) {
		return nil
	}
	for server, cert := range s.client.trust.copies {
		if !sameAddress(server, link.HSMAddress) && cert.Equal(own) {
			return nil
		}
	}
	return own
}

// writeFile replaces a file of the trust directory, or makes it.
func (h *hands) writeFile(path string, present bool, old, data []byte) []transport.Action {
	if !present {
		return []transport.Action{transport.Create(path, data, 0o644)}
	}
	return []transport.Action{h.backup(path), transport.Replace(path, old, data)}
}

// expectedConf is the configuration that the procedure leads to, as far as it
// can be told before vtl has written its own entries.
func expectedConf(link Link, c *clientFacts) (*chrystoki.File, error) {
	f := c.effective.Clone()
	named := namedPair(f)
	if !c.pair.named || !c.pair.usable() && c.pair.trouble == "" {
		named = namedFiles{cert: c.pair.certPath, key: c.pair.keyPath}
	}
	for _, e := range []struct{ key, value string }{
		{"ClientPrivKeyFile", named.key}, {"ClientCertFile", named.cert}, {"ServerCAFile", caFileOf(f, c.layout)}, {"NetClient", "1"},
	} {
		if have, ok := f.Get(luna, e.key); ok && have == e.value {
			continue
		}
		if err := f.Set(luna, e.key, e.value); err != nil {
			return nil, fmt.Errorf("%s: %w", c.conf.path, err)
		}
	}
	if c.configures(link.HSMAddress) {
		return f, nil
	}
	if err := f.AddServer(link.HSMAddress, ntlsPort); err != nil {
		return nil, fmt.Errorf("%s: %w", c.conf.path, err)
	}
	return f, nil
}

// luna is the section that the network client reads.
const luna = "LunaSA Client"

// ntlsPort is fixed on every appliance.
const ntlsPort = 1792

// configures reports whether the configuration has an entry for a server.
func (c *clientFacts) configures(server string) bool {
	for _, s := range c.effective.Servers() {
		if sameAddress(s.Name, server) {
			return true
		}
	}
	return false
}
