package steps

import (
	"context"
	"net/netip"
	"strings"

	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// Link is what is wanted. Every name in it is made of [A-Za-z0-9._:-] and does
// not begin with "-"; the command line's configuration has made sure of that.
type Link struct {
	Name          string // the client's name on the HSM
	ClientAddress string // certificate CN and file name; IP address or host name
	HSMAddress    string // what the client calls the HSM
	Partitions    []string
	// MapHostIP is the IP address that the appliance is to take a client from that
	// is registered by host name; "": its DNS knows.
	MapHostIP string
	Kind      Kind   // Auto: recognised by looking
	Root      string // directory that stands for / on the client; "" but in rehearsals
	// HSMCertificate is the fingerprint that the HSM's NTLS certificate must have,
	// "SHA256:" and upper-case hex; "": whatever the HSM holds is its own.
	HSMCertificate string

	ReplaceServerCertificate bool // another server certificate may be replaced
	RestartGateway           bool // a running safenet_gw may be restarted
	FixModes                 bool // wrong file modes may be repaired
	Deep                     bool // read every registered client, to name an address's holder

	// ProbeDir is where an ntl-probe may be on the client besides vtl's directory
	// and the search path; "": nowhere.
	ProbeDir string
	// Sudo: root's rights are taken on the client also where the user's own seem
	// to be enough.
	Sudo bool

	shelter shelter // of this run's backups

	// Stamp marks this run's backups: a time in UTC, "20060102T150405Z".
	Stamp string
}

// Hosts are the two ends, connected.
type Hosts struct {
	Client transport.Host
	HSM    lunash.Appliance
	// Elevate gives the client user root's rights for the rest of the run. It is
	// called when his own are not enough. nil: there is no way.
	Elevate func(context.Context) error
	Probe   Probe // nil: no program is brought along to ask PKCS#11 libraries
	// Waiting is told which vtl on the client is waited for, as often as it is
	// looked at; nil: nobody is.
	Waiting func(what string)
	// Held: the client's lock is this run's own already, taken by another of its
	// links, so that it is there is no news.
	Held bool
}

// ByHostname reports whether the client is registered by name (-hostname).
func (l Link) ByHostname() bool {
	_, err := netip.ParseAddr(l.ClientAddress)
	return err != nil
}

// certificateFile is the name that the appliance looks for.
func (l Link) certificateFile() string { return l.ClientAddress + ".pem" }

// sameAddress compares two addresses as the appliance or vtl writes them: IP
// addresses by value, host names without regard to case.
func sameAddress(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX == nil && errY == nil {
		return x.Unmap() == y.Unmap()
	}
	return strings.EqualFold(a, b)
}

// conflict is a state that a person must decide on.
type conflict struct{ reason, hint string }

func (c conflict) Error() string      { return c.reason }
func (c conflict) ErrorClass() string { return "conflict" }
func (c conflict) ErrorHint() string  { return c.hint }
