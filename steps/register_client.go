package steps

import (
	"context"
	"errors"
	"fmt"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// entry is the registration under our name.
type entry struct {
	registration
	holder string  // with --deep: who else has our address; empty: nobody
	mapped mapping // with --map-host-ip: the address it is mapped to
}

// registerClient is step 5: the client is registered under its name, by its
// address.
func registerClient(link Link, see *eyes, do *hands) orchestrator.Step {
	return orchestrator.Reconcile[entry]{
		Meta: orchestrator.Info{
			Number: 5, ID: "register-client", Host: orchestrator.OnHSM,
			Title: "the client is registered on the HSM", Settle: settleAppliance,
		},
		Observe: func(ctx context.Context) (entry, error) {
			reg, err := see.registered(ctx)
			have := entry{registration: reg}
			if err == nil && link.Deep && !reg.listed {
				have.holder, err = see.holder(ctx)
			}
			if err == nil {
				have.mapped, err = see.mapping(ctx, reg)
			}
			return have, err
		},
		Want: func(context.Context) (entry, error) { return entry{}, nil },
		Diff: func(have, _ entry) []orchestrator.Change {
			var changes []orchestrator.Change
			if !have.listed {
				changes = append(changes, orchestrator.Change{Field: "client " + link.Name, Have: "not registered", Want: "registered by " + byAddress(link)})
			}
			return append(changes, have.mapped.changes(link)...)
		},
		Refuse:  func(have, _ entry) orchestrator.Refusal { return have.refuse(link) },
		Explain: func(have, _ entry) string { return have.explain(link) },
		Act:     func(ctx context.Context, have, _ entry) error { return have.make(ctx, see, do) },
		Undo:    func(have, _ entry) []string { return undoRegistration(link, have) },
		Typed:   func(have, _ entry) []orchestrator.Command { return have.typed(link) },
		Forgets: func() {
			see.clientsMemo.forget()
			see.forgetRegistration()
			see.hostIPMemo.forget()
			see.verifyMemo.forget() // which settles what the mapping is, where that is not told
		},
	}
}

// make registers the client and maps it, as far as either is missing.
func (r entry) make(ctx context.Context, see *eyes, do *hands) error {
	if !r.listed {
		if err := registrationError(ctx, see, do.register(ctx)); err != nil {
			return err
		}
	}
	if !r.mapped.missing() {
		return nil
	}
	return see.mappingError(ctx, do.mapHostIP(ctx))
}

// typed is the same by hand.
func (r entry) typed(link Link) (all []orchestrator.Command) {
	if !r.listed {
		all = append(all, inLunash(lunash.RegisterLine(link.registration())))
	}
	if r.mapped.missing() {
		all = append(all, inLunash(lunash.MapHostIPLine(link.Name, link.MapHostIP)))
	}
	return all
}

// byAddress is the option of `client register`, as the appliance knows it.
func byAddress(link Link) string {
	if link.ByHostname() {
		return "-hostname " + link.ClientAddress
	}
	return "-ip " + link.ClientAddress
}

func (r entry) refuse(link Link) orchestrator.Refusal {
	if r.holder != "" {
		return orchestrator.Refusal{
			Reason: fmt.Sprintf("the appliance has %s registered already, under the name %s", link.ClientAddress, transport.Printable(r.holder)),
			Hint:   useHolder(r.holder),
		}
	}
	if r.client != nil && !sameAddress(r.client.Address, link.ClientAddress) {
		return orchestrator.Refusal{
			Reason: fmt.Sprintf("%s is registered with another address: %s, not %s", link.Name, transport.Printable(r.client.Address), link.ClientAddress),
			Hint:   "choose another --name, give the address it has with --client-address, or remove that registration on the appliance",
		}
	}
	return r.mapped.refuse(link)
}

func (r entry) explain(link Link) string {
	said := fmt.Sprintf("`client list` has no %s", link.Name)
	switch {
	case r.listed && r.client == nil:
		said = fmt.Sprintf("%s is registered; by which address, this user may not ask", link.Name)
	case r.listed:
		said = fmt.Sprintf("%s is registered by %s", link.Name, transport.Printable(r.client.Address))
	}
	if mapped := r.mapped.explain(); mapped != "" {
		said += "; " + mapped
	}
	return said
}

// registrationError turns the refusals that a person must decide on into
// conflicts. Who has the address is looked up now: the list does not show it.
func registrationError(ctx context.Context, see *eyes, err error) error {
	switch {
	case errors.Is(err, lunash.ErrAddressTaken):
		return see.addressTaken(ctx)
	case errors.Is(err, lunash.ErrClientExists):
		return conflict{reason: err.Error(), hint: "somebody registered that name meanwhile; run again to see it"}
	}
	return err
}
