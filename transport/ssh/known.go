package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// readKnownHosts reads those of the files that exist: one that is not there yet
// knows nobody.
func readKnownHosts(files []string) (*knownhosts.HostKeyDB, error) {
	var there []string
	for _, f := range files {
		if _, err := os.Stat(f); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, f)
		}
	}
	return knownhosts.NewDB(there...)
}

// certAlgorithms are those of host certificates. The kind of an authority says
// nothing about the kind of the keys that it signs.
func certAlgorithms(legacy bool) []string {
	all := []string{
		ssh.CertAlgoED25519v01,
		ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
	}
	if legacy {
		all = append(all, ssh.CertAlgoRSAv01)
	}
	return all
}

// addresses are those under which a machine is looked up. One that listens on
// another port than 22 may be known without the port, as with OpenSSH; but only a
// key that fits counts then, for it may be another server.
func addresses(address string) []string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == strconv.Itoa(defaultPort) {
		return []string{address}
	}
	return []string{address, net.JoinHostPort(host, strconv.Itoa(defaultPort))}
}

// knownAlgorithms are those of the plain ones that fit what known_hosts says of
// a machine. Certificates come first, but are only asked for if there is an
// authority: a machine that has one and a plain key would otherwise show what
// cannot be checked.
func knownAlgorithms(known *knownhosts.HostKeyDB, address string, legacy bool, plain []string) []string {
	var certs, keys []string
	for _, a := range addresses(address) {
		if slices.ContainsFunc(known.HostKeys(a), func(k knownhosts.PublicKey) bool { return k.Cert }) {
			certs = certAlgorithms(legacy)
		}
		for _, algorithm := range known.HostKeyAlgorithms(a) {
			if slices.Contains(plain, algorithm) {
				keys = appendNew(keys, []string{algorithm})
			}
		}
	}
	return append(certs, keys...)
}

// plainKeys are those of the known keys that stand for the machine itself, and
// not for an authority.
func plainKeys(known *knownhosts.HostKeyDB, address string, keys []xknownhosts.KnownKey) []xknownhosts.KnownKey {
	own := map[string]bool{}
	for _, k := range known.HostKeys(address) {
		if !k.Cert {
			own[string(k.Marshal())] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k xknownhosts.KnownKey) bool { return !own[string(k.Key.Marshal())] })
}

// revoked finds the @revoked line about a key, or about either key of a
// certificate; nil: there is none.
func revoked(known *knownhosts.HostKeyDB, address string, remote net.Addr, key ssh.PublicKey) (string, *xknownhosts.KnownKey) {
	keys := map[string]ssh.PublicKey{"the host key": key}
	if cert, ok := key.(*ssh.Certificate); ok {
		keys = map[string]ssh.PublicKey{"the host key": cert.Key, "the authority of the host certificate": cert.SignatureKey}
	}
	for what, k := range keys {
		var r *xknownhosts.RevokedError
		if errors.As(known.HostKeyCallback()(address, remote, k), &r) {
			return what, &r.Revoked
		}
	}
	return "", nil
}

// checkHostCertificate checks a certificate against the authorities of
// known_hosts: the signature, the name that it is for, its time.
func checkHostCertificate(known *knownhosts.HostKeyDB, address string, remote net.Addr, cert *ssh.Certificate, legacy bool) error {
	if cert.Signature.Format == ssh.KeyAlgoRSA && !legacy {
		return errors.New("its authority signed it with SHA-1")
	}
	for _, a := range addresses(address) {
		for _, k := range known.HostKeys(a) {
			if k.Cert && bytes.Equal(k.Marshal(), cert.SignatureKey.Marshal()) {
				return known.HostKeyCallback()(a, remote, cert)
			}
		}
	}
	return fmt.Errorf("no authority that is known for this host signed it, but %s", describe(cert.SignatureKey))
}

// checkHostKey checks a plain key. The error is *xknownhosts.KeyError if the
// machine is not known, or has another key.
func checkHostKey(known *knownhosts.HostKeyDB, address string, remote net.Addr, key ssh.PublicKey) error {
	var first error
	for _, a := range addresses(address) {
		err := known.HostKeyCallback()(a, remote, key)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
		var unknown *xknownhosts.KeyError
		if !errors.As(err, &unknown) || len(plainKeys(known, a, unknown.Want)) > 0 {
			break // it is known, by another key
		}
	}
	return first
}

// appendKnownHost adds one line by one write at the end, so that two runs at a
// time lose nothing. Other lines are not looked at.
func appendKnownHost(path, line string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // the path is the user's choice
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text := line + "\n"
	if size, err := f.Seek(0, io.SeekEnd); err != nil {
		return err
	} else if size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			text = "\n" + text
		}
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Sync()
}
