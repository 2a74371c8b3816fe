package preflight

import (
	"crypto/x509"
	"time"
)

// Port is where NTLS listens on every appliance; it cannot be changed.
const Port = 1792

// Status is what a check found.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // the link may work all the same
	Problem Status = "problem" // the link cannot work as things are
	Unknown Status = "unknown" // could not be asked, or cannot be tested
)

// The checks, by their stable names.
const (
	IDPort        = "port"        // port 1792 of the HSM, reached from the client
	IDCertificate = "certificate" // the certificate shown there is the appliance's own
	IDClocks      = "clocks"      // of this machine, the client and the appliance
	IDValidity    = "validity"    // each certificate is valid by the other side's clock
	IDAddress     = "address"     // the client comes from the address that it is registered by
	IDReverse     = "reverse"     // the way from the HSM to the client
)

// Check is one thing that was looked at.
type Check struct {
	ID       string `json:"id"`
	Status   Status `json:"status"`
	Evidence string `json:"evidence" jsonschema:"what was seen, or why it could not be asked"`
	Hint     string `json:"hint,omitempty" jsonschema:"what to do about it"`
}

// Seen is what was found at both ends.
type Seen struct {
	ClientAddress string // what the HSM calls the client: an IP address or a host name
	HSMAddress    string // what the client calls the HSM

	Port Reach
	// Server is the appliance's certificate as it was copied from it; nil, with
	// ServerProblem, where it could not be had.
	Server        *x509.Certificate
	ServerProblem string
	// Own is the client's certificate; nil: it has none yet.
	Own *x509.Certificate

	Now    time.Time // this machine's clock
	Client Clock
	HSM    Clock

	// Sources are the client's own addresses towards the HSM; one, or those of
	// the interface. Empty, with SourceProblem, where that could not be told.
	Sources       []string
	SourceProblem string
	// IPCheck: NTLS wants clients to come from their registered address. nil,
	// with IPCheckProblem, where the appliance does not tell.
	IPCheck        *bool
	IPCheckProblem string
	// Serving: NTLS runs, as the appliance says; nil: not asked, or not told.
	Serving *bool
}

// Reach is what came of reaching the port from the client.
type Reach struct {
	Means   string // "through SSH", "by its openssl"; empty: nothing could be tried
	Reached bool
	Problem string // why not, in the machine's own words; or why nothing was tried
	// Certificate is the one that was shown there, DER; nil, with
	// CertificateProblem, where none came.
	Certificate        []byte
	CertificateProblem string
	// Cut: the far side ended the connection instead of showing a certificate.
	Cut bool
}

// Clock is how far a machine's clock is ahead of this machine's.
type Clock struct {
	Ahead time.Duration
	// Vague: what it printed is the wall clock of a zone that the text does not
	// settle; Ahead then takes it for UTC.
	Vague   bool
	Zone    string // as printed; one that the world knows by its name settles a vague one
	Problem string // why it is not known; empty: it is
}

// Judge makes checks of what was seen, in their order.
func Judge(s Seen) []Check {
	s.Client, s.HSM = s.Client.settled(), s.HSM.settled()
	checks := []Check{s.port()}
	if s.Port.Reached {
		checks = append(checks, s.certificate())
	}
	return append(checks, s.clocks(), s.validity(), s.address(), s.reverse())
}

// Worst is the worst status of some checks: problem, warning, or ok. What is
// unknown is no worse than ok.
func Worst(checks []Check) Status {
	worst := OK
	for _, c := range checks {
		switch {
		case c.Status == Problem:
			return Problem
		case c.Status == Warning:
			worst = Warning
		}
	}
	return worst
}
