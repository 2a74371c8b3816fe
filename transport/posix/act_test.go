//go:build unix

package posix

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ntl-setup/transport"
)

// Links of every make are followed, and stay.
func TestReplaceThroughLinks(t *testing.T) {
	h, dir := here(t)
	check(t, os.MkdirAll(dir+"/real/deep", 0o755))
	for _, link := range []struct{ name, target string }{
		{"absolute", dir + "/real/deep/conf"},
		{"relative", "real/deep/conf"},
		{"to a link", "relative"},
		{"up", "real/../real/deep/conf"},
	} {
		write(t, dir+"/real/deep/conf", "old", 0o640)
		path := filepath.Join(dir, link.name)
		check(t, os.Symlink(link.target, path))
		if said, err := doOne(t, h, transport.Replace(path, []byte("old"), []byte("new"))); err != nil {
			t.Fatalf("%s: %v %s", link.name, err, said)
		}
		if got := read(t, dir+"/real/deep/conf"); got != "new" {
			t.Errorf("%s: the file holds %q", link.name, got)
		}
		if to, err := os.Readlink(path); err != nil || to != link.target {
			t.Errorf("%s: the link is now %q, %v", link.name, to, err)
		}
		f := lookOne(t, h, transport.File(path))
		if f.Link != link.target || string(f.Data) != "new" || f.Mode != 0o640 {
			t.Errorf("%s: %+v", link.name, f)
		}
	}
	if got := namesIn(t, dir+"/real/deep"); got != "conf" {
		t.Errorf("left behind: %s", got)
	}
}

