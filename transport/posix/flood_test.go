//go:build unix

package posix

import (
	"bytes"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// babbler is a shell that says much in small pieces before it is done.
type babbler struct {
	piped

	piece []byte
	left  int
	over  []byte
	ended chan struct{}
}

func (b *babbler) Write(p []byte) (int, error) { return len(p), nil }
func (b *babbler) Close() error                { return nil }

func (b *babbler) Read(p []byte) (int, error) {
	<-time.After(time.Millisecond) // whoever listens has looked at what came before
	switch b.left--; {
	case b.left > 0:
		return copy(p, b.piece), nil
	case b.left == 0:
		return copy(p, b.over), nil
	}
	<-b.ended
	return 0, bytes.ErrTooLarge
}

// A long answer in small pieces is not copied anew at each of them.
func TestALongAnswerIsReadInOneGo(t *testing.T) {
	const pieces, size = 1024, 4 << 10
	synctest.Test(t, func(t *testing.T) {
		b := &babbler{piece: bytes.Repeat([]byte("z\n"), size/2), left: pieces + 1, over: []byte("\n@M over\n"), ended: make(chan struct{})}
		s := &sitting{stream: b, news: make(chan struct{}, 1)}
		listening := make(chan struct{})
		go func() { defer close(listening); s.listen() }()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		out, err := s.ask(t.Context(), "root@192.0.2.10:22", "@M", []byte(":\n"))
		runtime.ReadMemStats(&after)
		if err != nil || len(out.Stdout) != pieces*size+1 {
			t.Errorf("%d bytes, %v", len(out.Stdout), err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 16*pieces*size {
			t.Errorf("%d bytes were allocated for an answer of %d", took, pieces*size)
		}
		close(b.ended)
		<-listening
	})
}
