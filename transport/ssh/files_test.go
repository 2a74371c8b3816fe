//go:build unix

package ssh_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ntl-setup/transport"
)

func TestFiles(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	f, err := c.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(f)
	name := filepath.Join(s.dir, "10.1.2.3.pem")
	for _, data := range [][]byte{bytes.Repeat([]byte("long "), 100_000), []byte("short"), {}} { // each replaces the one before
		if err := f.WriteFile(t.Context(), name, data); err != nil {
			t.Fatal(err)
		}
		stored, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(stored, data) {
			t.Errorf("%d bytes became %d", len(data), len(stored))
		}
		got, err := f.ReadFile(t.Context(), name, int64(len(data)))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes came as %d, %v", len(data), len(got), err)
		}
		if len(data) == 0 {
			continue
		}
		_, err = f.ReadFile(t.Context(), name, int64(len(data)-1))
		if e := classed(t, err, transport.ClassProtocol); !errors.Is(e, transport.ErrTooLarge) {
			t.Errorf("beyond the limit: %v", err)
		}
	}
	_, err = f.ReadFile(t.Context(), filepath.Join(s.dir, "missing"), 1)
	if e := classed(t, err, transport.ClassRemote); !errors.Is(e, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if err := f.WriteFile(t.Context(), filepath.Join(s.dir, "nodir", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
	if err := f.WriteFile(t.Context(), "/dev/full", []byte("x")); err == nil {
		t.Error("a full disk took a file")
	}
	// What grows while it is read is bounded as well.
	if _, err := f.ReadFile(t.Context(), "/dev/zero", 1<<20); !errors.Is(err, transport.ErrTooLarge) {
		t.Errorf("an endless file: %v", err)
	}
}

// A new file is the user's alone, and never somebody else's that was there.
func TestWriteNew(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	f, err := dial(t, s.Target, s.trusting(t)).Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(f)
	name := filepath.Join(s.dir, "script")
	if err := transport.WriteNew(t.Context(), f, name, []byte("echo\n")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode() != 0o600 || info.Size() != 5 {
		t.Errorf("%v, %v", info, err)
	}
	if err := transport.WriteNew(t.Context(), f, name, []byte("other\n")); err == nil {
		t.Error("a file that was there was taken")
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != "echo\n" {
		t.Errorf("it holds %q now, %v", data, err)
	}
}

// A write that is smaller afterwards than it should be is an error, whatever
// the server said: a device holds nothing.
func TestWriteFileChecksTheSize(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	f, err := c.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(f)
	err = f.WriteFile(t.Context(), "/dev/null", []byte("12345"))
	if err == nil {
		t.Fatal("no error")
	}
	holds(t, err.Error(), "0 of 5 bytes")
}

func TestNoFileService(t *testing.T) {
	refusing := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "Subsystem other internal-sftp")
	shell := startSSHD(t, "127.0.0.1", []string{"ed25519"}, "ForceCommand echo 'Last login: never'; read x") // as an appliance's
	for name, s := range map[string]*sshd{"forced command": shell, "no subsystem": refusing} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, s.Target, s.trusting(t))
			_, err := c.Files(t.Context())
			if !errors.Is(err, transport.ErrNoSFTP) {
				t.Errorf("error %v is no ErrNoSFTP", err)
			}
			if _, err := c.Exec(t.Context(), "true", []byte("\n")); err != nil {
				t.Errorf("the connection is lost: %v", err)
			}
		})
	}
}

func TestContextEndsFiles(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", []string{"ed25519"})
	c := dial(t, s.Target, s.trusting(t))
	f, err := c.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(f)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	within(t, "the end", 10*time.Second, func() {
		_, err := f.ReadFile(ctx, "/dev/zero", 1<<40)
		classed(t, err, transport.ClassTimeout)
	})
	if _, err := f.ReadFile(t.Context(), "/etc/hostname", 1<<10); err == nil {
		t.Error("the service went on after the end of a context")
	}
	done, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Files(done); !errors.Is(err, context.Canceled) {
		t.Errorf("opened after the end: %v", err)
	}
}
