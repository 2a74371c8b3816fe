package lunash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"ntl-setup/transport"
	"ntl-setup/transport/scp"
)

// fileLimit is the largest file that is fetched; certificates have a few KiB.
const fileLimit = 64 << 10

// fileMode is what SCP is told; the appliance keeps its own counsel.
const fileMode fs.FileMode = 0o644

// protocol is a way of copying a file. Releases before 7.9 speak SCP alone;
// from 7.9 on SFTP is the default, and SCP may be gone.
type protocol string

const (
	bySCP  protocol = "SCP"
	bySFTP protocol = "SFTP"
)

// copier copies files to and from the user's directory, by whichever protocol
// the appliance speaks, and remembers which.
type copier struct {
	conn    transport.Conn
	mu      sync.Mutex
	worked  protocol
	version string
}

// learn notes the appliance's release, which decides what is tried first.
func (c *copier) learn(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
}

// order is what to try, first things first.
func (c *copier) order() [2]protocol {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.worked == bySFTP || c.worked == "" && sftpSince(c.version) {
		return [2]protocol{bySFTP, bySCP}
	}
	return [2]protocol{bySCP, bySFTP}
}

func (c *copier) remember(p protocol) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worked = p
}

// notSpoken is a protocol that could not be used at all: the other one may be.
// Nothing was copied.
type notSpoken struct {
	err  error
	mute bool // the far side gave no reason, so it may be that it has no session free
}

func (e *notSpoken) Error() string { return e.err.Error() }
func (e *notSpoken) Unwrap() error { return e.err }

