package transport_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
	"ntl-setup/transport/posix"
)

func TestQueries(t *testing.T) {
	for _, c := range []struct {
		got, want transport.Query
		args      []string
	}{
		{transport.System(), transport.Query{Kind: "system"}, nil},
		{transport.Addresses(), transport.Query{Kind: "addresses"}, nil},
		{transport.File("/f"), transport.Query{Kind: "file", Path: "/f"}, nil},
		{transport.Dir("/d"), transport.Query{Kind: "dir", Path: "/d"}, nil},
		{transport.Stat("/s"), transport.Query{Kind: "stat", Path: "/s"}, nil},
		{transport.Key("/k"), transport.Query{Kind: "key", Path: "/k"}, nil},
		{transport.Processes("/p"), transport.Query{Kind: "processes", Path: "/p"}, nil},
		{transport.Processes("/p", "/a b", "/c"), transport.Query{Kind: "processes", Path: "/p", Args: "/a b\n/c"}, []string{"/a b", "/c"}},
		{transport.VtlListServers("/v"), transport.Query{Kind: "vtl", Path: "/v", Args: "listServers"}, []string{"listServers"}},
		{transport.Program("p", "/a", "/b c"), transport.Query{Kind: "program", Path: "/a", Args: "p\n/a\n/b c"}, []string{"p", "/a", "/b c"}},
		{transport.Probe("/p", "/l l.so"), transport.Query{Kind: "probe", Path: "/p", Args: "-o\njson\n--timeout\n10s\n--library\n/l l.so"}, transport.ProbeWords("/l l.so")},
		{transport.VtlVerify("/v"), transport.Query{Kind: "vtl", Path: "/v", Args: "verify"}, []string{"verify"}},
	} {
		if c.got != c.want {
			t.Errorf("%+v, want %+v", c.got, c.want)
		}
		if diff := cmp.Diff(c.args, c.got.ArgList()); diff != "" {
			t.Errorf("%+v:\n%s", c.got, diff)
		}
	}
}

// Equal questions are equal keys, different ones are not.
func TestQueriesAreKeys(t *testing.T) {
	facts := transport.Facts{transport.File("/a"): {Link: "x"}, transport.Processes("/p", "/a", "/b"): {Link: "y"}}
	if facts[transport.File("/a")].Link != "x" || facts[transport.Processes("/p", "/a", "/b")].Link != "y" {
		t.Error("an equal query does not find its fact")
	}
	for _, other := range []transport.Query{transport.Dir("/a"), transport.Key("/a"), transport.Processes("/p", "/b", "/a")} {
		if _, ok := facts[other]; ok {
			t.Errorf("%+v finds another's fact", other)
		}
	}
}

// What a step looks with has no method that changes anything: the list of a
// Reader's methods is short, and none takes an Action.
func TestReaderOnlyReads(t *testing.T) {
	reader := reflect.TypeFor[transport.Reader]()
	var names []string
	for m := range reader.Methods() {
		names = append(names, m.Name)
		for i := range m.Type.NumIn() {
			if strings.Contains(m.Type.In(i).String(), "Action") {
				t.Errorf("%s takes an Action", m.Name)
			}
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"Look", "Name"}, names); diff != "" {
		t.Errorf("methods of Reader:\n%s", diff)
	}
}

// spy keeps everything that crosses the wire, both ways.
type spy struct {
	transport.Runner
	sent, came bytes.Buffer
}

func (s *spy) Exec(ctx context.Context, line string, stdin []byte) (transport.Output, error) {
	s.sent.WriteString(line)
	s.sent.Write(stdin)
	out, err := s.Runner.Exec(ctx, line, stdin)
	s.came.Write(out.Stdout)
	s.came.Write(out.Stderr)
	return out, err
}

// A private key never leaves its machine: not when it is asked for as a file,
// not when its public half is.
func TestPrivateKeyStaysOnItsMachine(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
	path := filepath.Join(t.TempDir(), "192.0.2.7Key.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	wire := &spy{Runner: posix.Local("here")}
	facts, err := posix.New(wire, posix.Options{}).Look(context.Background(),
		transport.File(path), transport.Key(path), transport.Dir(filepath.Dir(path)))
	if err != nil {
		t.Fatal(err)
	}
	if f := facts[transport.File(path)]; f.Problem == "" || f.Data != nil || f.Missing {
		t.Errorf("as a file: %+v", f)
	}
	if f := facts[transport.Key(path)]; f.Problem != "" || !bytes.HasPrefix(f.Public, []byte("-----BEGIN PUBLIC KEY-----\n")) {
		t.Errorf("as a key: problem %q, public half %q", f.Problem, f.Public)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	public := string(facts[transport.Key(path)].Public)
	for _, line := range lines[1 : len(lines)-1] {
		if strings.Contains(wire.came.String(), line) && !strings.Contains(public, line) {
			t.Fatalf("a line of the key crossed the wire: %s", line)
		}
	}
}
