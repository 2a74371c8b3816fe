package steps

import (
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
			return []Layout{l}
		},
		queries: func(l Layout, link Link) []transport.Query {
			cert, key := l.Pair(link.ClientAddress)
			return []transport.Query{
				transport.File(l.Persisted), gatewayQuery(l, cert, key, l.CAFile()),
				transport.Dir(path.Dir(l.Enrolled)),
			}
		},
		install: "install it first: cd /var/safenet && sh install_client.sh -v <version>, then sh config/safenet_config",
	}
}

// netScalerSigns are what a NetScaler is recognised by.
func netScalerSigns(root string) (startScript, directory string) {
	return path.Join(root, "/var/safenet/gateway/start_safenet_gw"), path.Join(root, "/netscaler")
}
