package config

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"ntl-setup/transport"
)

// Bounds of words that go to the appliance.
const (
	maxName = 128 // a client or partition name
	maxHost = 253 // a host name, as the DNS has it
)

// wordChars are what lunash takes without quoting.
const wordChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"

// checkName checks a word for lunash.
func checkName(flag, name string) error {
	switch {
	case name == "":
		return wrong("%s is empty", flag)
	case len(name) > maxName:
		return wrong("%s is longer than %d characters", flag, maxName)
	case strings.HasPrefix(name, "-"):
		return wrong("%s %q begins with a dash", flag, name).
			WithHint("if a flag was meant, %s lacks its value", flag)
	case strings.ContainsFunc(name, notWord):
		return wrong("%s %q has a character that the appliance's shell may take amiss", flag, name).
			WithHint("letters, digits and . _ : - are allowed")
	}
	return nil
}

// checkOwn checks a word that becomes a file on the appliance, where server.pem
// is its own certificate.
func checkOwn(flag, name string) error {
	if strings.EqualFold(name, "server") {
		return wrong("%s %q is the appliance's own name for its certificate", flag, name)
	}
	return nil
}

func notWord(r rune) bool { return !strings.ContainsRune(wordChars, r) }

// checkAddress checks an IP address or a host name that the two ends call each
// other by.
func checkAddress(flag, address string) error {
	if err := checkName(flag, address); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(address); err == nil {
		return nil
	}
	switch {
	case strings.Trim(address, "0123456789.") == "":
		return wrong("%s %q is not an IPv4 address", flag, address)
	case strings.Contains(address, ":"):
		return wrong("%s %q is not an IPv6 address, and a host name has no colon", flag, address).
			WithHint("a port belongs to --client or --hsm, not here")
	case len(address) > maxHost:
		return wrong("%s is longer than %d characters", flag, maxHost)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(address, "."), ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return wrong("%s %q is neither an IP address nor a host name", flag, address)
		}
	}
	return nil
}

// checkPin checks the form of a host key's fingerprint.
func checkPin(flag, pin string) error {
	if pin == "" {
		return nil
	}
	sum, ok := strings.CutPrefix(pin, "SHA256:")
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(sum, "="))
	if !ok || err != nil || len(raw) != 32 {
		return wrong("%s %q is not a fingerprint of the form SHA256:<43 characters>", flag, pin).
			WithHint("ssh-keygen -lf on the host's public key prints it")
	}
	return nil
}

// wrong is an error in what the user gave.
func wrong(format string, args ...any) *transport.Error {
	return transport.Errorf(transport.ClassConfig, "", format, args...)
}
