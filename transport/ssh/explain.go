package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

func (d *dialling) fail(class transport.Class, format string, args ...any) *transport.Error {
	return transport.Errorf(class, d.target.name(), format, args...)
}

// ended is the error when the context was done; nil when it was not. A deadline
// becomes class timeout; the end of the run by a person stays what it is.
func ended(ctx context.Context, name, doing string) error {
	if ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(cause, context.DeadlineExceeded) {
		return transport.Errorf(transport.ClassTimeout, name, "%s took too long: %w", doing, cause)
	}
	return fmt.Errorf("%s: %s: %w", name, doing, cause)
}

// explainDial says why there is no network connection.
func (d *dialling) explainDial(ctx context.Context, err error) error {
	address := d.target.address()
	var known *transport.Error // of a jump host
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(context.Cause(ctx), errSlow) {
		return d.fail(transport.ClassConnect, "no connection to %s within %s", address, d.o.DialTimeout).
			WithHint("the machine is down, or a firewall drops what is sent to it; check the address and the port")
	}
	if e := ended(ctx, d.target.name(), "connecting to "+address); e != nil {
		return e
	}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return d.fail(transport.ClassConnect, "the name %s cannot be resolved: %w", d.target.Host, err).
			WithHint("check the spelling, or use the address")
	case errors.Is(err, syscall.ECONNREFUSED):
		refused := d.fail(transport.ClassConnect, "connection to %s refused", address)
		refused.Err = err // its words say the same once more
		return refused.WithHint("the machine answers, but nothing listens on that port; check the port and that SSH is enabled")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return d.fail(transport.ClassConnect, "no route to %s: %w", address, err).
			WithHint("check the address, the network or the VPN")
	case errors.As(err, &timeout) && timeout.Timeout():
		return d.fail(transport.ClassConnect, "connection to %s timed out: %w", address, err).
			WithHint("the machine is down, or a firewall drops what is sent to it")
	}
	return d.fail(transport.ClassConnect, "connect to %s: %w", address, err)
}

// explain says why there was a network connection, but no login.
func (d *dialling) explain(ctx context.Context, err error) error {
	if refusal := d.keys.lastRefusal(); refusal != nil {
		return refusal
	}
	if problem := d.login.problem; problem != nil && ctx.Err() == nil {
		return d.explainProblem(problem)
	}
	if errors.Is(context.Cause(ctx), errSlow) {
		return d.explainSlow()
	}
	if e := ended(ctx, d.target.name(), "logging in"); e != nil {
		return e
	}
	var none *ssh.AlgorithmNegotiationError
	switch {
	case noSession(err):
		return d.full(err, strings.TrimPrefix(err.Error(), "ssh: handshake failed: "))
	case d.login.crowded != "" && d.login.settle == nil:
		return d.full(err, d.login.crowded)
	case errors.As(err, &none) && none.What == "host key" && d.keys.mismatch() != nil:
		return d.keys.mismatch() // no kind of key is left to try
	case errors.As(err, &none):
		return d.explainAlgorithms(none)
	case d.stage == stageLogin:
		return d.explainLogin(err)
	}
	return d.explainHandshake(err)
}

func (d *dialling) explainSlow() error {
	where := "between host key and login"
	switch {
	case d.stage == stageLogin:
		where = "to the login"
	case len(d.wire.greeting.Bytes()) == 0:
		where = "to the connection: not even a greeting"
	case bytes.HasPrefix([]byte("SSH-"), d.wire.greeting.Bytes()): // cut off within its first word
	case !d.greeted():
		return d.notSSH()
	}
	return d.fail(transport.ClassTimeout, "%s gave no answer within %s %s", d.target.address(), d.o.DialTimeout, where).
		WithHint("the machine may be overloaded, or something else may listen on that port")
}

func (d *dialling) greeted() bool {
	g := d.wire.greeting.Bytes()
	return bytes.HasPrefix(g, []byte("SSH-")) || bytes.Contains(g, []byte("\nSSH-"))
}

