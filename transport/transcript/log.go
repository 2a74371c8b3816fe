package transcript

import (
	"bytes"
	"errors"
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

	libraries map[string]string // of scripts: the channel that was sent each first
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
	l := &Log{secrets: o.Secrets, file: file, left: o.Limit, libraries: map[string]string{}}
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

// stampLayout is how a line tells its time.
const stampLayout = "2006-01-02T15:04:05.000Z"

// room is how many bytes the log still takes; 0 once it has ended.
func (l *Log) room() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return 0
	}
	return l.left
}

// write writes whole lines by one call, or ends the log: at the limit, behind
// the last line that has room, or at the first error.
func (l *Log) write(text []byte) {
	const last = "the limit of this log is reached; what follows is not in it"
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || len(text) == 0 {
		return
	}
	end := appendLine(nil, time.Now(), "log", remark, last)
	if fits := max(l.left-int64(len(end)), 0); int64(len(text)) > fits {
		text = append(text[:bytes.LastIndexByte(text[:fits], '\n')+1], end...)
		l.ended = true
	}
	l.left -= int64(len(text))
	if _, err := l.file.Write(text); err != nil {
		l.ended = true // the run goes on without a transcript
	}
}

// appendLine is one line of a log behind others.
func appendLine(to []byte, now time.Time, channel, sign, text string) []byte {
	to = now.UTC().AppendFormat(to, stampLayout)
	to = append(append(append(to, ' '), channel...), ' ')
	to = append(append(to, sign...), ' ')
	return append(appendVisible(to, text), '\n')
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
func (c channel) say(sign, text string) {
	c.log.write(appendLine(nil, time.Now(), c.name, sign, c.log.secrets.String(text)))
}

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

// Write takes what comes. Once the log has ended nothing is worked on any more:
// a machine that says too much must not keep the run busy.
func (f *flow) Write(p []byte) (int, error) {
	if f.lines.channel.log.room() == 0 {
		return 0, errEnded
	}
	return f.Writer.Write(p)
}

// end writes what was kept back.
func (f *flow) end() { _ = f.Close() } // lines fail nobody

// errEnded ends the work on a text that has no room any more.
var errEnded = errors.New("the log has ended")

// lines writes text that is free of secrets, line by line.
type lines struct {
	channel channel
	sign    string
	within  bool   // the last text did not end its line
	all     []byte // room for the lines of one piece, kept
}

// Write is called by the redactor, one call at a time, with no more than one of
// its pieces; all of that goes to the file at once.
func (l *lines) Write(p []byte) (int, error) {
	now, room := time.Now(), l.channel.log.room()
	if room == 0 {
		return 0, errEnded
	}
	all := l.all[:0]
	for line := range strings.Lines(string(p)) {
		sign := l.sign
		if l.within {
			sign += "+"
		}
		text, whole := strings.CutSuffix(line, "\n")
		l.within = !whole
		all = appendLine(all, now, l.channel.name, sign, text)
		if int64(len(all)) > room {
			break
		}
	}
	l.all = all
	l.channel.log.write(all)
	return len(p), nil
}

// appendVisible is a text behind others in which every character shows itself.
func appendVisible(to []byte, text string) []byte {
	for i, r := range text {
		switch {
		case r >= 0x20 && r < 0x7f:
			to = append(to, byte(r))
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			to = fmt.Appendf(to, `\x%02x`, text[i])
		case r == '\r':
			to = append(to, `\r`...)
		case r == '\t':
			to = append(to, `\t`...)
		case unicode.IsPrint(r):
			to = utf8.AppendRune(to, r)
		case r < utf8.RuneSelf:
			to = fmt.Appendf(to, `\x%02x`, r)
		default:
			to = fmt.Appendf(to, `\u%04x`, r)
		}
	}
	return to
}
