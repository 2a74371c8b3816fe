package steps

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// errNoCertificate: the text holds no PEM certificate.
var errNoCertificate = errors.New("no PEM certificate in it")

// parseCertificate reads the first certificate of a PEM text.
func parseCertificate(text []byte) (*x509.Certificate, error) {
	all, err := parseBundle(text)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNoCertificate
	}
	return all[0].cert, nil
}

// bundled is one certificate of a bundle and where its text stands there.
type bundled struct {
	cert       *x509.Certificate
	start, end int // byte offsets of the block, from its BEGIN line to the end of its END line
}

// parseBundle reads every certificate of a PEM text. What stands between the
// blocks is tolerated; a block that does not parse is an error.
func parseBundle(text []byte) ([]bundled, error) {
	var all []bundled
	rest := text
	for {
		block, after := pem.Decode(rest)
		if block == nil {
			return all, nil
		}
		end := len(text) - len(after)
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("damaged certificate: %w", err)
			}
			start := len(text) - len(rest) + bytes.LastIndex(rest[:len(rest)-len(after)], []byte("-----BEGIN"))
			all = append(all, bundled{cert: cert, start: start, end: end})
		}
		rest = after
	}
}

// holds reports whether a bundle has the certificate.
func holds(bundle []bundled, cert *x509.Certificate) bool {
	for _, b := range bundle {
		if b.cert.Equal(cert) {
			return true
		}
	}
	return false
}

// fingerprint is the SHA-256 of the DER, as this program shows certificates.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return "SHA256:" + strings.ToUpper(hex.EncodeToString(sum[:]))
}

// encodePEM is a certificate as a PEM text.
func encodePEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// weaknesses are what an auditor would remark on, in words; none is a conflict.
func weaknesses(cert *x509.Certificate) []string {
	var w []string
	if k, ok := cert.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		w = append(w, fmt.Sprintf("weak: RSA-%d", k.N.BitLen()))
	}
	switch cert.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA, x509.MD2WithRSA:
		w = append(w, "weak: signed with "+cert.SignatureAlgorithm.String())
	default:
	}
	return w
}

// samePublicKey reports whether a PEM public key is the certificate's.
func samePublicKey(public []byte, cert *x509.Certificate) (bool, error) {
	block, _ := pem.Decode(public)
	if block == nil {
		return false, errors.New("not a PEM public key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return false, fmt.Errorf("public key: %w", err)
	}
	want, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	if err != nil {
		return false, fmt.Errorf("certificate's public key: %w", err)
	}
	have, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return false, fmt.Errorf("public key: %w", err)
	}
	return bytes.Equal(have, want), nil
}

// outOfDate says in words that a certificate is not valid at a time, or "".
func outOfDate(cert *x509.Certificate, now time.Time) string {
	if now.After(cert.NotAfter) {
		return "expired on " + cert.NotAfter.UTC().Format(time.DateOnly)
	}
	return ""
}
