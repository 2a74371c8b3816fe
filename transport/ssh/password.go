package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"ntl-setup/transport"
)

// errSpent: the password was refused before and is not offered again.
var errSpent = errors.New("the password was refused before and is not offered again")

// Password is the secret of one account. It is fetched at most once, when a
// server asks for it, and after a refusal never offered again. One Password may
// serve several connections, also at the same time: until a server has accepted
// it, only one of them offers it, and the others wait for the answer. A nil
// *Password is no password.
//
// Its text never shows the secret, whatever the verb.
type Password struct {
	source func(context.Context) (string, error)
	turn   chan struct{} // held by the connection that is finding out

	mu       sync.Mutex // guards what follows
	fetched  bool
	secret   string
	err      error // what source said
	accepted bool
	refused  bool
	cut      bool // a connection was cut while it was on its way
	refuser  string
}

// NewPassword makes a Password that source fetches: a prompt, a file. What
// source returns, an error included, is final for the run. It must return when
// its ctx ends.
func NewPassword(source func(ctx context.Context) (string, error)) *Password {
	return &Password{source: source, turn: make(chan struct{}, 1)}
}

// Refused reports whether a server refused the password, or gave no answer to it
// twice, which may count as attempts over there.
func (p *Password) Refused() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// String is "[password]".
func (p *Password) String() string { return "[password]" }

// GoString is "[password]".
func (p *Password) GoString() string { return "[password]" }

// Format prints "[password]" for every verb; without it %#v and %x would reach
// the fields.
func (p *Password) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "[password]") // fmt keeps its own errors
}

// offer gives the secret to a connection that is about to send it to a machine.
// settle must
// be called once the answer is known, with what it was; it may be called again
// without effect. The error is errSpent, the context's, or that of the source.
func (p *Password) offer(ctx context.Context, to string) (secret string, settle func(answer), err error) {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return "", nil, context.Cause(ctx)
	}
	release := sync.OnceFunc(func() { <-p.turn })
	secret, accepted, err := p.get(ctx)
	if err != nil {
		release()
		return "", nil, err
	}
	if accepted {
		release() // nothing to find out: others need not wait
	}
	return secret, func(a answer) {
		p.settle(a, to)
		release()
	}, nil
}

// answer is what became of an offered password.
type answer int

const (
	unanswered answer = iota // it never left this machine, or was not looked at over there
	accepted                 // also when it was one of several factors
	refused
	cutOff // the connection was cut, and nobody knows: once it may be offered again
)

func (p *Password) settle(a answer, by string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a != accepted && a != unanswered && p.refuser == "" {
		p.refuser = by
	}
	switch a {
	case accepted:
		p.accepted = true
	case refused:
		p.refused = true
	case cutOff:
		p.refused, p.cut = p.refused || p.cut, true
	case unanswered:
	}
}

// get is called by the holder of the turn alone, so the source runs once.
func (p *Password) get(ctx context.Context) (secret string, accepted bool, err error) {
	p.mu.Lock()
	fetched := p.fetched
	p.mu.Unlock()
	if !fetched {
		// Whoever dials waits for the source, which ends with ctx: what it has to
		// say belongs before the end of the dialling.
		secret, err := p.source(ctx)
		if err == nil && secret == "" {
			err = errors.New("the password is empty")
		}
		if err != nil && ctx.Err() != nil {
			return "", false, context.Cause(ctx) // nobody was asked to the end; the next connection may
		}
		p.mu.Lock()
		p.fetched, p.secret, p.err = true, secret, err
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused {
		return "", false, errSpent
	}
	return p.secret, p.accepted, p.err
}

// explainSpent is for a password that was refused before in this run, and so was
// not offered.
func (d *dialling) explainSpent() *transport.Error {
	p := d.o.Password
	p.mu.Lock()
	by := p.refuser
	p.mu.Unlock()
	if by == "" || by == d.target.name() {
		return d.explainRefused()
	}
	return d.fail(transport.ClassAuth, "the password of %s was not offered here: %s has refused it in this run", d.target.User, by).
		WithHint("a refused password is offered to no other host of that account; if the hosts have different ones, give each its own")
}
