package windows

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"ntl-setup/transport"
)

// largestFile bounds what is read from or written to one file, in bytes.
const largestFile = 1 << 20

// Wire is what a Host needs of a connection.
type Wire interface {
	transport.Runner
	Files(ctx context.Context) (transport.Files, error)
}

// host is a machine that runs Windows.
type host struct {
	wire  Wire
	shell Shell
	mark  func() string

	filesMu sync.Mutex
	open    transport.Files // nil: not open

	clockMu    sync.Mutex
	clockAsked bool
	noClock    bool
	ahead      time.Duration // of the machine's clock before ours
}

// New makes a Host of a connection whose default shell is known.
func New(w Wire, s Shell) transport.Host {
	return &host{wire: w, shell: s, mark: rand.Text}
}

// Name is how the user wrote the machine.
func (h *host) Name() string { return h.wire.Name() }

// run runs one line of cmd.exe to its end.
func (h *host) run(ctx context.Context, line string) (transport.Output, error) {
	if len(line) > longestLine {
		return transport.Output{}, transport.Errorf(transport.ClassConfig, h.Name(), "a command line of %d characters is longer than cmd.exe reads", len(line))
	}
	out, err := h.wire.Exec(ctx, h.shell.wrap(line), nil)
	if err == nil && out.Status < 0 {
		err = transport.Errorf(transport.ClassConnect, h.Name(), "the session ended before the answer was complete").
			WithHint("the connection was lost or the shell was killed; run the command again")
	}
	return out, err
}

// Look answers all queries: command lines first, then the files side by side.
func (h *host) Look(ctx context.Context, queries ...transport.Query) (transport.Facts, error) {
	facts := transport.Facts{}
	var asked []transport.Query
	for _, q := range queries {
		if !slices.Contains(asked, q) {
			asked = append(asked, q)
		}
	}
	mark := h.mark()
	lines, refused := renderLook(mark, asked)
	var all []section
	for _, line := range lines {
		out, err := h.run(ctx, line)
		if err != nil {
			return nil, err
		}
		sections, err := parseReply(mark, out.Stdout)
		if err != nil {
			return nil, transport.Errorf(transport.ClassProtocol, h.Name(), "%w: %s", err, transport.Printable(firstOf(out.Stdout, out.Stderr)))
		}
		all = append(all, sections...)
	}
	for i, q := range asked {
		if why := refused[i]; why != nil {
			facts[q] = transport.Fact{Problem: transport.Printable(why.Error())}
			continue
		}
		f, err := h.understand(ctx, q, of(all, i))
		if err != nil {
			return nil, err
		}
		facts[q] = f
	}
	return facts, h.readFiles(ctx, facts)
}

// understand makes a fact of one query's sections, and asks on where that is
// needed.
func (h *host) understand(ctx context.Context, q transport.Query, sections []section) (transport.Fact, error) {
	f, err := readFact(q, sections)
	if err != nil {
		return f, transport.Errorf(transport.ClassProtocol, h.Name(), "looking at %s %s: %w", q.Kind, q.Path, err)
	}
	switch q.Kind {
	case transport.QuerySystem:
		f.Clock, err = h.clock(ctx)
	case transport.QueryProcesses:
		if f.Problem == "" && len(f.Processes) > 0 {
			return h.processes(ctx, q.Path)
		}
	default:
	}
	return f, err
}

// sftpHint helps where the file service is off.
const sftpHint = "files travel by SFTP: let sshd_config there (in C:\\ProgramData\\ssh) have the line `Subsystem sftp sftp-server.exe`"

// files is the file service, opened once.
func (h *host) files(ctx context.Context) (transport.Files, error) {
	h.filesMu.Lock()
	defer h.filesMu.Unlock()
	if h.open != nil {
		return h.open, nil
	}
	f, err := h.wire.Files(ctx)
	if errors.Is(err, transport.ErrNoSFTP) {
		return nil, transport.Errorf(transport.ClassRemote, h.Name(), "%w", transport.ErrNoSFTP).WithHint(sftpHint)
	}
	if err == nil {
		h.open = f
	}
	return f, err
}

// broken drops a file service that failed, so that the next use opens another.
func (h *host) broken(f transport.Files) {
	h.filesMu.Lock()
	defer h.filesMu.Unlock()
	if h.open == f {
		h.open = nil
		_ = f.Close() // it is of no use any more
	}
}

// read reads a file. An error that is about the file alone comes as why; one of
// the connection as err.
func (h *host) read(ctx context.Context, path string) (data []byte, why, err error) {
	f, err := h.files(ctx)
	if err != nil {
		return nil, nil, err
	}
	data, err = f.ReadFile(ctx, remote(path), largestFile)
	why, err = h.judge(ctx, f, err)
	return data, why, err
}

// write writes a file; errors as in read.
func (h *host) write(ctx context.Context, path string, data []byte) (why, err error) {
	f, err := h.files(ctx)
	if err != nil {
		return nil, err
	}
	return h.judge(ctx, f, f.WriteFile(ctx, remote(path), data))
}

// judge tells an error about a file from one of the connection.
func (h *host) judge(ctx context.Context, f transport.Files, err error) (why, broken error) {
	var known *transport.Error
	switch {
	case err == nil:
		return nil, nil
	case ctx.Err() == nil && errors.As(err, &known) && known.Class != transport.ClassConnect && known.Class != transport.ClassTimeout,
		errors.Is(err, fs.ErrNotExist), errors.Is(err, transport.ErrTooLarge):
		return err, nil
	}
	h.broken(f)
	return nil, err
}

// firstOf is the start of the first text that is not empty.
func firstOf(texts ...[]byte) string {
	const most = 200
	for _, t := range texts {
		if s := strings.TrimSpace(string(t[:min(len(t), most)])); s != "" {
			return s
		}
	}
	return "nothing"
}
