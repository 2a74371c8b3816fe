package ssh

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// However a pin is set, the hint that names the key is part of a sentence.
func TestPinning(t *testing.T) {
	key, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		t.Fatal(err)
	}
	sum := ssh.FingerprintSHA256(key)
	for flag, want := range map[string]string{
		"--hsm-host-key":          "give --hsm-host-key " + sum,
		"host_key of clients.c05": "set host_key of clients.c05 to " + sum,
		"":                        "set the pin to " + sum,
	} {
		h := &hostKeys{o: &Options{PinFlag: flag}, offered: []ssh.PublicKey{key}}
		if got := h.pinning(key); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if hint := h.pinMismatch().Hint; !strings.HasSuffix(hint, "; only if it is the machine's, "+want) {
			t.Error(hint)
		}
	}
}
