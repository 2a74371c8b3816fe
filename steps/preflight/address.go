package preflight

import (
	"fmt"
	"net/netip"
	"strings"
)

// address compares where the client comes from with what it is registered by.
func (s Seen) address() Check {
	c := Check{ID: IDAddress, Status: OK}
	want, err := netip.ParseAddr(s.ClientAddress)
	if err != nil {
		c.Status = Unknown
		c.Evidence = fmt.Sprintf("%s is a name, which the appliance resolves itself; the client's own address towards the HSM is %s", s.ClientAddress, s.sources())
		c.Hint = "the appliance must resolve the name to the address that the client comes from: by DNS, or by `client hostip map`"
		return c
	}
	var have []string
	for _, source := range s.Sources {
		a, err := netip.ParseAddr(source)
		// Every machine has all of 127.0.0.0/8, and may come from any of it.
		if err == nil && (a.Unmap() == want.Unmap() || a.IsLoopback() && want.IsLoopback()) {
			c.Evidence = fmt.Sprintf("the client's own address towards the HSM is %s, by which it is registered", want)
			return c
		}
		have = append(have, source)
	}
	if len(have) == 0 {
		c.Status = Unknown
		c.Evidence = "the client's own address towards the HSM could not be told: " + s.SourceProblem
		return c
	}
	found := fmt.Sprintf("the client's own address towards the HSM is %s, and it is registered by %s", s.sources(), want)
	if s.IPCheck != nil && !*s.IPCheck {
		c.Evidence = found + "; the appliance does not check addresses (`ntls ipcheck` is disabled)"
		return c
	}
	c.Status = Warning
	if s.IPCheck == nil {
		c.Evidence = found + "; whether the appliance checks addresses is not known: " + s.IPCheckProblem
	} else {
		c.Evidence = found + "; the appliance checks addresses (`ntls ipcheck` is enabled)"
	}
	c.Hint = "that is right only behind NAT that makes the one into the other; else register the client by the address that the HSM sees " +
		"(--client-address), or have `ntls ipcheck` disabled there, which this program never does: it counts for all clients of the appliance"
	return c
}

// sources are the client's addresses towards the HSM, for people.
func (s Seen) sources() string {
	if len(s.Sources) == 0 {
		return "not known"
	}
	return strings.Join(s.Sources, " or ")
}
