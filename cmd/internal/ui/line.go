package ui

import (
	"fmt"
	"sync"
	"time"
	"unicode/utf8"
)

// frames are the moving mark of the line.
const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

// beat is how often the line moves.
const beat = 120 * time.Millisecond

// line is the one line on a terminal that says what is going on, moves while it
// goes on, counts its seconds, and is gone when something else is said. Where
// there is no terminal it does nothing. Its methods want the view's lock held,
// but for close.
type line struct {
	mu      *sync.Mutex
	out     Stream
	text    string
	more    string // behind the seconds, which are not about it
	since   time.Time
	frame   int
	visible bool
	muted   bool // a question has the terminal
	stop    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once
}

func newLine(mu *sync.Mutex, out Stream) *line {
	l := &line{mu: mu, out: out, stop: make(chan struct{})}
	if out.Width > 0 {
		l.stopped.Go(l.run)
	}
	return l
}

func (l *line) run() {
	ticks := time.NewTicker(beat)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			l.mu.Lock()
			l.draw()
			l.mu.Unlock()
		case <-l.stop:
			return
		}
	}
}

// close ends the line for good.
func (l *line) close() {
	l.once.Do(func() { close(l.stop) })
	l.stopped.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set("")
}

// set changes what is said; the empty text ends it. The seconds begin anew.
func (l *line) set(text string) {
	l.erase()
	l.text, l.more, l.since = text, "", time.Now()
}

// keep changes what is said of the same thing: its seconds go on, and stand
// between it and more.
func (l *line) keep(text, more string) {
	if l.text == "" {
		l.since = time.Now()
	}
	l.text, l.more = text, more
}

// draw puts the line on the terminal, one column short of its width, so that it
// never wraps.
func (l *line) draw() {
	if l.text == "" || l.muted || l.out.Width == 0 {
		return
	}
	marks := []rune(frames)
	l.frame = (l.frame + 1) % len(marks)
	text := fmt.Sprintf("%c %s", marks[l.frame], l.text)
	if took := time.Since(l.since).Truncate(time.Second); took >= time.Second {
		text += fmt.Sprintf(" (%s)", took)
	}
	if l.more != "" {
		text += "  " + l.more
	}
	if over := utf8.RuneCountInString(text) - (l.out.Width - 1); over > 0 {
		runes := []rune(text)
		text = string(runes[:max(0, len(runes)-over-1)]) + "…"
	}
	writeAll(l.out, "\r\x1b[K"+l.out.paint(faint, text))
	l.visible = true
}

// erase takes the line off the terminal until it is drawn again.
func (l *line) erase() {
	if l.visible {
		writeAll(l.out, "\r\x1b[K")
		l.visible = false
	}
}
