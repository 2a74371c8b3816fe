package nscli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"path"
	"strings"
	"sync"
	"time"

	"ntl-setup/transport"
	"ntl-setup/transport/scp"
)

// place is where a script lies for a moment: copies by SFTP and SCP into it are
// what the field does as nsroot.
const place = "/var/tmp/"

// A script that did not begin does not remove itself, and where the line is lost
// nobody else can. Its file is left for a later run, which takes it for dead when
// it is that old: a script begins as soon as it has arrived.
const (
	prefix     = "ntl-setup."
	oldAfter   = "60"            // minutes
	tidyWithin = 5 * time.Second // for the removal, when the time for the script is up
)

// carried brings standard input to a command whose CLI hands none on: a script,
// as a file that removes itself.
type carried struct {
	transport.Conn
	place string

	mu    sync.Mutex
	left  []string // scripts that may lie there still, for none of them was seen to begin
	swept bool     // a script has begun that cleared away what runs before left
}

// carry makes one whose scripts lie in a directory, which ends in "/".
func carry(conn transport.Conn, dir string) *carried { return &carried{Conn: conn, place: dir} }

// Exec runs a line that ends in the name of a shell, with that script. The
// script tells that its file is gone; of one that does not, the file is removed.
func (c *carried) Exec(ctx context.Context, line string, script []byte) (transport.Output, error) {
	name := c.place + prefix + rand.Text()
	gone := name + " gone"
	lead := "rm -f " + name + " && echo " + gone + "\n" + c.sweep()
	if begun, err := c.put(ctx, name, append([]byte(lead), script...)); err != nil {
		if begun {
			c.remove(ctx, name)
		}
		return transport.Output{}, err
	}
	out, err := c.Conn.Exec(ctx, line+" "+name, nil)
	if !bytes.Contains(out.Stdout, []byte(gone)) {
		c.remove(ctx, name)
		return out, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.swept, c.left = true, nil
	return out, err
}

// sweep is what a script does besides: it removes what those before it left, and
// the first one what runs before this one did. Names that only this program
// gives, files of this user, and old ones alone: another run may be at work.
func (c *carried) sweep() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines string
	if len(c.left) > 0 {
		lines = "rm -f " + strings.Join(c.left, " ") + "\n"
	}
	if !c.swept {
		lines += "find " + c.place + " -maxdepth 1 -type f -name '" + prefix + strings.Repeat("?", len(rand.Text())) +
			"' -user \"$(id -u)\" -mmin +" + oldAfter + " -exec rm -f {} \\; 2>/dev/null\n"
	}
	return lines
}

// remove is for the file of a script that did not begin, and it does not begin
// after that. Where it fails, the next script does it.
func (c *carried) remove(ctx context.Context, name string) {
	if ctx.Err() != nil {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyWithin)
		defer cancel()
		ctx = late
	}
	if _, err := c.Conn.Exec(ctx, "shell rm -f "+name, nil); err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = append(c.left, name)
}

// put writes a file of mode 0600: by SFTP, or where there is none by SCP. begun
// is whether something of it may lie there.
func (c *carried) put(ctx context.Context, name string, data []byte) (begun bool, err error) {
	files, err := c.Files(ctx)
	if errors.Is(err, transport.ErrNoSFTP) {
		return c.overSCP(ctx, name, data)
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	return true, transport.WriteNew(ctx, files, name, data)
}

// overSCP writes a file by SCP. The name is ours, and plain.
func (c *carried) overSCP(ctx context.Context, name string, data []byte) (begun bool, err error) {
	stream, err := c.Stream(ctx, "scp -t "+name)
	if begun = err == nil; begun {
		defer context.AfterFunc(ctx, func() { _ = stream.Close() })() // ends a copy that hangs
		err = scp.Send(stream, path.Base(name), 0o600, data)
		_ = stream.Close() // the far side has confirmed the whole file, or the copy has failed
	}
	switch {
	case err == nil:
		return begun, nil
	case ctx.Err() != nil:
		return begun, transport.Errorf(transport.ClassTimeout, c.Name(), "sending a script by SCP: %w", context.Cause(ctx))
	}
	return begun, transport.Errorf(transport.ClassRemote, c.Name(),
		"the NetScaler CLI hands no standard input to the command shell, there is no SFTP to send a script by, and SCP fails: %w", err).
		WithHint("log in as root, whose login shell is a POSIX one")
}
