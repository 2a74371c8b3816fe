package steps

import "path"

// Kind is a kind of client host.
type Kind string

// The kinds. Auto is recognised by looking.
const (
	Auto      Kind = "auto"
	NetScaler Kind = "netscaler"
	Linux     Kind = "linux"
	Windows   Kind = "windows"
)

// Layout says where things are on a client host.
type Layout struct {
	Kind  Kind
	Base  string // the Luna client's directory
	Vtl   string // whole path of vtl
	Conf  string // Chrystoki.conf in use
	Certs string // directory of the client's own pair
	Trust string // directory of the servers' certificates
	Locks string // directory of the lock, and of backups that find no place beside their files; "": Base

	// NetScaler alone:
	Persisted    string // the copy of Chrystoki.conf that survives a reboot
	StartGateway string // the script that starts safenet_gw
	Gateway      string // safenet_gw itself
	Enrolled     string // the marker that makes it start at boot
	LibraryLink  string // the link to the PKCS#11 library
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

// unixLayout is where a Luna client below base has its things on every Unix.
func unixLayout(kind Kind, root, base string) Layout {
	base = path.Join(root, base)
	return Layout{
		Kind: kind, Base: base, Vtl: path.Join(base, "bin/vtl"), Conf: path.Join(root, "/etc/Chrystoki.conf"),
		Certs: path.Join(base, "cert/client"), Trust: path.Join(base, "cert/server"),
	}
}
