// Package preflight judges whether a link can work between a client host and an
// appliance, before anything is changed: the port, the certificate that is shown
// there, the clocks, and the address that the client comes from.
//
// It promises:
//   - pure judgement: [Judge] makes [Check]s of what was [Seen]; the one function
//     that touches a wire, [Certificate], reads a certificate from a connection
//     that somebody else opened;
//   - what could not be asked is [Unknown], with the reason, and never taken for
//     good or bad;
//   - a [Problem] is only what makes the link impossible as things are: a port
//     that the client does not get through to, another certificate there than the
//     appliance's own, a certificate that the other side's clock holds for not yet
//     valid. All else is a [Warning] at most: NAT, which cannot be seen from the
//     ends, may make an unusual address right.
//
// It refuses to mend anything: clocks, firewalls, `ntls ipcheck` and the NTLS
// service belong to people, and are named in hints alone.
package preflight
