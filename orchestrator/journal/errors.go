package journal

import (
	"errors"
	"fmt"
)

// Error is a journal that cannot be kept, or not be read. Its class is "config":
// what is at fault is a directory or a disk of this machine.
type Error struct {
	message, hint string
	err           error
}

// Error tells what failed.
func (e *Error) Error() string { return e.message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.err }

// ErrorClass is "config".
func (e *Error) ErrorClass() string { return "config" }

// ErrorHint says what to do next.
func (e *Error) ErrorHint() string { return e.hint }

// unkept is the error of a journal that cannot be written.
func unkept(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{
		message: fmt.Sprintf("the journal cannot be kept: %v", err), err: err,
		hint: "nothing is changed on a host without a record: is the disk full, or read-only? XDG_STATE_HOME names another place",
	}
}