func (d *dialling) notSSH() error {
	said := d.wire.greeting.Bytes()
	return d.fail(transport.ClassConnect, "%s is no SSH server: it says %q", d.target.address(),
		transport.Printable(string(said[:min(len(said), 80)]))).
		WithHint("check the port")
}

// full is for a machine that says it has no session to give.
func (d *dialling) full(err error, words string) error {
	e := d.fail(transport.ClassConnect, "the machine has no session free: %s", transport.Printable(words)).
		WithHint("close other sessions there (an appliance has 10), or try again later")
	e.Err = errors.Join(transport.ErrNoSession, err)
	return e
}

// noSession reports whether a peer ended the connection because it has too many
// already: it says so in words, or by the reason TOO_MANY_CONNECTIONS (12, RFC
// 4253 section 11.1).
func noSession(err error) bool { return crowded.MatchString(err.Error()) }

var crowded = regexp.MustCompile(`(?i)disconnect, reason 12:|too many (?:\w+ )?(?:sessions|connections|logins|users)\b|maximum (?:number of )?(?:\w+ )?(?:sessions|connections|logins)\b`)

// explainHandshake is for an end before the login began.
func (d *dialling) explainHandshake(err error) error {
	words := transport.Printable(err.Error())
	switch {
	case len(d.wire.greeting.Bytes()) == 0:
		e := d.fail(transport.ClassConnect, "%s closed the connection without a greeting", d.target.address()).
			WithHint("the machine may let only some addresses in (an appliance: sysconf ssh client list), have no session free, or be starting")
		e.Err = errors.Join(transport.ErrTurnedAway, err)
		return e
	case !d.greeted():
		return d.notSSH()
	}
	return &transport.Error{
		Class: transport.ClassConnect, Host: d.target.name(), Err: err,
		Message: "the SSH handshake failed: " + strings.TrimPrefix(words, "ssh: handshake failed: "),
		Hint:    "the machine's own log has its side of it",
	}
}

// explainAlgorithms names both lists: which one to extend is for the reader.
func (d *dialling) explainAlgorithms(none *ssh.AlgorithmNegotiationError) error {
	theirs := none.RequestedAlgorithms
	e := d.fail(transport.ClassConnect, "no common algorithm for %s: the machine offers %s; ntl-setup offers %s", none.What,
		transport.Printable(strings.Join(theirs, ", ")), strings.Join(none.SupportedAlgorithms, ", "))
	e.Err = none
	if weak := onlyLegacy(theirs); len(weak) > 0 && !d.o.Legacy {
		return e.WithHint("--legacy-ssh allows %s, which is weak", strings.Join(weak, ", "))
	}
	if strings.HasSuffix(none.What, "cipher") {
		return e.WithHint("Go's SSH has none of the machine's ciphers, also not with --legacy-ssh; enable aes256-ctr on the machine (an appliance from 7.8.3: sysconf ssh ciphers)")
	}
	return e.WithHint("none of the machine's algorithms is known here, also not with --legacy-ssh; enable another on the machine")
}

// explainProblem is for a password that could not be had, or was not asked for
// in a way that can be answered.
func (d *dialling) explainProblem(problem error) error {
	var known *transport.Error
	switch {
	case errors.As(problem, &known):
		return known
	case errors.Is(problem, errTooLate):
		return d.fail(transport.ClassAuth, "%w", problem).WithHint("be quicker, or give the password by file or environment")
	case errors.Is(problem, errMoreKeys):
		return d.fail(transport.ClassAuth, "%w", problem) // the next connection goes on
	case errors.Is(problem, errSpent):
		return d.explainSpent()
	}
	return d.fail(transport.ClassAuth, "get the password of %s: %w", d.target.User, problem)
}

// passwordChangeRequest is how x/crypto words SSH_MSG_USERAUTH_PASSWD_CHANGEREQ
// (60, RFC 4252 section 8), which it does not know.
const passwordChangeRequest = "unexpected message type 60"

