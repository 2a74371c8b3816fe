package steps

import (
	"fmt"
	"path"
	"slices"

	"ntl-setup/transport"
)

// netScaler is a Citrix NetScaler VPX: FreeBSD with / on a RAM disk, the Luna
// client below /var/safenet, and safenet_gw between it and the packet engine.
func netScaler() clientKind {
	return clientKind{
		kind: NetScaler,
		signs: func(root string) []transport.Query {
			script, dir := netScalerSigns(root)
			return []transport.Query{transport.Dir(dir), transport.Dir(path.Dir(script))}
		},
		is: func(root string, facts transport.Facts) bool {
			script, dir := netScalerSigns(root)
			return !facts[transport.Dir(dir)].Missing ||
				slices.Contains(facts[transport.Dir(path.Dir(script))].Names, path.Base(script))
		},
		places: func(root string) []Layout {
			l := unixLayout(NetScaler, root, "/var/safenet/safenet/lunaclient")
			l.Persisted = path.Join(root, "/var/safenet/config/Chrystoki.conf")
			l.StartGateway = path.Join(root, "/var/safenet/gateway/start_safenet_gw")
			l.Gateway = path.Join(root, "/var/safenet/gateway/safenet_gw")
			l.Enrolled = path.Join(root, "/var/safenet/safenet_is_enrolled")
			l.LibraryLink = path.Join(root, "/usr/lib/libCryptoki2_64.so")
			return []Layout{l}
		},
		queries: func(l Layout, link Link) []transport.Query {
			cert, key := l.Pair(link.ClientAddress)
			return []transport.Query{
				transport.File(l.Persisted), gatewayQuery(l, cert, key, l.CAFile()),
				transport.Dir(path.Dir(l.Enrolled)), transport.Stat(l.LibraryLink),
			}
		},
		install: "install it first: cd /var/safenet && sh install_client.sh -v <version>, then sh config/safenet_config",
	}
}

// libraryRemark says what is wrong with the link by which applications find the
// client's library, and what mends it; "" if nothing is. safenet_config makes
// the link when the client is installed; it is no part of the procedure, and / is
// a RAM disk, so it is reported and left alone.
func libraryRemark(l Layout, facts transport.Facts) string {
	library := path.Join(l.Base, "lib", path.Base(l.LibraryLink))
	link := facts[transport.Stat(l.LibraryLink)]
	leads := link.Link
	if leads != "" && !path.IsAbs(leads) {
		leads = path.Join(path.Dir(l.LibraryLink), leads)
	}
	if leads == library && !link.Missing && link.Problem == "" {
		return ""
	}
	mend := "`ln -s " + library + " " + l.LibraryLink + "` makes it"
	switch {
	case link.Problem != "":
		return fmt.Sprintf("whether %s is a link to %s cannot be told: %s", l.LibraryLink, library, transport.Printable(link.Problem))
	case leads == library:
		return fmt.Sprintf("%s is a link to %s, which is missing: install the Luna client again", l.LibraryLink, library)
	case link.Link == "" && link.Missing:
		return fmt.Sprintf("%s is missing: %s", l.LibraryLink, mend)
	case link.Link == "":
		return fmt.Sprintf("%s is no link to %s but a file of its own: once that is moved away, %s", l.LibraryLink, library, mend)
	}
	return fmt.Sprintf("%s is a link to %s and not to %s: once that is moved away, %s", l.LibraryLink, transport.Printable(link.Link), library, mend)
}

// netScalerSigns are what a NetScaler is recognised by.
func netScalerSigns(root string) (startScript, directory string) {
	return path.Join(root, "/var/safenet/gateway/start_safenet_gw"), path.Join(root, "/netscaler")
}
