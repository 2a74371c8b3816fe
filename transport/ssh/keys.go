package ssh

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// Keys is which private keys are offered, in this order: Files, Configured, what
// an agent holds beyond those, the default files. A key of a file that an agent
// holds too is signed with over there. An encrypted file that nobody insists on
// comes last. Beside a file, its certificate (name-cert.pub) is offered first.
type Keys struct {
	// Files are key files that must be usable. A file may hold a public key, whose
	// private half the agent must have then.
	Files []string
	// Configured are key files that are used if they exist and can be.
	Configured []string
	// Certificates are further certificates, each for one of the keys above; they
	// too are used if they can be.
	Certificates []string
	// NoDefaults leaves out ~/.ssh/id_ed25519, id_ecdsa and id_rsa, which are
	// used where neither Files nor Configured name any.
	NoDefaults bool
	// Agent is the socket of an ssh-agent; empty: none. One that does not answer
	// is done without.
	Agent string
	// Only leaves out what the agent holds beyond the files.
	Only bool
	// Passphrases opens encrypted files, once the server would take their key.
	// nil: such a key is of use only if the agent holds it.
	Passphrases *Passphrases
	// Quiet: no passphrase is asked for, but for Files (a password is at hand).
	Quiet bool
}

// Bounds of what is offered. sshd ends a connection at the sixth failure unless
// it is configured otherwise, hardened ones at the fourth; the password needs an
// attempt too.
const (
	keysPerConnection = 3
	keysPerLogin      = 9
)

// offer is one key that can be offered.
type offer struct {
	label  string // for messages
	public ssh.PublicKey
	must   bool // what goes wrong with it ends the login
	// signer makes it usable; on a connection, for questions pause its clock.
	signer func(ctx context.Context, d *dialling) (ssh.Signer, error)
}

// keyring is what can be offered at one login, over all its connections.
type keyring struct {
	all     []offer
	left    []offer  // not offered yet
	offered int      // how many were
	skipped []string // why others were not
	hint    string   // what to do about one of those; may be empty
}

func (k *keyring) begin() { k.left, k.offered = k.all, 0 }

func (k *keyring) skip(label string, why error) {
	var known *transport.Error
	if errors.As(why, &known) && k.hint == "" {
		k.hint = known.Hint
	}
	text := label + ": " + transport.Printable(why.Error())
	if !slices.Contains(k.skipped, text) {
		k.skipped = append(k.skipped, text)
	}
}

// gather finds the keys. Only a file that must be usable and is not makes an
// error, of class config.
func gather(ctx context.Context, name string, o *Options) (*keyring, error) {
	g := gathering{keyring: &keyring{}, name: name, o: o, seen: map[string]bool{}}
	if o.Keys.Agent != "" {
		g.agent = keyAgent{o.Keys.Agent}
		var err error
		if g.held, err = g.agent.list(ctx); err != nil {
			g.skip("the agent's keys", err)
		}
	}
	for _, path := range o.Keys.Files {
		f, err := readKeyFile(path)
		if err == nil {
			err = g.file(f, true)
		}
		if err != nil {
			return nil, identityError(name, path, err)
		}
	}
	for _, path := range o.Keys.Configured {
		g.optional(path)
	}
	if !o.Keys.Only {
		g.rest()
	}
	if len(o.Keys.Files)+len(o.Keys.Configured) == 0 && !o.Keys.NoDefaults {
		g.defaults()
	}
	g.all = append(g.all, g.last...)
	g.begin()
	return g.keyring, nil
}

func identityError(name, path string, err error) error {
	e := transport.Errorf(transport.ClassConfig, name, "identity file %s: %w", path, err)
	if errors.Is(err, errNotHeld) {
		return e.WithHint("ssh-add adds a key to the agent; or name the file of the private key")
	}
	return e
}
