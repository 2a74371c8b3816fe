package steps

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// verdict is whose a registered name is.
type verdict struct {
	listed bool
	ours   bool // nothing speaks against it
	// proved: the registered certificate is the client's, by its digest.
	proved   bool
	against  string // why it is not ours; empty: nothing speaks against it
	evidence string // what was seen, one line
}

// judge compares what the appliance has under our name with our certificate
// (nil: the client has none yet, so the name cannot be ours).
func judge(link Link, r registration, cert *x509.Certificate) verdict {
	v := verdict{listed: r.listed}
	if !r.listed {
		v.evidence = link.Name + " is free"
		return v
	}
	if cert == nil {
		v.against = fmt.Sprintf("%s is registered already%s, while the client has no certificate yet: it belongs to another certificate", link.Name, withDigest(r))
		return v
	}
	v.ours = true
	words := append([]string{}, r.gaps...)
	if r.digest != nil {
		same, known := r.digest.Matches(cert.Raw)
		switch {
		case known && !same:
			v.ours = false
			v.against = fmt.Sprintf("%s is registered with another certificate: the appliance has %s %s, the client's is %s",
				link.Name, r.digest.Algorithm, transport.Printable(r.digest.Text), r.digest.Of(cert.Raw))
			return v
		case known:
			v.proved = true
			words = append(words, r.digest.Algorithm+" fingerprint is that of the client's certificate")
		default:
			words = append(words, fmt.Sprintf("the fingerprint %q is of no known kind", transport.Printable(r.digest.Text)))
		}
	}
	if !v.proved {
		words = append(words, "whether it is this certificate, vtl verify decides")
	}
	v.evidence = fmt.Sprintf("%s is registered; %s", link.Name, strings.Join(words, "; "))
	return v
}

func withDigest(r registration) string {
	if r.digest == nil {
		return ""
	}
	return " (certificate " + transport.Printable(r.digest.Text) + ")"
}

// names is the appliance's list and the verdict on ours.
type names struct {
	all []string
	verdict
}

// listClients is step 4: our name is free, or ours. A gate: it changes nothing.
func listClients(link Link, see *eyes) orchestrator.Step {
	return orchestrator.Reconcile[names]{
		Meta: orchestrator.Info{
			Number: 4, ID: "list-clients", Host: orchestrator.OnHSM,
			Title: "the client's name on the HSM is free or ours",
		},
		Observe: func(ctx context.Context) (names, error) {
			all, err := see.clients(ctx)
			if err != nil {
				return names{}, err
			}
			facts, err := see.client(ctx)
			if err != nil {
				return names{}, err
			}
			reg, err := see.registered(ctx)
			return names{all, judge(link, reg, facts.pair.usableCert())}, err
		},
		Want: func(context.Context) (names, error) { return names{}, nil },
		Diff: func(_, _ names) []orchestrator.Change { return nil },
		Refuse: func(have, _ names) orchestrator.Refusal {
			if have.against == "" {
				return orchestrator.Refusal{}
			}
			return orchestrator.Refusal{
				Reason: have.against,
				Hint:   "choose another --name, or remove that registration on the appliance if it is no longer used (client delete)",
			}
		},
		Explain: func(have, _ names) string { return fmt.Sprintf("%d client(s); %s", len(have.all), have.evidence) },
		Forgets: see.forgetRegistration,
	}
}

// usableCert is the certificate of a usable pair, else nil.
func (p pair) usableCert() *x509.Certificate {
	if !p.usable() {
		return nil
	}
	return p.cert
}

// addressTaken names the registered client that has our address.
func (e *eyes) addressTaken(ctx context.Context) error {
	holder, err := e.holder(ctx)
	name := transport.Printable(holder)
	switch {
	case errors.Is(err, lunash.ErrNotAllowed):
		name = "of another client (this user may not ask which)"
	case err != nil:
		return err
	case holder == "":
		name = "of another client (which could not be found)"
	}
	return conflict{
		reason: fmt.Sprintf("the appliance has %s registered already, under the name %s", e.link.ClientAddress, name),
		hint:   useHolder(holder),
	}
}

// useHolder is what to do about an address that is registered under another
// name; "" is a name that is not known.
func useHolder(name string) string {
	const remove = "remove that registration on the appliance if it is no longer used"
	if !askable(name) {
		return remove + ", or use its name (--name) if it is this client"
	}
	return offer("if it is this client, use that name", "--name", name) + "; or " + remove
}
