package ssh

import (
	"crypto/rand"
	"errors"
	"io"

	"golang.org/x/crypto/ssh"
)

// lateSigner is a key whose private half is out of reach until a server wants a
// signature: an agent has it, or a passphrase must be asked for first.
type lateSigner struct {
	public ssh.PublicKey
	sign   func(data []byte, algorithm string) (*ssh.Signature, error)
}

// PublicKey is the half that is no secret.
func (s lateSigner) PublicKey() ssh.PublicKey { return s.public }

// Sign signs with the algorithm that the key's own type names.
func (s lateSigner) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	return s.sign(data, plainType(s.public))
}

// SignWithAlgorithm signs with that algorithm.
func (s lateSigner) SignWithAlgorithm(_ io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	return s.sign(data, algorithm)
}

// signWith lets another signer do the work.
func signWith(s ssh.Signer, data []byte, algorithm string) (*ssh.Signature, error) {
	a, ok := s.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("this kind of key cannot be told how to sign")
	}
	return a.SignWithAlgorithm(rand.Reader, data, algorithm)
}

// plainType is the type of a key, or of the key that a certificate is about.
func plainType(k ssh.PublicKey) string {
	if c, ok := k.(*ssh.Certificate); ok {
		return c.Key.Type()
	}
	return k.Type()
}

// withoutSHA1 keeps an RSA key from signing with SHA-1, which x/crypto else does
// for a server that does not say what it knows.
func withoutSHA1(s ssh.Signer, legacy bool) (ssh.Signer, error) {
	a, ok := s.(ssh.AlgorithmSigner)
	if !ok || legacy || plainType(s.PublicKey()) != ssh.KeyAlgoRSA {
		return s, nil
	}
	return ssh.NewSignerWithAlgorithms(a, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
}
