package steps

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
)

// unpinned is the conflict of a certificate that is not the pinned one; nil
// when it is, or when none is pinned.
func unpinned(appliance, pin string, cert *x509.Certificate) error {
	if pin == "" || fingerprint(cert) == pin {
		return nil
	}
	return conflict{
		reason: fmt.Sprintf("%s: the HSM's certificate is not the pinned one: it holds %s, pinned is %s", appliance, fingerprint(cert), pin),
		hint:   "nothing trusts it: compare with `sysconf fingerprint` at the appliance itself; if it was regenerated, correct --hsm-certificate",
	}
}

// pinned fetches the HSM's certificate where one is pinned, and is the conflict
// if it is another. Any other trouble with it is left to the step that needs
// it.
func (e *eyes) pinned(ctx context.Context) error {
	if e.link.HSMCertificate == "" {
		return nil
	}
	var other conflict
	if _, err := e.serverCertificate(ctx); errors.As(err, &other) {
		return other
	}
	return nil
}
