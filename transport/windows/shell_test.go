package windows

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// detected is a wire as a whole connection, for Detect.
type detected struct{ Wire }

func (detected) Stream(context.Context, string) (transport.Stream, error)     { return nil, errUnused }
func (detected) Terminal(context.Context, int, int) (transport.Stream, error) { return nil, errUnused }
func (detected) Close() error                                                 { return nil }

var errUnused = errors.New("not used here")

// scripted answers each line by a function.
type scripted func(line string) (transport.Output, error)

func (scripted) Name() string { return "tester@script" }
func (s scripted) Exec(_ context.Context, line string, _ []byte) (transport.Output, error) {
	return s(line)
}
func (scripted) Files(context.Context) (transport.Files, error) {
	return nil, transport.Errorf(transport.ClassRemote, "", "%w", transport.ErrNoSFTP)
}

// inside is the script of an encoded command line for PowerShell.
func inside(t *testing.T, line string) string {
	t.Helper()
	words := strings.Fields(line)
	data, err := base64.StdEncoding.DecodeString(words[len(words)-1])
	if err != nil || strings.Join(words[:len(words)-1], " ") != "powershell -NoProfile -NonInteractive -EncodedCommand" {
		t.Fatalf("%s: %v", line, err)
	}
	var b strings.Builder
	for i := 0; i+1 < len(data); i += 2 {
		if data[i+1] != 0 {
			t.Fatalf("not UTF-16 of plain text: % x", data)
		}
		b.WriteByte(data[i])
	}
	return b.String()
}

func TestDetect(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(mark string) string
		want   Shell
	}{
		"cmd.exe":               {func(m string) string { return m + " Windows_NT $env:OS\r\n" }, Cmd},
		"cmd.exe with a banner": {func(m string) string { return "Welcome\r\n" + m + " Windows_NT $env:OS\r\n" }, Cmd},
		"PowerShell":            {func(m string) string { return m + "\r\n%OS%\r\nWindows_NT\r\n" }, PowerShell},
		"sh":                    {func(m string) string { return m + " %OS% :OS\n" }, ""},
		"an echo of the line":   {func(m string) string { return "unknown command: echo " + m + " %OS% $env:OS\n" }, ""},
		"a mark alone":          {func(m string) string { return m }, ""},
		"somebody else's mark":  {func(string) string { return "X Windows_NT Windows_NT" }, ""},
		"nothing":               {func(string) string { return "" }, ""},
	} {
		var shell Shell
		found, err := Detect(t.Context(), detected{scripted(func(line string) (transport.Output, error) {
			mark := strings.Fields(line)[1]
			if line != "echo "+mark+" %OS% $env:OS" {
				t.Errorf("asked %q", line)
			}
			return transport.Output{Stdout: []byte(c.answer(mark))}, nil
		})}, transport.Output{})
		if h, ok := found.(*host); ok {
			shell = h.shell
		}
		if err != nil || shell != c.want || (found == nil) != (c.want == "") {
			t.Errorf("%s: %q, %v", name, shell, err)
		}
	}
	lost := errors.New("lost") //nolint:err113 // a test's
	if _, err := Detect(t.Context(), detected{scripted(func(string) (transport.Output, error) { return transport.Output{}, lost })}, transport.Output{}); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
}

// What PowerShell is handed has nothing in it that any shell or the server on
// the way could read otherwise, and holds the line of cmd.exe as it is.
func TestPowerShellGetsTheLineWhole(t *testing.T) {
	var lines []string
	h := New(scripted(func(line string) (transport.Output, error) {
		lines = append(lines, line)
		return transport.Output{Stdout: []byte("no\r\n"), Status: 1}, nil
	}), PowerShell)
	_, err := h.Do(t.Context(), transport.Absent("C:/Program Files/a"))
	if err == nil || len(lines) != 1 {
		t.Fatalf("%q, %v", lines, err)
	}
	if strings.ContainsFunc(strings.TrimPrefix(lines[0], "powershell -NoProfile -NonInteractive -EncodedCommand "), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+/=", r))
	}) {
		t.Errorf("%q", lines[0])
	}
	want := "$ProgressPreference='SilentlyContinue'\n" +
		`& $env:ComSpec --% /d /c (if exist "C:\Program Files\a" echo C:/Program Files/a: is there now)&(if exist "C:\Program Files\a" exit 1)&exit 0` + "\nexit $LASTEXITCODE"
	if diff := cmp.Diff(want, inside(t, lines[0])); diff != "" {
		t.Error(diff)
	}
}

// No line of cmd.exe has a pipe sign, which would end PowerShell's --%, nor a
// percent sign, which it and cmd.exe would read.
func TestLinesHaveNoSignThatPowerShellReads(t *testing.T) {
	const p = "C:/Program Files/a"
	lines, refused := renderLook("MARK", []transport.Query{
		transport.System(), transport.Addresses(), transport.File(p), transport.Dir(p), transport.Key(p), transport.VtlVerify(p), transport.Processes(p),
	})
	if len(refused) > 0 {
		t.Error(refused)
	}
	h := New(scripted(func(line string) (transport.Output, error) {
		lines = append(lines, line)
		return transport.Output{}, nil
	}), Cmd)
	for _, a := range []transport.Action{
		transport.Run(p, "createCert", "-n", "web1"), transport.Backup(p, p+".bak"), transport.Move(p, p+".x"), transport.Remove(p), transport.Absent(p),
		transport.MakeDir(p), transport.Unlock(p, "A"), transport.Lock(p, "A", nil, 0),
	} {
		if _, err := h.Do(t.Context(), a); err != nil && !errors.Is(err, transport.ErrNoSFTP) {
			t.Errorf("%s: %v", a.Kind, err)
		}
	}
	for _, line := range lines {
		if strings.ContainsAny(line, "|%!`$\n") || len(line) > longestLine {
			t.Errorf("%q", line)
		}
	}
}

func TestClock(t *testing.T) {
	there := time.Now().Add(-3 * time.Hour)
	asked := 0
	answer := there.UTC().Format("2006-01-02T15:04:05.0000000Z07:00") + "\r\n"
	h := &host{wire: scripted(func(line string) (transport.Output, error) {
		asked++
		if !strings.Contains(inside(t, line), "UtcNow") {
			t.Errorf("%q", line)
		}
		return transport.Output{Stdout: []byte(answer)}, nil
	})}
	for range 2 {
		got, err := h.clock(t.Context())
		if err != nil || got.Sub(there).Abs() > time.Minute {
			t.Errorf("%v, %v; want %v", got, err, there)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	answer = "'powershell' is not recognized\r\n"
	h = &host{wire: h.wire}
	for range 2 {
		if got, err := h.clock(t.Context()); err != nil || !got.IsZero() {
			t.Errorf("%v, %v", got, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestWithoutSFTP(t *testing.T) {
	h := New(scripted(func(line string) (transport.Output, error) {
		return transport.Output{Stdout: []byte(strings.Fields(line)[1] + " 0 asked\r\n")}, nil
	}), Cmd)
	_, err := h.Look(t.Context(), transport.File("C:/a"))
	var known *transport.Error
	if !errors.Is(err, transport.ErrNoSFTP) || !errors.As(err, &known) || !strings.Contains(known.Hint, "Subsystem sftp") {
		t.Errorf("%v", err)
	}
}

// markOf is the mark of a line that looks.
func markOf(line string) string { return strings.Fields(line)[1] }

func containsScript(t *testing.T, line, text string) bool {
	t.Helper()
	return strings.Contains(inside(t, line), text)
}
