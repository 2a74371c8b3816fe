package ui

import (
	"errors"

	"ntl-setup/orchestrator"
)

// The exit statuses of the command line's contract.
const (
	ExitOK          = 0   // everything holds
	ExitFailed      = 1   // something went wrong on the way
	ExitChanges     = 2   // plan, status: changes pending
	ExitConflict    = 3   // a person must decide
	ExitUnreachable = 4   // not reached, not let in, or host key not trusted
	ExitDeclined    = 5   // the plan was shown and not approved
	ExitUsage       = 64  // wrong usage or configuration
	ExitInterrupted = 130 // Ctrl-C
)

// classConfig is the class of an error in what the user gave.
const classConfig = "config"

// ExitStatus is the exit status of one link's result; class is that of the error
// outside the steps, if there was one.
func ExitStatus(result orchestrator.Result, class string) int {
	switch {
	case class == classConfig:
		return ExitUsage
	case result == orchestrator.Established, result == Sound:
		return ExitOK
	case result == orchestrator.Changes:
		return ExitChanges
	case result == orchestrator.Conflicted:
		return ExitConflict
	case result == orchestrator.Unreachable:
		return ExitUnreachable
	case result == orchestrator.Declined:
		return ExitDeclined
	case result == orchestrator.Interrupted:
		return ExitInterrupted
	}
	return ExitFailed
}

// Stopped is the report of a link that ended before its first step: the result
// follows from what kind of error it was.
func Stopped(err error) orchestrator.Report {
	f := orchestrator.Fail(err)
	if errors.Is(err, ErrInterrupted) {
		f.Class = "interrupted"
	}
	r := orchestrator.Report{Result: orchestrator.ResFailed, Err: f}
	switch f.Class {
	case "connect", "auth", "host-key", "dialogue", "timeout":
		r.Result = orchestrator.Unreachable
	case "conflict":
		r.Result = orchestrator.Conflicted
	case "interrupted":
		r.Result = orchestrator.Interrupted
	}
	return r
}

// verdict is the result and exit status of a whole document: what all links
// share; else "partial", and the one status that the links which did not
// succeed share, else 1.
func verdict(links []Link) (orchestrator.Result, int) {
	result, exit := orchestrator.Established, ExitOK
	for i, l := range links {
		class := ""
		if l.Error != nil {
			class = l.Error.Class
		}
		status := ExitStatus(l.Result, class)
		switch {
		case i == 0:
			result = l.Result
		case l.Result != result:
			result = Partial
		}
		switch {
		case status == ExitOK, status == exit:
		case exit == ExitOK:
			exit = status
		default:
			exit = ExitFailed
		}
	}
	return result, exit
}
