package ssh

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"
)

// What may be wrong with a passphrase.
var (
	errWrongPassphrase = errors.New("the passphrase is wrong")
	errNoPassphrase    = errors.New("no passphrase was given")
	errLocked          = errors.New("it is encrypted, and its passphrase is not asked for while a password is at hand")
)

// Passphrases opens encrypted key files. One serves all connections of a run, so
// that the passphrase of each file is asked for once, whichever machine wants
// the key first; what came of it, an error included, is final. A nil
// *Passphrases opens nothing.
//
// Its text never shows a secret, whatever the verb.
type Passphrases struct {
	given string
	ask   func(ctx context.Context, path string) (string, error)
	turn  chan struct{} // held by the connection that is opening a file

	mu     sync.Mutex // guards what follows
	opened map[string]opened
}

// opened is what became of a file.
type opened struct {
	signer ssh.Signer
	err    error
}

// NewPassphrases makes a Passphrases. given is tried on every file; where it is
// empty, ask is called with the file's path, once for each; it must return when
// its ctx ends.
func NewPassphrases(given string, ask func(ctx context.Context, path string) (string, error)) *Passphrases {
	return &Passphrases{given: given, ask: ask, turn: make(chan struct{}, 1), opened: map[string]opened{}}
}

// String is "[passphrases]".
func (p *Passphrases) String() string { return "[passphrases]" }

// GoString is "[passphrases]".
func (p *Passphrases) GoString() string { return "[passphrases]" }

// Format prints "[passphrases]" for every verb; see Password.Format.
func (p *Passphrases) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "[passphrases]") // fmt keeps its own errors
}

// asks reports whether opening the file would ask a person.
func (p *Passphrases) asks(path string) bool {
	if p == nil || p.given != "" {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.opened[path]
	return !known
}

// open decrypts a file. The error is errWrongPassphrase, errNoPassphrase, the
// context's, that of the question, or that of a format which is not supported.
func (p *Passphrases) open(ctx context.Context, path string, pem []byte) (ssh.Signer, error) {
	if p == nil {
		return nil, errNoPassphrase
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-p.turn }()
	p.mu.Lock()
	o, known := p.opened[path]
	p.mu.Unlock()
	if known {
		return o.signer, o.err
	}
	o.signer, o.err = p.decrypt(ctx, path, pem)
	if o.err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // nobody was asked to the end; the next connection may
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened[path] = o
	return o.signer, o.err
}

func (p *Passphrases) decrypt(ctx context.Context, path string, pem []byte) (ssh.Signer, error) {
	phrase := p.given
	if phrase == "" {
		var err error
		if phrase, err = p.ask(ctx, path); err != nil {
			return nil, err
		}
	}
	if phrase == "" {
		return nil, errNoPassphrase
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(pem, []byte(phrase))
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, errWrongPassphrase
	}
	return signer, err
}
