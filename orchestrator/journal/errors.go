package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// Error is a journal that cannot be kept, or not be read. Its class is "config"
// where the place that was named is at fault, and "internal" where this machine
// does not let anything be written there: a full disk, a read-only one, rights.
type Error struct {
	message, hint string
	refused       bool // the place is one, but takes nothing
	err           error
}

// Error tells what failed.
func (e *Error) Error() string { return e.message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.err }

// ErrorClass is "config" or "internal".
func (e *Error) ErrorClass() string {
	if e.refused {
		return "internal"
	}
	return "config"
}

// ErrorHint says what to do next.
func (e *Error) ErrorHint() string { return e.hint }

// unkept is the error of a journal that cannot be written.
func unkept(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{
		message: fmt.Sprintf("the journal cannot be kept: %v", err), err: err, refused: !misplaced(err),
		hint: "nothing is changed on a host without a record: is the disk full, or read-only? XDG_STATE_HOME names another place",
	}
}

// misplaced reports whether there can be no directory at that path.
func misplaced(err error) bool {
	for _, wrong := range []error{fs.ErrNotExist, fs.ErrExist, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL} {
		if errors.Is(err, wrong) {
			return true
		}
	}
	return false
}
