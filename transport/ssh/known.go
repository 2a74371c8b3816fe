package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/crypto/ssh"
)

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

// algorithms are those of the plain ones that fit what known_hosts says of
// a machine. Certificates come first, but are only asked for if there is an
// authority: a machine that has one and a plain key would otherwise show what
// cannot be checked.
func (k *knownHosts) algorithms(address string, legacy bool, plain []string) []string {
	var certs, keys []string
	for _, a := range addresses(address) {
		for _, line := range k.of(a) {
			if line.authority {
				certs = certAlgorithms(legacy)
				continue
			}
			for _, algorithm := range plain {
				if keyType(algorithm) == line.key.Type() {
					keys = appendNew(keys, []string{algorithm})
				}
			}
		}
	}
	return append(certs, keys...)
}

// revocation finds the @revoked line about a key, or about either key of a
// certificate, whatever machine it shuts out; nil: there is none.
func (k *knownHosts) revocation(key ssh.PublicKey) (what string, line *knownLine) {
	if line, ok := k.revoked[string(bare(key).Marshal())]; ok {
		return "the host key", &line
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		if line, ok := k.revoked[string(bare(cert.SignatureKey).Marshal())]; ok {
			return "the authority of the host certificate", &line
		}
	}
	return "", nil
}

// checkCertificate checks a certificate against the authorities of known_hosts:
// the signature, the name that it is for, its time.
func (k *knownHosts) checkCertificate(address string, remote net.Addr, cert *ssh.Certificate, legacy bool) error {
	if cert.Signature.Format == ssh.KeyAlgoRSA && !legacy {
		return errors.New("its authority signed it with SHA-1")
	}
	for _, a := range addresses(address) {
		for _, line := range k.of(a) {
			if line.authority && same(line.key, cert.SignatureKey) {
				checker := ssh.CertChecker{IsHostAuthority: func(key ssh.PublicKey, _ string) bool { return same(key, line.key) }}
				return checker.CheckHostKey(a, remote, cert)
			}
		}
	}
	return fmt.Errorf("no authority that is known for this host signed it, but %s", describe(cert.SignatureKey))
}

// checkKey checks a plain key. others are the keys by which the machine is known
// if not by this one.
func (k *knownHosts) checkKey(address string, key ssh.PublicKey) (fits bool, others []knownLine) {
	for _, a := range addresses(address) {
		lines := slices.DeleteFunc(k.of(a), func(l knownLine) bool { return l.authority })
		if slices.ContainsFunc(lines, func(l knownLine) bool { return same(l.key, key) }) {
			return true, nil
		}
		if a == address && len(lines) > 0 {
			return false, lines
		}
	}
	return false, nil
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

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
