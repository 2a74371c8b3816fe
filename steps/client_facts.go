package steps

import (
	"context"
	"fmt"
	"net/netip"
	"path"
	"slices"
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
	asked      time.Time // by this machine's clock: they are not older than this
	ageUnknown string    // why the gateways could not be compared with their files; empty: they were
	enrolled   bool
	host       string // as the user wrote it
	user       string // numeric id of whoever looks; empty where there is none
	lacks      lacks  // what that user has too few rights to
	unelevated error  // why he gets no more of them
	shelter    shelter
	holders    transport.Fact // the running programs that have the library loaded
	remarks    []string       // what a person should know of its configuration
	pkcs11     libraryOf
	library    string            // NetScaler alone: what is wrong with the link to the library; empty: nothing
	digests    map[string]string // of the files that the steps read or write, by path
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
		facts, err := e.lookAtRest(ctx)
		if err != nil {
			return nil, err
		}
		return e.understandClient(ctx, facts)
	})
}

// lookAtClient is one exchange. Before the layout is known it asks at every
// place where a Luna client may be.
func (e *eyes) lookAtClient(ctx context.Context) (transport.Facts, error) {
	if facts := e.glance.take(); facts != nil {
		return facts, nil
	}
	e.began = time.Now()
	if e.layout.Base != "" {
		return e.host.Look(ctx, e.wanted()...)
	}
	among := speaking("")
	facts, err := e.recognise(ctx, among)
	if err != nil {
		return nil, err
	}
	// A host without sh has no answer for those; it says what it is.
	if system := facts[transport.System()].System; system != "" && len(speaking(system)) > 0 {
		among = speaking(system)
		if facts, err = e.lookAround(ctx, among); err != nil {
			return nil, err
		}
	}
	e.layout, err = chooseLayout(e.host.Name(), among, e.link, facts)
	return facts, err
}

// wanted is what a look at the client asks, once its layout is known.
func (e *eyes) wanted() []transport.Query {
	return slices.Concat(queries(e.layout, e.link), e.further)
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
		transport.Dir(lockOf(l)),
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
	e.understandRights(c, facts)
	var err error
	if c.conf, err = e.confCopy(facts, l.Conf); err != nil {
		return nil, err
	}
	if l.NetScaler() {
		if c.persisted, err = e.confCopy(facts, l.Persisted); err != nil {
			return nil, err
		}
		c.enrolled = slices.Contains(facts[transport.Dir(path.Dir(l.Enrolled))].Names, path.Base(l.Enrolled))
		c.library = libraryRemark(l, facts)
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
	if l.Kind == Linux && c.pair.usable() {
		c.pair.notes = append(c.pair.notes, closedToGroup("the key", facts[transport.Dir(path.Dir(c.pair.keyPath))], facts[transport.Key(c.pair.keyPath)])...)
	}
	if c.trust, err = e.readTrust(ctx, facts, c); err != nil {
		return nil, err
	}
	if l.Kind == Linux {
		c.trust.notes = closedTrust(e.link, c, facts)
	}
	c.leftovers = leftovers(l, facts)
	c.digests = digestsOf(c, facts)
	if !e.held {
		c.remarks = append(c.remarks, lockNotes(e.host.Name(), l, facts)...)
	}
	c.pkcs11 = findLibrary(c, e.link, facts)
	cert, key := c.pair.certPath, c.pair.keyPath
	gateways := facts[gatewayQuery(l, cert, key, c.trust.path)]
	c.gateways, c.ageUnknown = gateways.Processes, gateways.Problem
	c.asked = e.began
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
		e.askNextTime(more)
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
	return append(slices.Clone(c.remarks), c.addressNotes(link)...)
}

func (c *clientFacts) addressNotes(link Link) []string {
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

// askNextTime makes the next look at the client ask in its first exchange what
// this one could only ask in its second.
func (e *eyes) askNextTime(more []transport.Query) {
	for _, q := range more {
		if !slices.Contains(e.further, q) {
			e.further = append(e.further, q)
		}
	}
}
