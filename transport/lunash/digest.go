package lunash

import (
	"crypto/md5"  //nolint:gosec // 5.x appliances print MD5; it is compared, never relied on alone
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

func (d Digest) matches(der []byte) (same, known bool) {
	var sum []byte
	switch d.Algorithm {
	case "MD5":
		s := md5.Sum(der) //nolint:gosec // see the import
		sum = s[:]
	case "SHA-1":
		s := sha1.Sum(der) //nolint:gosec // see the import
		sum = s[:]
	case "SHA-256":
		s := sha256.Sum256(der)
		sum = s[:]
	default:
		return false, false
	}
	return hex.EncodeToString(sum) == d.Sum, true
}

// hintOf is the next thing to do about a refusal; empty when its words suffice.
func hintOf(kind error) string {
	switch {
	case errors.Is(kind, ErrNeedsLogin):
		return "log in as the HSM security officer by hand and run `sysconf forceSOLogin disable`, or register the client by hand; ntl-setup never sends `hsm login`"
	case errors.Is(kind, ErrNotAllowed):
		return "use an appliance user with the admin or operator role, or a role that has client list, show, fingerprint, register, assignPartition and partition list"
	case errors.Is(kind, ErrQuestion):
		return "the question was answered with quit; run the command by hand on the appliance to see it"
	}
	return ""
}
