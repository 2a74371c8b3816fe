package preflight

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// where is the port, for people.
func (s Seen) where() string { return net.JoinHostPort(s.HSMAddress, strconv.Itoa(Port)) }

// port judges whether the client gets through to the HSM.
func (s Seen) port() Check {
	c := Check{ID: IDPort, Status: OK, Evidence: fmt.Sprintf("the client gets through to %s (%s)", s.where(), s.Port.Means)}
	switch {
	case s.Port.Reached:
	case s.Port.Means == "":
		c.Status = Unknown
		c.Evidence = fmt.Sprintf("%s could not be tried from the client: %s", s.where(), s.Port.Problem)
		c.Hint = "on the client, `openssl s_client -connect " + s.where() + "` tells"
	default:
		c.Status = Problem
		c.Evidence = fmt.Sprintf("the client does not get through to %s (%s): %s", s.where(), s.Port.Means, s.Port.Problem)
		c.Hint = s.whyClosed()
	}
	return c
}

// whyClosed is what to look at for a port that is not reached.
func (s Seen) whyClosed() string {
	if s.Serving != nil && !*s.Serving {
		return "NTLS does not run on the appliance (`service status ntls`): somebody must start it there"
	}
	runs := ""
	if s.Serving != nil {
		runs = "NTLS runs on the appliance; "
	}
	why := strings.ToLower(s.Port.Problem)
	switch {
	case strings.Contains(why, "refused"):
		return runs + "look there at what NTLS is bound to (`ntls show`), and whether --hsm-address is the appliance"
	case strings.Contains(why, "resol"), strings.Contains(why, "name or service"), strings.Contains(why, "hostname"):
		return "the client must be able to resolve that name, or be given --hsm-address as an IP address"
	}
	return runs + "look at firewalls and routes from the client to TCP port 1792 of the HSM, and at --hsm-address"
}

// certificate judges what is shown at the port.
func (s Seen) certificate() Check {
	shown, own := s.Port.Certificate, s.Server
	c := Check{ID: IDCertificate, Status: Unknown}
	switch {
	case shown == nil && s.Port.Cut:
		c.Status = Warning
		c.Evidence = fmt.Sprintf("%s ends each connection before it shows a certificate (%s)", s.where(), s.Port.CertificateProblem)
		c.Hint = "NTLS does so where it is not bound to that interface or was not restarted after its certificate was made (`ntls show` there; " +
			"`service restart ntls` cuts off all its clients), where `ntls ipcheck show` is enabled and the client comes from another address, " +
			"and where clocks are apart; something else may also stand in between and hang up"
	case shown == nil:
		c.Evidence = "no certificate was seen at " + s.where() + ": " + s.Port.CertificateProblem
	case own == nil:
		c.Evidence = fmt.Sprintf("%s shows %s, with nothing to compare it with: %s", s.where(), fingerprint(shown), s.ServerProblem)
	case bytes.Equal(shown, own.Raw):
		c.Status = OK
		c.Evidence = "the certificate shown there is the appliance's server.pem, " + fingerprint(shown)
	default:
		c.Status = Problem
		c.Evidence = fmt.Sprintf("%s shows %s, and the appliance's server.pem is %s", s.where(), fingerprint(shown), fingerprint(own.Raw))
		c.Hint = "the client trusts server.pem and nothing else: either NTLS was not restarted after a `sysconf regenCert` " +
			"(`service restart ntls` there cuts off all its clients), or something else answers at that address"
	}
	return c
}

// fingerprint is the SHA-256 of the DER, as the steps show it.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return "SHA256:" + strings.ToUpper(hex.EncodeToString(sum[:]))
}

// reverse names what nobody can test from here.
func (s Seen) reverse() Check {
	return Check{
		ID: IDReverse, Status: Unknown,
		Evidence: "the way from the HSM to the client cannot be tested: nothing listens on the client, and the appliance has no command for it",
		Hint:     fmt.Sprintf("guides ask for TCP port 1792 open both ways between %s and %s", s.ClientAddress, s.HSMAddress),
	}
}
