package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"ntl-setup/cmd/internal/ui"
)

// watchSignals collects the signals that end a run; stop gives them back. A
// reader of standard output that went away is no such signal: the write fails,
// and a run that is changing machines goes on. (What it starts itself is killed
// by it as ever, which ignoring it would change.)
func watchSignals() (signals <-chan os.Signal, stop func()) {
	gone := make(chan os.Signal, 1) // never read: the write tells
	signal.Notify(gone, syscall.SIGPIPE)
	c := make(chan os.Signal, 2)                                    // the second Ctrl-C must not be lost
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // a lost terminal too
	return c, func() { signal.Stop(c); signal.Stop(gone) }
}

// interrupts turns signals into the two ways of ending: stop is closed by the
// first, and the context is cancelled by the second, or by the first as long as
// nothing is acted on: looking may be cut off anywhere.
type interrupts struct {
	stop chan struct{}

	view    *ui.View
	cancel  context.CancelFunc
	done    chan struct{}
	stopped sync.WaitGroup

	mu     sync.Mutex
	acting bool
	count  int
}

// watch begins to listen; end stops that.
func watch(ctx context.Context, signals <-chan os.Signal, view *ui.View) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancel(ctx)
	i := &interrupts{stop: make(chan struct{}), view: view, cancel: cancel, done: make(chan struct{})}
	i.stopped.Go(func() {
		for {
			select {
			case <-signals:
				i.signal()
			case <-i.done:
				return
			}
		}
	})
	return ctx, i
}

// signal is one Ctrl-C.
func (i *interrupts) signal() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count++
	if i.count == 1 {
		close(i.stop)
	}
	if i.count == 1 && i.acting {
		i.view.Note("stopping when the step at work has ended; once more stops at once")
		return
	}
	i.cancel()
}

// act says that from now on a first Ctrl-C must let the step at work end.
func (i *interrupts) act() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.acting = true
}

// end stops listening.
func (i *interrupts) end() {
	close(i.done)
	i.stopped.Wait()
	i.cancel()
}
