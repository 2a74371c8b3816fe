package transport

import (
	"errors"
	"fmt"
)

// Sentinels that callers branch on.
var (
	// ErrTooLarge: a peer sent more than the bound of that read.
	ErrTooLarge = errors.New("more data than expected")
	// ErrNoSFTP: the peer does not offer the SFTP subsystem.
	ErrNoSFTP = errors.New("the peer has no SFTP service")
	// ErrClosed: the far side ended the session.
	ErrClosed = errors.New("the far side closed the session")
	// ErrNoSession: the peer has no session (login, channel) to give now; later
	// it may.
	ErrNoSession = errors.New("no session is free")
	// ErrTurnedAway: the peer ended the session before anything was asked of it,
	// without a reason. It may let nobody in from here, or have no session free.
	ErrTurnedAway = errors.New("turned away without a reason")
)

// Class tells what kind of failure it was; the words are the error classes of
// the command line's JSON document.
type Class string

// The classes that a transport can meet.
const (
	ClassConnect  Class = "connect"  // not reached, or lost
	ClassAuth     Class = "auth"     // nobody was let in
	ClassHostKey  Class = "host-key" // unknown, changed or revoked host key
	ClassDialogue Class = "dialogue" // a login that wants something else first
	ClassRemote   Class = "remote"   // a command was refused
	ClassProtocol Class = "protocol" // an answer was not understood
	ClassTimeout  Class = "timeout"  // a deadline passed
	ClassConfig   Class = "config"   // a local file or setting is at fault
)

// Error is a failure that a person can act on: what, where (Host), and what to
// do next (Hint). Neither text ever holds a secret.
type Error struct {
	Class   Class
	Host    string // the machine as the user named it; may be empty
	Message string // lower case, no full stop
	Hint    string // what to do next; may be empty
	Err     error  // the cause; may be nil
}

// Errorf makes an Error of a class whose cause is what %w names, if anything.
func Errorf(class Class, host, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...) //nolint:err113 // the format is the caller's message
	return &Error{Class: class, Host: host, Message: wrapped.Error(), Err: errors.Unwrap(wrapped)}
}

// WithHint sets the hint and returns the error, for use in a return statement.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error is "host: message".
func (e *Error) Error() string {
	if e.Host == "" {
		return e.Message
	}
	return e.Host + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorClass is the class as a word of the JSON document; the engine asks for
// it by this method, so that it need not know this package.
func (e *Error) ErrorClass() string { return string(e.Class) }

// ErrorHint is what to do next. A lost connection that says nothing else has the
// one thing that is always right.
func (e *Error) ErrorHint() string {
	if e.Hint == "" && e.Class == ClassConnect {
		return "see that the machine is up; the same command looks again and goes on from there"
	}
	return e.Hint
}
