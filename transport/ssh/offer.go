package ssh

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// errMoreKeys: this connection has seen as many keys as it may, and there are
// others.
var errMoreKeys = errors.New("more keys are left than one connection may be offered")

// nextKey is the next key to offer, one at a time, so that what goes wrong with
// one does not hide the others; nil when there is none, or the login is over.
func (d *dialling) nextKey(ctx context.Context, a *ssh.ClientAuthContext) ssh.AuthMethod {
	if !slices.Contains(a.AllowedMethods, methodKey) || slices.Contains(a.PartialSuccessMethods, methodKey) {
		return nil
	}
	for len(d.ring.left) > 0 && d.login.problem == nil {
		if d.login.keys == keysPerConnection && d.ring.offered < keysPerLogin {
			d.login.problem = errMoreKeys
			return nil
		}
		if d.ring.offered == keysPerLogin {
			return nil
		}
		next := d.ring.left[0]
		d.ring.left = d.ring.left[1:]
		signer, err := next.signer(ctx, d)
		if err == nil {
			signer, err = withoutSHA1(signer, d.o.Legacy)
		}
		if err != nil {
			d.keyFailed(next, err)
			continue
		}
		d.login.keys++
		d.ring.offered++
		d.login.last = next
		return ssh.PublicKeys(signer)
	}
	return nil
}

// keyFailed is told why a key could not be used. That ends the login if somebody
// insists on the key, or has just typed a wrong passphrase for it.
func (d *dialling) keyFailed(c offer, err error) {
	if d.login.problem != nil {
		return
	}
	switch {
	case errors.Is(err, errTooLate):
		d.login.problem = errTooLate
	case errors.Is(err, errWrongPassphrase) && (c.must || d.o.Keys.Passphrases.given == ""):
		d.login.problem = d.fail(transport.ClassAuth, "the passphrase of %s is wrong", c.label).
			WithHint("it was tried once; run the command again")
	case c.must:
		e := d.fail(transport.ClassAuth, "the key %s cannot be used: %w", c.label, err)
		var known *transport.Error
		if errors.As(err, &known) {
			e.Hint = known.Hint
		} else if errors.Is(err, errNoPassphrase) {
			e.Hint = "name a key that needs none, or use a password"
		}
		d.login.problem = e
	default:
		d.ring.skip(c.label, err)
	}
}

// agentSigner is a key that an agent signs with.
func (d *dialling) agentSigner(ctx context.Context, a keyAgent, public ssh.PublicKey) (ssh.Signer, error) {
	return lateSigner{public, func(data []byte, algorithm string) (*ssh.Signature, error) {
		d.watch.pause() // somebody may have to confirm it
		defer d.watch.restart()
		s, err := a.sign(ctx, public, data, algorithm)
		if err != nil {
			d.keyFailed(d.login.last, err)
		}
		return s, err
	}}, nil
}

// lockedSigner is a key whose passphrase is wanted once a server would take it.
func (d *dialling) lockedSigner(ctx context.Context, f keyFile, must bool) ssh.Signer {
	return lateSigner{f.public, func(data []byte, algorithm string) (*ssh.Signature, error) {
		s, err := d.unlock(ctx, f, must)
		if err != nil {
			d.keyFailed(d.login.last, err)
			return nil, err
		}
		return signWith(s, data, algorithm)
	}}
}

// unlock opens an encrypted file. A person may take any time to type.
func (d *dialling) unlock(ctx context.Context, f keyFile, must bool) (ssh.Signer, error) {
	if !must && d.o.Keys.Quiet && d.o.Keys.Passphrases.asks(f.path) {
		return nil, errLocked
	}
	d.watch.pause()
	s, err := d.o.Keys.Passphrases.open(ctx, f.path, f.pem)
	d.watch.restart()
	if err == nil && d.wire.ended.Load() {
		return nil, errTooLate
	}
	return s, err
}
