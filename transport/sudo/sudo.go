package sudo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ntl-setup/transport"
)

// Options are what may differ between machines.
type Options struct {
	// ConfigDir is the value of ChrystokiConfigurationPath that every line gets,
	// a plain path; "": what the session has.
	ConfigDir string
	// Password is sudo's, where it wants one; nil: there is none.
	Password *Password
}

// Runner runs lines on one machine, as the user who logged in until Elevate,
// and as root from then on.
type Runner struct {
	inner   transport.Runner
	options Options
	mark    func() string

	mu     sync.Mutex
	how    how
	shell  transport.Stream // that Shell started last; nil: none
	secret string           // opens each exchange; "" where sudo wants none
}

// how is by what rights lines run.
type how int

const (
	plainly    how = iota // the user's own
	freely                // sudo's, without a password
	byPassword            // sudo's, with one
)

// New makes a Runner that runs what it is given on another one.
func New(inner transport.Runner, o Options) *Runner {
	return &Runner{inner: inner, options: o, mark: func() string { return "@" + rand.Text() }}
}

// Name is how the user wrote the machine.
func (r *Runner) Name() string { return r.inner.Name() }

// Conn is a connection whose Exec is this Runner's. Streams, terminals and
// files stay the user's own.
func (r *Runner) Conn(c transport.Conn) transport.Conn { return &conn{Conn: c, runner: r} }

type conn struct {
	transport.Conn

	runner *Runner
}

func (c *conn) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	return c.runner.Exec(ctx, line, stdin)
}

// Shell starts sh for more than one script; ok is false once lines run with other
// rights than the user's own, or with a configuration of their own. Elevate ends
// it.
func (c *conn) Shell(ctx context.Context) (s transport.Stream, ok bool, err error) {
	r := c.runner
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.how != plainly || r.options.ConfigDir != "" {
		return nil, false, nil
	}
	if s, err = c.Stream(ctx, "sh"); err != nil {
		return nil, false, err
	}
	r.shell = s
	return s, true, nil
}

// Exec runs a line. When sudo does not let it begin any more, that is an error
// of class auth.
func (r *Runner) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	r.mu.Lock()
	how, secret := r.how, r.secret
	r.mu.Unlock()
	if how == plainly {
		return r.inner.Exec(ctx, r.configured(line), stdin)
	}
	mark := r.mark()
	out, err := r.under(ctx, how, mark, line, slices.Concat([]byte(secret+mark+"\n"), stdin))
	if err != nil || out.Status < 0 || begun(out, mark) {
		return out, err
	}
	return out, explain(r.Name(), out)
}

// Elevate makes every later line run with root's rights. It may be called again
// and then does nothing. The error is of class auth and says why there are no
// such rights; it is that of Options.Password where none could be had; or it is
// the connection's.
func (r *Runner) Elevate(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.how != plainly {
		return nil
	}
	if r.shell != nil {
		_ = r.shell.Close() // it has the user's own rights, and maybe the only session
	}
	const nothing = ":"
	mark := r.mark()
	out, err := r.under(ctx, freely, mark, nothing, []byte(mark+"\n"))
	switch {
	case err != nil:
		return err
	case begun(out, mark):
		r.how = freely
		return nil
	case !wantsPassword(out):
		return explain(r.Name(), out)
	}
	secret, err := r.options.Password.get(ctx, r.Name())
	if err != nil {
		return err
	}
	mark = r.mark()
	if out, err = r.under(ctx, byPassword, mark, nothing, []byte(secret+"\n")); err != nil {
		return err
	}
	if !begun(out, mark) {
		r.options.Password.refuse()
		return explain(r.Name(), out)
	}
	r.how, r.secret = byPassword, secret+"\n"
	return nil
}

// gate is what runs first with root's rights: it tells that it does, and drops
// its input up to the mark. sh reads a line byte by byte, so all that is behind
// the mark is left for the line that comes next.
const gate = `printf "\n%s\n" "$0"; while IFS= read -r x; do test "$x" = "$0" && exec sh -c "$1"; done`

// under runs a line by sudo. The words are quoted for every login shell: there
// is nothing but single quotes, and no single quote within them but the line's.
// The language is set because sudo's words are read.
func (r *Runner) under(ctx context.Context, how how, mark, line string, stdin []byte) (transport.Output, error) {
	ask := "-n"
	if how == byPassword {
		ask = `-S -p ""`
	}
	const variable = "ChrystokiConfigurationPath"
	outer := `exec env LC_ALL=C sudo -k ` + ask + ` -- env ${` + variable + `+"` + variable + `=$` + variable + `"} sh -c "$0" "$1" "$2"`
	return r.inner.Exec(ctx, r.configured(fmt.Sprintf("sh -c %s %s %s %s", quote(outer), quote(gate), mark, quote(line))), stdin)
}

// configured is a line that is told where the configuration lies.
func (r *Runner) configured(line string) string {
	if r.options.ConfigDir == "" {
		return line
	}
	return "env ChrystokiConfigurationPath=" + r.options.ConfigDir + " " + line
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// begun reports whether sudo let the gate begin.
func begun(out transport.Output, mark string) bool {
	return bytes.Contains(out.Stdout, []byte("\n"+mark+"\n"))
}

// Password is the password that sudo wants. It is fetched at most once, and after a
// refusal never offered again. One Password may serve several connections in a row.
type Password struct {
	source func(context.Context) (string, error)

	mu      sync.Mutex
	fetched bool
	text    string
	err     error
	refused bool
}

// NewPassword makes a Password that source fetches: a prompt, a file. What
// source returns, an error included, is final for the run.
func NewPassword(source func(context.Context) (string, error)) *Password {
	return &Password{source: source}
}

// Format prints a placeholder for every verb.
func (p *Password) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[password]")) }

func (p *Password) get(ctx context.Context, host string) (string, error) {
	if p == nil {
		return "", transport.Errorf(transport.ClassAuth, host, "sudo wants a password, and there is none")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused {
		return "", transport.Errorf(transport.ClassAuth, host, "sudo did not accept the password, and it is not offered again")
	}
	if !p.fetched {
		text, err := p.source(ctx)
		if err != nil && ctx.Err() != nil {
			return "", err // nobody was asked to the end
		}
		p.fetched, p.text, p.err = true, text, err
	}
	switch {
	case p.err != nil:
		return "", p.err
	case p.text == "" || strings.ContainsAny(p.text, "\n\r\x00"):
		return "", transport.Errorf(transport.ClassAuth, host, "the password for sudo is empty or holds a line break, and was not offered")
	}
	return p.text, nil
}

func (p *Password) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = true
}

// ErrNoRights is wrapped by the errors that say that sudo gives this user none.
var ErrNoRights = errors.New("sudo gives this user no rights")
