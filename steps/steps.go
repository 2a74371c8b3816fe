package steps

import (
	"context"
	"errors"
	"time"

	"ntl-setup/orchestrator"
)

// What the world may take to show an act.
const (
	settleAppliance = 10 * time.Second // a registration in the appliance's own lists
	settleLink      = 30 * time.Second // NTLS noticing a registration
	settleGateway   = 20 * time.Second // safenet_gw starting
)

// All is the procedure.
func (s *Site) All() []orchestrator.Step {
	link, see, do := s.link, s.see, s.do
	return []orchestrator.Step{
		createCertificate(link, see, do), //  1 client: a certificate pair of our own, CN = client address
		sendCertificate(link, see, do),   //  2 hsm:    its certificate lies in the registering user's directory
		addServer(link, see, do),         //  3 client: vtl lists the HSM and trusts the certificate it has now
		listClients(link, see),           //  4 hsm:    our name is free, or ours
		registerClient(link, see, do),    //  5 hsm:    the client is registered under its name and address
		confirmClient(link, see),         //  6 hsm:    the registered certificate is ours
		assignPartition(link, see, do),   //  7 hsm:    every wanted partition is assigned
		verifyLink(link, see, do),        //  8 client: the configuration is right, vtl verify lists every partition
		persistConfig(see, do),           //  9 client: NetScaler: the configuration survives a reboot
		startGateway(link, see, do),      // 10 client: NetScaler: one safenet_gw with the present configuration
		confirmGateway(see),              // 11 client: NetScaler: it is still the same a moment later
		enrollGateway(see, do),           // 12 client: NetScaler: it starts at boot
	}
}

// Site is one client host and one appliance, looked at and ready for steps.
type Site struct {
	link Link
	see  *eyes
	do   *hands
}

// Open recognises both hosts, side by side: the client's layout and the facts
// on it, that lunash answers, and that the HSM's certificate is the pinned one.
// It reads and never writes. Errors are those of the transports, or say what is
// missing on the client; another certificate than the pinned one is a conflict.
// A vtl that is at work on the client is waited for until ctx ends (ErrAtWork).
func Open(ctx context.Context, hosts Hosts, link Link) (*Site, error) {
	see := newEyes(hosts, link)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hsm, inVain := make(chan error, 1), make(chan struct{})
	see.inVain = inVain
	go func() {
		_, err := see.clients(ctx)
		if err == nil {
			see.readAhead(ctx)
			err = see.pinned(ctx)
		}
		if err != nil {
			close(inVain)
		}
		hsm <- err
	}()
	facts, err := see.client(ctx)
	if err != nil {
		cancel(err) // the client cannot be worked with: no need to hear the appliance out
	}
	if hsmErr := <-hsm; err == nil || hsmErr != nil && errors.Is(err, ErrAtWork) {
		err = hsmErr // a vtl at work on the client is not what is wrong
	}
	if err != nil {
		return nil, err
	}
	link.shelter = facts.shelter
	see.link.shelter = link.shelter
	return &Site{link: link, see: see, do: newHands(hosts, link, see)}, nil
}

// NetScaler reports whether the client host is one, so that steps 9 to 12 are
// its own.
func (s *Site) NetScaler() bool { return s.see.layout.NetScaler() }

// Serials are the serial numbers of the wanted partitions, by name, as far as
// the appliance tells them to this user.
func (s *Site) Serials(ctx context.Context) map[string]string {
	serials := map[string]string{}
	rows, err := s.see.partitions(ctx)
	if err != nil {
		return serials
	}
	for _, want := range s.link.Partitions {
		for _, row := range rows {
			if row.Name == want {
				serials[want] = row.Serial
			}
		}
	}
	return serials
}

// Notes are remarks on the site that are no step's business, one line each.
func (s *Site) Notes(ctx context.Context) []string {
	facts, err := s.see.client(ctx)
	if err != nil {
		return nil
	}
	return facts.notes(s.link)
}

// Expiry is the end of the validity of the client's certificate and of the
// HSM's, in UTC; zero where it is not known.
func (s *Site) Expiry(ctx context.Context) (client, hsm time.Time) {
	if facts, err := s.see.client(ctx); err == nil && facts.pair.cert != nil {
		client = facts.pair.cert.NotAfter.UTC()
	}
	if cert, err := s.see.serverCertificate(ctx); err == nil {
		hsm = cert.NotAfter.UTC()
	}
	return client, hsm
}