// Fetch brings a file of the user's directory.
func (a *appliance) Fetch(ctx context.Context, name string) ([]byte, error) {
	var data []byte
	err := a.copy(ctx, "fetch", name, func(ctx context.Context, p protocol) (err error) {
		if p == bySCP {
			data, err = a.files.fetchSCP(ctx, name)
		} else {
			data, err = a.files.fetchSFTP(ctx, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Store puts a file into the user's directory.
func (a *appliance) Store(ctx context.Context, name string, data []byte) error {
	return a.copy(ctx, "store", name, func(ctx context.Context, p protocol) error {
		if p == bySCP {
			return a.files.storeSCP(ctx, name, data)
		}
		return a.files.storeSFTP(ctx, name, data)
	})
}

// copy copies a file, for which the appliance may have to find a session first.
func (a *appliance) copy(ctx context.Context, what, name string, try func(context.Context, protocol) error) error {
	if err := checkFile(name); err != nil {
		return err
	}
	ctx, cancel := a.limit(ctx)
	defer cancel()
	doing := what + " " + name
	err := a.beside(ctx, func() error { return a.eitherWay(ctx, doing, try) })
	var known *transport.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return a.copyError(ctx, doing, err) // its turn did not come
}

// eitherWay tries both protocols. The second only gets its chance when the first
// is not spoken: an answer to the request itself ("no such file") is final.
func (a *appliance) eitherWay(ctx context.Context, doing string, try func(context.Context, protocol) error) error {
	var unspoken []error
	mute := false
	for _, p := range a.files.order() {
		err := try(ctx, p)
		if err == nil {
			a.files.remember(p)
			return nil
		}
		var not *notSpoken
		if ctx.Err() != nil || !errors.As(err, &not) || errors.Is(err, transport.ErrNoSession) {
			return a.copyError(ctx, fmt.Sprintf("%s by %s", doing, p), err)
		}
		mute = mute || not.mute
		unspoken = append(unspoken, fmt.Errorf("by %s: %w", p, err))
	}
	e := &transport.Error{
		Class: transport.ClassRemote, Host: a.Name(),
		Message: fmt.Sprintf("%s: %s; %s", doing, shorten(unspoken[0].Error()), shorten(unspoken[1].Error())),
		Hint:    "the appliance user may lack the right to copy files, or must be allowed scp or sftp",
		Err:     errors.Join(append(unspoken, ErrNoCopying)...),
	}
	if mute {
		e.Hint += "; or all sessions of the appliance are in use (10 at most)"
		e.Err = errors.Join(errMute, e.Err)
	}
	return e
}

// copyError is a failure that the other protocol would not mend.
func (a *appliance) copyError(ctx context.Context, doing string, err error) error {
	e := &transport.Error{Class: transport.ClassConnect, Host: a.Name(), Err: err}
	var known *transport.Error
	var remote *scp.RemoteError
	switch {
	case errors.Is(err, transport.ErrNoSession) && errors.As(err, &known):
		e.Hint = known.Hint
	case ctx.Err() != nil:
		e.Class, e.Err = transport.ClassTimeout, context.Cause(ctx)
	case errors.As(err, &known):
		e.Class, e.Hint = known.Class, known.Hint
	case errors.As(err, &remote), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		e.Class = transport.ClassRemote
	case errors.Is(err, scp.ErrProtocol), errors.Is(err, transport.ErrTooLarge):
		e.Class = transport.ClassProtocol
	}
	e.Message = doing + ": " + shorten(e.Err.Error())
	return e
}

func (c *copier) fetchSCP(ctx context.Context, name string) (data []byte, err error) {
	line, err := scp.SourceLine(name)
	if err != nil {
		return nil, fmt.Errorf("name the file: %w", err)
	}
	err = c.overSCP(ctx, line, func(s transport.Stream) (err error) {
		data, err = scp.Receive(s, fileLimit)
		return err // wrapped by overSCP
	})
	return data, err
}

func (c *copier) storeSCP(ctx context.Context, name string, data []byte) error {
	line, err := scp.SinkLine(name)
	if err != nil {
		return fmt.Errorf("name the file: %w", err)
	}
	return c.overSCP(ctx, line, func(s transport.Stream) error {
		return scp.Send(s, name, fileMode, data) // wrapped by overSCP
	})
}

// overSCP runs one copy against the far side's scp. The exit status is not
// asked for: the protocol's own acknowledgements are the proof.
func (c *copier) overSCP(ctx context.Context, line string, work func(transport.Stream) error) error {
	stream, err := c.conn.Stream(ctx, line)
	if err != nil {
		return &notSpoken{err, errors.Is(err, io.EOF)}
	}
	shut := sync.OnceFunc(func() { _ = stream.Close() }) // what counts is acknowledged before
	stop := context.AfterFunc(ctx, shut)
	defer stop()
	defer shut()
	err = work(stream)
	var not *scp.NotSCPError
	var refused *scp.RemoteError
	switch {
	case errors.As(err, &refused) && crowded.MatchString(refused.Text):
		return full(c.conn.Name(), refused.Text)
	case !errors.As(err, &not):
		return err
	case not.Text == "":
		// With the end of the stream comes the last of its standard error. An
		// end that was the whole connection's is no answer about SCP.
		if _, lost := stream.Wait(); lost != nil {
			return lost
		}
	}
	said := shorten(string(stream.Stderr()))
	if words := strings.TrimSpace(not.Text + " " + said); crowded.MatchString(words) {
		return full(c.conn.Name(), words)
	}
	if said != "" {
		err = fmt.Errorf("%w (%s)", err, said)
	}
	return &notSpoken{err, not.Text == "" && said == ""}
}

// overSFTP runs one copy over the file service. A service that cannot be opened
// for another reason than that there is none is no question of protocols: the
// connection is lost, or no session is free.
func (c *copier) overSFTP(ctx context.Context, work func(transport.Files) error) error {
	files, err := c.conn.Files(ctx)
	switch {
	case err == nil:
		defer func() { _ = files.Close() }() // what counts is checked by then
		return work(files)                   // copyError says what was done
	case errors.Is(err, transport.ErrNoSFTP):
		return &notSpoken{err, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)}
	}
	return err // of the connection, which says all that is known
}

func (c *copier) fetchSFTP(ctx context.Context, name string) (data []byte, err error) {
	err = c.overSFTP(ctx, func(files transport.Files) (err error) {
		data, err = files.ReadFile(ctx, name, fileLimit)
		return err // wrapped by copyError
	})
	return data, err
}

func (c *copier) storeSFTP(ctx context.Context, name string, data []byte) error {
	return c.overSFTP(ctx, func(files transport.Files) error { return files.WriteFile(ctx, name, data) })
}
