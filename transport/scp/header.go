package scp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// header reads messages up to the announcement of the file ("C0644 1180
// server.pem") and returns its size.
func (p *peer) header() (int64, error) {
	times := false
	for {
		kind, err := p.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && !times:
			return 0, &NotSCPError{}
		case err != nil:
			return 0, fmt.Errorf("read the announcement of the file: %w", cutOff(err))
		case kind == warning || kind == fatal:
			return 0, p.remoteError(kind)
		}
		// "Command not found" and "This is ..." begin with letters of the
		// protocol too; the second byte tells.
		if !p.announces(kind) {
			if times {
				return 0, p.malformed("a message of kind %q", kind)
			}
			return 0, p.notSCP(kind)
		}
		l, err := p.line()
		if err != nil {
			return 0, fmt.Errorf("read the announcement of the file: %w", cutOff(err))
		}
		switch {
		case kind == 'C':
			return p.parseFile(l)
		case kind == 'T' && !times && validTimes(l):
			// Modification and access time, sent with -p alone; nobody wants them.
			times = true
			if err := p.send(ack); err != nil {
				return 0, err
			}
		case kind == 'D':
			return 0, p.malformed("it is a directory (%q)", printable(l))
		default:
			return 0, p.malformed("%q", string(kind)+printable(l))
		}
	}
}

// announces looks at the next byte, without taking it, to tell a message of
// that kind from prose. A hyphen passes: a negative number is a bad message.
func (p *peer) announces(kind byte) bool {
	next, err := p.in.Peek(1)
	if err != nil {
		return false
	}
	switch kind {
	case 'C', 'D', 'T':
		return digit(next[0]) || next[0] == '-'
	case 'E':
		return next[0] == '\n'
	}
	return false
}

func (p *peer) malformed(format string, args ...any) error {
	p.refuse()
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// parseFile reads "0644 1180 server.pem", what follows the C, as strictly as
// OpenSSH does.
func (p *peer) parseFile(l []byte) (int64, error) {
	mode, rest, ok := bytes.Cut(l, []byte{' '})
	if !ok || len(mode) != 4 || !all(mode, func(b byte) bool { return b >= '0' && b <= '7' }) {
		return 0, p.malformed("bad mode in %q", printable(l))
	}
	digits, name, ok := bytes.Cut(rest, []byte{' '})
	if !ok || len(digits) == 0 || !all(digits, digit) {
		return 0, p.malformed("bad size in %q", printable(l))
	}
	size, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, p.malformed("bad size in %q", printable(l))
	}
	if !fileName(name) {
		return 0, p.malformed("bad name in %q", printable(l))
	}
	return size, nil
}

// fileName: a name that stays in its directory. It is used for nothing, but a
// far side that sends another kind is not the one that was asked.
func fileName(name []byte) bool {
	s := string(name)
	return s != "" && s != "." && s != ".." && all(name, func(b byte) bool {
		return b != '/' && b >= 0x20 && b != 0x7f
	})
}

// validTimes is "mtime usec atime usec", all in digits.
func validTimes(l []byte) bool {
	fields := bytes.Split(l, []byte{' '})
	for _, f := range fields {
		if len(f) == 0 || !all(f, digit) {
			return false
		}
	}
	return len(fields) == 4
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

func all(b []byte, is func(byte) bool) bool {
	for _, c := range b {
		if !is(c) {
			return false
		}
	}
	return true
}
