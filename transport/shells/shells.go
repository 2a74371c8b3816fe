package shells

import (
	"context"
	"errors"
	"sync"

	"ntl-setup/transport"
	"ntl-setup/transport/nscli"
	"ntl-setup/transport/posix"
	"ntl-setup/transport/windows"
)

// Detect tells whether a kind of shell is at the other end, by what came back
// for the word sh (answer) and by asking more, and gives the Host that speaks to
// it; (nil, nil) if it is another. It never changes anything there. An error
// ends the recognising: it is that shell, and it cannot be worked with, or the
// connection is lost.
type Detect func(ctx context.Context, conn transport.Conn, answer transport.Output) (transport.Host, error)

// others are the shells that are no sh, in the order in which they are asked.
func others() []Detect {
	return []Detect{
		nscli.Detect,   // the NetScaler's CLI, login shell of nsroot
		windows.Detect, // cmd.exe or PowerShell behind OpenSSH for Windows
	}
}

// host is a machine whose shell is not known until it was looked at.
type host struct {
	conn  transport.Conn
	posix posix.Options
	kinds []Detect

	choosing sync.Mutex
	chosen   transport.Host // nil: not known yet
}

// New makes a Host of whatever shell answers on a connection. o is for sh.
func New(conn transport.Conn, o posix.Options) transport.Host {
	return &host{conn: conn, posix: o, kinds: others()}
}

// Name is how the user wrote the machine.
func (h *host) Name() string { return h.conn.Name() }

// Look answers all queries in one exchange; the first may take a few.
func (h *host) Look(ctx context.Context, queries ...transport.Query) (transport.Facts, error) {
	if len(queries) == 0 {
		return transport.Facts{}, nil
	}
	chosen, facts, err := h.choose(ctx, queries)
	if err != nil || facts != nil {
		return facts, err
	}
	return chosen.Look(ctx, queries...)
}

// Do does the actions in one exchange, on a shell that is known.
func (h *host) Do(ctx context.Context, actions ...transport.Action) ([]transport.Output, error) {
	if len(actions) == 0 {
		return nil, nil
	}
	chosen, _, err := h.choose(ctx, []transport.Query{transport.System()})
	if err != nil {
		return nil, err
	}
	return chosen.Do(ctx, actions...)
}

// DoAndLook is Do with a look behind it, in one exchange where that shell can.
func (h *host) DoAndLook(ctx context.Context, actions []transport.Action, queries []transport.Query) ([]transport.Output, transport.Facts, error) {
	chosen, _, err := h.choose(ctx, []transport.Query{transport.System()})
	if err != nil {
		return nil, nil, err
	}
	return transport.DoAndLook(ctx, chosen, actions, queries)
}

// choose finds the shell, once. Where sh answers, its answer to the queries
// comes with it.
func (h *host) choose(ctx context.Context, queries []transport.Query) (transport.Host, transport.Facts, error) {
	h.choosing.Lock()
	defer h.choosing.Unlock()
	if h.chosen != nil {
		return h.chosen, nil, nil
	}
	sh := posix.New(h.conn, h.posix)
	facts, err := sh.Look(ctx, queries...)
	var none *posix.NoShellError
	switch {
	case err == nil:
		h.chosen = sh
		return sh, facts, nil
	case !errors.As(err, &none):
		return nil, nil, err
	}
	for _, detect := range h.kinds {
		found, failure := detect(ctx, h.conn, none.Answer)
		if failure != nil {
			return nil, nil, failure
		}
		if found != nil {
			h.chosen = found
			return found, nil, nil
		}
	}
	return nil, nil, err
}
