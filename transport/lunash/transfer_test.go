package lunash

import (
	"bytes"
	"context"
	"crypto/md5"  // the appliance prints it
	"crypto/sha1" // the appliance prints it
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

func hexSum(kind string, der []byte) string {
	switch kind {
	case "md5":
		s := md5.Sum(der)
		return hex.EncodeToString(s[:])
	case "sha1":
		s := sha1.Sum(der)
		return hex.EncodeToString(s[:])
	}
	s := sha256.Sum256(der)
	return hex.EncodeToString(s[:])
}

// farSide is the appliance's user directory behind either protocol.
type farSide struct {
	files map[string][]byte
	tried []string
}

// scp plays scp -f and scp -t.
func (f *farSide) scp(line string) (transport.Stream, error) {
	f.tried = append(f.tried, "scp")
	flag, name, _ := strings.Cut(strings.TrimPrefix(line, "scp "), " ")
	if flag == "-f" {
		return startTerminal(func(t *terminal) { f.source(t, name) }, nil), nil
	}
	return startTerminal(func(t *terminal) { f.sink(t, name) }, nil), nil
}

func (f *farSide) source(t *terminal, name string) {
	ack := func() { _, _ = t.in.ReadByte() } // the end shows in the next write
	ack()
	data, ok := f.files[name]
	if !ok {
		t.say("\x01scp: " + name + ": No such file or directory\n")
		return
	}
	t.say(fmt.Sprintf("C0644 %d %s\n", len(data), name))
	ack()
	t.say(string(data) + "\x00")
	ack()
}

func (f *farSide) sink(t *terminal, name string) {
	t.say("\x00")
	words := strings.Fields(t.hear())
	size, err := strconv.Atoi(words[1])
	if err != nil {
		return
	}
	t.say("\x00")
	data := make([]byte, size+1)
	if _, err := io.ReadFull(t.in, data); err != nil {
		return
	}
	if name == "server.pem" {
		t.say("\x02scp: server.pem: Permission denied\n")
		return
	}
	f.files[name] = data[:size]
	t.say("\x00")
}

func (f *farSide) sftp() (transport.Files, error) {
	f.tried = append(f.tried, "sftp")
	return fakeFiles{f}, nil
}

type fakeFiles struct{ side *farSide }

func (s fakeFiles) ReadFile(_ context.Context, name string, limit int64) ([]byte, error) {
	data, ok := s.side.files[name]
	switch {
	case !ok:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case int64(len(data)) > limit:
		return nil, transport.ErrTooLarge
	}
	return data, nil
}

func (s fakeFiles) WriteFile(_ context.Context, name string, data []byte) error {
	s.side.files[name] = data
	return nil
}

func (s fakeFiles) Close() error { return nil }

// notSCP is an exec that some other program answers.
func notSCP(said string) func(string) (transport.Stream, error) {
	return func(line string) (transport.Stream, error) {
		return startTerminal(func(t *terminal) {
			if strings.Contains(line, " -f ") {
				_, _ = t.in.ReadByte() // the client speaks first
			}
			t.say(said)
		}, nil), nil
	}
}

// copying makes an appliance of a connection without terminals.
func copying(t *testing.T, conn *fakeConn) *appliance {
	t.Helper()
	a := newAppliance(conn, Options{CommandTimeout: 5 * time.Second}, newMatcher)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func TestFilesGoByWhateverIsSpoken(t *testing.T) {
	pem := []byte("-----BEGIN CERTIFICATE-----\n")
	for _, c := range []struct {
		name      string
		scp, sftp bool
		said      string
		version   string
		want      []string // tried: for the fetch, then for the store
	}{
		{"SCP alone", true, false, "", "", []string{"scp", "scp"}},
		{"both, old or unknown", true, true, "", "7.8.5-20", []string{"scp", "scp"}},
		{"both, new", true, true, "", "7.9.1-7", []string{"sftp", "sftp"}},
		{"SFTP alone, exec refused", false, true, "", "", []string{"sftp", "sftp"}},
		{"SFTP alone, another program answers", false, true, "Unknown command 'scp'\r\n", "", []string{"sftp", "sftp"}},
		{"new, but SFTP is off", true, false, "", "7.9.1-7", []string{"scp", "scp"}},
	} {
		side := &farSide{files: map[string][]byte{"server.pem": pem}}
		conn := &fakeConn{}
		if c.scp {
			conn.stream = side.scp
		} else if c.said != "" {
			conn.stream = notSCP(c.said)
		}
		if c.sftp {
			conn.files = side.sftp
		}
		a := copying(t, conn)
		a.files.learn(c.version)
		got, err := a.Fetch(t.Context(), "server.pem")
		if err != nil || !bytes.Equal(got, pem) {
			t.Errorf("%s: fetch: %q, %v", c.name, got, err)
		}
		if err := a.Store(t.Context(), "192.0.2.17.pem", pem); err != nil || !bytes.Equal(side.files["192.0.2.17.pem"], pem) {
			t.Errorf("%s: store: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, side.tried); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// What worked is tried first from then on, whatever the banner says.
func TestTheProtocolIsRemembered(t *testing.T) {
	side := &farSide{files: map[string][]byte{"server.pem": []byte("x")}}
	conn := &fakeConn{stream: side.scp}
	a := copying(t, conn)
	if _, err := a.Fetch(t.Context(), "server.pem"); err != nil {
		t.Fatal(err)
	}
	conn.files = side.sftp
	a.files.learn("7.9.1-7")
	if _, err := a.Fetch(t.Context(), "server.pem"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"scp", "scp"}, side.tried); diff != "" {
		t.Error(diff)
	}
}

// "No such file" is an answer: the other protocol is not asked.
func TestAMissingFileIsFinal(t *testing.T) {
	for version, first := range map[string]string{"7.8": "scp", "7.9": "sftp"} {
		side := &farSide{files: map[string][]byte{}}
		a := copying(t, &fakeConn{stream: side.scp, files: side.sftp})
		a.files.learn(version)
		_, err := a.Fetch(t.Context(), "web1.pem")
		if !errors.Is(err, fs.ErrNotExist) || classOf(err) != "remote" || !strings.Contains(err.Error(), "web1.pem") {
			t.Errorf("%s: %v", version, err)
		}
		if diff := cmp.Diff([]string{first}, side.tried); diff != "" {
			t.Errorf("%s: %s", version, diff)
		}
	}
}

func TestARefusedStoreIsFinal(t *testing.T) {
	side := &farSide{files: map[string][]byte{}}
	a := copying(t, &fakeConn{stream: side.scp, files: side.sftp})
	err := a.Store(t.Context(), "server.pem", []byte("x"))
	if !errors.Is(err, fs.ErrPermission) || classOf(err) != "remote" {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"scp"}, side.tried); diff != "" || len(side.files) != 0 {
		t.Errorf("%s %v", diff, side.files)
	}
}

func TestTooLargeAFile(t *testing.T) {
	for _, version := range []string{"7.8", "7.9"} {
		side := &farSide{files: map[string][]byte{"big.pem": make([]byte, fileLimit+1), "fits.pem": make([]byte, fileLimit)}}
		a := copying(t, &fakeConn{stream: side.scp, files: side.sftp})
		a.files.learn(version)
		if _, err := a.Fetch(t.Context(), "big.pem"); !errors.Is(err, transport.ErrTooLarge) || classOf(err) != "protocol" {
			t.Errorf("%s: %v", version, err)
		}
		if got, err := a.Fetch(t.Context(), "fits.pem"); err != nil || len(got) != fileLimit {
			t.Errorf("%s: %d bytes, %v", version, len(got), err)
		}
	}
}

// Neither protocol: both reasons are named, and what the far side said is made
// harmless.
func TestNeitherProtocol(t *testing.T) {
	a := copying(t, &fakeConn{stream: notSCP("Unknown \x1b[31mcommand\x07 'scp'\r\n")})
	_, err := a.Fetch(t.Context(), "server.pem")
	if classOf(err) != "remote" || !errors.Is(err, transport.ErrNoSFTP) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"by SCP", "Unknown command 'scp'", "by SFTP", "no SFTP"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.ContainsAny(err.Error(), "\x1b\x07\r\n") {
		t.Errorf("control characters in %q", err)
	}
}

// A far side that says nothing is given up in time, and not asked twice.
func TestASilentCopyEndsWithTheContext(t *testing.T) {
	side := &farSide{}
	conn := &fakeConn{files: side.sftp, stream: func(string) (transport.Stream, error) {
		return startTerminal(func(t *terminal) { t.hang() }, nil), nil
	}}
	a := copying(t, conn)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.Fetch(ctx, "server.pem"); classOf(err) != "timeout" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := a.Store(ctx, "web1.pem", nil); classOf(err) != "timeout" {
		t.Errorf("got %v", err)
	}
	if len(side.tried) != 0 {
		t.Errorf("then tried %v", side.tried)
	}
}

// A connection that ends in the middle of a file is not a missing protocol.
func TestACopyThatIsCutOff(t *testing.T) {
	side := &farSide{}
	conn := &fakeConn{files: side.sftp, stream: func(string) (transport.Stream, error) {
		return startTerminal(func(t *terminal) {
			_, _ = t.in.ReadByte()
			t.say("C0644 100 server.pem\n")
			_, _ = t.in.ReadByte()
			t.say("half")
		}, nil), nil
	}}
	_, err := copying(t, conn).Fetch(t.Context(), "server.pem")
	if classOf(err) != "connect" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if len(side.tried) != 0 {
		t.Errorf("then tried %v", side.tried)
	}
}

// An error that the connection classed already keeps its class and hint.
func TestACopyKeepsTheConnectionsWords(t *testing.T) {
	lost := transport.Errorf(transport.ClassHostKey, "hsm", "changed").WithHint("look")
	e := copying(t, &fakeConn{}).copyError(t.Context(), "fetch x by SFTP", fmt.Errorf("open: %w", lost))
	var te *transport.Error
	if !errors.As(e, &te) || te.Class != transport.ClassHostKey || te.Hint != "look" || te.Host != "admin@hsm.test:22" {
		t.Errorf("got %+v", te)
	}
}
