package transcript

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"ntl-setup/transport/redact"
)

// DefaultLimit is how large a log may become, in bytes, where nothing else is
// said.
const DefaultLimit = 16 << 20

// Options are what may differ between logs.
type Options struct {
	Secrets *redact.Set // nil: there are none
	Limit   int64       // bytes; 0: DefaultLimit
}

// The signs; see the package's page.
const (
	started  = "$"
	sent     = ">"
	received = "<"
	stderr   = "!"
	outcome  = "="
	remark   = "~"
)

// Log is the transcript of the connections to one machine. A nil *Log wraps
// nothing and writes nothing. Its methods may be called from several goroutines.
type Log struct {
	secrets *redact.Set

	mu       sync.Mutex
	file     io.WriteCloser
	left     int64 // bytes until the limit
	ended    bool  // nothing more is written
	channels int
}

// Create makes a log in a file that must not be there yet. about is the machine.
func Create(path, about string, o Options) (*Log, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600) //nolint:gosec // the caller's own directory
	if err != nil {
		return nil, fmt.Errorf("make a transcript: %w", err)
	}
	return newLog(f, about, o), nil
}

func newLog(file io.WriteCloser, about string, o Options) *Log {
	l := &Log{secrets: o.Secrets, file: file, left: o.Limit}
	if l.left == 0 {
		l.left = DefaultLimit
	}
	l.channel("log").say(remark, "what went over the wire to and from "+about+
		"; $ started, > sent, < received, ! standard error, = what came of it; secrets that are known are "+redact.Placeholder)
	return l
}

// Close ends the log.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	return l.file.Close()
}

// write writes one line, or ends the log: at the limit, or at the first error.
func (l *Log) write(channel, sign, text string) {
	const last = "the limit of this log is reached; what follows is not in it"
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	line := fmt.Sprintf("%s %s %s %s\n", now, channel, sign, visible(text))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	end := fmt.Sprintf("%s log %s %s\n", now, remark, last)
	if int64(len(line)+len(end)) > l.left {
		line, l.ended = end, true
	}
	l.left -= int64(len(line))
	if _, err := io.WriteString(l.file, line); err != nil {
		l.ended = true // the run goes on without a transcript
	}
}

// channel is one thing that goes on over the connection.
type channel struct {
	log  *Log
	name string
}

// channel names a new one: kind and a number that no other channel has.
func (l *Log) channel(kind string) channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := fmt.Sprintf("%s-%d", kind, l.channels)
	if l.channels == 0 {
		name = kind // the log itself
	}
	l.channels++
	return channel{log: l, name: name}
}

// say writes one remark, in one line.
func (c channel) say(sign, text string) { c.log.write(c.name, sign, c.log.secrets.String(text)) }

// result tells what came of something.
func (c channel) result(what string, err error) {
	if err != nil {
		what += ": " + err.Error()
	}
	c.say(outcome, what)
}

// whole writes a text that is there at once.
func (c channel) whole(sign string, text []byte) {
	f := c.flow(sign)
	_, _ = f.Write(text) // a flow fails nobody
	f.end()
}

// flow writes what goes one way, as it comes.
type flow struct {
	*redact.Writer

	lines *lines
}

func (c channel) flow(sign string) *flow {
	l := &lines{channel: c, sign: sign}
	return &flow{Writer: c.log.secrets.Writer(l), lines: l}
}

// end writes what was kept back.
func (f *flow) end() { _ = f.Close() } // lines fail nobody

// lines writes text that is free of secrets, line by line.
type lines struct {
	channel channel
	sign    string
	within  bool // the last text did not end its line
}

// Write is called by the redactor, one call at a time.
func (l *lines) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		sign := l.sign
		if l.within {
			sign += "+"
		}
		text, whole := strings.CutSuffix(line, "\n")
		l.within = !whole
		l.channel.log.write(l.channel.name, sign, text)
	}
	return len(p), nil
}

// visible is a text in which every character shows itself.
func visible(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
