package config

import "net/netip"

// maxCN is the longest common name that a certificate has room for (RFC 5280,
// ub-common-name).
const maxCN = 64

// checkHostName checks what belongs to a client that the HSM knows by host name.
func (l *Link) checkHostName() error {
	if err := l.checkCommonName(); err != nil {
		return err
	}
	if l.MapHostIP == "" {
		return nil
	}
	return l.checkMapHostIP()
}

// checkCommonName checks that a host name fits into the certificate.
func (l *Link) checkCommonName() error {
	if _, err := netip.ParseAddr(l.ClientAddress); err != nil && len(l.ClientAddress) > maxCN {
		return wrong("--client-address has %d characters, and the name in a certificate has room for %d", len(l.ClientAddress), maxCN).
			WithHint("give a shorter name, or the client's IP address")
	}
	return nil
}

// checkMapHostIP checks the address that a client is mapped to, which only one
// that is known by host name can be.
func (l *Link) checkMapHostIP() error {
	if _, err := netip.ParseAddr(l.ClientAddress); err == nil {
		return wrong("--map-host-ip is for a client that is known by host name, and --client-address %s is an IP address", l.ClientAddress).
			WithHint("leave --map-host-ip out, or give the client's host name with --client-address")
	}
	a, err := netip.ParseAddr(l.MapHostIP)
	a = a.Unmap()
	// An IPv4 loopback address serves rehearsals on one machine.
	if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() || a == netip.IPv6Loopback() ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return wrong("--map-host-ip %q is not the IP address of a host", l.MapHostIP).
			WithHint("give the address that the HSM sees the client come from")
	}
	l.MapHostIP = a.String()
	return nil
}
