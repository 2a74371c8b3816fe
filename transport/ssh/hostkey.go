package ssh

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// hostKeys decides about the host key of one machine, over all the attempts to
// dial it. Its callback runs in a goroutine of x/crypto.
type hostKeys struct {
	name    string // of the machine
	address string
	pin     string // "SHA256:…" or empty
	o       *Options
	known   *knownHosts

	mu      sync.Mutex
	settled ssh.PublicKey       // what was accepted; it may not change at a re-keying
	offered []ssh.PublicKey     // what did not fit the pin
	refusal *transport.Error    // why the last key was refused
	another bool                // because it did not fit the pin
	taken   map[string]struct{} // kinds of key that were offered in vain
}

func newHostKeys(t Target, o *Options) (*hostKeys, error) {
	h := &hostKeys{name: t.name(), address: t.address(), o: o, taken: map[string]struct{}{}}
	if o.HostKeyAlias != "" {
		h.address = net.JoinHostPort(strings.ToLower(o.HostKeyAlias), strconv.Itoa(defaultPort))
	}
	var err error
	if h.pin, err = normalPin(o.HostKeyPin); err != nil {
		return nil, transport.Errorf(transport.ClassConfig, h.name, "host key pin %q: %w", o.HostKeyPin, err).
			WithHint("a pin is what `ssh-keygen -lf` prints: SHA256: and 43 characters")
	}
	h.known, err = readKnownHosts(o.KnownHosts)
	var damaged *revocationError
	switch {
	case errors.As(err, &damaged):
		return nil, transport.Errorf(transport.ClassHostKey, h.name, "read the known host keys: %w", err).
			WithHint("mend or remove %s", damaged.where)
	case err != nil:
		return nil, transport.Errorf(transport.ClassConfig, h.name, "read the known host keys: %w", err).
			WithHint("see that the file can be read, or name another one with --known-hosts")
	}
	if text := h.known.passedOver(); text != "" {
		o.warn(text)
	}
	return h, nil
}

// normalPin drops the padding that some programs print.
func normalPin(pin string) (string, error) {
	if pin == "" {
		return "", nil
	}
	sum, ok := strings.CutPrefix(pin, "SHA256:")
	if !ok {
		return "", errors.New("it does not begin with SHA256")
	}
	sum = strings.TrimRight(sum, "=")
	if raw, err := base64.RawStdEncoding.Strict().DecodeString(sum); err != nil || len(raw) != 32 {
		return "", errors.New("it is no SHA-256 digest in base64")
	}
	return "SHA256:" + sum, nil
}

// algorithms is what to offer next: the kinds that known_hosts has first,
// because x/crypto would otherwise settle on a kind that is not in there and
// take the key for a changed one; then the others, so that a key that really
// changed its kind is seen and named. Kinds that were seen in vain are left
// out.
func (h *hostKeys) algorithms() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var plain []string
	for _, kind := range hostKeyKinds(h.o.Legacy) {
		if _, seen := h.taken[keyType(kind[0])]; !seen {
			plain = append(plain, kind...)
		}
	}
	if h.pin != "" {
		return plain
	}
	return appendNew(h.known.algorithms(h.address, h.o.Legacy, plain), plain)
}

// keyType is the type of the keys that an algorithm signs with.
func keyType(algorithm string) string {
	switch algorithm {
	case ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512:
		return ssh.KeyAlgoRSA
	}
	return algorithm
}

// check is the ssh.HostKeyCallback; it is called again whenever the connection
// is re-keyed.
func (h *hostKeys) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.settled != nil {
		if bytes.Equal(h.settled.Marshal(), key.Marshal()) {
			return nil
		}
		return h.refuse(key, "the host key changed while the connection was up")
	}
	if err := h.judge(remote, key); err != nil {
		h.refusal = err
		return err
	}
	h.settled = key
	return nil
}

