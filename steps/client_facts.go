package steps

import (
	"context"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
)

// clientFacts are what one look at the client found.
type clientFacts struct {
	layout    Layout
	now       time.Time // the client's clock; the laptop's where it has none
	addresses []string

	conf       confCopy
	persisted  confCopy        // NetScaler alone
	restore    restoration     // what must come back from the persisted copy first
	effective  *chrystoki.File // the configuration as it will be once restored
	servers    []string        // registered servers, as vtl (or the restored configuration) lists them
	pair       pair            // the client's identity
	trust      trust           // what the client trusts servers by
	leftovers  []string        // files of ours that a run which was cut off left there
	gateways   []transport.Process
	ageUnknown string // why the gateways could not be compared with their files; empty: they were
	enrolled   bool
}

// confCopy is one copy of Chrystoki.conf.
type confCopy struct {
	path    string
	present bool
	raw     []byte
	file    *chrystoki.File // nil when not present
}

// client is what there is on the client host. A vtl that an earlier, killed run
// left at work is waited for: what it makes is not there yet.
func (e *eyes) client(ctx context.Context) (*clientFacts, error) {
	return e.clientMemo.get(ctx, func(ctx context.Context) (*clientFacts, error) {
		const patience, pause = 60 * time.Second, 250 * time.Millisecond
		deadline := time.Now().Add(patience)
		for {
			facts, err := e.lookAtClient(ctx)
			if err != nil {
				return nil, err
			}
			running := facts[transport.Processes(e.layout.Vtl)]
			if running.Problem != "" { // then nobody knows what is at work
				return nil, transport.Errorf(transport.ClassRemote, e.host.Name(), "the processes there cannot be listed: %s", transport.Printable(running.Problem))
			}
			busy := atWork(running.Processes)
			if busy == "" {
				return e.understandClient(ctx, facts)
			}
			if time.Now().After(deadline) {
				return nil, conflict{
					reason: fmt.Sprintf("%s: vtl has been at work there for more than %s: %s", e.host.Name(), patience, busy),
					hint:   "look at that process on the client; it may hang, or somebody else may be at work",
				}
			}
			t := time.NewTimer(pause)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return nil, fmt.Errorf("waiting for a vtl at work on %s: %w", e.host.Name(), context.Cause(ctx))
			}
		}
	})
}

// atWork names a vtl process that is changing something, "" if none is.
func atWork(processes []transport.Process) string {
	for _, p := range processes {
		words := strings.Fields(strings.ToLower(p.Command))
		for _, w := range []string{"createcert", "addserver", "deleteserver"} {
			if slices.Contains(words, w) {
				return fmt.Sprintf("process %d, %s", p.PID, transport.Printable(p.Command))
			}
		}
	}
	return ""
}

// lookAtClient is one exchange. Before the layout is known it asks at every
// place where a Luna client may be.
func (e *eyes) lookAtClient(ctx context.Context) (transport.Facts, error) {
	if e.layout.Base != "" {
		return e.host.Look(ctx, queries(e.layout, e.link)...)
	}
	among := speaking("")
	facts, err := e.host.Look(ctx, firstLook(among, e.link)...)
	if err != nil {
		return nil, err
	}
	// A host without sh has no answer for those; it says what it is.
	if system := facts[transport.System()].System; system != "" && len(speaking(system)) > 0 {
		among = speaking(system)
		if facts, err = e.host.Look(ctx, firstLook(among, e.link)...); err != nil {
			return nil, err
		}
	}
	e.layout, err = chooseLayout(e.host.Name(), among, e.link, facts)
	return facts, err
}

// queries are what is asked of one layout: everything that a settled client's
// steps need, so that one exchange is enough where nothing is unusual. They are
// answered in this order, and whether a vtl is at work comes before what it
// makes: one that ends in between has then made all of it.
func queries(l Layout, link Link) []transport.Query {
	cert, key := l.Pair(link.ClientAddress)
	q := []transport.Query{
		transport.Processes(l.Vtl), transport.System(), transport.Addresses(),
		transport.File(l.Conf), transport.VtlListServers(l.Vtl),
		transport.File(cert), transport.Key(key),
		transport.File(l.CAFile()), transport.File(l.ServerCert(link.HSMAddress)), transport.Dir(l.Trust),
	}
	for _, k := range kinds() {
		if k.kind == l.Kind && k.queries != nil {
			q = append(q, k.queries(l, link)...)
		}
	}
	return q
}

