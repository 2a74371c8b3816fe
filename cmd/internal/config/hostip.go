package config

import "net/netip"

// maxCN is the longest common name that a certificate has room for (RFC 5280,
// ub-common-name).
const maxCN = 64

// checkHostName checks what belongs to a client that the HSM knows by host name:
// the name must fit into the certificate, and only such a client can be mapped
// to an address.
func (l *Link) checkHostName() error {
	_, err := netip.ParseAddr(l.ClientAddress)
	byAddress := err == nil
	if !byAddress && len(l.ClientAddress) > maxCN {
		return wrong("--client-address has %d characters, and the name in a certificate has room for %d", len(l.ClientAddress), maxCN).
			WithHint("give a shorter name, or the client's IP address")
	}
	if l.MapHostIP == "" {
		return nil
	}
	if byAddress {
		return wrong("--map-host-ip is for a client that is known by host name, and --client-address %s is an IP address", l.ClientAddress).
			WithHint("leave --map-host-ip out, or give the client's host name with --client-address")
	}
	a, err := netip.ParseAddr(l.MapHostIP)
	if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		return wrong("--map-host-ip %q is not the IP address of a host", l.MapHostIP).
			WithHint("give the address that the HSM sees the client come from")
	}
	l.MapHostIP = a.Unmap().String()
	return nil
}