// explainLogin is for a login that the server did not grant.
func (d *dialling) explainLogin(err error) error {
	text := err.Error()
	switch {
	case d.login.settle != nil && strings.Contains(text, passwordChangeRequest):
		return d.changeWanted("it answered with a request to change it")
	case d.login.settle != nil && !d.login.taken && (wasCut(err) || d.login.keptOut(err)):
		return d.explainCut(err)
	case d.login.taken && !wasCut(err):
		return d.stepWanted(d.login.offers...)
	case d.login.settle != nil && !d.login.taken:
		e := d.explainRefused()
		if !strings.Contains(text, "unable to authenticate") {
			e.Message += " (" + transport.Printable(strings.TrimPrefix(text, "ssh: handshake failed: ")) + ")"
		}
		return e
	case d.o.Password.Refused() && slices.ContainsFunc(d.login.offers, isPasswordMethod):
		return d.explainSpent()
	}
	return d.explainNobody(err)
}

// explainNobody is for a login that ended with nothing left to try.
func (d *dialling) explainNobody(err error) error {
	text := err.Error()
	offers := "nothing"
	if len(d.login.offers) > 0 {
		offers = transport.Printable(strings.Join(d.login.offers, ", "))
	}
	e := d.fail(transport.ClassAuth, "nobody is let in as %s: the machine takes %s; tried: %s%s", d.target.User, offers, d.triedWords(), d.saying())
	e.Err = err
	if left := d.notOffered(); left != "" {
		e.Message += "; not tried: " + left
	}
	if !plainRefusal(text) {
		e.Message += " (" + transport.Printable(strings.TrimPrefix(text, "ssh: handshake failed: ")) + ")"
		if d.turnedAway() {
			e.Err = errors.Join(transport.ErrTurnedAway, err)
		}
	}
	if d.ring.hint != "" {
		return e.WithHint("%s", d.ring.hint)
	}
	switch {
	case d.o.Password == nil && slices.ContainsFunc(d.login.offers, isPasswordMethod):
		return e.WithHint("give the password of %s, or a key that the account accepts (%s)", d.target.User, d.o.keyHint())
	case strings.Contains(text, "no common public key signature algorithm"):
		return e.WithHint("the machine only knows RSA signatures with SHA-1: use another kind of key, or --legacy-ssh")
	}
	return e.WithHint("use a key that the account accepts (%s), or check the user's name", d.o.keyHint())
}

// plainRefusal reports whether an error says no more than that a method failed,
// keyboard-interactive without a question (message 51 instead of 60) included.
func plainRefusal(text string) bool {
	return strings.Contains(text, "unable to authenticate") || strings.Contains(text, "unexpected message type 51")
}

// turnedAway reports whether the far side ended the connection before it can have
// had enough of wrong answers.
func (d *dialling) turnedAway() bool {
	return d.login.settle == nil && d.login.keys <= 1 && d.wire != nil && d.wire.ended.Load()
}

// notOffered is which keys were not offered, and why not.
func (d *dialling) notOffered() string {
	words := slices.Clone(d.ring.skipped)
	if n := len(d.ring.left); n > 0 && d.ring.offered == keysPerLogin {
		words = append(words, fmt.Sprintf("%d more keys (name the right one with -i, or with IdentityFile and IdentitiesOnly in ~/.ssh/config)", n))
	}
	return strings.Join(words, "; ")
}

func (d *dialling) triedWords() string {
	var words []string
	tried := slices.Compact(slices.Clone(d.login.tried)) // keys are offered one by one
	if d.ring.offered > 0 && !slices.Contains(tried, methodKey) {
		tried = append([]string{methodKey}, tried...) // over an earlier connection
	}
	for _, m := range tried {
		switch m {
		case "none":
			continue
		case methodKey:
			m = fmt.Sprintf("%s (%d)", m, d.ring.offered)
		}
		words = append(words, m)
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

func (d *dialling) explainRefused() *transport.Error {
	return d.fail(transport.ClassAuth, "the password of %s was refused%s", d.target.User, d.saying()).
		WithHint("it was offered once and will not be offered again in this run; check it before the next one, some machines lock an account after a few wrong ones")
}
