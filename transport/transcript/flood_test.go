package transcript

import (
	"bytes"
	"strings"
	"testing"

	"ntl-setup/transport/redact"
)

// counting is a file that counts what is asked of it.
type counting struct{ writes, bytes int }

func (c *counting) Write(p []byte) (int, error) {
	c.writes++
	c.bytes += len(p)
	return len(p), nil
}
func (c *counting) Close() error { return nil }

// limited is a log of at most that many bytes.
func limited(file *counting, limit int64) *Log {
	secrets := &redact.Set{}
	secrets.Add("hunter2")
	return newLog(file, "root@192.0.2.10:22", Options{Secrets: secrets, Limit: limit})
}

// Millions of lines of one letter: the file gets them in pieces, as far as the
// limit, and what is behind that costs nothing.
func TestAFloodOfShortLines(t *testing.T) {
	const limit = 4 << 20
	flood := bytes.Repeat([]byte("z\n"), 1<<20)
	file := &counting{}
	l := limited(file, limit)
	l.channel("exec").whole(received, flood)
	if file.bytes < limit*9/10 || file.bytes > limit {
		t.Errorf("%d bytes are on the file, of %d", file.bytes, limit)
	}
	if most := limit/(64<<10) + 8; file.writes > most {
		t.Errorf("%d writes, more than %d", file.writes, most)
	}
	again := testing.AllocsPerRun(3, func() { l.channel("exec").whole(received, flood) })
	if again > 30 {
		t.Errorf("a log at its limit makes %g allocations of a flood", again)
	}
}

// The same on a stream, whose pieces the machine chooses.
func TestAFloodOnAStream(t *testing.T) {
	file := &counting{}
	l := limited(file, 1<<20)
	st, err := l.channel("terminal").stream(&endless{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	piece := make([]byte, 8)
	read := func() {
		if _, err := st.Read(piece); err != nil {
			t.Fatal(err)
		}
	}
	for range 1 << 16 {
		read()
	}
	writes := file.writes
	if allocations := testing.AllocsPerRun(1000, read); allocations > 0 || file.writes != writes {
		t.Errorf("a log at its limit makes %g allocations of a read, and %d writes", allocations, file.writes-writes)
	}
}

// Formatting ends at the limit within a piece too: a small log of a large piece.
func TestThePieceIsCutAtTheLimit(t *testing.T) {
	m := &memory{}
	l := newLog(m, "h", Options{Limit: 1000})
	l.channel("exec").whole(received, bytes.Repeat([]byte("\n"), 32<<10))
	text := m.text.String()
	if len(text) > 1000 || len(text) < 800 || !strings.HasSuffix(text, "what follows is not in it\n") {
		t.Errorf("%d bytes: …%s", len(text), text[max(0, len(text)-200):])
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if !stamp.MatchString(line) {
			t.Errorf("half a line: %q", line)
		}
	}
}

func BenchmarkAFloodOfShortLines(b *testing.B) {
	flood := bytes.Repeat([]byte("z\n"), 8<<20)
	b.SetBytes(int64(len(flood)))
	for b.Loop() {
		limited(&counting{}, 0).channel("exec").whole(received, flood)
	}
}
