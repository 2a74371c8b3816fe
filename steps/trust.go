package steps

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"ntl-setup/steps/chrystoki"
	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
)

// trust is what a client trusts its servers by: the bundle that the
// configuration names, and the copy that `vtl addServer` keeps of each.
type trust struct {
	path    string // the bundle
	present bool
	raw     []byte
	bundle  []bundled
	copies  map[string]*x509.Certificate // by server name, as far as there is a copy
	notes   []string                     // what a person should know of these files
}

// caFileOf is the bundle that a configuration names, or the usual one.
func caFileOf(conf *chrystoki.File, l Layout) string {
	if v, ok := conf.Get("LunaSA Client", "ServerCAFile"); ok && v != "" {
		return v
	}
	return l.CAFile()
}

// readTrust gathers the bundle and the copies. The copies of other servers are
// asked for only where ours is not registered: then one of them may be the same
// HSM under another name.
func (e *eyes) readTrust(ctx context.Context, facts transport.Facts, c *clientFacts) (trust, error) {
	t := trust{path: caFileOf(c.effective, c.layout), copies: map[string]*x509.Certificate{}}
	fact := facts[transport.File(t.path)]
	if fact.Problem != "" {
		return t, transport.Errorf(transport.ClassRemote, e.host.Name(), "%s: %s", t.path, transport.Printable(fact.Problem))
	}
	if t.present = !fact.Missing; t.present {
		t.raw = fact.Data
		var err error
		if t.bundle, err = parseBundle(t.raw); err != nil {
			return t, conflict{
				reason: e.host.Name() + ": " + t.path + " holds a damaged certificate: " + err.Error(),
				hint:   "mend or remove that entry by hand; the file holds the certificates of all the client's HSMs",
			}
		}
		if len(t.bundle) == 0 && len(bytes.TrimSpace(t.raw)) > 0 {
			return t, conflict{
				reason: e.host.Name() + ": " + t.path + " has text and not one certificate, so it is no bundle of certificates and is not written to",
				hint:   "look at ServerCAFile in " + c.conf.path + ": it must name the file that vtl keeps the HSMs' certificates in",
			}
		}
	}
	if !c.lists(e.link.HSMAddress) {
		var others []transport.Query
		for _, server := range c.servers {
			others = append(others, transport.File(c.layout.ServerCert(server)))
		}
		if len(others) > 0 {
			more, err := e.host.Look(ctx, others...)
			if err != nil {
				return t, err
			}
			for q, a := range more {
				facts[q] = a
			}
		}
	}
	for _, server := range append([]string{e.link.HSMAddress}, c.servers...) {
		if cert, err := parseCertificate(facts[transport.File(c.layout.ServerCert(server))].Data); err == nil {
			t.copies[server] = cert
		}
	}
	return t, nil
}

// listServers are the registered servers: as vtl lists them, or as the
// configuration that is to be restored names them.
func (e *eyes) listServers(facts transport.Facts, c *clientFacts) ([]string, error) {
	if c.restore.needed() || !c.conf.present {
		var names []string
		for _, s := range c.effective.Servers() {
			names = append(names, s.Name)
		}
		return names, nil
	}
	fact := facts[transport.VtlListServers(c.layout.Vtl)]
	if fact.Missing || fact.Problem != "" {
		why := transport.Printable(fact.Problem)
		if why == "" {
			why = "it is no executable file"
		}
		return nil, transport.Errorf(transport.ClassRemote, e.host.Name(), "%s cannot be run: %s", c.layout.Vtl, why).
			WithHint("look at it on the client with the same user: ls -l, and vtl listServers")
	}
	names, err := vtl.ParseListServers(fact.Data)
	if err != nil && len(c.effective.Servers()) == 0 && saysNone(fact.Data) {
		return nil, nil // its words for "none" differ by version, and the configuration agrees
	}
	if err != nil {
		return nil, transport.Errorf(transport.ClassProtocol, e.host.Name(), "%w", err)
	}
	if len(names) > mostServers { // each costs a question and an answer
		return nil, transport.Errorf(transport.ClassProtocol, e.host.Name(), "vtl listServers: it lists %d servers, and no client has more than %d", len(names), mostServers)
	}
	return names, nil
}

// mostServers is more than any configuration has room for (two digits), so that
// a list without end is not taken for one.
const mostServers = 100

// saysNone reports whether vtl said nothing, or something of servers that is no
// complaint.
func saysNone(said []byte) bool {
	text := strings.ToLower(strings.TrimSpace(string(said)))
	return text == "" || strings.Contains(text, "server") && !strings.Contains(text, "error")
}

// lists reports whether a server is registered.
func (c *clientFacts) lists(server string) bool {
	return slices.ContainsFunc(c.servers, func(s string) bool { return sameAddress(s, server) })
}

// sameServer names another registered server whose certificate is this one, ""
// if there is none. Where a server has no copy, the bundle cannot tell whose an
// entry is: then a certificate that is in the bundle already may be that
// server's, and it is named, unless the bundle has others for all such servers.
func (c *clientFacts) sameServer(us string, cert *x509.Certificate) string {
	var unclear string
	unclears := 0
	for _, server := range c.servers {
		switch own := c.trust.copies[server]; {
		case sameAddress(server, us):
		case own == nil:
			unclear = server
			unclears++
		case own.Equal(cert):
			return server
		}
	}
	if unclears > c.trust.unclaimed(cert) && holds(c.trust.bundle, cert) {
		return unclear
	}
	return ""
}

// accounted reports whether every other registered server has a copy that tells
// which entry of the bundle is its own.
func (c *clientFacts) accounted(us string) bool {
	return !slices.ContainsFunc(c.servers, func(server string) bool {
		return !sameAddress(server, us) && c.trust.copies[server] == nil
	})
}

// unclaimed counts the certificates of the bundle that are neither this one nor
// a server's by its copy.
func (t trust) unclaimed(but *x509.Certificate) int {
	n := 0
	for _, b := range t.bundle {
		claimed := b.cert.Equal(but)
		for _, own := range t.copies {
			claimed = claimed || b.cert.Equal(own)
		}
		if !claimed {
			n++
		}
	}
	return n
}

// withTrusted is the bundle with a certificate appended, and without another
// one that it replaces (nil: none). Everything else stays byte for byte.
func (t trust) withTrusted(cert, instead *x509.Certificate) []byte {
	out := t.without(instead)
	if holds(t.bundle, cert) {
		return out
	}
	if len(out) > 0 && !bytes.HasSuffix(out, []byte("\n")) {
		out = append(out, '\n')
	}
	return append(out, encodePEM(cert)...)
}

// without is the bundle without a certificate (nil: none), the rest byte for byte.
func (t trust) without(cert *x509.Certificate) []byte {
	out := slices.Clone(t.raw)
	for _, b := range slices.Backward(t.bundle) {
		if cert == nil || !b.cert.Equal(cert) {
			continue
		}
		end := b.end
		if end < len(out) && out[end] == '\n' && !bytes.HasSuffix(out[:end], []byte("\n")) {
			end++
		}
		out = slices.Delete(out, b.start, end)
	}
	return out
}
