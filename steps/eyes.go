package steps

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// eyes are what a step may look with: readers, and a memory of what they read.
// Nothing in here can change a host.
type eyes struct {
	link   Link
	host   transport.Reader
	hsm    lunash.Reader
	layout Layout // set by the first look at the client
	// further is what looks had to ask in a second exchange; the next asks it at once.
	further []transport.Query

	elevate    func(context.Context) error // nil: there is no way
	unelevated error                       // why there are no more rights, where they would be needed to act
	held       bool                        // the lock on the client is this run's own
	waits      func(what string)           // is told what is waited for, as often as it is looked at
	inVain     <-chan struct{}             // closed when waiting is of no use any more; nil: it never is

	glance           glance    // at the client, right behind an act there
	began            time.Time // the latest look at the client, that glance included
	clientMemo       memo[*clientFacts]
	verifyMemo       memo[vtl.Verified]
	clientsMemo      memo[[]string]
	registrationMemo memo[registration]
	digestMemo       memo[lunash.Digest] // of the registered certificate, which an assignment leaves as it is
	partitionsMemo   memo[[]lunash.Partition]
	hostIPMemo       memo[[]lunash.HostIP]
	serverMemo       memo[*x509.Certificate]
	uploadedMemo     memo[upload]

	// bring has a program brought along to ask a library; lent by hands, nil while
	// nothing may be left on the client.
	bring func(context.Context, libraryOf) ([]byte, error)

	news        bool // this run did what programs that run already do not know of
	started     bool // this run started safenet_gw
	registering bool // this run has sent `client register`
	// acknowledged: the appliance said that it did it.
	acknowledged bool
	mapped       bool              // this run has sent `client hostip map`, and it was acknowledged
	sent         map[string]string // files stored in this run, by name: fingerprint of the certificate
	stale        map[int]string    // gateways (PID) whose configuration this run changed, and what it changed
	seen         []sighting        // gateways, in the order in which this run saw them; since it started one, if it did
}

func newEyes(hosts Hosts, link Link) *eyes {
	waits := hosts.Waiting
	if waits == nil {
		waits = func(string) {}
	}
	return &eyes{
		link: link, host: hosts.Client, hsm: hosts.HSM, elevate: hosts.Elevate, held: hosts.Held, waits: waits,
		sent: map[string]string{}, stale: map[int]string{},
	}
}

// forget makes every next look reach the hosts.
func (e *eyes) forget() {
	e.glance.keep(nil)
	e.clientMemo.forget()
	e.verifyMemo.forget()
	e.clientsMemo.forget()
	e.forgetRegistration()
	e.partitionsMemo.forget()
	e.hostIPMemo.forget()
	e.serverMemo.forget()
	e.uploadedMemo.forget()
}

// forgetRegistration is for what may have changed which certificate is registered.
func (e *eyes) forgetRegistration() {
	e.registrationMemo.forget()
	e.digestMemo.forget()
}

// registration is what the appliance says of the client name that we want.
type registration struct {
	listed bool           // `client list` has the name
	client *lunash.Client // `client show`; nil when not listed or not open to this user
	digest *lunash.Digest // `client fingerprint`; nil likewise
	gaps   []string       // what this user may not ask, in words
}

// upload is the file <client-address>.pem in the appliance user's directory.
type upload struct {
	cert    *x509.Certificate // nil: missing, or not readable
	problem string            // why it is not readable; empty when it is or when it is missing
}

// clients is `client list`.
func (e *eyes) clients(ctx context.Context) ([]string, error) {
	return e.clientsMemo.get(ctx, e.hsm.Clients)
}

// partitions is `partition list`; lunash.ErrNotAllowed when the user may not.
func (e *eyes) partitions(ctx context.Context) ([]lunash.Partition, error) {
	return e.partitionsMemo.get(ctx, e.hsm.Partitions)
}

// registered is everything that the appliance tells about our name.
func (e *eyes) registered(ctx context.Context) (registration, error) {
	return e.registrationMemo.get(ctx, func(ctx context.Context) (r registration, err error) {
		// A client that this run has registered shows itself, or else the list is asked.
		if e.acknowledged {
			if err = e.show(ctx, &r); err != nil && !errors.Is(err, lunash.ErrNoSuchClient) {
				return r, err
			}
			r.listed = r.client != nil
		}
		if !r.listed {
			names, err := e.clients(ctx)
			if err != nil {
				return r, err
			}
			if r.listed = slices.Contains(names, e.link.Name); !r.listed {
				return registration{}, nil
			}
		}
		return r, e.readRegistration(ctx, &r)
	})
}

