package steps

import (
	"context"
	"net/netip"
	"slices"

	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// HostIPs is `client hostip show`; odd makes its answer one that is not understood.
func (h *fakeHSM) HostIPs(context.Context) ([]lunash.HostIP, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask("client hostip show"); err != nil {
		return nil, err
	}
	if h.oddHostIP {
		return nil, transport.Errorf(transport.ClassProtocol, h.Name(), "the appliance's answer holds no list")
	}
	return slices.Clone(h.hostIPs), nil
}

// MapHostIP is `client hostip map`.
func (h *fakeHSM) MapHostIP(_ context.Context, client, address string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask("client hostip map"); err != nil {
		return err
	}
	if h.clients[client] == nil {
		return h.refuse("client hostip map", lunash.ErrNoSuchClient)
	}
	if slices.ContainsFunc(h.hostIPs, func(m lunash.HostIP) bool { return slices.Contains(m.Names, client) }) {
		return h.refuse("client hostip map", lunash.ErrAlreadyMapped)
	}
	h.hostIPs = append(h.hostIPs, lunash.HostIP{Names: []string{client}, Address: netip.MustParseAddr(address)})
	h.writes = append(h.writes, "map "+client+" "+address)
	return h.lost["client hostip map"]
}
