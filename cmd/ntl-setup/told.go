package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
)

// told is standard output, and remembers whether everything reached it. What
// fails there stops no run, which may be changing machines; it is told at the end.
type told struct {
	w io.Writer

	mu  sync.Mutex
	err error // of the first write that failed; nothing is written after it
}

func (t *told) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.w.Write(p)
	t.err = err
	return n, err //nolint:wrapcheck // whoever writes says what
}

// lost is why something did not reach standard output; nil: all of it did.
func (a *app) lost() error {
	t, ok := a.out.Writer.(*told)
	if !ok {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// untold says what could not be told, in a line, and returns the exit status: no
// success, and no "changes pending", of which nobody knows which. A reader that
// left has read enough, so that he hears of it only where machines were changed.
func (a *app) untold(why error) int {
	run := a.ended
	acted := run.Command == string(apply) && run.Result == orchestrator.Established
	if !errors.Is(why, syscall.EPIPE) || acted {
		message := "not everything could be written to standard output"
		switch {
		case acted && len(run.Links) == 1:
			message = "the link is established, but that could not be written to standard output"
		case acted:
			message = fmt.Sprintf("all %d links are established, but that could not be written to standard output", len(run.Links))
		case run.Result != "":
			message = fmt.Sprintf("the run has ended (%s), but its result could not be written to standard output", run.Result)
		}
		view := ui.NewView("", ui.Text, ui.Stream{Writer: io.Discard}, a.err)
		defer view.Close()
		view.Failure("", &orchestrator.Failure{Class: "internal", Message: message + ": " + why.Error()})
	}
	if a.status == ui.ExitOK || a.status == ui.ExitChanges {
		return ui.ExitFailed
	}
	return a.status
}
