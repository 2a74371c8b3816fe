package transcript

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
	"ntl-setup/transport/posix"
)

func scriptOf(library, calls string) string {
	return "{\nmark=@A\n" + transport.LibraryBegins + "\n" + library + transport.LibraryEnds + "\n" + calls + "}\n"
}

func TestALibraryIsToldOnce(t *testing.T) {
	m := &memory{}
	r := logTo(m, "hunter2").Runner(&peer{log: m})
	for _, script := range []string{
		scriptOf("one() { :; }\ntwo() { :; }\n", "one a\n"),
		"secret of sudo hunter2\n" + scriptOf("one() { :; }\ntwo() { :; }\n", "two b\n"), // however it is wrapped
		scriptOf("one() { :; }\n", "one c\n"),                                            // another one
		scriptOf("one() { :; }\n", "one d\n"),
		"no library\n",
		transport.LibraryBegins + "\nno end\n",
	} {
		out, err := r.Exec(t.Context(), "sh", []byte(script))
		if err != nil || !strings.Contains(string(out.Stdout), fmt.Sprintf("with %d bytes", len(script))) {
			t.Errorf("%v: the machine was sent something else: %s", err, out.Stdout)
		}
	}
	var sentLines strings.Builder
	for line := range strings.Lines(m.said()) {
		if strings.Contains(line, " > ") {
			sentLines.WriteString(line)
		}
	}
	want := `exec-1 > {
exec-1 > mark=@A
exec-1 > # the library begins
exec-1 > one() { :; }
exec-1 > two() { :; }
exec-1 > # the library ends
exec-1 > one a
exec-1 > }
exec-2 > secret of sudo [redacted]
exec-2 > {
exec-2 > mark=@A
exec-2 > # the library of 2 lines that exec-1 was sent, then:
exec-2 > two b
exec-2 > }
exec-3 > {
exec-3 > mark=@A
exec-3 > # the library begins
exec-3 > one() { :; }
exec-3 > # the library ends
exec-3 > one c
exec-3 > }
exec-4 > {
exec-4 > mark=@A
exec-4 > # the library of 1 lines that exec-3 was sent, then:
exec-4 > one d
exec-4 > }
exec-5 > no library
exec-6 > # the library begins
exec-6 > no end
`
	if d := cmp.Diff(want, sentLines.String()); d != "" {
		t.Error(d)
	}
}

// A shell that stays open gets its scripts one by one.
func TestALibraryIsToldOnceOnAStream(t *testing.T) {
	m := &memory{}
	s := &script{log: m}
	st, err := logTo(m).Conn(&peer{stream: s}).Stream(t.Context(), "sh")
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for _, call := range []string{"one a\n", "one b\n"} {
		text := scriptOf("one() { :; }\n", call)
		all += text
		if _, err := st.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if s.got != all {
		t.Errorf("the machine was sent something else: %q", s.got)
	}
	said := m.said()
	if strings.Count(said, "() { :; }") != 1 || !strings.Contains(said, "stream-2 > # the library of 1 lines that stream-2 was sent, then:\nstream-2 > one b\n") {
		t.Error(said)
	}
}

// What a log remembers is bounded; what it does not is told again.
func TestLibrariesWithoutEnd(t *testing.T) {
	m := &memory{}
	l := logTo(m)
	r := l.Runner(&peer{log: m})
	for i := range 3 * mostLibraries {
		if _, err := r.Exec(t.Context(), "sh", []byte(scriptOf(fmt.Sprintf("f%d() { :; }\n", i), "f\n"))); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.libraries) != mostLibraries {
		t.Errorf("%d are remembered", len(l.libraries))
	}
	if got := strings.Count(m.said(), "() { :; }"); got != 3*mostLibraries {
		t.Errorf("%d were told", got)
	}
}

// A lock that is polled costs a few lines each time, and the transcript still
// tells what was asked.
func TestAPollIsAFewLines(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there is no local POSIX host
	}
	m := &memory{}
	host := posix.New(logTo(m).Runner(posix.Local("here")), posix.Options{})
	lock := transport.Lock(filepath.Join(t.TempDir(), "lock"), "T0", []byte("someone"), 1<<40)
	if _, err := host.Do(t.Context(), lock); err != nil {
		t.Fatal(err)
	}
	first := len(m.said())
	const polls = 20
	for i := range polls {
		lock.To = fmt.Sprintf("T%d", i+1)
		if _, err := host.Do(t.Context(), lock); err == nil {
			t.Fatal("two have the lock")
		}
	}
	said := m.said()
	if each := (len(said) - first) / polls; each > 1500 || each*5 > first {
		t.Errorf("%d bytes a poll, after %d for the first", each, first)
	}
	for _, want := range []string{"exec-1 > do_lock() {", "exec-9 > act 0 do_lock ", "exec-9 > # the library of", "that exec-1 was sent"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q", want)
		}
	}
	if got := strings.Count(said, "> do_lock() {"); got != 1 {
		t.Errorf("the library was told %d times", got)
	}
}
