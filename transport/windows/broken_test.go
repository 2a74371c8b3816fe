package windows

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"ntl-setup/transport"
)

// memory is a machine whose files are in memory and whose command lines are
// answered by a function: for what goes wrong on the way.
type memory struct {
	lines  []string
	answer func(line string) (transport.Output, error)
	files  map[string]string // by the path for SFTP
	fail   error             // of the next transfer
	opened int
	closed int
}

func (*memory) Name() string { return "tester@memory" }

func (m *memory) Exec(_ context.Context, line string, _ []byte) (transport.Output, error) {
	m.lines = append(m.lines, line)
	return m.answer(line)
}

func (m *memory) Files(context.Context) (transport.Files, error) {
	m.opened++
	return memoryFiles{m}, nil
}

type memoryFiles struct{ *memory }

func (f memoryFiles) ReadFile(_ context.Context, name string, _ int64) ([]byte, error) {
	if err := f.fail; err != nil {
		f.fail = nil
		return nil, err
	}
	text, ok := f.files[name]
	if !ok {
		return nil, transport.Errorf(transport.ClassRemote, "", "%w", fs.ErrNotExist)
	}
	return []byte(text), nil
}

func (f memoryFiles) WriteFile(_ context.Context, name string, data []byte) error {
	if err := f.fail; err != nil {
		f.fail = nil
		return err
	}
	f.files[name] = string(data)
	return nil
}

func (f memoryFiles) Close() error {
	f.closed++
	return nil
}

// agreeing answers every line with success, and every look with "asked".
func agreeing(line string) (transport.Output, error) {
	var b strings.Builder
	for part := range strings.SplitSeq(line, "&") {
		if rest, ok := strings.CutPrefix(part, "echo "); ok {
			b.WriteString(rest + "\r\n")
		}
	}
	return transport.Output{Stdout: []byte(b.String())}, nil
}

func TestALostConnectionIsNoFact(t *testing.T) {
	lost := transport.Errorf(transport.ClassConnect, "", "the connection was lost")
	m := &memory{answer: agreeing, files: map[string]string{}, fail: lost}
	h := New(m, Cmd)
	q := transport.File("C:/a/f")
	if _, err := h.Look(t.Context(), q); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	if m.closed != 1 {
		t.Errorf("a broken file service was kept: closed %d times", m.closed)
	}
	m.fail = nil
	m.files["/C:/a/f"] = "x"
	if facts, err := h.Look(t.Context(), q); err != nil || string(facts[q].Data) != "x" || m.opened != 2 {
		t.Errorf("%+v, %v, opened %d times", facts[q], err, m.opened)
	}
	if _, err := h.Look(t.Context(), q); err != nil || m.opened != 2 {
		t.Errorf("%v: a file service that works was not kept", err)
	}
}

func TestASessionThatEndsEarly(t *testing.T) {
	m := &memory{answer: func(string) (transport.Output, error) { return transport.Output{Status: -1}, nil }}
	var known *transport.Error
	if _, err := New(m, Cmd).Look(t.Context(), transport.System()); !errors.As(err, &known) || known.Class != transport.ClassConnect {
		t.Errorf("look: %v", err)
	}
	out, err := New(m, Cmd).Do(t.Context(), transport.MakeDir("C:/a"))
	if !errors.As(err, &known) || known.Class != transport.ClassConnect || len(out) != 0 {
		t.Errorf("do: %v, %v", out, err)
	}
}

func TestAnswersThatAreNotOurs(t *testing.T) {
	m := &memory{answer: func(string) (transport.Output, error) {
		return transport.Output{Stdout: []byte("Your account is locked\x1b[2J\r\n")}, nil
	}}
	_, err := New(m, Cmd).Look(t.Context(), transport.System())
	var known *transport.Error
	if !errors.As(err, &known) || known.Class != transport.ClassProtocol || !strings.Contains(err.Error(), "Your account is locked") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("%v", err)
	}
	short := func(line string) (transport.Output, error) { // it answers the first question alone
		return transport.Output{Stdout: []byte(strings.SplitN(line, "&", 2)[0][len("echo "):] + "\r\n")}, nil
	}
	if _, err := New(&memory{answer: short}, Cmd).Look(t.Context(), transport.System(), transport.Addresses()); !errors.Is(err, errNoAnswer) {
		t.Errorf("%v", err)
	}
}

// A content that cannot be written, or is not there in the end, fails the action
// and leaves no temporary file.
func TestContentThatDoesNotArrive(t *testing.T) {
	full := transport.Errorf(transport.ClassRemote, "", "no space")
	m := &memory{answer: agreeing, files: map[string]string{}, fail: full}
	refuses(t, New(m, Cmd), transport.Create("C:/a/f", []byte("x"), 0o600))
	if last := m.lines[len(m.lines)-1]; !strings.HasPrefix(last, `del /f /q "C:\a\.f.ntl-setup.`) {
		t.Errorf("the last line is %q", last)
	}

	m = &memory{answer: agreeing, files: map[string]string{"/C:/a/f": "old"}}
	refuses(t, New(m, Cmd), transport.Replace("C:/a/f", []byte("old"), []byte("new"))) // nobody copied it

	m = &memory{files: map[string]string{"/C:/a/f": "old"}, answer: func(line string) (transport.Output, error) {
		if strings.Contains(line, "copy /y") {
			return transport.Output{Stdout: []byte("Access is denied.\r\n"), Status: 1}, nil
		}
		return transport.Output{}, nil
	}}
	refuses(t, New(m, Cmd), transport.Replace("C:/a/f", []byte("old"), []byte("new")))
	if last := m.lines[len(m.lines)-1]; !strings.HasPrefix(last, "del /f /q ") {
		t.Errorf("the last line is %q", last)
	}
}

// A line that would be longer than cmd.exe reads becomes several.
func TestLongLooksAreCut(t *testing.T) {
	m := &memory{answer: agreeing, files: map[string]string{}}
	var queries []transport.Query
	for _, r := range "abcdefghijklmnopqrstuvwxyz" {
		queries = append(queries, transport.Dir("C:/"+strings.Repeat(string(r), 200)))
	}
	facts, err := New(m, Cmd).Look(t.Context(), queries...)
	if err != nil || len(facts) != len(queries) {
		t.Fatalf("%d facts, %v", len(facts), err)
	}
	if len(m.lines) < 3 || len(m.lines) > 8 {
		t.Errorf("%d lines", len(m.lines))
	}
	for _, line := range m.lines {
		if len(line) > longestLine {
			t.Errorf("a line of %d characters", len(line))
		}
	}
}