func TestLinksToNowhere(t *testing.T) {
	h, dir := here(t)
	check(t, os.Symlink("nowhere", dir+"/dangling"))
	check(t, os.Symlink("loop", dir+"/loop"))
	for _, q := range []transport.Query{transport.File(dir + "/dangling"), transport.Dir(dir + "/dangling"), transport.Key(dir + "/dangling"), transport.Stat(dir + "/dangling")} {
		if f := lookOne(t, h, q); !f.Missing || f.Link != "nowhere" || f.Problem != "" {
			t.Errorf("%s: %+v", q.Kind, f)
		}
	}
	check(t, os.Symlink("/bin/sh", dir+"/link"))
	if f := lookOne(t, h, transport.Stat(dir+"/link")); f.Missing || f.Link != "/bin/sh" || f.Mode.Perm()&0o111 == 0 || f.Data != nil {
		t.Errorf("a link that leads somewhere: %+v", f)
	}
	if f := lookOne(t, h, transport.File(dir+"/loop")); f.Missing || !strings.Contains(f.Problem, "symbolic links") {
		t.Errorf("loop: %+v", f)
	}
	for name, a := range map[string]transport.Action{
		"replace a loop":  transport.Replace(dir+"/loop", nil, []byte("x")),
		"replace nothing": transport.Replace(dir+"/dangling", nil, []byte("x")),
		"create":          transport.Create(dir+"/dangling", []byte("x"), 0o644),
		"move onto":       transport.Move(dir+"/loop", dir+"/dangling"),
	} {
		if said, err := doOne(t, h, a); err == nil || said == "" {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
	if said, err := doOne(t, h, transport.Backup(dir+"/dangling", dir+"/copy")); err != nil || exists(dir+"/copy") {
		t.Errorf("backup of nothing: %q, %v", said, err)
	}
	if said, err := doOne(t, h, transport.Remove(dir+"/dangling")); err != nil || exists(dir+"/dangling") {
		t.Errorf("remove: %q, %v", said, err)
	}
	if exists(dir + "/nowhere") {
		t.Error("a dangling link was written through")
	}
}

// A file that cannot be renamed over is written in place: the same inode.
func TestReplaceInPlace(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/conf", "old\n", 0o644)
	before, err := os.Stat(dir + "/conf")
	check(t, err)
	stub(t, "mv", "echo 'mv: Device or resource busy' >&2; exit 1")
	said, err := doOne(t, h, transport.Replace(dir+"/conf", []byte("old\n"), []byte("new\r\n")))
	if err != nil {
		t.Fatalf("%v %s", err, said)
	}
	after, err := os.Stat(dir + "/conf")
	check(t, err)
	if got := read(t, dir+"/conf"); got != "new\r\n" || !os.SameFile(before, after) {
		t.Errorf("holds %q, the same file: %v", got, os.SameFile(before, after))
	}
	if got := namesIn(t, dir); got != "conf" {
		t.Errorf("left behind: %s", got)
	}
}

// Where that fails half-way too, the old content comes back.
func TestReplaceInPlaceBreaksOff(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/conf", "old\n", 0o644)
	stub(t, "mv", "exit 1")
	stub(t, "cat", "printf ne; exit 1")
	said, err := doOne(t, h, transport.Replace(dir+"/conf", []byte("old\n"), []byte("new\n")))
	if err == nil || !strings.Contains(said, "the old content is back") {
		t.Errorf("said %q, error %v", said, err)
	}
	if got := read(t, dir+"/conf"); got != "old\n" {
		t.Errorf("holds %q", got)
	}
	if got := namesIn(t, dir); got != "conf" {
		t.Errorf("left behind: %s", got)
	}
}

// A rename keeps nobody waiting on half a file: the new content is another inode.
func TestReplaceIsARename(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/conf", "old", 0o644)
	reader, err := os.Open(dir + "/conf")
	check(t, err)
	defer func() { check(t, reader.Close()) }()
	_, err = doOne(t, h, transport.Replace(dir+"/conf", []byte("old"), []byte("new")))
	check(t, err)
	got := make([]byte, 8)
	n, err := reader.Read(got)
	check(t, err)
	if string(got[:n]) != "old" {
		t.Errorf("a reader of the old file sees %q", got[:n])
	}
}

// A full disk, played by a limit on the size of files.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	h := New(Local("full"), Options{Shell: "trap '' XFSZ; ulimit -f 1; exec sh"})
	big := strings.Repeat("0123456789abcdef", 4096)
	write(t, dir+"/conf", "old", 0o644)
	for name, a := range map[string]transport.Action{
		"replace": transport.Replace(dir+"/conf", []byte("old"), []byte(big)),
		"create":  transport.Create(dir+"/new", []byte(big), 0o644),
	} {
		if said, err := doOne(t, h, a); err == nil || !strings.Contains(said, "cannot be written") {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
	write(t, dir+"/big", big, 0o644)
	if said, err := doOne(t, h, transport.Backup(dir+"/big", dir+"/copy")); err == nil || said == "" {
		t.Errorf("backup: %q, %v", said, err)
	}
	if got := read(t, dir+"/conf"); got != "old" {
		t.Errorf("conf holds %.20q", got)
	}
	if got := namesIn(t, dir); got != "big conf" {
		t.Errorf("left behind: %s", got)
	}
}

func TestWithoutCmp(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/conf", "old", 0o644)
	h := New(bareRunner(t, "readlink", "ls", "cp", "rm", "mv", "cat", "chmod"), Options{})
	said, err := doOne(t, h, transport.Replace(dir+"/conf", []byte("old"), []byte("new")))
	if err == nil || !strings.Contains(said, "cannot be compared") || read(t, dir+"/conf") != "old" {
		t.Errorf("said %q, error %v", said, err)
	}
}

// A copy that is cut short without a word never gets the backup's name.
func TestBackupThatIsCutShort(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/conf", "a configuration", 0o644)
	stub(t, "cp", "for to do :; done; printf 'a conf' >\"$to\"")
	said, err := doOne(t, h, transport.Backup(dir+"/conf", dir+"/copy"))
	if err == nil || !strings.Contains(said, "the copy differs") || namesIn(t, dir) != "conf" {
		t.Errorf("said %q, error %v, left %s", said, err, namesIn(t, dir))
	}
}

// A tool that reads finds nothing: not what may follow the script on the line.
func TestToolsHaveNoInput(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/tool", "#!/bin/sh\nexec cat\n", 0o755)
	script, err := renderDo(testMark, []transport.Action{transport.Run(dir + "/tool")})
	check(t, err)
	for _, shell := range posixShells(t) {
		out := feed(t, string(script)+"left on the line\n", shell...)
		if strings.Contains(out, "left") || !strings.Contains(out, "status\n0\n") {
			t.Errorf("%v: %q", shell, out)
		}
	}
}

func TestBackupKeepsTimes(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/conf", "x", 0o604)
	when := time.Date(2021, 5, 6, 7, 8, 9, 0, time.UTC)
	check(t, os.Chtimes(dir+"/conf", when, when))
	_, err := doOne(t, h, transport.Backup(dir+"/conf", dir+"/copy"))
	check(t, err)
	info, err := os.Stat(dir + "/copy")
	check(t, err)
	if !info.ModTime().Equal(when) || info.Mode().Perm() != 0o604 {
		t.Errorf("time %v, mode %v", info.ModTime(), info.Mode())
	}
}

// What a fresh temporary file holds is for its owner alone, until it has its mode.
func TestCreateIsPrivateMeanwhile(t *testing.T) {
	h, dir := here(t)
	stub(t, "chmod", "ls -ln \"$2\" >"+dir+"/seen; exec /bin/chmod \"$@\"")
	_, err := doOne(t, h, transport.Create(dir+"/new", []byte("x"), 0o644))
	check(t, err)
	if seen := read(t, dir+"/seen"); !strings.HasPrefix(seen, "-rw-------") {
		t.Errorf("before chmod: %s", seen)
	}
}

// A started program has what a login would give it: SIGPIPE at its default, no
// input, the root directory under it.
func TestStartedProgramsSurroundings(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/gw", "#!/bin/sh\n{ yes; echo $? >"+dir+"/pipe; } | head -n 1 >/dev/null\n"+
		"pwd >"+dir+"/pwd\ncat >"+dir+"/input\necho done >"+dir+"/end\n", 0o755)
	_, err := doOne(t, h, transport.Start(dir+"/gw"))
	check(t, err)
	eventually(t, "the program ends", func() bool { return exists(dir+"/end") && exists(dir+"/pipe") && read(t, dir+"/end") != "" })
	if got := read(t, dir+"/pipe"); got != "141\n" {
		t.Errorf("a broken pipe gives status %s", got)
	}
	if read(t, dir+"/pwd") != "/\n" || read(t, dir+"/input") != "" {
		t.Errorf("directory %q, input %q", read(t, dir+"/pwd"), read(t, dir+"/input"))
	}
}

func TestStopThatIsIgnored(t *testing.T) {
	h, dir := here(t)
	write(t, dir+"/gw", "#!/bin/sh\ntrap : TERM\ntrap 'exit 0' INT\nn=0\nwhile [ $n -lt 60 ]; do sleep 1; n=$((n+1)); done\n", 0o755)
	// A shell that was started in the background ignores SIGINT, so the test ends
	// it by the one signal that no action sends.
	_, err := doOne(t, h, transport.Start(dir+"/gw"))
	check(t, err)
	q := transport.Processes(dir + "/gw")
	eventually(t, "it runs", func() bool { return len(lookOne(t, h, q).Processes) == 1 })
	pid := lookOne(t, h, q).Processes[0].PID
	t.Cleanup(func() { check(t, syscall.Kill(pid, syscall.SIGKILL)) })
	for _, wait := range []time.Duration{0, time.Second} {
		said, err := doOne(t, h, transport.Stop(pid, dir+"/gw", wait))
		if err == nil || !strings.Contains(said, "still runs") {
			t.Errorf("after %v: %q, %v", wait, said, err)
		}
	}
	if len(lookOne(t, h, q).Processes) != 1 {
		t.Error("it was ended by force")
	}
}

// Without a right to the directory nothing is lost and nothing half made.
func TestRefusedByTheSystem(t *testing.T) {
	h, dir := ordinary(t)
	check(t, os.Mkdir(dir+"/locked", 0o755))
	write(t, dir+"/locked/conf", "old", 0o644)
	check(t, os.Chmod(dir+"/locked", 0o555))
	for _, a := range []transport.Action{
		transport.Replace(dir+"/locked/conf", []byte("old"), []byte("new")),
		transport.Create(dir+"/locked/new", []byte("x"), 0o644),
		transport.Backup(dir+"/locked/conf", dir+"/locked/copy"),
		transport.Move(dir+"/locked/conf", dir+"/locked/other"),
		transport.Remove(dir + "/locked/conf"),
		transport.MakeDir(dir + "/locked/d"),
	} {
		out, err := h.Do(context.Background(), a)
		if err == nil || len(out) != 1 || len(out[0].Stdout) == 0 {
			t.Errorf("%s: %v, %v", a.Kind, out, err)
		}
	}
	if got := namesIn(t, dir+"/locked"); got != "conf" || read(t, dir+"/locked/conf") != "old" {
		t.Errorf("left: %s", got)
	}
}
