//go:build unix

package posix

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ntl-setup/transport"
)

// nobody is the number of a user without rights, on every Unix.
const nobody = 65534

// asNobody runs lines as an ordinary user. Root's own runs cannot show what a
// missing right does.
type asNobody struct{ transport.Runner }

func (asNobody) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return transport.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Status: cmd.ProcessState.ExitCode()}, err
}

// ordinary is a Host as a user who is not root, with a directory of theirs.
func ordinary(t *testing.T) (transport.Host, string) {
	t.Helper()
	dir := t.TempDir()
	if os.Getuid() != 0 {
		return New(Local("here"), Options{}), dir
	}
	for up := dir; up != os.TempDir(); up = filepath.Dir(up) {
		check(t, os.Chmod(up, 0o755))
	}
	own(t, dir, nobody)
	return New(asNobody{Local("nobody")}, Options{}), dir
}

// own gives a file away, where that is possible: as root.
func own(t *testing.T, path string, uid int) {
	t.Helper()
	if os.Getuid() == 0 {
		check(t, os.Chown(path, uid, uid))
	}
}

func TestUnreadableIsNotMissing(t *testing.T) {
	h, dir := ordinary(t)
	check(t, os.Mkdir(dir+"/closed", 0o755))
	write(t, dir+"/closed/inside", "x", 0o644)
	check(t, os.Chmod(dir+"/closed", 0))
	t.Cleanup(func() { check(t, os.Chmod(dir+"/closed", 0o755)) }) // so that it can be removed
	write(t, dir+"/file", "x", 0)
	for _, q := range []transport.Query{
		transport.File(dir + "/file"), transport.Key(dir + "/file"), transport.Dir(dir + "/closed"),
		transport.File(dir + "/closed/inside"), transport.Key(dir + "/closed/inside"), transport.Dir(dir + "/closed/inside"),
	} {
		f := lookOne(t, h, q)
		if f.Missing || !strings.Contains(f.Problem, "Permission denied") || f.Data != nil {
			t.Errorf("%s %s: %+v", q.Kind, q.Path, f)
		}
	}
	if f := lookOne(t, h, transport.File(dir+"/file")); f.Owner == "" {
		t.Errorf("no owner: %+v", f)
	}
	if _, err := doOne(t, h, transport.Backup(dir+"/closed/inside", dir+"/copy")); err == nil {
		t.Error("a file out of reach was taken for a missing one")
	}
}

// The factory's configuration has mode 0544: its owner may not write it.
func TestReplaceReadOnlyAsOwner(t *testing.T) {
	h, dir := ordinary(t)
	for _, mode := range []os.FileMode{0o444, 0o544, 0o400} {
		path := dir + "/conf"
		write(t, path, "old", mode)
		own(t, path, nobody)
		if said, err := doOne(t, h, transport.Replace(path, []byte("old"), []byte("new"))); err != nil {
			t.Fatalf("%v: %v %s", mode, err, said)
		}
		info, err := os.Stat(path)
		check(t, err)
		if read(t, path) != "new" || info.Mode() != mode {
			t.Errorf("%v: holds %q, mode %v", mode, read(t, path), info.Mode())
		}
		check(t, os.Remove(path))
	}
	if got := namesIn(t, dir); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

// A file of somebody else that this user may write: a rename would change its
// owner, so it is written in place. Only root can set that up.
func TestReplaceKeepsAForeignOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("checked only as root: it takes two users")
		return
	}
	h, dir := ordinary(t)
	write(t, dir+"/conf", "old", 0o660)
	check(t, os.Chown(dir+"/conf", 0, nobody))
	if said, err := doOne(t, h, transport.Replace(dir+"/conf", []byte("old"), []byte("new"))); err != nil {
		t.Fatalf("%v %s", err, said)
	}
	f := lookOne(t, h, transport.File(dir+"/conf"))
	if string(f.Data) != "new" || f.Owner != "0" || f.Group != "65534" || f.Mode != 0o660 {
		t.Errorf("%+v", f)
	}
	if got := namesIn(t, dir); got != "conf" {
		t.Errorf("left behind: %s", got)
	}
}