// show fills in `client show`. That the user's role may not ask it is a gap.
func (e *eyes) show(ctx context.Context, r *registration) error {
	client, err := e.hsm.Client(ctx, e.link.Name)
	switch {
	case errors.Is(err, lunash.ErrNotAllowed):
		r.gaps = append(r.gaps, "this user may not ask `client show`")
	case err != nil:
		return err
	default:
		r.client = &client
	}
	return nil
}

// readRegistration fills in what is not known yet of `client show` and `client
// fingerprint`.
func (e *eyes) readRegistration(ctx context.Context, r *registration) error {
	if r.client == nil && len(r.gaps) == 0 {
		if err := e.show(ctx, r); err != nil {
			return err
		}
	}
	digest, err := e.digestMemo.get(ctx, func(ctx context.Context) (lunash.Digest, error) {
		return e.hsm.Fingerprint(ctx, e.link.Name)
	})
	switch {
	case errors.Is(err, lunash.ErrNotAllowed):
		r.gaps = append(r.gaps, "this user may not ask `client fingerprint`")
	case err != nil:
		return err
	default:
		r.digest = &digest
	}
	return nil
}

// serverCertificate is server.pem of the appliance. One that is not the pinned
// one is a conflict, before anything trusts it.
func (e *eyes) serverCertificate(ctx context.Context) (*x509.Certificate, error) {
	return e.serverMemo.get(ctx, func(ctx context.Context) (*x509.Certificate, error) {
		text, err := e.hsm.Fetch(ctx, "server.pem")
		if err != nil {
			return nil, err
		}
		cert, err := parseCertificate(text)
		if err != nil {
			return nil, transport.Errorf(transport.ClassProtocol, e.hsm.Name(), "server.pem: %w", err).
				WithHint("the appliance's NTLS certificate could not be read; look at it there with `sysconf fingerprint`")
		}
		return cert, unpinned(e.hsm.Name(), e.link.HSMCertificate, cert)
	})
}

// uploaded is our certificate file as it lies on the appliance. A file that
// cannot be read back is no error: it is sent again.
func (e *eyes) uploaded(ctx context.Context) (upload, error) {
	return e.uploadedMemo.get(ctx, func(ctx context.Context) (upload, error) {
		text, err := e.hsm.Fetch(ctx, e.link.certificateFile())
		if err != nil {
			return unreadable(err)
		}
		cert, err := parseCertificate(text)
		if err != nil {
			return upload{problem: err.Error()}, nil
		}
		return upload{cert: cert}, nil
	})
}

// verified is what `vtl verify` says.
func (e *eyes) verified(ctx context.Context) (vtl.Verified, error) {
	return e.verifyMemo.get(ctx, func(ctx context.Context) (vtl.Verified, error) {
		q := transport.VtlVerify(e.layout.Vtl)
		facts, err := e.host.Look(ctx, q)
		if err != nil {
			return vtl.Verified{}, err
		}
		v, err := vtl.ParseVerify(facts[q].Data)
		if err != nil {
			return v, transport.Errorf(transport.ClassProtocol, e.host.Name(), "%w", err)
		}
		return v, nil
	})
}

// readAhead reads from the appliance what the steps will ask for, so that it
// goes on side by side with the look at the client. What fails is remembered
// and met again by the step that asks.
func (e *eyes) readAhead(ctx context.Context) {
	var copying sync.WaitGroup
	copying.Go(func() { _, _ = e.serverCertificate(ctx) }) // the step that needs it reports the error
	_, _ = e.registered(ctx)                               // likewise
	_, _ = e.partitions(ctx)                               // likewise
	copying.Wait()
}

// goAhead reads ahead while the steps begin with the client. A file of ours that
// lies on the appliance is read too, which the client's first step says nothing
// about. done ends it, if it is not over, and waits for that.
func (e *eyes) goAhead(ctx context.Context) (done func()) {
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { e.readAhead(ctx) })
	reading.Go(func() {
		if reg, err := e.registered(ctx); err == nil && !reg.listed {
			_, _ = e.uploaded(ctx) // the step that needs it reports the error
		}
	})
	return func() {
		cancel()
		reading.Wait()
	}
}

// holder names the registered client that has our address, "" if none has. It
// reads every client, so it is asked only when it matters.
func (e *eyes) holder(ctx context.Context) (string, error) {
	names, err := e.hsm.Clients(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if name == e.link.Name || !askable(name) {
			continue
		}
		c, err := e.hsm.Client(ctx, name)
		if errors.Is(err, lunash.ErrNoSuchClient) {
			continue // deleted since the list was read
		}
		if err != nil {
			return "", fmt.Errorf("looking for the client that has %s: %w", e.link.ClientAddress, err)
		}
		if sameAddress(c.Address, e.link.ClientAddress) {
			return name, nil
		}
	}
	return "", nil
}
