package steps

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// Reading is one thing that was read of a host, for people to look at.
type Reading struct {
	Name string // of a file for it; fixed by this package, whatever the hosts say
	Data []byte // as the host gave it, or why it could not be had
}

// Readings reads both hosts once more for somebody who cannot: the client's
// configuration, what vtl lists and verifies, and the appliance's lists. All of
// it is asked with the words that the steps use; it changes nothing. Private
// keys are not among it. What could not be read says so in its place.
func (s *Site) Readings(ctx context.Context) []Reading {
	return append(s.see.readClient(ctx), s.see.readAppliance(ctx)...)
}

// readClient is one exchange with the client.
func (e *eyes) readClient(ctx context.Context) []Reading {
	l := e.layout
	files := map[string]transport.Query{
		"client-" + path.Base(l.Conf):  transport.File(l.Conf),
		"client-vtl-listServers.txt":   transport.VtlListServers(l.Vtl),
		"client-vtl-verify.txt":        transport.VtlVerify(l.Vtl),
		"client-bundle-of-servers.pem": transport.File(l.CAFile()),
	}
	order := []string{"client-" + path.Base(l.Conf), "client-vtl-listServers.txt", "client-vtl-verify.txt", "client-bundle-of-servers.pem"}
	if l.NetScaler() {
		files["client-persisted-Chrystoki.conf"] = transport.File(l.Persisted)
		order = append(order, "client-persisted-Chrystoki.conf")
	}
	asked := []transport.Query{transport.System(), transport.Addresses()}
	for _, name := range order {
		asked = append(asked, files[name])
	}
	facts, err := e.host.Look(ctx, asked...)
	if err != nil {
		return []Reading{{"client.txt", []byte(transport.Printable(err.Error()) + "\n")}}
	}
	system := facts[transport.System()]
	readings := []Reading{{"client.txt", fmt.Appendf(nil, "system: %s\nkind: %s\nLuna client: %s\nclock: %s\naddresses: %s\n",
		transport.Printable(system.System), l.Kind, l.Base, system.Clock.UTC(), strings.Join(facts[transport.Addresses()].Names, " "))}}
	for _, name := range order {
		fact := facts[files[name]]
		switch {
		case fact.Missing:
			fact.Data = []byte("(there is none)\n")
		case fact.Problem != "":
			fact.Data = []byte("(" + transport.Printable(fact.Problem) + ")\n")
		}
		readings = append(readings, Reading{name, fact.Data})
	}
	if cert, err := e.client(ctx); err == nil && cert.pair.cert != nil {
		readings = append(readings, Reading{"client-certificate.pem", encodePEM(cert.pair.cert)})
	}
	return readings
}

// readAppliance asks for the appliance's lists.
func (e *eyes) readAppliance(ctx context.Context) []Reading {
	var b bytes.Buffer
	tell := func(word string, value any, err error) {
		if err != nil {
			value = "  (" + transport.Printable(err.Error()) + ")"
		}
		fmt.Fprintf(&b, "%s:\n%s\n\n", word, value)
	}
	names, err := e.hsm.Clients(ctx)
	tell("client list", quoted(names), err)
	rows, err := e.hsm.Partitions(ctx)
	var partitions []string
	for _, row := range rows {
		partitions = append(partitions, row.Serial+" "+row.Name)
	}
	tell("partition list", quoted(partitions), err)
	if slices.Contains(names, e.link.Name) {
		e.readRegistered(ctx, tell)
	}
	readSettings(ctx, lunash.Inspect(e.hsm), tell)
	readings := []Reading{{"hsm.txt", b.Bytes()}}
	if cert, err := e.serverCertificate(ctx); err == nil {
		readings = append(readings, Reading{"hsm-server.pem", encodePEM(cert)})
	}
	return readings
}

// readRegistered tells what the appliance has under our name.
func (e *eyes) readRegistered(ctx context.Context, tell func(word string, value any, err error)) {
	client, err := e.hsm.Client(ctx, e.link.Name)
	tell("client show -client "+e.link.Name, fmt.Sprintf("  name %+q, address %+q, by host name: %v, partitions %+q", client.Name, client.Address, client.ByHostname, client.Partitions), err)
	digest, err := e.hsm.Fingerprint(ctx, e.link.Name)
	tell("client fingerprint -client "+e.link.Name, fmt.Sprintf("  %s %+q", digest.Algorithm, digest.Text), err)
}

// readSettings tells how the appliance is set.
func readSettings(ctx context.Context, hsm lunash.Inspector, tell func(word string, value any, err error)) {
	clock, err := hsm.Clock(ctx)
	tell("status date", fmt.Sprintf("  %s, zone %q", clock.Time.Format("2006-01-02 15:04:05"), clock.Zone), err)
	checked, err := hsm.IPCheck(ctx)
	tell("ntls ipcheck show", fmt.Sprintf("  enabled: %v", checked), err)
	serving, err := hsm.Serving(ctx)
	tell("service status ntls", fmt.Sprintf("  running: %v", serving), err)
}

// quoted is a list, one a line.
func quoted(names []string) string {
	if len(names) == 0 {
		return "  (none)"
	}
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "  %+q\n", name)
	}
	return strings.TrimRight(b.String(), "\n")
}
