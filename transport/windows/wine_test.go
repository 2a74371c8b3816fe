package windows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ntl-setup/fixtures/wine"
	"ntl-setup/transport"
)

// wineWire is a machine of Wine as a connection: command lines as an OpenSSH
// server on Windows would run them, files as its SFTP server would serve them.
type wineWire struct {
	prefix *wine.Prefix
	built  string
	execs  atomic.Int64
	before func(line string) // a test's hand in the middle; may be nil
}

func (w *wineWire) Name() string { return "tester@wine" }

func (w *wineWire) Exec(ctx context.Context, line string, _ []byte) (transport.Output, error) {
	if err := ctx.Err(); err != nil {
		return transport.Output{Status: -1}, err
	}
	w.execs.Add(1)
	if w.before != nil {
		w.before(line)
	}
	var stdout, stderr bytes.Buffer
	status, err := w.prefix.Run(ctx, line, &stdout, &stderr)
	return transport.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Status: status}, err
}

func (w *wineWire) Files(context.Context) (transport.Files, error) { return wineFiles{w}, nil }

type wineFiles struct{ wire *wineWire }

func (f wineFiles) path(name string) (string, error) {
	if len(name) < 4 || name[0] != '/' || name[2] != ':' {
		return "", fmt.Errorf("%q is no path for SFTP on Windows", name) //nolint:err113 // a test's
	}
	return f.wire.prefix.Host(name[1:]), nil
}

func (f wineFiles) ReadFile(_ context.Context, name string, limit int64) ([]byte, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path) //nolint:gosec // below the test's own directory
	switch {
	case err != nil:
		return nil, transport.Errorf(transport.ClassRemote, "wine", "%w", err)
	case int64(len(data)) > limit:
		return nil, transport.Errorf(transport.ClassProtocol, "wine", "%w", transport.ErrTooLarge)
	}
	return data, nil
}

func (f wineFiles) WriteFile(_ context.Context, name string, data []byte) error {
	path, err := f.path(name)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		return transport.Errorf(transport.ClassRemote, "wine", "%w", err)
	}
	return nil
}

func (wineFiles) Close() error { return nil }

// machine is a Windows machine.
func machine(t *testing.T) *wineWire {
	t.Helper()
	built := filepath.Join(t.TempDir(), "winlab.exe")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := wine.Build(ctx, built); err != nil {
		t.Fatal(err)
	}
	p, err := wine.New(filepath.Join(t.TempDir(), "prefix"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := p.Install(built); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return &wineWire{prefix: p, built: built}
}

// install puts the program that prints its words on the machine.
func (w *wineWire) install(t *testing.T, name string) {
	t.Helper()
	to := w.prefix.Host(name)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(w.built, to); err != nil {
		t.Fatal(err)
	}
}

// put makes a file on the machine.
func (w *wineWire) put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(w.prefix.Host(path), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// holds checks a file on the machine; "" in want means that it must not be there.
func (w *wineWire) holds(t *testing.T, path, want string) {
	t.Helper()
	data, err := os.ReadFile(w.prefix.Host(path))
	if want == "" {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %q, %v", path, data, err)
		}
		return
	}
	if err != nil || string(data) != want {
		t.Errorf("%s: %q, %v; want %q", path, data, err, want)
	}
}

// only checks the names in a directory, so that no temporary file stays behind.
func (w *wineWire) only(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(w.prefix.Host(dir))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, "|") != strings.Join(want, "|") {
		t.Errorf("%s has %q, want %q", dir, names, want)
	}
}
