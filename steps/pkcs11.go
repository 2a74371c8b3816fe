package steps

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
	"ntl-setup/transport/probe"
)

// Probe has the program that asks PKCS#11 libraries, for clients that have none
// installed.
type Probe interface {
	// Program is ntl-probe for a Linux machine of an architecture ("x86_64", as
	// uname -m says), packed as transport.Bring wants it. The error says why there
	// is none.
	Program(machine string) ([]byte, error)
}

// The time that evidence may cost: so much, and half of what the step has left.
const probeLimit = 20 * time.Second

// libraryOf is what is known of the client's PKCS#11 library without asking it.
type libraryOf struct {
	path    string // as the configuration names it
	haOnly  bool   // it hides the members of HA groups
	program string // an ntl-probe that is installed on the client; empty: none is
	machine string // the client's architecture
	unasked string // why it cannot be asked at all; empty: it can
}

// programQuery asks for an installed ntl-probe.
func programQuery(l Layout, link Link) transport.Query {
	dirs := []string{path.Dir(l.Vtl)}
	if link.ProbeDir != "" {
		dirs = append(dirs, link.ProbeDir)
	}
	return transport.Program("ntl-probe", dirs...)
}

// findLibrary gathers it from the first look at a client.
func findLibrary(c *clientFacts, link Link, facts transport.Facts) libraryOf {
	system := facts[transport.System()]
	l := libraryOf{path: c.effective.Library(), haOnly: c.effective.HAOnly(), machine: system.Machine}
	switch {
	case c.layout.Kind != Linux, system.System != "Linux":
		l.unasked = "ntl-probe is a Linux program"
	case l.path == "":
		l.unasked = "the configuration names no library (LibUNIX64)"
	case !plainPath(l.path):
		l.unasked = "LibUNIX64 of the configuration is no plain path: " + transport.Printable(l.path)
	}
	if found := facts[programQuery(c.layout, link)].Found; plainPath(found) {
		l.program = found
	}
	return l
}

// slots is what the client's PKCS#11 library says, or why it says nothing. It
// is evidence: nothing depends on it, and it fails nothing.
type slots struct {
	asked   bool // there is something to say of it
	haOnly  bool
	all     []probe.Slot
	unasked string // why the library was not asked; empty: it was
}

// slots asks the library, in a time of its own.
func (e *eyes) slots(ctx context.Context, c *clientFacts) slots {
	l := c.pkcs11
	s := slots{asked: true, haOnly: l.haOnly, unasked: l.unasked}
	if s.unasked != "" {
		return s
	}
	limit := probeLimit
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	said, err := e.ask(ctx, l)
	if err != nil {
		s.unasked = err.Error()
		if ctx.Err() != nil {
			s.unasked = fmt.Sprintf("there was no answer within %s", limit.Round(time.Second))
		}
		return s
	}
	d, err := probe.Parse(said)
	switch {
	case err != nil:
		s.unasked = err.Error()
	case d.Error != nil:
		s.unasked = d.Error.Message
	}
	s.all = d.Slots
	return s
}

// ask runs the ntl-probe that is there, or has one brought along.
func (e *eyes) ask(ctx context.Context, l libraryOf) ([]byte, error) {
	if l.program == "" {
		if e.bring == nil {
			return nil, errors.New("no ntl-probe is installed on the client; one is brought along by an apply that has something to change, and by nothing else")
		}
		return e.bring(ctx, l)
	}
	q := transport.Probe(l.program, l.path)
	facts, err := e.host.Look(ctx, q)
	if err != nil {
		return nil, err
	}
	if problem := facts[q].Problem; problem != "" {
		return nil, errors.New(problem) //nolint:err113 // the machine's own words
	}
	return facts[q].Data, nil
}

// lend lets the eyes bring a program along: from the first act on, while this run
// holds the client. Looking alone leaves nothing there, be it for a moment.
func (h *hands) lend() {
	if h.lock != nil && h.probe != nil {
		h.see.bring = h.bring
	}
}

// bring asks a library by an ntl-probe from here.
func (h *hands) bring(ctx context.Context, l libraryOf) ([]byte, error) {
	program, err := h.probe.Program(l.machine)
	if err != nil {
		return nil, err
	}
	if h.lock == nil {
		return nil, errors.New("the client is not held by this run any more")
	}
	out, _, err := h.lock.do(ctx, nil, transport.Bring(path.Dir(h.see.layout.Vtl), program, transport.ProbeWords(l.path)...))
	var said *transport.ActionError
	if errors.As(err, &said) && said.Action.Kind == transport.ActBring {
		return said.Output.Stdout, nil // an answer, or why the program cannot run there
	}
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out[0].Stdout, nil
}

// evidence is what the library says of the wanted partitions, as the end of a
// sentence on vtl verify.
func (p proof) evidence(link Link) string {
	switch s := p.slots; {
	case !s.asked:
		return ""
	case s.unasked != "":
		return "; PKCS#11 not asked: " + transport.Printable(s.unasked)
	}
	var said []string
	for _, name := range link.Partitions {
		if serial := serialFor(p.telling, p.verified, name); serial != "" {
			said = append(said, p.slots.of(serial))
		}
	}
	return "; " + strings.Join(said, ", ")
}

// serialFor is a wanted partition's serial number: the appliance's word, or,
// where this user may not ask for that, that of the one row with its label.
func serialFor(t telling, v vtl.Verified, partition string) string {
	if serial := t.serial(partition); serial != "" {
		return serial
	}
	if rows := labelled(v, partition); len(rows) == 1 {
		return rows[0].Serial
	}
	return ""
}

// of is what the library says of one serial number. It may be there twice, by
// two paths to one partition.
func (s slots) of(serial string) string {
	var found []string
	for _, slot := range s.all {
		if slot.Present && strings.TrimSpace(slot.Serial) == serial {
			found = append(found, describe(slot))
		}
	}
	switch {
	case len(found) > 0:
		return strings.Join(found, ", ")
	case s.haOnly:
		return fmt.Sprintf("PKCS#11: wanted serial %s is not a slot of the library, where HAOnly = 1 hides the members of HA groups", transport.Printable(serial))
	}
	return fmt.Sprintf("PKCS#11: wanted serial %s is not a slot of the library, which has %d", transport.Printable(serial), len(s.all))
}

// describe is one slot in words.
func describe(s probe.Slot) string {
	label := "label " + s.Label
	switch {
	case !s.Initialised:
		label = "not initialised"
	case s.Label == "":
		label = "without a label"
	}
	return transport.Printable(fmt.Sprintf("PKCS#11 slot %d: %s, serial %s, model %s, firmware %s", s.Slot, label, s.Serial, s.Model, s.Firmware))
}
