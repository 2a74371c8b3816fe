package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ntl-setup/transport"
)

// ErrAtWork: the time was over while a vtl on the client was still making or
// changing what every run rests on. Errors that wrap it are of class lock; the
// same look may well succeed later.
var ErrAtWork = errors.New("vtl is at work on the client")

// errInVain: the run ends anyway.
var errInVain = errors.New("the appliance cannot be worked with")

// atWorkError is a wait for a vtl that came to its end.
type atWorkError struct {
	host string
	what string // process and command
	err  error  // what ended the wait
}

func (e *atWorkError) Error() string {
	return fmt.Sprintf("%s: vtl is at work there: %s; waited for it until: %v", e.host, e.what, e.err)
}
func (e *atWorkError) Unwrap() []error    { return []error{ErrAtWork, e.err} }
func (e *atWorkError) ErrorClass() string { return "lock" }

// ErrorHint says what to look at, and how to wait longer where that is known.
func (e *atWorkError) ErrorHint() string {
	const look = "another run may have started it, or a person; if it hangs, end it on the client"
	var more interface{ ErrorHint() string }
	if errors.As(e.err, &more) {
		return look + "; " + more.ErrorHint()
	}
	return look
}

// lookAtRest is a look at the client while no vtl changes anything there. One
// that does is waited for until ctx ends, however long it takes: what it makes
// is not there yet, and it may be another run's that is well.
func (e *eyes) lookAtRest(ctx context.Context) (transport.Facts, error) {
	for {
		facts, err := e.lookAtClient(ctx)
		if err != nil {
			return nil, err
		}
		busy, err := e.busy(facts)
		if busy == "" || err != nil {
			return facts, err
		}
		if err := e.outwait(ctx, busy); err != nil {
			return nil, err
		}
	}
}

// busy names the vtl that is changing something, "" if none is.
func (e *eyes) busy(facts transport.Facts) (string, error) {
	running := facts[transport.Processes(e.layout.Vtl)]
	if running.Problem != "" { // then nobody knows what is at work
		return "", transport.Errorf(transport.ClassRemote, e.host.Name(), "the processes there cannot be listed: %s", transport.Printable(running.Problem))
	}
	return atWork(running.Processes), nil
}

// outwait looks at the processes, and at nothing else, until none is busy.
func (e *eyes) outwait(ctx context.Context, busy string) error {
	const first, most = 250 * time.Millisecond, time.Second
	for pause := first; busy != ""; pause = min(2*pause, most) {
		e.waits(fmt.Sprintf("%s: vtl is at work there and is waited for: %s", e.host.Name(), busy))
		ended := &atWorkError{host: e.host.Name(), what: busy}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			ended.err = context.Cause(ctx)
			return ended
		case <-e.inVain:
			t.Stop()
			ended.err = errInVain
			return ended
		}
		facts, err := e.host.Look(ctx, transport.Processes(e.layout.Vtl))
		if ctx.Err() != nil {
			ended.err = context.Cause(ctx)
			return ended
		}
		if err != nil {
			return err
		}
		if busy, err = e.busy(facts); err != nil {
			return err
		}
	}
	return nil
}

// atWork names a vtl process that is changing something, "" if none is.
func atWork(processes []transport.Process) string {
	for _, p := range processes {
		words := strings.Fields(strings.ToLower(p.Command))
		for _, w := range []string{"createcert", "addserver", "deleteserver"} {
			if slices.Contains(words, w) {
				return fmt.Sprintf("process %d, %s", p.PID, transport.Printable(p.Command))
			}
		}
	}
	return ""
}
