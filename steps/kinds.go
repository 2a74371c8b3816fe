package steps

import (
	"path"
	"slices"
	"strings"

	"ntl-setup/transport"
)

// kinds are the kinds of client host, in the order in which they are recognised.
// Another one is a file beside theirs and a line here.
func kinds() []clientKind {
	return []clientKind{
		netScaler(),
		linux(),
		windows(),
	}
}

// Kinds are the kinds of client host that there are, and Auto, which comes first.
func Kinds() []Kind {
	all := []Kind{Auto}
	for _, k := range kinds() {
		all = append(all, k.kind)
	}
	return all
}

// clientKind is what there is to know of one kind of client host.
type clientKind struct {
	kind Kind
	// system is what transport.System says of such a host; "": any that has sh.
	system string
	// signs are the questions that tell the kind; nil: none are needed.
	signs func(root string) []transport.Query
	// is judges the answers.
	is func(root string, facts transport.Facts) bool
	// places are where its Luna client may lie, in order.
	places func(root string) []Layout
	// further is what is to be asked once the first look was answered, before the
	// places are known; what was asked is left out. nil: nothing.
	further func(link Link, facts transport.Facts) []transport.Query
	// found are the places that the answers speak of; they go before the others.
	// nil: none.
	found func(root string, facts transport.Facts) []Layout
	// lacks tells what the user who looks has too few rights to; nil: not told.
	lacks func(l Layout, facts transport.Facts) lacks
	// queries are what is asked of such a host beyond what is asked of all; nil: nothing.
	queries func(l Layout, link Link) []transport.Query
	// install tells how to get a Luna client there.
	install string
	// strange says why a place that the answers speak of is not asked for, "" if
	// there is none. nil: there never is.
	strange func(facts transport.Facts) string
	// unseen tells what helps where a place cannot be looked at; "": rights.
	unseen string
}

// all are the places where the Luna client may lie, the likelier ones first.
func (k clientKind) all(root string, facts transport.Facts) []Layout {
	var all []Layout
	if k.found != nil {
		all = k.found(root, facts)
	}
	return append(all, k.places(root)...)
}

// speaking are the kinds of hosts whose system calls itself that, "" for all
// that have sh.
func speaking(system string) []clientKind {
	return slices.DeleteFunc(kinds(), func(k clientKind) bool { return k.system != system })
}

// firstLook asks everything that tells the kinds apart, and everything at every
// place where their Luna clients may lie: one exchange is enough for most hosts.
func firstLook(among []clientKind, link Link) []transport.Query {
	var all []transport.Query
	for _, k := range among {
		if k.signs != nil {
			all = append(all, k.signs(link.Root)...)
		}
		for _, l := range k.places(link.Root) {
			all = append(all, queries(l, link)...)
			all = append(all, transport.Dir(path.Dir(l.Vtl)))
		}
	}
	return all
}

// first reports whether a kind is the one that a host is recognised as.
func (k clientKind) first(among []clientKind, root string, facts transport.Facts) bool {
	i := slices.IndexFunc(among, func(other clientKind) bool { return other.is(root, facts) })
	return i >= 0 && among[i].kind == k.kind
}

// chooseLayout picks the layout that the first look speaks for.
func chooseLayout(host string, among []clientKind, link Link, facts transport.Facts) (Layout, error) {
	auto := link.Kind == Auto || link.Kind == ""
	for _, k := range among {
		if auto && !k.is(link.Root, facts) || !auto && k.kind != link.Kind {
			continue
		}
		var tried []string
		for _, l := range k.all(link.Root, facts) {
			if hasVtl(l, facts) {
				return l, nil
			}
			if !slices.Contains(tried, l.Vtl) {
				tried = append(tried, l.Vtl)
			}
		}
		if !auto && !k.first(among, link.Root, facts) {
			break
		}
		if err := k.notSeen(host, link.Root, facts); err != nil {
			return Layout{}, err
		}
		return Layout{}, transport.Errorf(transport.ClassRemote, host, "no Luna client on this %s host: looked for %s", k.kind, strings.Join(tried, ", ")).
			WithHint("%s", k.install)
	}
	return Layout{}, transport.Errorf(transport.ClassConfig, host, "this is no host of --client-kind %s", link.Kind).
		WithHint("leave the flag away, and the kind is recognised")
}

// notSeen is the error where a place could not be looked at, so that nobody can
// tell that there is no client; nil if all were.
func (k clientKind) notSeen(host, root string, facts transport.Facts) error {
	var why []string
	if k.strange != nil {
		if said := k.strange(facts); said != "" {
			why = append(why, said)
		}
	}
	for _, l := range k.all(root, facts) {
		dir := path.Dir(l.Vtl)
		said := facts[transport.Dir(dir)].Problem
		if said != "" && !strings.Contains(said, dir) {
			said = dir + ": " + said
		}
		if said != "" && !slices.Contains(why, said) {
			why = append(why, said)
		}
	}
	if len(why) == 0 {
		return nil
	}
	hint := k.unseen
	if hint == "" {
		hint = "log in as a user who may look there"
	}
	return transport.Errorf(transport.ClassRemote, host, "whether this %s host has a Luna client could not be seen: %s", k.kind, transport.Printable(strings.Join(why, "; "))).
		WithHint("%s", hint)
}
