package scp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"ntl-setup/transport"
)

// The bytes that answer a message.
const (
	ack     = 0 // go on
	warning = 1 // an error line follows; this file is given up
	fatal   = 2 // an error line follows; the far side ends
)

// maxLine bounds a header or an error line: a path of PATH_MAX and some words.
const maxLine = 8 << 10

// Receive takes the one file that the far side sends, of at most limit bytes
// (transport.ErrTooLarge beyond, found with errors.Is). Other errors are
// *RemoteError (errors.Is fs.ErrNotExist for a missing file), *NotSCPError,
// ErrProtocol, and those of rw; one that ends in the middle of the file is
// io.ErrUnexpectedEOF.
func Receive(rw io.ReadWriter, limit int64) (data []byte, err error) {
	p := newPeer(rw)
	// The three answers of a copy that goes well (begin, the header is good, the
	// file is here) go out at once, so that none is waited for over there. A far
	// side that has ended already left the better reason to be read.
	_, writeErr := rw.Write([]byte{ack, ack, ack})
	size, err := p.header()
	switch {
	case err != nil:
		return nil, err
	case writeErr != nil:
		return nil, fmt.Errorf("write to the far side: %w", cutOff(writeErr))
	case size > limit:
		// It sends already, and may read nothing before it is through: the end of
		// rw is what stops it.
		return nil, fmt.Errorf("the file has %d bytes, %d at most are expected: %w", size, limit, transport.ErrTooLarge)
	}
	// The buffer grows with what arrives: an announced size is only a claim.
	var content bytes.Buffer
	if _, err := io.CopyN(&content, p.in, size); err != nil {
		return nil, fmt.Errorf("read the file, %d of %d bytes: %w", content.Len(), size, cutOff(err))
	}
	if err := p.response(); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

// Send gives the far side one file: name (as for SinkLine) and the permission
// bits of mode stand in the header, which a far side uses when its own argument
// is a directory. It returns nil only when the far side has confirmed the whole
// file. Errors are as for Receive.
func Send(rw io.ReadWriter, name string, mode fs.FileMode, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	if mode&^fs.ModePerm != 0 {
		return fmt.Errorf("mode %v is more than permission bits", mode)
	}
	p := newPeer(rw)
	if err := p.greeting(); err != nil {
		return err
	}
	header := fmt.Appendf(nil, "C%04o %d %s\n", mode, len(data), name)
	// The zero byte says that reading the file went well here.
	if eager(data) {
		if err := p.ask(slices.Concat(header, data, []byte{ack})); err != nil {
			return err
		}
		return p.response()
	}
	if err := p.ask(header); err != nil {
		return err
	}
	if err := p.say(data); err != nil {
		return err
	}
	return p.ask([]byte{ack})
}

// eager reports whether a file may follow its header at once, which saves a round
// trip: it fits into what a far side takes in before it reads, and one that refused
// the header, and so took the file for the next message, would find none in it.
func eager(data []byte) bool {
	const window = 16 << 10
	return len(data) > 0 && len(data) <= window && bytes.IndexByte([]byte("CDET\x00\x01\x02"), data[0]) < 0
}

// peer is the far side of one copy.
type peer struct {
	in  *bufio.Reader
	out io.Writer
}

func newPeer(rw io.ReadWriter) *peer {
	return &peer{in: bufio.NewReader(rw), out: rw}
}

func (p *peer) send(b byte) error { return p.say([]byte{b}) }

// say writes, and if that fails because the far side has gone, prefers the
// reason that it may have left behind.
func (p *peer) say(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := p.out.Write(b)
	if err == nil {
		return nil
	}
	var remote *RemoteError
	if last := p.response(); errors.As(last, &remote) {
		return last
	}
	return fmt.Errorf("write to the far side: %w", cutOff(err))
}

// ask says something and reads the answer.
func (p *peer) ask(b []byte) error {
	if err := p.say(b); err != nil {
		return err
	}
	return p.response()
}

// refuse tells the far side to end. Its outcome does not matter: the copy has
// failed already, for a better reason.
func (p *peer) refuse() {
	_, _ = p.out.Write(fmt.Appendf(nil, "%cscp: protocol error\n", fatal)) // see above
}

// greeting reads the first byte of a sink, before which anything can come from
// a program that is none.
func (p *peer) greeting() error {
	b, err := p.in.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		return &NotSCPError{}
	case err != nil:
		return fmt.Errorf("read from the far side: %w", err)
	case b == ack:
		return nil
	case b == warning || b == fatal:
		return p.remoteError(b)
	}
	return p.notSCP(b)
}

// response reads an answer.
func (p *peer) response() error {
	b, err := p.in.ReadByte()
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of the far side: %w", cutOff(err))
	case b == ack:
		return nil
	case b == warning || b == fatal:
		return p.remoteError(b)
	}
	return fmt.Errorf("%w: answer byte %#02x", ErrProtocol, b)
}

// remoteError reads the rest of an error line. A line that is cut off is an
// error line all the same.
func (p *peer) remoteError(kind byte) error {
	text, err := p.line()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return &RemoteError{Text: printable(text), Fatal: kind == fatal}
}

// notSCP quotes what came, up to the end of its first line with words, without
// waiting for more: a prompt has no line end to wait for.
func (p *peer) notSCP(first byte) error {
	rest, err := p.in.Peek(p.in.Buffered())
	if err != nil {
		return fmt.Errorf("read from the far side: %w", err)
	}
	text := append([]byte{first}, rest...)
	for l := range bytes.Lines(text) {
		if said := printable(l); said != "" {
			return &NotSCPError{Text: said}
		}
	}
	return &NotSCPError{Text: fmt.Sprintf("byte %#02x", first)}
}

// line reads up to a line end, which it cuts off; io.EOF comes with what there was.
func (p *peer) line() ([]byte, error) {
	var l []byte
	for {
		b, err := p.in.ReadByte()
		switch {
		case err != nil:
			return l, err
		case b == '\n':
			return l, nil
		case len(l) == maxLine:
			return nil, fmt.Errorf("%w: a line longer than %d bytes", ErrProtocol, maxLine)
		}
		l = append(l, b)
	}
}

// cutOff: in the middle of a copy, an orderly end is a cut.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
