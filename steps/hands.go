package steps

import (
	"context"
	"crypto/x509"
	"time"

	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// hands are what an act may use. Whatever they do to a host makes the eyes
// forget what they remember of it.
type hands struct {
	link Link
	host transport.Host
	hsm  lunash.Appliance
	see  *eyes
	lock *lease // while the site is held: no act without it

	probe Probe
}

func newHands(hosts Hosts, link Link, see *eyes) *hands {
	return &hands{link: link, host: hosts.Client, hsm: hosts.HSM, see: see, probe: hosts.Probe}
}

// client does actions on the client host and looks behind them, in one exchange
// where the host can do that: the look is what the act is confirmed by.
func (h *hands) client(ctx context.Context, actions ...transport.Action) (outputs []transport.Output, err error) {
	defer h.see.clientMemo.forget()
	defer h.see.verifyMemo.forget()
	h.lend()
	var facts transport.Facts
	h.see.began = time.Now()
	if h.lock != nil {
		outputs, facts, err = h.lock.do(ctx, h.see.wanted(), actions...)
	} else {
		outputs, facts, err = transport.DoAndLook(ctx, h.host, actions, h.see.wanted())
	}
	h.see.glance.keep(facts)
	return outputs, err
}

// appliance acts on the appliance.
func (h *hands) appliance(ctx context.Context, act func(context.Context) error) error {
	h.lend()
	h.see.glance.keep(nil)
	if h.lock != nil {
		return h.lock.elsewhere(ctx, act)
	}
	return act(ctx)
}

// reconfigure does actions on the client that change what safenet_gw reads: its
// configuration, a certificate. A gateway that runs meanwhile is stale after.
func (h *hands) reconfigure(ctx context.Context, what string, actions ...transport.Action) ([]transport.Output, error) {
	h.see.news = true
	if facts, err := h.see.client(ctx); err == nil {
		for _, p := range facts.gateways {
			h.see.stale[p.PID] = what
		}
	}
	return h.client(ctx, actions...)
}

// backup is the first action of every batch that may change a file: a copy
// beside it, once a run.
func (h *hands) backup(path string) transport.Action {
	return transport.Backup(path, backupOf(h.link, path))
}

// store sends our certificate to the appliance.
func (h *hands) store(ctx context.Context, cert *x509.Certificate) error {
	defer h.see.uploadedMemo.forget()
	name := h.link.certificateFile()
	if err := h.appliance(ctx, func(ctx context.Context) error { return h.hsm.Store(ctx, name, encodePEM(cert)) }); err != nil {
		return err
	}
	h.see.sent[name] = fingerprint(cert)
	return nil
}

// register is `client register`.
func (h *hands) register(ctx context.Context) error {
	defer h.see.digestMemo.forget()
	defer h.forgetRegistration()
	defer h.see.clientsMemo.forget()
	h.see.registering = true
	err := h.appliance(ctx, func(ctx context.Context) error {
		return h.hsm.Register(ctx, h.link.registration())
	})
	h.see.acknowledged = err == nil
	return err
}

// registration is what `client register` is told.
func (l Link) registration() lunash.Registration {
	return lunash.Registration{Name: l.Name, Address: l.ClientAddress, ByHostname: l.ByHostname()}
}

// assign is `client assignPartition`.
func (h *hands) assign(ctx context.Context, partition string) error {
	defer h.forgetRegistration()
	h.see.news = true
	return h.appliance(ctx, func(ctx context.Context) error { return h.hsm.Assign(ctx, h.link.Name, partition) })
}

func (h *hands) forgetRegistration() {
	h.see.registrationMemo.forget()
	h.see.verifyMemo.forget()
}
