package posix

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"ntl-setup/transport"
)

// pieces runs a script whose standard output keeps each write apart, and tells
// what was written and in how many.
func pieces(t *testing.T, shell []string, text []byte) (said []byte, n int) {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	check(t, err)
	near, far := os.NewFile(uintptr(ends[0]), "near"), os.NewFile(uintptr(ends[1]), "far")
	defer func() { _ = near.Close() }()
	cmd := exec.CommandContext(t.Context(), shell[0], shell[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.WaitDelay = bytes.NewReader(text), far, time.Second
	check(t, cmd.Start())
	check(t, far.Close())
	buf := make([]byte, 1<<17)
	for {
		size, err := syscall.Read(ends[0], buf)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		check(t, err)
		if size == 0 {
			break
		}
		said, n = append(said, buf[:size]...), n+1
	}
	check(t, cmd.Wait())
	return said, n
}

// Each piece of an answer is a packet that both ends must encrypt, send and wake
// up for: a look comes in a few, whatever it asks, and with every byte.
func TestLooksComeInFewPieces(t *testing.T) {
	dir := t.TempDir()
	content := string(bytes.Repeat([]byte("\x00\xff\r\n one \x80 line without an end"), 500))
	queries := []transport.Query{transport.System(), transport.Processes(dir + "/none"), transport.Addresses(), transport.Dir(dir)}
	for _, name := range []string{"a", "b", "c", "d"} {
		write(t, dir+"/"+name, content, 0o644)
		queries = append(queries, transport.File(dir+"/"+name), transport.Stat(dir+"/"+name))
	}
	text := renderLook("@M", queries)
	for _, shell := range posixShells(t) {
		for how, c := range map[string]struct {
			text []byte
			most int
		}{
			"":           {text, 8}, // the two outer marks, and 32 KiB each
			"without dd": {append([]byte("command() { false; }\n"), text...), 1 << 10},
		} {
			said, n := pieces(t, shell, c.text)
			sections, err := parseReply("@M", said, nil)
			if err != nil || n > c.most {
				t.Errorf("%v %s: %d pieces, %v", shell, how, n, err)
			}
			for i, q := range queries {
				fact, err := readFact(q, sectionsOf(sections, i))
				if err != nil || q.Kind == transport.QueryFile && string(fact.Data) != content {
					t.Errorf("%v %s: %s: %d bytes, %v", shell, how, q.Path, len(fact.Data), err)
				}
			}
		}
	}
}
