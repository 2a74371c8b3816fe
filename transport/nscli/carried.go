package nscli

import (
	"context"
	"crypto/rand"
	"errors"

	"ntl-setup/transport"
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

// put writes a file by SFTP.
func (c carried) put(ctx context.Context, name string, data []byte) (err error) {
	files, err := c.Files(ctx)
	if errors.Is(err, transport.ErrNoSFTP) {
		return transport.Errorf(transport.ClassRemote, c.Name(),
			"the NetScaler CLI hands no standard input to the command shell, and there is no SFTP to send a script by: %w", err).
			WithHint("log in as root, whose login shell is a POSIX one")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	return files.WriteFile(ctx, name, data)
}
