package main

import (
	"context"
	"errors"
	"sync/atomic"

	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// watched is an appliance that one of several links uses: it notes that the
// appliance's own connection, or session, was lost. What becomes of the link's
// client says nothing about that.
type watched struct {
	lunash.Appliance
	lost *atomic.Bool
}

func watching(a lunash.Appliance, lost *atomic.Bool) lunash.Appliance { return &watched{a, lost} }

// note notes what an error tells, unless the asker went away himself.
func (w *watched) note(ctx context.Context, err error) error {
	var known *transport.Error
	if ctx.Err() == nil && errors.As(err, &known) && known.Class == transport.ClassConnect {
		w.lost.Store(true)
	}
	return err
}

func (w *watched) Clients(ctx context.Context) ([]string, error) {
	names, err := w.Appliance.Clients(ctx)
	return names, w.note(ctx, err)
}

func (w *watched) Client(ctx context.Context, name string) (lunash.Client, error) {
	c, err := w.Appliance.Client(ctx, name)
	return c, w.note(ctx, err)
}

func (w *watched) Fingerprint(ctx context.Context, name string) (lunash.Digest, error) {
	d, err := w.Appliance.Fingerprint(ctx, name)
	return d, w.note(ctx, err)
}

func (w *watched) Partitions(ctx context.Context) ([]lunash.Partition, error) {
	rows, err := w.Appliance.Partitions(ctx)
	return rows, w.note(ctx, err)
}

func (w *watched) HostIPs(ctx context.Context) ([]lunash.HostIP, error) {
	rows, err := w.Appliance.HostIPs(ctx)
	return rows, w.note(ctx, err)
}

func (w *watched) Fetch(ctx context.Context, name string) ([]byte, error) {
	data, err := w.Appliance.Fetch(ctx, name)
	return data, w.note(ctx, err)
}

func (w *watched) Store(ctx context.Context, name string, data []byte) error {
	return w.note(ctx, w.Appliance.Store(ctx, name, data))
}

func (w *watched) Register(ctx context.Context, r lunash.Registration) error {
	return w.note(ctx, w.Appliance.Register(ctx, r))
}

func (w *watched) Assign(ctx context.Context, client, partition string) error {
	return w.note(ctx, w.Appliance.Assign(ctx, client, partition))
}

func (w *watched) MapHostIP(ctx context.Context, client, address string) error {
	return w.note(ctx, w.Appliance.MapHostIP(ctx, client, address))
}

// An appliance that links share says how it is set, as one of their own does.
var _ lunash.Inspector = (*watched)(nil)

func (w *watched) Clock(ctx context.Context) (lunash.Clock, error) {
	c, err := lunash.Inspect(w.Appliance).Clock(ctx)
	return c, w.note(ctx, err)
}

func (w *watched) IPCheck(ctx context.Context) (bool, error) {
	on, err := lunash.Inspect(w.Appliance).IPCheck(ctx)
	return on, w.note(ctx, err)
}

func (w *watched) Serving(ctx context.Context) (bool, error) {
	runs, err := lunash.Inspect(w.Appliance).Serving(ctx)
	return runs, w.note(ctx, err)
}
