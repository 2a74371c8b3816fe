package transcript

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
	"ntl-setup/transport/posix"
	"ntl-setup/transport/redact"
)

// memory is a file in memory, which may be full.
type memory struct {
	mu     sync.Mutex
	text   strings.Builder
	full   bool
	closed bool
}

func (m *memory) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return 0, errors.New("no space left on device")
	}
	return m.text.Write(p)
}

func (m *memory) Close() error { m.closed = true; return nil }

var stamp = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z `)

// said is the log without its first line and without times.
func (m *memory) said() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, rest, _ := strings.Cut(m.text.String(), "\n")
	return stamp.ReplaceAllString(rest, "")
}

func logTo(m *memory, secrets ...string) *Log {
	set := &redact.Set{}
	for _, s := range secrets {
		set.Add(s)
	}
	return newLog(m, "root@192.0.2.10:22", Options{Secrets: set})
}

// peer is a connection to a machine that says what it is told to.
type peer struct {
	transport.Conn // nil: nothing else may be asked of it

	out    transport.Output
	err    error
	stream *script
	files  *shelf
	log    *memory // looked at when something is sent
	seen   string  // what it had then
}

func (p *peer) Name() string { return "root@192.0.2.10:22" }
func (p *peer) Close() error { return p.err }

func (p *peer) Exec(_ context.Context, line string, stdin []byte) (transport.Output, error) {
	p.seen = p.log.said()
	p.out.Stdout = fmt.Appendf(p.out.Stdout, "ran %s with %d bytes\n", line, len(stdin))
	return p.out, p.err
}

func (p *peer) Stream(context.Context, string) (transport.Stream, error) { return p.stream, p.err }

func (p *peer) Terminal(context.Context, int, int) (transport.Stream, error) {
	return p.stream, p.err
}

func (p *peer) Files(context.Context) (transport.Files, error) { return p.files, p.err }

// script is a stream that says its pieces and takes what it is sent.
type script struct {
	pieces []string
	end    error // after the pieces
	log    *memory
	seen   []string // what the log had at each Write
	got    string
	short  int // bytes that Write takes before it fails; 0: it does not
	closed int
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, s.end
	}
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	s.seen = append(s.seen, s.log.said())
	if s.short > 0 {
		return s.short, errors.New("broken pipe")
	}
	s.got += string(p)
	return len(p), nil
}

func (s *script) CloseWrite() error  { return nil }
func (s *script) Stderr() []byte     { return []byte("scp: warning\n") }
func (s *script) Wait() (int, error) { return 1, nil }
func (s *script) Close() error       { s.closed++; return nil }

type shelf struct {
	data []byte
	err  error
}

func (s *shelf) ReadFile(context.Context, string, int64) ([]byte, error) { return s.data, s.err }
func (s *shelf) WriteFile(context.Context, string, []byte) error         { return s.err }
func (s *shelf) Close() error                                            { return nil }

func TestExec(t *testing.T) {
	m := &memory{}
	p := &peer{log: m, out: transport.Output{Stdout: []byte("one\r\ntwo hunter2\x1b[31m"), Stderr: []byte("oh\n"), Status: 7}, err: errors.New("lost hunter2")}
	c := logTo(m, "hunter2").Conn(p)
	out, err := c.Exec(t.Context(), "sh hunter2", []byte("{\nsecret=hunter2\n}\n"))
	if !errors.Is(err, p.err) || out.Status != 7 || !strings.Contains(string(out.Stdout), "ran sh hunter2 with 19 bytes") {
		t.Errorf("%+v, %v: what is wrapped must not change", out, err)
	}
	want := `conn-1 $ connected to root@192.0.2.10:22
