package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// An appliance looks a client that is registered by host name up in its DNS,
// unless the client is mapped to an address (`client hostip map`). With
// --map-host-ip that mapping is part of the registration, step 5.

// mapping is what the appliance maps the client to.
type mapping struct {
	wanted string   // the address that it should be; empty: nobody asked for one
	to     []string // the addresses that it is
	// unclear is why `client hostip show` does not tell; empty: it does.
	unclear string
	// settled: where it is unclear, the mapping needs nothing more all the same,
	// and why; empty: it is to be made.
	settled string
}

// missing reports whether the mapping is to be made.
func (m mapping) missing() bool {
	if m.wanted == "" {
		return false
	}
	if m.unclear != "" {
		return m.settled == ""
	}
	return len(m.to) == 0
}

// other lists the addresses that the client is mapped to instead.
func (m mapping) other() []string {
	if m.wanted == "" || slices.ContainsFunc(m.to, func(a string) bool { return sameAddress(a, m.wanted) }) {
		return nil
	}
	return m.to
}

func (m mapping) changes(link Link) []orchestrator.Change {
	if !m.missing() {
		return nil
	}
	have := "not mapped"
	if m.unclear != "" {
		have = "not known: " + m.unclear
	}
	return []orchestrator.Change{{Field: "address of " + link.Name + " (client hostip)", Have: have, Want: "mapped to " + m.wanted}}
}

// refuse names the mapping that is there instead. It is never taken away here:
// another link may hang on it.
func (m mapping) refuse(link Link) orchestrator.Refusal {
	there := m.other()
	if len(there) == 0 {
		return orchestrator.Refusal{}
	}
	return orchestrator.Refusal{
		Reason: fmt.Sprintf("the appliance maps %s to %s, not to %s", link.Name, strings.Join(there, " and "), m.wanted),
		Hint: fmt.Sprintf("give that address with --map-host-ip if it is the right one, or take the mapping away on the appliance if it is no longer used: client hostip unmap -client %s -ip %s",
			link.Name, there[0]),
	}
}

// explain is the mapping as evidence, "" where nobody asked for one.
func (m mapping) explain() string {
	switch {
	case m.wanted == "":
		return ""
	case m.unclear != "" && m.settled != "":
		return fmt.Sprintf("whether it is mapped to %s is not known (%s), but %s", m.wanted, m.unclear, m.settled)
	case m.unclear != "":
		return fmt.Sprintf("whether it is mapped to %s is not known (%s)", m.wanted, m.unclear)
	case len(m.to) == 0:
		return "it is mapped to no address"
	}
	return "it is mapped to " + strings.Join(m.to, " and ")
}

// mapping reads what the appliance maps the client to, if that is anybody's
// wish. An answer that is not understood, or not given to this user, is evidence
// and no mapping: then what settles it is this run's own act, which was
// acknowledged, or `vtl verify`, which a client that is looked up wrongly does
// not pass.
func (e *eyes) mapping(ctx context.Context, reg registration) (mapping, error) {
	m := mapping{wanted: e.link.MapHostIP}
	if m.wanted == "" {
		return m, nil
	}
	rows, err := e.hostIPMemo.get(ctx, e.hsm.HostIPs)
	switch {
	case errors.Is(err, lunash.ErrNotAllowed):
		m.unclear = "this user may not ask `client hostip show`"
	case err != nil && orchestrator.Fail(err).Class == string(transport.ClassProtocol):
		m.unclear = "`client hostip show` was not understood"
	case err != nil:
		return m, err
	default:
		m.to, m.unclear = mappedTo(rows, e.link)
	}
	if m.unclear == "" {
		return m, nil
	}
	if e.mapped {
		m.settled = "the appliance acknowledged it in this run"
		return m, nil
	}
	return m, e.settleByVerify(ctx, reg, &m)
}

// settleByVerify asks vtl verify whether the client is let in as it is.
func (e *eyes) settleByVerify(ctx context.Context, reg registration, m *mapping) error {
	facts, err := e.client(ctx)
	if err != nil {
		return err
	}
	if !reg.listed || !facts.pair.usable() || !facts.lists(e.link.HSMAddress) {
		return nil
	}
	tell, err := e.telling(ctx, facts)
	if err != nil {
		return err
	}
	verified, err := e.verified(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(e.link.Partitions, func(p string) bool { return tell.reaches(verified, p) }) {
		m.settled = "vtl verify reaches the HSM"
	}
	return nil
}

// mappedTo lists the addresses of the rows that are the client's: those that
// have its name, whole, or its host name in whatever case. A row in which the
// name stands among other words may be somebody else's, or not; that is unclear.
func mappedTo(rows []lunash.HostIP, link Link) (to []string, unclear string) {
	for _, row := range rows {
		switch {
		case slices.Contains(row.Names, link.Name), slices.ContainsFunc(row.Names, func(n string) bool { return strings.EqualFold(n, link.ClientAddress) }):
			if a := row.Address.String(); !slices.Contains(to, a) {
				to = append(to, a)
			}
		case slices.ContainsFunc(row.Names, func(n string) bool { return slices.Contains(strings.Fields(n), link.Name) }):
			unclear = fmt.Sprintf("`client hostip show` has it in a row of unknown form: %s", transport.Printable(strings.Join(row.Names, ", ")))
		}
	}
	if len(to) > 0 {
		unclear = ""
	}
	return to, unclear
}

// mappingError turns "is mapped already" into the conflict that names what is
// there, and accepts it where that is what was wanted.
func (e *eyes) mappingError(ctx context.Context, err error) error {
	if !errors.Is(err, lunash.ErrAlreadyMapped) {
		return err
	}
	e.hostIPMemo.forget()
	rows, err := e.hostIPMemo.get(ctx, e.hsm.HostIPs)
	m := mapping{wanted: e.link.MapHostIP, unclear: "`client hostip show` does not tell to which"}
	if err == nil {
		m.to, _ = mappedTo(rows, e.link)
	}
	if len(m.to) > 0 && len(m.other()) == 0 {
		return nil // somebody made it meanwhile; the next look confirms it
	}
	if no := m.refuse(e.link); no.Reason != "" {
		return conflict{reason: no.Reason, hint: no.Hint}
	}
	return conflict{
		reason: fmt.Sprintf("the appliance maps %s to an address already; %s", e.link.Name, m.unclear),
		hint: fmt.Sprintf("look at `client hostip show` on the appliance: if it is %s, run again without --map-host-ip; if it is out of date, consider client hostip unmap -client %s",
			e.link.MapHostIP, e.link.Name),
	}
}

// mapHostIP is `client hostip map`.
func (h *hands) mapHostIP(ctx context.Context) error {
	defer h.see.hostIPMemo.forget()
	defer h.see.verifyMemo.forget()
	err := h.appliance(ctx, func(ctx context.Context) error { return h.hsm.MapHostIP(ctx, h.link.Name, h.link.MapHostIP) })
	h.see.mapped = h.see.mapped || err == nil
	return err
}

// nameAdvice is what to look at when a client that is registered by name is not
// let in; "" for one that is registered by address.
func nameAdvice(link Link) string {
	if !link.ByHostname() {
		return ""
	}
	if link.MapHostIP != "" {
		return fmt.Sprintf("whether the HSM sees the client come from %s (client hostip show), ", link.MapHostIP)
	}
	return fmt.Sprintf("whether the appliance's DNS has %s for the address that the client comes from (if not: --map-host-ip ADDRESS, which is client hostip map), ", link.ClientAddress)
}