// A member of hsmusers may write to /etc/Chrystoki.conf and not make a file
// beside it: it is written in place, with the new content held by the script.
func TestReplaceInAClosedDirectory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("checked only as root: it takes two users")
		return
	}
	h, dir := ordinary(t)
	check(t, os.Mkdir(dir+"/etc", 0o755))
	write(t, dir+"/etc/conf", "old", 0o660)
	check(t, os.Chown(dir+"/etc/conf", 0, nobody))
	if f := lookOne(t, h, transport.File(dir+"/etc/conf")); f.Unwritable {
		t.Errorf("the file can be written: %+v", f)
	}
	if f := lookOne(t, h, transport.Stat(dir+"/etc")); !f.Unwritable {
		t.Errorf("the directory takes no files: %+v", f)
	}
	if said, err := doOne(t, h, transport.Replace(dir+"/etc/conf", []byte("old"), []byte("new\n'"))); err != nil {
		t.Fatalf("%v %s", err, said)
	}
	f := lookOne(t, h, transport.File(dir+"/etc/conf"))
	if string(f.Data) != "new\n'" || f.Owner != "0" || f.Group != "65534" || f.Mode != 0o660 {
		t.Errorf("%+v", f)
	}
	if said, err := doOne(t, h, transport.Replace(dir+"/etc/conf", []byte("other"), []byte("x"))); err == nil || !strings.Contains(said, "changed since") {
		t.Errorf("%v %s", err, said)
	}
	check(t, os.Chmod(dir+"/etc/conf", 0o640))
	if said, err := doOne(t, h, transport.Replace(dir+"/etc/conf", []byte("new\n'"), []byte("x"))); err == nil || !strings.Contains(said, "may not write to it") {
		t.Errorf("%v %s", err, said)
	}
	if f := lookOne(t, h, transport.File(dir+"/etc/conf")); string(f.Data) != "new\n'" || !f.Unwritable {
		t.Errorf("a refused change left %+v", f)
	}
	if got := namesIn(t, dir+"/etc"); got != "conf" {
		t.Errorf("left behind: %s", got)
	}
}

func TestWhoLooks(t *testing.T) {
	h, dir := ordinary(t)
	want := strconv.Itoa(nobody)
	if os.Getuid() != 0 {
		want = strconv.Itoa(os.Getuid())
	}
	if f := lookOne(t, h, transport.System()); f.User != want {
		t.Errorf("user %q, want %s", f.User, want)
	}
	for _, q := range []transport.Query{transport.File(dir), transport.Stat(dir), transport.Key(dir)} {
		if f := lookOne(t, h, q); !f.Directory || f.Unwritable {
			t.Errorf("%s: %+v", q.Kind, f)
		}
	}
	if f := lookOne(t, h, transport.Dir("/etc")); !f.Unwritable {
		t.Errorf("/etc: %+v", f)
	}
}

// In a directory that a group shares, what one member's run left behind another
// member may clear away.
func TestSharedLock(t *testing.T) {
	h, dir := here(t)
	check(t, os.Mkdir(dir+"/shared", 0o755))
	check(t, os.Chmod(dir+"/shared", 0o770|os.ModeSetgid))
	for path, want := range map[string]os.FileMode{dir + "/lock": 0, dir + "/shared/lock": 0o020} {
		_, err := doOne(t, h, transport.Lock(path, "token1", []byte("me"), time.Minute))
		check(t, err)
		for _, made := range []string{path, path + "/token1"} {
			info, err := os.Stat(made)
			check(t, err)
			if info.Mode()&0o020 != want {
				t.Errorf("%s: %v", made, info.Mode())
			}
		}
		_, err = doOne(t, h, transport.Unlock(path, "token1"))
		check(t, err)
	}
}
