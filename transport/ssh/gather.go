package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// errNotHeld: a public key was named, and nobody has the private one.
var errNotHeld = errors.New("it holds a public key, and no agent that is asked has the private one")

// gathering is a keyring being filled.
type gathering struct {
	*keyring
	name  string // of the machine
	o     *Options
	agent keyAgent
	held  []heldKey
	seen  map[string]bool
	last  []offer // what comes after all the others
}

// add puts a key in its place, unless it has one already.
func (g *gathering) add(list *[]offer, c offer) {
	if c.public != nil {
		id := string(c.public.Marshal())
		if g.seen[id] {
			return
		}
		g.seen[id] = true
	}
	*list = append(*list, c)
}

// optional takes a file that need not exist nor be usable.
func (g *gathering) optional(path string) {
	f, err := readKeyFile(path)
	if err == nil {
		err = g.file(f, false)
	}
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, errNotHeld):
		g.skip(path, err)
	default:
		g.o.warn(fmt.Sprintf("%s: key %s is not used: %v", g.name, path, err))
	}
}

func (g *gathering) defaults() {
	home, err := os.UserHomeDir()
	if err != nil {
		return // no home, no default keys
	}
	for _, file := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		g.optional(filepath.Join(home, ".ssh", file))
	}
}

// rest takes what the agent holds beyond the files.
func (g *gathering) rest() {
	for _, h := range g.held {
		public := h.public
		g.add(&g.all, offer{
			label: fmt.Sprintf("the agent's key %q", h.comment), public: public,
			signer: func(ctx context.Context, d *dialling) (ssh.Signer, error) { return d.agentSigner(ctx, g.agent, public) },
		})
	}
}

func (g *gathering) holds(public ssh.PublicKey) bool {
	for _, h := range g.held {
		if public != nil && bytes.Equal(h.public.Marshal(), public.Marshal()) {
			return true
		}
	}
	return false
}

// file takes one key file, in the way that it can be used.
func (g *gathering) file(f keyFile, must bool) error {
	list := &g.all
	var signer func(context.Context, *dialling) (ssh.Signer, error)
	switch {
	case f.signer != nil:
		signer = func(context.Context, *dialling) (ssh.Signer, error) { return f.signer, nil } //nolint:unparam // others may fail
	case g.holds(f.public):
		signer = func(ctx context.Context, d *dialling) (ssh.Signer, error) {
			return d.agentSigner(ctx, g.agent, f.public)
		}
	case !f.locked:
		return errNotHeld
	case must && g.o.Keys.Passphrases == nil:
		return errors.New("it is encrypted, and there is nobody to ask for the passphrase")
	case must && f.public == nil:
		signer = func(ctx context.Context, d *dialling) (ssh.Signer, error) { return d.unlock(ctx, f, true) }
	case f.public == nil:
		g.skip(f.path, errors.New("it is encrypted, and there is no .pub beside it to tell its public half"))
		return nil
	default:
		if !must {
			list = &g.last
		}
		signer = func(ctx context.Context, d *dialling) (ssh.Signer, error) { //nolint:unparam // others may fail
			return d.lockedSigner(ctx, f, must), nil
		}
	}
	for label, cert := range g.certificates(f) {
		g.add(list, offer{
			label: label, public: cert, must: must,
			signer: func(ctx context.Context, d *dialling) (ssh.Signer, error) {
				s, err := signer(ctx, d)
				if err != nil {
					return nil, err
				}
				return ssh.NewCertSigner(cert, s)
			},
		})
	}
	g.add(list, offer{label: f.path, public: f.public, must: must, signer: signer})
	return nil
}

// certificates are those that go with a key, by file.
func (g *gathering) certificates(f keyFile) map[string]*ssh.Certificate {
	all := map[string]*ssh.Certificate{}
	if f.cert != nil {
		all[f.path+"-cert.pub"] = f.cert
	}
	for _, path := range g.o.Keys.Certificates {
		key, err := publicKeyFile(path)
		if cert, ok := key.(*ssh.Certificate); ok && serves(cert, f.public) {
			all[path] = cert
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			g.skip(path, err)
		}
	}
	return all
}