// gatewayQuery asks for safenet_gw and whether what it reads is newer than it.
func gatewayQuery(l Layout, cert, key, caFile string) transport.Query {
	return transport.Processes(l.Gateway, l.Persisted, caFile, cert, key)
}

// understandClient makes facts of the answers, with a second exchange where the
// configuration names files that are not in their usual places.
func (e *eyes) understandClient(ctx context.Context, facts transport.Facts) (*clientFacts, error) {
	l := e.layout
	c := &clientFacts{layout: l, now: time.Now(), addresses: facts[transport.Addresses()].Names}
	if clock := facts[transport.System()].Clock; !clock.IsZero() {
		c.now = clock
	}
	var err error
	if c.conf, err = e.confCopy(facts, l.Conf); err != nil {
		return nil, err
	}
	if l.NetScaler() {
		if c.persisted, err = e.confCopy(facts, l.Persisted); err != nil {
			return nil, err
		}
		c.enrolled = slices.Contains(facts[transport.Dir(path.Dir(l.Enrolled))].Names, path.Base(l.Enrolled))
	}
	if !c.conf.present && !c.persisted.present {
		return nil, transport.Errorf(transport.ClassRemote, e.host.Name(), "there is no %s", l.Conf).
			WithHint("configure the Luna client first: on a NetScaler `cd /var/safenet/config && sh safenet_config`, elsewhere the client's installer")
	}
	if facts, err = e.lookFurther(ctx, facts, c); err != nil {
		return nil, err
	}
	if c.servers, err = e.listServers(facts, c); err != nil {
		return nil, err
	}
	named := namedPair(c.effective)
	c.pair = judgePair(e.link, l, named, facts, c.now)
	if c.trust, err = e.readTrust(ctx, facts, c); err != nil {
		return nil, err
	}
	c.leftovers = leftovers(l, facts)
	cert, key := c.pair.certPath, c.pair.keyPath
	gateways := facts[gatewayQuery(l, cert, key, c.trust.path)]
	c.gateways, c.ageUnknown = gateways.Processes, gateways.Problem
	e.remember(c.gateways)
	return c, nil
}

// lookFurther asks for the files that the configuration names elsewhere, if it
// does, and settles which configuration counts.
func (e *eyes) lookFurther(ctx context.Context, facts transport.Facts, c *clientFacts) (transport.Facts, error) {
	var more []transport.Query
	want := func(q transport.Query) {
		if _, asked := facts[q]; !asked && !slices.Contains(more, q) {
			more = append(more, q)
		}
	}
	for _, copied := range []confCopy{c.conf, c.persisted} {
		if copied.file == nil {
			continue
		}
		cert, key := copied.file.Identity()
		if cert != "" {
			want(transport.File(cert))
		}
		if key != "" {
			want(transport.Key(key))
		}
		caFile := caFileOf(copied.file, c.layout)
		want(transport.File(caFile))
		if c.layout.NetScaler() {
			pairCert, pairKey := c.layout.Pair(e.link.ClientAddress)
			want(gatewayQuery(c.layout, pairCert, pairKey, caFile))
			want(gatewayQuery(c.layout, cert, key, caFile))
		}
	}
	if len(more) > 0 {
		answers, err := e.host.Look(ctx, more...)
		if err != nil {
			return nil, err
		}
		for q, a := range answers {
			facts[q] = a
		}
	}
	c.restore = compareCopies(c.conf, c.persisted, facts)
	c.effective = c.conf.file
	if c.restore.needed() {
		c.effective = c.persisted.file
	}
	return facts, nil
}

// notes are remarks on the client that are no step's business.
func (c *clientFacts) notes(link Link) []string {
	addr, err := netip.ParseAddr(link.ClientAddress)
	if err != nil || len(c.addresses) == 0 || addr.IsLoopback() { // every host has all of 127.0.0.0/8
		return nil
	}
	for _, a := range c.addresses {
		if have, err := netip.ParseAddr(a); err == nil && have.Unmap() == addr.Unmap() {
			return nil
		}
	}
	return []string{fmt.Sprintf("the client has no interface with %s; behind NAT the HSM must see it under that address, or have `ntls ipcheck` off", link.ClientAddress)}
}
