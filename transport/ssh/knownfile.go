package ssh

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // known_hosts hides names by it, and nothing rests on it
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// knownHosts is what known_hosts files say. They are read as OpenSSH reads them
// (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): a line that is not understood counts
// for nothing, and says nothing about the other lines.
type knownHosts struct {
	lines   []knownLine
	revoked map[string]knownLine // by the bytes of the key
	skipped []string             // "file:line (why)"
}

// knownLine is one line that was understood.
type knownLine struct {
	key       ssh.PublicKey
	authority bool   // the key signs host certificates
	hosts     string // the patterns, or one name hidden by a hash
	where     string // "file:line"
}

// revocationError is a @revoked line that is not understood: to pass over it
// might let in the very key that it shuts out.
type revocationError struct {
	where string
	why   error
}

func (e *revocationError) Error() string {
	return fmt.Sprintf("the @revoked line %s is not understood (%v), and may be about this key", e.where, e.why)
}

func (e *revocationError) Unwrap() error { return e.why }

// readKnownHosts reads those of the files that exist: one that is not there yet
// knows nobody.
func readKnownHosts(files []string) (*knownHosts, error) {
	known := &knownHosts{revoked: map[string]knownLine{}}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // the path is the user's choice
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		n := 0
		for line := range bytes.Lines(text) {
			n++
			if err := known.take(string(bytes.TrimSpace(line)), fmt.Sprintf("%s:%d", file, n)); err != nil {
				return nil, err
			}
		}
	}
	return known, nil
}

// take takes one line in.
func (k *knownHosts) take(line, where string) error {
	if line == "" || line[0] == '#' {
		return nil
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	marker := ""
	if words[0][0] == '@' {
		marker, words = words[0], words[1:]
	}
	read, err := readLine(words)
	read.where = where
	switch {
	case err == nil && marker == "":
		k.lines = append(k.lines, read)
	case err == nil && marker == "@cert-authority":
		read.authority = true
		k.lines = append(k.lines, read)
	case err == nil && marker == "@revoked":
		k.revoked[string(bare(read.key).Marshal())] = read
	case strings.EqualFold(marker, "@revoked"), len(words) > 0 && strings.EqualFold(words[0], "@revoked"):
		if err == nil {
			err = fmt.Errorf("%s is not @revoked", marker)
		}
		return &revocationError{where: where, why: err}
	default:
		if err == nil {
			err = fmt.Errorf("marker %.40q is not known", marker)
		}
		k.skipped = append(k.skipped, fmt.Sprintf("%s (%v)", where, err))
	}
	return nil
}

// readLine reads the words of a line after its marker: hosts, kind of key, key.
// What stands behind is a comment.
func readLine(words []string) (knownLine, error) {
	const least = 3
	if len(words) > 0 && words[0][0] == '@' {
		return knownLine{}, errors.New("it has two markers")
	}
	if len(words) < least {
		return knownLine{}, errors.New("it has no hosts, kind and key")
	}
	blob, err := base64.StdEncoding.DecodeString(words[2])
	if err != nil {
		return knownLine{}, errors.New("its key is not in base64")
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return knownLine{}, fmt.Errorf("its key of kind %.40q is damaged, or of a kind that is not known", words[1])
	}
	if key.Type() != words[1] {
		return knownLine{}, fmt.Errorf("its key is of kind %s, not %.40q", key.Type(), words[1])
	}
	return knownLine{key: key, hosts: words[0]}, nil
}

// passedOver names the lines that count for nothing, "" if all count.
func (k *knownHosts) passedOver() string {
	if len(k.skipped) == 0 {
		return ""
	}
	const most = 3
	said := k.skipped
	if len(said) > most {
		said = append(slices.Clone(said[:most]), fmt.Sprintf("%d more", len(k.skipped)-most))
	}
	return "not understood among the known host keys, and passed over: " + strings.Join(said, ", ")
}

// of are the lines about a machine that listens there.
func (k *knownHosts) of(address string) []knownLine {
	name, host := namesOf(address)
	return slices.DeleteFunc(slices.Clone(k.lines), func(l knownLine) bool { return !l.about(name, host) })
}

// namesOf is how known_hosts calls a machine, whose port is part of the name where
// it is not the usual one, and its host alone.
func namesOf(address string) (name, host string) {
	address = strings.ToLower(address)
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return address, address
	case port == strconv.Itoa(defaultPort):
		return host, host
	}
	return "[" + host + "]:" + port, host
}

// about reports whether a line is about the machine of that name. One difference
// to OpenSSH: who excludes a host excludes it at every port.
func (l knownLine) about(name, host string) bool {
	if hidden, ok := strings.CutPrefix(l.hosts, "|1|"); ok {
		return hides(hidden, name)
	}
	fits := false
	for pattern := range strings.SplitSeq(strings.ToLower(l.hosts), ",") {
		not, negated := strings.CutPrefix(pattern, "!")
		switch {
		case negated && (like(not, name) || like(not, host)):
			return false
		case !negated && like(pattern, name):
			fits = true
		}
	}
	return fits
}

// hides reports whether a salted hash, "salt|hash" in base64, is that of a name.
func hides(hidden, name string) bool {
	salt, sum, ok := strings.Cut(hidden, "|")
	key, errSalt := base64.StdEncoding.DecodeString(salt)
	want, errSum := base64.StdEncoding.DecodeString(sum)
	if !ok || errSalt != nil || errSum != nil {
		return false
	}
	mac := hmac.New(sha1.New, key)
	mac.Write([]byte(name))
	return hmac.Equal(mac.Sum(nil), want)
}

// like matches a whole name with a pattern, in which * stands for any text, ? for
// any one character, and everything else for itself: brackets and dots too.
func like(pattern, name string) bool {
	p, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0: // the last star takes one character more
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// bare is the key itself, without the certificate about it.
func bare(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}