func (h *hostKeys) judge(remote net.Addr, key ssh.PublicKey) *transport.Error {
	if what, line := h.known.revocation(key); line != nil {
		return h.refuse(key, "%s is marked as revoked in %s", what, line.where).
			WithHint("whoever holds this key may not be the machine; ask its administrator")
	}
	if h.pin != "" {
		if ssh.FingerprintSHA256(key) == h.pin {
			return nil
		}
		h.taken[key.Type()] = struct{}{}
		h.offered = append(h.offered, key)
		h.another = true
		return h.pinMismatch()
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		if err := h.known.checkCertificate(h.address, remote, cert, h.o.Legacy); err != nil {
			return h.refuse(key, "the host certificate is not accepted: %w", err)
		}
		return nil
	}
	fits, others := h.known.checkKey(h.address, key)
	switch {
	case fits:
		return nil
	case len(others) > 0:
		return h.changed(key, others)
	case h.o.AcceptNew:
		return h.accept(key)
	}
	return h.refuse(key, "the host key is unknown").
		WithHint("compare the fingerprint with the machine's own, then %s, or --accept-new-host-keys to add it to %s",
			h.pinning(key), h.knownHostsName())
}

// refuse makes an error that ends in the key that was shown.
func (h *hostKeys) refuse(key ssh.PublicKey, format string, args ...any) *transport.Error {
	args = append(args, describe(key))
	return transport.Errorf(transport.ClassHostKey, h.name, format+": it shows %s", args...)
}

func (h *hostKeys) changed(key ssh.PublicKey, want []knownLine) *transport.Error {
	var known, places []string
	for _, k := range want {
		known = append(known, fmt.Sprintf("%s (%s)", describe(k.key), k.where))
		places = append(places, k.where)
	}
	return h.refuse(key, "the host key has changed, known is %s", strings.Join(known, ", ")).
		WithHint("somebody may stand in between; if the change is genuine, remove %s, or %s",
			strings.Join(places, ", "), h.pinning(key))
}

func (h *hostKeys) pinMismatch() *transport.Error {
	var shown []string
	for _, k := range h.offered {
		shown = append(shown, describe(k))
	}
	return transport.Errorf(transport.ClassHostKey, h.name, "the host key is not the pinned one: it shows %s, pinned is %s",
		strings.Join(shown, ", "), h.pin).
		WithHint("compare with the machine's own fingerprint; only if it is the machine's, %s",
			h.pinning(h.offered[0]))
}

// accept writes a new key down before it is used.
func (h *hostKeys) accept(key ssh.PublicKey) *transport.Error {
	if len(h.o.KnownHosts) == 0 {
		return transport.Errorf(transport.ClassConfig, h.name, "there is no known_hosts file to add the new host key to").
			WithHint("name one with --known-hosts, or %s", h.pinning(key))
	}
	if err := appendKnownHost(h.o.KnownHosts[0], knownhosts.Line([]string{h.address}, key)); err != nil {
		return transport.Errorf(transport.ClassConfig, h.name, "remember the new host key: %w", err)
	}
	h.o.warn(fmt.Sprintf("%s: new host key %s added to %s", h.name, describe(key), h.o.KnownHosts[0]))
	return nil
}

// lastRefusal is why the last key was refused; nil if it was not.
func (h *hostKeys) lastRefusal() *transport.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refusal
}

// mismatch is the error about all the keys that did not fit the pin; nil if
// there were none.
func (h *hostKeys) mismatch() *transport.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.offered) == 0 {
		return nil
	}
	return h.pinMismatch()
}

// begin forgets the outcome of the attempt before.
func (h *hostKeys) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settled, h.refusal, h.another = nil, nil, false
}

// tryAnother reports whether the last attempt failed on the pin alone, so that
// another kind of key may fit it.
func (h *hostKeys) tryAnother() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.another
}

// pinning is what a hint calls trusting this key alone.
func (h *hostKeys) pinning(key ssh.PublicKey) string {
	if h.o.hop {
		return "connect to it once with ssh, which remembers it"
	}
	flag := cmp.Or(h.o.PinFlag, "the pin")
	if strings.HasPrefix(flag, "-") {
		return "give " + flag + " " + ssh.FingerprintSHA256(key)
	}
	return "set " + flag + " to " + ssh.FingerprintSHA256(key) // a key of a file
}

func (h *hostKeys) knownHostsName() string {
	if len(h.o.KnownHosts) == 0 {
		return "known_hosts"
	}
	return h.o.KnownHosts[0]
}

func describe(key ssh.PublicKey) string {
	return key.Type() + " " + ssh.FingerprintSHA256(key)
}
