package ssh

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"ntl-setup/transport"
)

// hostKeys decides about the host key of one machine, over all the attempts to
// dial it. Its callback runs in a goroutine of x/crypto.
type hostKeys struct {
	name    string // of the machine
	address string
	pin     string // "SHA256:…" or empty
	o       *Options
	known   *knownhosts.HostKeyDB

	mu      sync.Mutex
	settled ssh.PublicKey       // what was accepted; it may not change at a re-keying
	offered []ssh.PublicKey     // what did not fit the pin
	refusal *transport.Error    // why the last key was refused
	another bool                // because it did not fit the pin
	taken   map[string]struct{} // kinds of key that were offered in vain
}

func newHostKeys(t Target, o *Options) (*hostKeys, error) {
	h := &hostKeys{name: t.name(), address: t.address(), o: o, taken: map[string]struct{}{}}
	var err error
	if h.pin, err = normalPin(o.HostKeyPin); err != nil {
		return nil, transport.Errorf(transport.ClassConfig, h.name, "host key pin %q: %w", o.HostKeyPin, err).
			WithHint("a pin is what `ssh-keygen -lf` prints: SHA256: and 43 characters")
	}
	var files []string
	if o.KnownHosts != "" {
		files = []string{o.KnownHosts}
	}
	h.known, err = knownhosts.NewDB(files...)
	if errors.Is(err, fs.ErrNotExist) {
		h.known, err = knownhosts.NewDB() // a file that is not there yet knows nobody
	}
	if err != nil {
		return nil, transport.Errorf(transport.ClassConfig, h.name, "read the known host keys: %w", err).
			WithHint("mend or remove the line that is named, or name another file")
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
// out. Certificates are only asked for if known_hosts has an authority: a host
// that has one and a plain key would otherwise show what cannot be checked.
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
	var first []string
	for _, a := range h.known.HostKeyAlgorithms(h.address) {
		if slices.Contains(plain, a) || isCertAlgorithm(a) && a != ssh.CertAlgoRSAv01 {
			first = append(first, a)
		}
	}
	return appendNew(first, plain)
}

func isCertAlgorithm(a string) bool { return strings.Contains(a, "-cert-v01@") }

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
func (h *hostKeys) check(address string, remote net.Addr, key ssh.PublicKey) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.settled != nil {
		if bytes.Equal(h.settled.Marshal(), key.Marshal()) {
			return nil
		}
		return h.refuse(key, "the host key changed while the connection was up")
	}
	if err := h.judge(address, remote, key); err != nil {
		h.refusal = err
		return err
	}
	h.settled = key
	return nil
}

func (h *hostKeys) judge(address string, remote net.Addr, key ssh.PublicKey) *transport.Error {
	err := h.known.HostKeyCallback()(address, remote, key)
	var revoked *xknownhosts.RevokedError
	if errors.As(err, &revoked) {
		return h.refuse(key, "the host key is marked as revoked in %s:%d", revoked.Revoked.Filename, revoked.Revoked.Line).
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
	var unknown *xknownhosts.KeyError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &unknown): // a certificate that does not hold
		return h.refuse(key, "the host certificate is not accepted: %v", err)
	case len(unknown.Want) > 0:
		return h.changed(key, unknown.Want)
	case h.o.AcceptNew:
		return h.accept(key)
	}
	return h.refuse(key, "the host key is unknown").
		WithHint("compare the fingerprint with the machine's own, then %s %s, or --accept-new-host-keys to add it to %s",
			h.pinFlag(), ssh.FingerprintSHA256(key), h.knownHostsName())
}

// refuse makes an error that ends in the key that was shown.
func (h *hostKeys) refuse(key ssh.PublicKey, format string, args ...any) *transport.Error {
	args = append(args, describe(key))
	return transport.Errorf(transport.ClassHostKey, h.name, format+": it shows %s", args...)
}

func (h *hostKeys) changed(key ssh.PublicKey, want []xknownhosts.KnownKey) *transport.Error {
	var known, places []string
	for _, k := range want {
		known = append(known, fmt.Sprintf("%s (%s:%d)", describe(k.Key), k.Filename, k.Line))
		places = append(places, fmt.Sprintf("%s:%d", k.Filename, k.Line))
	}
	return h.refuse(key, "the host key has changed, known is %s", strings.Join(known, ", ")).
		WithHint("somebody may stand in between; if the change is genuine, remove %s, or %s %s",
			strings.Join(places, ", "), h.pinFlag(), ssh.FingerprintSHA256(key))
}

func (h *hostKeys) pinMismatch() *transport.Error {
	var shown []string
	for _, k := range h.offered {
		shown = append(shown, describe(k))
	}
	return transport.Errorf(transport.ClassHostKey, h.name, "the host key is not the pinned one: it shows %s, pinned is %s",
		strings.Join(shown, ", "), h.pin).
		WithHint("compare with the machine's own fingerprint; only if it is the machine's, %s %s",
			h.pinFlag(), ssh.FingerprintSHA256(h.offered[0]))
}

// accept writes a new key down before it is used.
func (h *hostKeys) accept(key ssh.PublicKey) *transport.Error {
	if h.o.KnownHosts == "" {
		return transport.Errorf(transport.ClassConfig, h.name, "there is no known_hosts file to add the new host key to").
			WithHint("name one with --known-hosts, or %s %s", h.pinFlag(), ssh.FingerprintSHA256(key))
	}
	if err := appendKnownHost(h.o.KnownHosts, knownhosts.Line([]string{h.address}, key)); err != nil {
		return transport.Errorf(transport.ClassConfig, h.name, "remember the new host key: %w", err)
	}
	h.o.warn(fmt.Sprintf("%s: new host key %s added to %s", h.name, describe(key), h.o.KnownHosts))
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

func (h *hostKeys) pinFlag() string {
	if h.o.PinFlag != "" {
		return h.o.PinFlag
	}
	return "pin"
}

func (h *hostKeys) knownHostsName() string {
	if h.o.KnownHosts == "" {
		return "known_hosts"
	}
	return h.o.KnownHosts
}

func describe(key ssh.PublicKey) string {
	return key.Type() + " " + ssh.FingerprintSHA256(key)
}

// appendKnownHost adds one line by one write at the end, so that two runs at a
// time lose nothing. Other lines are not looked at.
func appendKnownHost(path, line string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // the path is the user's choice
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text := line + "\n"
	if size, err := f.Seek(0, io.SeekEnd); err != nil {
		return err
	} else if size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			text = "\n" + text
		}
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Sync()
}
