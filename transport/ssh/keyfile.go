package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
)

// keyFile is what a key file tells without a passphrase.
type keyFile struct {
	path   string
	pem    []byte
	signer ssh.Signer       // nil: encrypted, or the file holds a public key
	public ssh.PublicKey    // nil: known only once the file is open
	locked bool             // a passphrase opens it
	cert   *ssh.Certificate // of the user, from the file beside it; nil: none
}

// readKeyFile reads a private key as ssh-keygen writes it, or a public key whose
// private half is elsewhere (an agent). The public half of an encrypted file is
// in the file itself (OpenSSH's format) or in the .pub beside it. The error is
// fs.ErrNotExist for a file that is not there.
func readKeyFile(path string) (keyFile, error) {
	f := keyFile{path: path}
	var err error
	if f.pem, err = os.ReadFile(path); err != nil { //nolint:gosec // the path is the user's choice
		return f, err
	}
	f.signer, err = ssh.ParsePrivateKey(f.pem)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		f.public = f.signer.PublicKey()
	case errors.As(err, &locked):
		f.locked, f.public = true, locked.PublicKey
		if f.public == nil {
			f.public, _ = publicKeyFile(path + ".pub") // not known, then
		}
	default:
		public, notPublic := parsePublic(f.pem)
		if notPublic != nil {
			return f, err
		}
		f.public = public
		return f, nil
	}
	f.cert, err = certificateOf(f)
	return f, err
}

func publicKeyFile(path string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(path) //nolint:gosec // beside a path of the user's choice
	if err != nil {
		return nil, err
	}
	return parsePublic(text)
}

func parsePublic(text []byte) (ssh.PublicKey, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return key, err
}

// certificateOf reads the certificate beside a key, where ssh-keygen -s puts it.
// One that cannot be for this key, or not for now, counts as none.
func certificateOf(f keyFile) (*ssh.Certificate, error) {
	const suffix = "-cert.pub"
	key, err := publicKeyFile(f.path + suffix)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the certificate beside it, %s: %w", f.path+suffix, err)
	}
	if cert, ok := key.(*ssh.Certificate); ok && serves(cert, f.public) {
		return cert, nil
	}
	return nil, nil
}

// serves reports whether a certificate is a user's, for that key, and for now.
func serves(cert *ssh.Certificate, key ssh.PublicKey) bool {
	now := uint64(max(0, time.Now().Unix())) //nolint:gosec // not negative
	return cert.CertType == ssh.UserCert && key != nil && bytes.Equal(cert.Key.Marshal(), key.Marshal()) &&
		now >= cert.ValidAfter && now < cert.ValidBefore
}
