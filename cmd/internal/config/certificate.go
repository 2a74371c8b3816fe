package config

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// pinPrefix begins a fingerprint, of a host key or of a certificate.
const pinPrefix = "SHA256:"

// pinCertificate brings the fingerprint of the appliance's certificate into the
// form in which certificates are shown: SHA256: and 64 hex digits in upper case.
// It may come with colons or blanks between the pairs and in any case, as
// openssl and `sysconf fingerprint` print it.
func (l *Link) pinCertificate() error {
	if l.HSMCertificate == "" {
		return nil
	}
	const flag = "--hsm-certificate"
	digits := l.HSMCertificate
	if len(digits) >= len(pinPrefix) && strings.EqualFold(digits[:len(pinPrefix)], pinPrefix) {
		digits = digits[len(pinPrefix):]
	}
	sum, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(digits))
	if err != nil || len(sum) != sha256.Size {
		return wrong("%s %q is not a fingerprint of the form SHA256:<64 hex digits>", flag, l.HSMCertificate).
			WithHint("it is the SHA-256 of the appliance's NTLS certificate, not of its SSH host key: `sysconf fingerprint` on the appliance, or `openssl x509 -noout -fingerprint -sha256 -in server.pem`")
	}
	l.HSMCertificate = pinPrefix + strings.ToUpper(hex.EncodeToString(sum))
	return nil
}