exec-2 $ sh [redacted]
exec-2 > {
exec-2 > secret=[redacted]
exec-2 > }
exec-2 < one\r
exec-2 < two [redacted]\x1b[31mran sh [redacted] with 19 bytes
exec-2 ! oh
exec-2 = status 7: lost [redacted]
`
	if d := cmp.Diff(want, m.said()); d != "" {
		t.Error(d)
	}
	if !strings.Contains(p.seen, "exec-2 > secret") {
		t.Errorf("what was sent was not on the log before: %s", p.seen)
	}
}

func TestTerminal(t *testing.T) {
	m := &memory{}
	s := &script{log: m, pieces: []string{"Last login: hun", "ter2\nlunash:>", "client list\r\n", "client 1: web1\r\n\xff\u202e\n"}, end: io.EOF}
	c := logTo(m, "hunter2").Conn(&peer{stream: s})
	st, err := c.Terminal(t.Context(), 240, 50)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	heard := ""
	read := func() {
		n, err := st.Read(buf)
		heard += string(buf[:n])
		if err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
	read()
	read()
	if _, err := io.WriteString(st, "client list\n"); err != nil {
		t.Fatal(err)
	}
	read()
	read()
	read()
	if status, err := st.Wait(); status != 1 || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	for range 2 {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	want := `conn-1 $ connected to root@192.0.2.10:22
terminal-2 $ the login shell, 240 by 50
terminal-2 < Last login: 
terminal-2 <+ [redacted]
terminal-2 < lunash:>
terminal-2 > client list
terminal-2 <+ client list\r
terminal-2 < client 1: web1\r
terminal-2 < \xff\u202e
terminal-2 = status 1
terminal-2 ! scp: warning
terminal-2 = closed
`
	if d := cmp.Diff(want, m.said()); d != "" {
		t.Error(d)
	}
	if heard != "Last login: hunter2\nlunash:>client list\r\nclient 1: web1\r\n\xff\u202e\n" || s.got != "client list\n" || s.closed != 2 {
		t.Errorf("the wire was changed: %q, %q, closed %d times", heard, s.got, s.closed)
	}
	if !strings.HasSuffix(s.seen[0], "> client list\n") {
		t.Errorf("what was sent was not on the log before: %s", s.seen[0])
	}
}

func TestStreamTroubles(t *testing.T) {
	m := &memory{}
	s := &script{log: m, end: errors.New("connection lost"), short: 2}
	l := logTo(m)
	c := l.Conn(&peer{stream: s})
	st, err := c.Stream(t.Context(), "scp -f server.pem")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := st.Write([]byte("four")); n != 2 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := st.Read(make([]byte, 8)); !errors.Is(err, s.end) {
		t.Errorf("%v", err)
	}
	if err := st.CloseWrite(); err != nil || string(st.Stderr()) != "scp: warning\n" {
		t.Errorf("%v, %s", err, st.Stderr())
	}
	refused := &peer{err: errors.New("refused")}
	c = l.Conn(refused)
	if _, err := c.Stream(t.Context(), "x"); !errors.Is(err, refused.err) {
		t.Error(err)
	}
	if _, err := c.Terminal(t.Context(), 1, 2); !errors.Is(err, refused.err) {
		t.Error(err)
	}
	if _, err := c.Files(t.Context()); !errors.Is(err, refused.err) {
		t.Error(err)
	}
	if err := c.Close(); !errors.Is(err, refused.err) {
		t.Error(err)
	}
	want := `conn-1 $ connected to root@192.0.2.10:22
stream-2 $ scp -f server.pem
stream-2 > four
stream-2 = sent 2 of the last 4 bytes: broken pipe
stream-2 = reading: connection lost
stream-2 = no more is sent
conn-3 $ connected to root@192.0.2.10:22
stream-4 $ x
stream-4 = not started: refused
terminal-5 $ the login shell, 1 by 2
terminal-5 = not started: refused
sftp-6 = sftp: refused
conn-3 = closed: refused
`
	if d := cmp.Diff(want, m.said()); d != "" {
		t.Error(d)
	}
}

func TestFiles(t *testing.T) {
	const cert = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
	for name, c := range map[string]struct {
		data   string
		err    error
		logged bool
	}{
		"a certificate":         {cert, nil, true},
		"something else":        {"MIIB but no certificate", nil, false},
		"a key":                 {"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n", nil, false},
		"a key and certificate": {cert + "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n", nil, false},
		"none":                  {"", os.ErrNotExist, false},
	} {
		m := &memory{}
		f, err := logTo(m).Conn(&peer{files: &shelf{data: []byte(c.data), err: c.err}}).Files(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.ReadFile(t.Context(), "server.pem", 9)
		if string(data) != c.data || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if err := f.WriteFile(t.Context(), "own.pem", []byte(c.data)); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		said := m.said()
		for _, want := range []string{
			fmt.Sprintf("= read server.pem: %d bytes", len(c.data)), fmt.Sprintf("> write own.pem: %d bytes", len(c.data)), "= write own.pem", "= closed",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: no %q in\n%s", name, want, said)
			}
		}
		if got := strings.Count(said, "MIIB"); (got == 2) != c.logged || !c.logged && got > 0 {
			t.Errorf("%s: its content is %d times in\n%s", name, got, said)
		}
	}
}

func TestTheLimit(t *testing.T) {
	m := &memory{}
	l := newLog(m, "h", Options{Limit: 2000})
	for range 500 {
		l.channel("exec").say(sent, "some words")
	}
	text := m.text.String()
	if len(text) > 2000 || len(text) < 1800 || !strings.HasSuffix(text, "log ~ the limit of this log is reached; what follows is not in it\n") {
		t.Errorf("%d bytes: …%s", len(text), text[max(0, len(text)-200):])
	}
	if strings.Count(text, "the limit of this log") != 1 {
		t.Error("the end is told more than once")
	}
	if m.closed {
		t.Error("closed by itself")
	}
	if err := l.Close(); err != nil || !m.closed {
		t.Error("not closed")
	}
}

// A full disk changes nothing for the run.
func TestAFullDisk(t *testing.T) {
	m := &memory{full: true}
	p := &peer{log: m, out: transport.Output{Stdout: []byte("fine\n")}}
	c := logTo(m).Conn(p)
	out, err := c.Exec(t.Context(), "sh", nil)
	if err != nil || !strings.HasPrefix(string(out.Stdout), "fine\n") {
		t.Errorf("%+v, %v", out, err)
	}
	m.full = false
	if _, err := c.Exec(t.Context(), "sh", nil); err != nil || m.said() != "" {
		t.Errorf("%v; a log with a hole in it goes on: %s", err, m.said())
	}
}

func TestNoLog(t *testing.T) {
	var l *Log
	p := &peer{}
	if l.Conn(p) != transport.Conn(p) || l.Runner(p) != transport.Runner(p) || l.Close() != nil {
		t.Error("no log wraps something")
	}
	if logTo(&memory{}).Conn(nil) != nil {
		t.Error("a connection out of nothing")
	}
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "client.log")
	l, err := Create(path, "root@192.0.2.10:22", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "to and from root@192.0.2.10:22") {
		t.Errorf("%v, %s", err, text)
	}
	if _, err := Create(path, "", Options{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("written over: %v", err)
	}
	l.channel("exec").say(sent, "late") // after Close: nothing happens
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain text":         "plain text",
		"Größe ✓ 日本":         "Größe ✓ 日本",
		"a\tb\rc":            `a\tb\rc`,
		"\x1b]0;title\x07":   `\x1b]0;title\x07`,
		"\xff\xfe":           `\xff\xfe`,
		"\u202egnp.exe":      `\u202egnp.exe`,
		"\u200b\u0085\ufffd": `\u200b\u0085` + "\ufffd",
		"\x7f":               `\x7f`,
	} {
		if got := string(appendVisible(nil, text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A machine behind a log is the same machine, and what was done to it is there.
func TestARealMachine(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there is no local POSIX host
	}
	m := &memory{}
	host := posix.New(logTo(m, "hunter2").Runner(posix.Local("here")), posix.Options{})
	file := filepath.Join(t.TempDir(), "file")
	if _, err := host.Do(t.Context(), transport.Create(file, []byte("one\nhunter2\n"), 0o640)); err != nil {
		t.Fatal(err)
	}
	q := transport.File(file)
	facts, err := host.Look(t.Context(), q)
	if err != nil || string(facts[q].Data) != "one\nhunter2\n" || facts[q].Mode != 0o640 {
		t.Errorf("%v, %+v", err, facts[q])
	}
	said := m.said()
	for _, want := range []string{"exec-1 $ sh", "exec-1 > printf 'one\\012[redacted]\\012'", "exec-2 $ sh", "exec-2 = status 0"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(said, "hunter2") {
		t.Error("the secret is there")
	}
}

// Both directions at once, closed in the middle: for the race detector.
func TestManyAtOnce(t *testing.T) {
	m := &memory{}
	l := logTo(m, "hunter2")
	s := &endless{}
	st, err := l.Conn(&peer{}).(*conn).at.stream(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				_, _ = st.Read(make([]byte, 8))
			}
		})
		wg.Go(func() {
			for range 50 {
				_, _ = st.Write([]byte("hunter2\n"))
			}
		})
		wg.Go(func() { _ = st.Close() })
	}
	wg.Wait()
	if strings.Contains(m.said(), "hunter2") || !strings.Contains(m.said(), "> [redacted]") {
		t.Error("redaction failed")
	}
}

type endless struct{ script }

func (*endless) Read(p []byte) (int, error)  { return copy(p, "hunter2\n"), nil }
func (*endless) Write(p []byte) (int, error) { return len(p), nil }
func (*endless) Close() error                { return nil }
