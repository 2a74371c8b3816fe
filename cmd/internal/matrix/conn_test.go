package matrix

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"ntl-setup/fixtures/faults"
	"ntl-setup/fixtures/luna"
	"ntl-setup/transport"
)

// hsmName is the appliance as a user writes it.
const hsmName = "admin@192.0.2.20:22"

// crumb is the time between the bytes of a dribbling wire.
const crumb = 2 * time.Millisecond

// conn is one connection to the simulated appliance, in memory.
type conn struct {
	app    *luna.Appliance
	inject *faults.Injector
	net    *network

	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu   sync.Mutex
	open map[*channel]struct{}
	dead bool
}

func newConn(app *luna.Appliance, inject *faults.Injector, net *network) *conn {
	c := &conn{app: app, inject: inject, net: net, open: map[*channel]struct{}{}}
	c.ctx, c.stop = context.WithCancel(context.Background())
	net.onCut(c.cut)
	return c
}

func (c *conn) Name() string { return hsmName }

func (c *conn) Exec(context.Context, string, []byte) (transport.Output, error) {
	return transport.Output{}, errors.New("nobody runs commands on an appliance")
}

// Close ends the connection and waits for the appliance's side.
func (c *conn) Close() error {
	c.cut()
	c.work.Wait()
	return nil
}

// cut ends the connection, as seen from both sides.
func (c *conn) cut() {
	c.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	for ch := range c.open {
		ch.cut()
	}
}

func lost(host string) error {
	return transport.Errorf(transport.ClassConnect, host, "connection lost: %w", io.EOF)
}

// channel opens a channel; serve plays the appliance on it.
func (c *conn) channel(ctx context.Context, what string, serve func(ctx context.Context, far io.ReadWriteCloser) error) (*channel, error) {
	switch c.inject.Pass(faults.Channel, what) {
	case faults.Refuse:
		return nil, transport.Errorf(transport.ClassConnect, hsmName, "open: the machine refuses another channel (administratively prohibited)")
	case faults.Drop:
		c.cut()
	case faults.Stall:
		<-ctx.Done()
		return nil, transport.Errorf(transport.ClassTimeout, hsmName, "open: %w", context.Cause(ctx))
	default:
	}
	if err := c.net.reach(ctx, hsmName); err != nil {
		return nil, err
	}
	ch := newChannel(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return nil, lost(hsmName)
	}
	c.open[ch] = struct{}{}
	c.work.Go(func() {
		err := serve(c.ctx, farEnd{ch})
		if errors.Is(err, luna.ErrDropped) {
			c.cut()
		}
		ch.cut()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.open, ch)
	})
	return ch, nil
}

func (c *conn) session(form luna.Form, command string) luna.Session {
	return luna.Session{User: "admin", From: "192.0.2.5", Form: form, Command: command, Faults: c.sftpFaults()}
}

// sftpFaults strikes at transfers by SFTP, before or after the deed.
func (c *conn) sftpFaults() func(string, bool) bool {
	var what faults.Kind
	return func(command string, done bool) bool {
		if !strings.HasPrefix(command, "sftp ") {
			return false
		}
		if !done {
			what = c.inject.Pass(faults.Copy, command)
		}
		return what == faults.Drop && !done || what == faults.Lost && done
	}
}

// Terminal is a lunash session.
func (c *conn) Terminal(ctx context.Context, _, _ int) (transport.Stream, error) {
	return c.stream(c.channel(ctx, "shell", func(ctx context.Context, far io.ReadWriteCloser) error {
		_, err := c.app.Serve(ctx, c.inject.Dialogue(far), c.session(luna.Terminal, ""))
		return err
	}))
}

// Stream is one command: a copy.
func (c *conn) Stream(ctx context.Context, line string) (transport.Stream, error) {
	return c.stream(c.channel(ctx, line, func(ctx context.Context, far io.ReadWriteCloser) error {
		_, err := c.app.Serve(ctx, c.inject.Copying(far, line), c.session(luna.Exec, line))
		return err
	}))
}

// stream keeps a nil channel from becoming a Stream.
func (c *conn) stream(ch *channel, err error) (transport.Stream, error) {
	if err != nil {
		return nil, err
	}
	return ch, nil
}

// Files is the SFTP subsystem, where the appliance has it.
func (c *conn) Files(ctx context.Context) (transport.Files, error) {
	state, err := c.app.State()
	if err != nil {
		return nil, err
	}
	if !state.SFTP() {
		return nil, transport.Errorf(transport.ClassRemote, hsmName, "%w", transport.ErrNoSFTP)
	}
	ch, err := c.channel(ctx, "sftp", func(_ context.Context, far io.ReadWriteCloser) error {
		return c.app.ServeSFTP(far, c.session(luna.Exec, luna.SFTPCommand))
	})
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = ch.Close() })()
	client, err := sftp.NewClientPipe(ch, writeCloser{ch})
	if err != nil {
		_ = ch.Close()
		return nil, (&files{}).fail(ctx, io.EOF)
	}
	return &files{ch: ch, client: client}, nil
}

// files reads and writes whole files, ended by the context.
type files struct {
	ch     *channel
	client *sftp.Client
}

func (f *files) ReadFile(ctx context.Context, name string, limit int64) (data []byte, err error) {
	defer context.AfterFunc(ctx, func() { _ = f.ch.Close() })()
	file, err := f.client.Open(name)
	if err != nil {
		return nil, f.fail(ctx, err)
	}
	if data, err = io.ReadAll(io.LimitReader(file, limit+1)); err == nil {
		err = file.Close()
	}
	return data, f.fail(ctx, err)
}

func (f *files) WriteFile(ctx context.Context, name string, data []byte) error {
	defer context.AfterFunc(ctx, func() { _ = f.ch.Close() })()
	file, err := f.client.Create(name)
	if err != nil {
		return f.fail(ctx, err)
	}
	_, err = file.Write(data)
	return f.fail(ctx, errors.Join(err, file.Close()))
}

func (f *files) fail(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return transport.Errorf(transport.ClassTimeout, hsmName, "copy: %w", context.Cause(ctx))
	case errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return lost(hsmName)
	}
	return transport.Errorf(transport.ClassRemote, hsmName, "copy: %w", err)
}

func (f *files) Close() error {
	err := f.ch.Close()
	_ = f.client.Close() // its end is the channel's
	return err
}
