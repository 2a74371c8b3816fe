package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// files is SFTP over one channel.
type files struct {
	conn   *conn
	client *sftp.Client
	close  func()
}

// Files opens the SFTP service. A peer that refuses the subsystem, or accepts
// it and then speaks something else (a forced command), is
// transport.ErrNoSFTP. The context bounds the opening.
func (c *conn) Files(ctx context.Context) (transport.Files, error) {
	const doing = "open the file service"
	s, err := c.session(ctx)
	if err != nil {
		return nil, c.fail(ctx, doing, err)
	}
	client, err := await(ctx, func() (*sftp.Client, error) { return startSFTP(s) },
		func(*sftp.Client) { c.closeSession(s) })
	if err == nil {
		return &files{conn: c, client: client, close: sync.OnceFunc(func() { c.closeSession(s) })}, nil
	}
	c.closeSession(s)
	if ctx.Err() == nil && c.lostCause() == nil && c.ping(ctx) == nil {
		e := transport.Errorf(transport.ClassRemote, c.name, "%w (%s)", transport.ErrNoSFTP, transport.Printable(err.Error()))
		e.Err = errors.Join(transport.ErrNoSFTP, err)
		return nil, e
	}
	return nil, c.fail(ctx, doing, err)
}

func startSFTP(s *ssh.Session) (*sftp.Client, error) {
	in, err := s.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := s.StderrPipe()
	if err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }() // or it would fill the channel
	if err := s.RequestSubsystem("sftp"); err != nil {
		return nil, err
	}
	return sftp.NewClientPipe(out, in)
}

// ReadFile reads a whole file; see transport.Files.
func (f *files) ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	return run(ctx, f, "read "+name, func() (data []byte, err error) {
		file, err := f.client.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		buf := &limited{limit: limit}
		if _, err := io.Copy(buf, file); err != nil {
			return nil, err
		}
		return buf.Bytes(), nil
	})
}

// WriteFile replaces the content of a file, which is made if it is missing; see
// transport.Files. It is not atomic: SFTP servers without a shell, the ones this
// is for, may allow no renaming.
func (f *files) WriteFile(ctx context.Context, name string, data []byte) error {
	_, err := run(ctx, f, "write "+name, func() (none struct{}, err error) {
		return none, f.write(name, os.O_TRUNC, 0, data)
	})
	return err
}

// WriteNew makes a file that is the user's alone; see transport.Keeper.
func (f *files) WriteNew(ctx context.Context, name string, data []byte) error {
	_, err := run(ctx, f, "write "+name, func() (none struct{}, err error) {
		return none, f.write(name, os.O_EXCL, 0o600, data)
	})
	return err
}

// write makes a file of what is there, or of none. It has its mode, if that is
// not 0, before it holds anything.
func (f *files) write(name string, how int, mode os.FileMode, data []byte) error {
	file, err := f.client.OpenFile(name, os.O_WRONLY|os.O_CREATE|how)
	if err != nil {
		return err
	}
	if mode != 0 {
		err = file.Chmod(mode)
	}
	if err == nil {
		_, err = file.Write(data)
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	info, err := f.client.Stat(name)
	if err != nil {
		return fmt.Errorf("check its size: %w", err)
	}
	if info.Size() != int64(len(data)) {
		return fmt.Errorf("%d of %d bytes arrived", info.Size(), len(data))
	}
	return nil
}

// Close ends the service without waiting for the far side.
func (f *files) Close() error {
	f.close()
	return nil
}

// run does one operation. If the context ends first the service is closed, lest
// the operation goes on behind the caller's back.
func run[T any](ctx context.Context, f *files, doing string, op func() (T, error)) (T, error) {
	v, err := await(ctx, op, nil)
	if err == nil {
		return v, nil
	}
	if e := ended(ctx, f.conn.name, doing); e != nil {
		f.close()
		return v, e
	}
	switch {
	case errors.Is(err, transport.ErrTooLarge):
		return v, transport.Errorf(transport.ClassProtocol, f.conn.name, "%s: %w", doing, err)
	case errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return v, f.conn.fail(ctx, doing, err)
	}
	return v, transport.Errorf(transport.ClassRemote, f.conn.name, "%s: %w", doing, err)
}
