package steps

import (
	"crypto/x509"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
)

// pair is the client's one identity, or the lack of it.
type pair struct {
	certPath, keyPath   string
	certThere, keyThere bool
	named               bool              // the configuration names these two paths
	cert                *x509.Certificate // nil: missing or damaged
	// trouble is why a pair that is there cannot be used; empty: it can, or
	// there is none.
	trouble string
	notes   []string    // remarks that are no trouble: weak, not provable
	loose   []looseMode // modes that let others in
	orphan  bool        // a key without its certificate that nothing names
}

// looseMode is a file whose mode lets more people in than it should.
type looseMode struct {
	path       string
	have, want fs.FileMode
}

// usable reports whether there is a pair and nothing is wrong with it.
func (p pair) usable() bool { return p.certThere && p.keyThere && p.trouble == "" }

// named pair of a configuration; empty strings where it names none.
type namedFiles struct{ cert, key string }

func namedPair(conf *chrystoki.File) namedFiles {
	cert, key := conf.Identity()
	return namedFiles{cert: cert, key: key}
}

// exists reports whether anything of a named pair is on the disk. An installer
// leaves names of files that were never made; those are no identity.
func (n namedFiles) exists(facts transport.Facts) bool {
	return n.cert != "" && there(facts[transport.File(n.cert)]) || n.key != "" && there(facts[transport.Key(n.key)])
}

// there: a directory is no file of a pair, though a configuration may name one
// for vtl to put the pair there.
func there(f transport.Fact) bool { return !f.Missing && !f.Directory }

// judgePair finds the client's identity. The pair that the configuration names
// is it, wherever it lies, if anything of it exists; else the pair at the place
// where vtl would make it.
func judgePair(link Link, l Layout, named namedFiles, facts transport.Facts, now time.Time) pair {
	var p pair
	p.certPath, p.keyPath = l.Pair(link.ClientAddress)
	atHome := named.cert == p.certPath && named.key == p.keyPath
	switch {
	case atHome:
		p.named = true
	case named.exists(facts):
		p.certPath, p.keyPath, p.named = named.cert, named.key, true
	}
	certFact, keyFact := facts[transport.File(p.certPath)], facts[transport.Key(p.keyPath)]
	p.certThere = p.certPath != "" && there(certFact)
	p.keyThere = p.keyPath != "" && there(keyFact)
	if p.certThere && certFact.Problem == "" {
		if cert, err := parseCertificate(certFact.Data); err == nil {
			p.cert = cert
		}
	}
	p.orphan = p.keyThere && !p.certThere && named.key != p.keyPath && !p.named
	p.trouble = troubleOf(p, certFact, keyFact, link.ClientAddress, now)
	if p.usable() {
		p.notes = append(weaknesses(p.cert), matchNote(keyFact)...)
		if access := keyAccess(p.keyPath); access != "" {
			p.notes = append(p.notes, access)
		}
		if now.Before(p.cert.NotBefore) {
			p.notes = append(p.notes, "by the client's clock it is valid only from "+p.cert.NotBefore.UTC().Format(time.DateTime)+" UTC")
		}
	}
	p.loose = looseModes(p, certFact, keyFact)
	return p
}

// troubleOf says why what is there cannot serve as the identity, or "".
func troubleOf(p pair, certFact, keyFact transport.Fact, address string, now time.Time) string {
	switch {
	case !p.certThere && !p.keyThere, p.orphan:
		return ""
	case !p.certThere:
		return fmt.Sprintf("%s is there without its certificate %s, and %s", p.keyPath, p.certPath, "the configuration names it")
	case !p.keyThere:
		return fmt.Sprintf("%s is there without its key %s", p.certPath, p.keyPath)
	case certFact.Problem != "":
		return p.certPath + ": " + transport.Printable(certFact.Problem)
	case p.cert == nil:
		return p.certPath + " is not a certificate (damaged)"
	case p.cert.Subject.CommonName != address:
		return fmt.Sprintf("%s has CN=%s, not %s", p.certPath, transport.Printable(p.cert.Subject.CommonName), address)
	}
	if when := outOfDate(p.cert, now); when != "" {
		return p.certPath + " " + when
	}
	if keyFact.Damaged {
		return p.keyPath + " is not a private key (damaged)"
	}
	if len(keyFact.Public) == 0 {
		return ""
	}
	same, err := samePublicKey(keyFact.Public, p.cert)
	switch {
	case err != nil:
		return p.keyPath + ": " + err.Error()
	case !same:
		return fmt.Sprintf("%s is not the key of %s (mismatched)", p.keyPath, p.certPath)
	}
	return ""
}

// matchNote says why it could not be proved that key and certificate match.
func matchNote(key transport.Fact) []string {
	switch {
	case len(key.Public) > 0:
		return nil
	case key.Encrypted:
		return []string{"the key is encrypted, so that it matches could not be proved"}
	}
	why := transport.Printable(key.Problem)
	if why == "" {
		why = "its public half could not be read"
	}
	return []string{"that the key matches could not be proved: " + why}
}

// looseModes lists files of the pair that anybody on the host may read or write
// though they should not.
func looseModes(p pair, cert, key transport.Fact) []looseMode {
	const anybody, anybodyWrites = 0o007, 0o002
	var loose []looseMode
	if p.keyThere && key.Mode&anybody != 0 {
		loose = append(loose, looseMode{p.keyPath, key.Mode, key.Mode &^ anybody})
	}
	if p.certThere && cert.Mode&anybodyWrites != 0 {
		loose = append(loose, looseMode{p.certPath, cert.Mode, cert.Mode &^ anybodyWrites})
	}
	return loose
}

// describe is the identity in one line.
func (p pair) describe() string {
	if !p.usable() {
		return "no client certificate"
	}
	words := []string{fmt.Sprintf("CN=%s, valid until %s, %s", p.cert.Subject.CommonName,
		p.cert.NotAfter.UTC().Format(time.DateOnly), fingerprint(p.cert))}
	words = append(words, p.notes...)
	for _, m := range p.loose {
		words = append(words, fmt.Sprintf("%s has mode %04o (--fix-modes makes it %04o)", m.path, m.have.Perm(), m.want.Perm()))
	}
	return strings.Join(words, "; ")
}
