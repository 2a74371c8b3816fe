package lunash

import (
	"crypto/md5"  //nolint:gosec // 5.x appliances print MD5; it is compared, never relied on alone
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// Of is the digest of the same kind of a certificate's DER bytes, written as
// appliances do ("CB:AC:…"), for a person to compare; empty for an unknown kind.
func (d Digest) Of(der []byte) string {
	text := strings.ToUpper(hex.EncodeToString(d.sum(der)))
	var pairs []string
	for i := 0; i+1 < len(text); i += 2 {
		pairs = append(pairs, text[i:i+2])
	}
	return strings.Join(pairs, ":")
}

func (d Digest) matches(der []byte) (same, known bool) {
	sum := d.sum(der)
	return sum != nil && hex.EncodeToString(sum) == d.Sum, sum != nil
}

// sum is the digest of d's kind; nil for an unknown one.
func (d Digest) sum(der []byte) []byte {
	switch d.Algorithm {
	case "MD5":
		s := md5.Sum(der) //nolint:gosec // see the import
		return s[:]
	case "SHA-1":
		s := sha1.Sum(der) //nolint:gosec // see the import
		return s[:]
	case "SHA-256":
		s := sha256.Sum256(der)
		return s[:]
	}
	return nil
}

// hintOf is the next thing to do about a refusal; empty when its words suffice.
func hintOf(kind error) string {
	switch {
	case errors.Is(kind, ErrNeedsLogin):
		return "the appliance enforces an HSM login (sysconf forceSOLogin show): do this step by hand in a session that has logged in, then run again; ntl-setup never sends `hsm login`"
	case errors.Is(kind, ErrNotAllowed):
		return "use an appliance user with the admin or operator role, or a role that has client list, show, fingerprint, register, assignPartition and partition list"
	case errors.Is(kind, ErrQuestion):
		return "the question was answered with quit; run the command by hand on the appliance to see it"
	}
	return ""
}
