package preflight

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net"
	"slices"
)

// errSeen ends a handshake in which the certificate was seen.
var errSeen = errors.New("the certificate was seen")

// Certificate begins a TLS handshake on a connection and returns the certificate
// (DER) that the far side shows, which is before it can want one itself. Nothing
// is believed about it: it is for comparing. The connection is of no use after.
//
// The hello is the oldest and smallest that still gets today's appliances to
// answer: TLS 1.2 and no server name, as NTLS clients speak, with the RSA key
// exchange and what else Go has for old boxes.
func Certificate(ctx context.Context, conn net.Conn) ([]byte, error) {
	var shown []byte
	config := &tls.Config{
		MinVersion: tls.VersionTLS10, //nolint:gosec // appliances before 6.1 have no newer one, and nothing is entrusted to it
		MaxVersion: tls.VersionTLS12,
		//nolint:gosec // the certificate is looked at, byte for byte, and the connection is given up
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			shown = slices.Clone(state.PeerCertificates[0].Raw) // there is one, or the handshake has failed
			return errSeen
		},
	}
	for _, suites := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, suite := range suites {
			config.CipherSuites = append(config.CipherSuites, suite.ID)
		}
	}
	err := tls.Client(conn, config).HandshakeContext(ctx)
	if shown != nil {
		return shown, nil
	}
	if err == nil {
		err = errors.New("it shows none")
	}
	return nil, err
}

// InText is the first certificate (DER) in what `openssl s_client` printed; nil
// if there is none.
func InText(text []byte) []byte {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil
		}
		if block.Type == "CERTIFICATE" {
			return block.Bytes
		}
		text = rest
	}
}
