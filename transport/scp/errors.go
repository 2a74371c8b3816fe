package scp

import (
	"errors"
	"io/fs"
	"strings"

	"ntl-setup/transport"
)

var (
	// ErrNotSCP: what came first is no SCP protocol, or nothing came at all.
	// Found with errors.Is in a *NotSCPError; nothing was transferred.
	ErrNotSCP = errors.New("the far side does not speak SCP")
	// ErrProtocol: the far side speaks SCP, but said something that a copy of
	// one file does not have, or that is malformed.
	ErrProtocol = errors.New("unexpected SCP message")
)

// NotSCPError is ErrNotSCP with what came instead.
type NotSCPError struct {
	// Text is the first line that came, made printable; empty when the far side
	// ended without a byte.
	Text string
}

// Error quotes what came.
func (e *NotSCPError) Error() string {
	if e.Text == "" {
		return ErrNotSCP.Error() + ": it ended without a word"
	}
	return ErrNotSCP.Error() + ": it said \"" + e.Text + "\""
}

// Unwrap is ErrNotSCP.
func (e *NotSCPError) Unwrap() error { return ErrNotSCP }

// RemoteError is an error line of the far side.
type RemoteError struct {
	// Text is the line, made printable: "scp: x.pem: No such file or directory".
	Text string
	// Fatal: the far side ends with this line (it began with \x02); otherwise it
	// gave up on this file alone (\x01), which for one file is the same.
	Fatal bool
}

// Error is the far side's line.
func (e *RemoteError) Error() string {
	if e.Text == "" {
		return "the far side refused the copy without a reason"
	}
	return e.Text
}

// Is makes a missing file fs.ErrNotExist and a forbidden one fs.ErrPermission,
// told by the words of strerror(3), which is all that the protocol has.
func (e *RemoteError) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return strings.Contains(e.Text, "No such file")
	case fs.ErrPermission:
		return strings.Contains(e.Text, "Permission denied")
	}
	return false
}

func printable(b []byte) string {
	const most = 300
	s := transport.Printable(string(b))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
