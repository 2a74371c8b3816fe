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
	holder string // with --deep: who else has our address; empty: nobody
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
			return have, err
		},
		Want: func(context.Context) (entry, error) { return entry{}, nil },
		Diff: func(have, _ entry) []orchestrator.Change {
			if have.listed {
				return nil
			}
			return []orchestrator.Change{{Field: "client " + link.Name, Have: "not registered", Want: "registered by " + byAddress(link)}}
		},
		Refuse:  func(have, _ entry) orchestrator.Refusal { return have.refuse(link) },
		Explain: func(have, _ entry) string { return have.explain(link) },
		Act: func(ctx context.Context, _, _ entry) error {
			return registrationError(ctx, see, do.register(ctx))
		},
		Undo:    func(_, _ entry) []string { return undoRegistration(link) },
		Forgets: func() { see.clientsMemo.forget(); see.registrationMemo.forget() },
	}
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
	return orchestrator.Refusal{}
}

func (r entry) explain(link Link) string {
	switch {
	case !r.listed:
		return fmt.Sprintf("`client list` has no %s", link.Name)
	case r.client == nil:
		return fmt.Sprintf("%s is registered; by which address, this user may not ask", link.Name)
	}
	return fmt.Sprintf("%s is registered by %s", link.Name, transport.Printable(r.client.Address))
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
