package nscli

import (
	"context"
	"crypto/rand"
	"errors"
	"path"

	"ntl-setup/transport"
	"ntl-setup/transport/scp"
)

// place is where a script lies for a moment: copies by SFTP and SCP into it are
// what the field does as nsroot.
const place = "/var/tmp/"

// carried brings standard input to a command whose CLI hands none on: a script,
// as a file that removes itself.
type carried struct {
	transport.Conn
	place string
}

// Exec runs a line that ends in the name of a shell, with that script.
func (c carried) Exec(ctx context.Context, line string, script []byte) (transport.Output, error) {
	name := c.place + "ntl-setup." + rand.Text()
	if err := c.put(ctx, name, append([]byte("rm -f "+name+"\n"), script...)); err != nil {
		return transport.Output{}, err
	}
	return c.Conn.Exec(ctx, line+" "+name, nil)
}

// put writes a file: by SFTP, or where there is none by SCP.
func (c carried) put(ctx context.Context, name string, data []byte) (err error) {
	files, err := c.Files(ctx)
	if errors.Is(err, transport.ErrNoSFTP) {
		return c.overSCP(ctx, name, data)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	return files.WriteFile(ctx, name, data)
}

// overSCP writes a file by SCP. The name is ours, and plain.
func (c carried) overSCP(ctx context.Context, name string, data []byte) error {
	stream, err := c.Stream(ctx, "scp -t "+name)
	if err == nil {
		defer context.AfterFunc(ctx, func() { _ = stream.Close() })() // ends a copy that hangs
		err = scp.Send(stream, path.Base(name), 0o600, data)
		_ = stream.Close() // the far side has confirmed the whole file, or the copy has failed
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return transport.Errorf(transport.ClassTimeout, c.Name(), "sending a script by SCP: %w", context.Cause(ctx))
	}
	return transport.Errorf(transport.ClassRemote, c.Name(),
		"the NetScaler CLI hands no standard input to the command shell, there is no SFTP to send a script by, and SCP fails: %w", err).
		WithHint("log in as root, whose login shell is a POSIX one")
}
