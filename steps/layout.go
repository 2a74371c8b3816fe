package steps

import (
	"path"
	"slices"

	"ntl-setup/transport"
)

// Kind is a kind of client host.
type Kind string

// The kinds. Auto is recognised by looking.
const (
	Auto      Kind = "auto"
	NetScaler Kind = "netscaler"
	Linux     Kind = "linux"
)

// Layout says where things are on a client host.
type Layout struct {
	Kind  Kind
	Base  string // the Luna client's directory
	Vtl   string // whole path of vtl
	Conf  string // Chrystoki.conf in use
	Certs string // directory of the client's own pair
	Trust string // directory of the servers' certificates

	// NetScaler alone:
	Persisted    string // the copy of Chrystoki.conf that survives a reboot
	StartGateway string // the script that starts safenet_gw
	Gateway      string // safenet_gw itself
	Enrolled     string // the marker that makes it start at boot
}

// NetScaler reports whether the layout is a NetScaler's.
func (l Layout) NetScaler() bool { return l.Kind == NetScaler }

// CAFile is the default bundle of server certificates; the configuration's
// ServerCAFile goes before it.
func (l Layout) CAFile() string { return path.Join(l.Trust, "CAFile.pem") }

// ServerCert is the copy that `vtl addServer` keeps of one server's certificate.
func (l Layout) ServerCert(server string) string {
	return path.Join(l.Trust, server+"Cert.pem")
}

// Pair is where `vtl createCert -n address` puts the client's pair.
func (l Layout) Pair(address string) (cert, key string) {
	return path.Join(l.Certs, address+".pem"), path.Join(l.Certs, address+"Key.pem")
}

// netScalerSigns are what a NetScaler is recognised by.
func netScalerSigns(root string) (startScript, directory string) {
	return path.Join(root, "/var/safenet/gateway/start_safenet_gw"), path.Join(root, "/netscaler")
}

// layouts are the places where a Luna client is looked for, in order.
func layouts(root string) []Layout {
	at := func(p string) string { return path.Join(root, p) }
	client := func(kind Kind, base string) Layout {
		base = at(base)
		return Layout{
			Kind: kind, Base: base, Vtl: path.Join(base, "bin/vtl"), Conf: at("/etc/Chrystoki.conf"),
			Certs: path.Join(base, "cert/client"), Trust: path.Join(base, "cert/server"),
		}
	}
	ns := client(NetScaler, "/var/safenet/safenet/lunaclient")
	ns.Persisted = at("/var/safenet/config/Chrystoki.conf")
	ns.StartGateway = at("/var/safenet/gateway/start_safenet_gw")
	ns.Gateway = at("/var/safenet/gateway/safenet_gw")
	ns.Enrolled = at("/var/safenet/safenet_is_enrolled")
	return []Layout{
		ns,
		client(Linux, "/usr/safenet/lunaclient"),
		client(Linux, "/usr/lunasa"),
		client(Linux, "/opt/safenet/lunaclient"),
	}
}

// chooseLayout picks the layout that the first look speaks for.
func chooseLayout(host string, link Link, facts transport.Facts) (Layout, error) {
	kind := link.Kind
	if kind == Auto || kind == "" {
		kind = Linux
		script, dir := netScalerSigns(link.Root)
		if !facts[transport.Dir(dir)].Missing ||
			slices.Contains(facts[transport.Dir(path.Dir(script))].Names, path.Base(script)) {
			kind = NetScaler
		}
	}
	var tried []string
	for _, l := range layouts(link.Root) {
		if l.Kind != kind {
			continue
		}
		if slices.Contains(facts[transport.Dir(path.Dir(l.Vtl))].Names, path.Base(l.Vtl)) {
			return l, nil
		}
		tried = append(tried, l.Vtl)
	}
	err := transport.Errorf(transport.ClassRemote, host, "no Luna client on this %s host: looked for %v", kind, tried)
	if kind == NetScaler {
		return Layout{}, err.WithHint("install it first: cd /var/safenet && sh install_client.sh -v <version>, then sh config/safenet_config")
	}
	return Layout{}, err.WithHint("install the Luna client there first (install.sh of the client package), or name the right host with --client")
}
