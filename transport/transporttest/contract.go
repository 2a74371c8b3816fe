package transporttest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// Open makes a Host to be tested and an empty directory on it.
type Open func(t *testing.T) (host transport.Host, root string)

// TestHost is what every transport.Host must do. The tests make files under the
// root that open gives, and run the two small scripts below.
func TestHost(t *testing.T, open Open) {
	t.Helper()
	for _, group := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"nothing asked", testNothing},
		{"missing things", testMissing},
		{"content arrives as it is", testContent},
		{"modes", testModes},
		{"directories", testDirs},
		{"create", testCreate},
		{"replace", testReplace},
		{"backup", testBackup},
		{"move", testMove},
		{"remove", testRemove},
		{"chmod", testChmod},
		{"run", testRun},
		{"odd words", testWords},
		{"stops at the first failure", testFirstFailure},
		{"looks behind its acts", testFollower},
		{"vtl", testVtl},
		{"processes", testProcesses},
		{"keys", testKeys},
		{"the machine", testSystem},
		{"paths that cannot be sent", testBadPaths},
		{"content that cannot be sent", testBadContent},
		{"locks", testLock},
		{"locks change hands", testTakeOver},
		{"a lost lock stops the acts", testFence},
		{"an ended context", testEnded},
	} {
		t.Run(group.name, func(t *testing.T) {
			host, root := open(t)
			group.test(t, &bench{Host: host, t: t, root: root})
		})
	}
}

// toolText is a tool for the tests: it prints its words, one a line in angle
// brackets, and ends with status 3 if the first of them is "fail".
const toolText = `#!/bin/sh
for word do printf '<%s>\n' "$word"; done
[ "${1-}" != fail ] || exit 3
`

// daemonText is a program that goes on until it is ended, for a minute at most.
const daemonText = `#!/bin/sh
n=0
while [ "$n" -lt 60 ]; do sleep 1; n=$((n + 1)); done
`

// EmulateTool is a FakeHost.Vtl that does what the contract's own tool does.
func EmulateTool(_ *FakeHost, argv []string) (string, int) {
	var b strings.Builder
	for _, word := range argv[1:] {
		fmt.Fprintf(&b, "<%s>\n", word)
	}
	if len(argv) > 1 && argv[1] == "fail" {
		return b.String(), 3
	}
	return b.String(), 0
}

func testNothing(t *testing.T, b *bench) {
	if b.Name() == "" {
		t.Error("no name")
	}
	facts, err := b.Look(context.Background())
	if err != nil || len(facts) != 0 {
		t.Errorf("look at nothing: %v, %v", facts, err)
	}
	out, err := b.Do(context.Background())
	if err != nil || len(out) != 0 {
		t.Errorf("do nothing: %v, %v", out, err)
	}
}

func testMissing(t *testing.T, b *bench) {
	for _, q := range []transport.Query{
		transport.File(b.at("no")), transport.Dir(b.at("no")), transport.Key(b.at("no")),
		transport.File(b.at("no/such/file")), transport.VtlVerify(b.at("no")), transport.Stat(b.at("no")),
	} {
		f := b.look(q)
		if !f.Missing || f.Problem != "" || f.Data != nil || f.Mode != 0 {
			t.Errorf("%v: %+v", q, f)
		}
	}
}

// allBytes is every byte but NUL.
func allBytes() string {
	all := make([]byte, 0, 255)
	for c := 1; c < 256; c++ {
		all = append(all, byte(c))
	}
	return string(all)
}

// awkward is content that is easily bent on its way through a shell.
func awkward() map[string]string {
	return map[string]string{
		"empty":       "",
		"no newline":  "a = b;",
		"newlines":    "\n\n\n",
		"CRLF":        "a = 1;\r\nb = 2;\r\n",
		"quotes":      `it's "quoted" $HOME $(id) ` + "`id`" + ` \n %s %% !! ~`,
		"dashes":      "-n\n--\n-e x",
		"marks":       "@AAAAAAAAAAAAAAAAAAAAAAAAAA end\n@AAAAAAAAAAAAAAAAAAAAAAAAAA done\n",
		"all bytes":   allBytes(),
		"longer":      strings.Repeat(allBytes()+"0123456789 plain text\n", 30),
		"digits":      "\n1\n2\x013",
		"only blanks": "   \t ",
		"bad UTF-8":   "\xff\xfe\xc3\x28",
	}
}

func testContent(t *testing.T, b *bench) {
	for name, content := range awkward() {
		file := "content " + name
		b.do(transport.Create(b.at(file), []byte(content), 0o644))
		b.holds(file, content)
		b.do(transport.Replace(b.at(file), []byte(content), []byte(content+"'")))
		b.holds(file, content+"'")
	}
	if t.Failed() {
		return
	}
	big := strings.Repeat("0123456789abcde\n", 1<<16)
	b.do(transport.Create(b.at("big"), []byte(big), 0o600))
	f := b.look(transport.File(b.at("big")))
	if string(f.Data) != big {
		t.Errorf("1 MiB: %d bytes came back, problem %q", len(f.Data), f.Problem)
	}
}

func testModes(t *testing.T, b *bench) {
	for i, mode := range []fs.FileMode{
		0o644, 0o600, 0o755, 0o444, 0o400, 0o544, 0o660, 0o777,
		0o755 | fs.ModeSetuid, 0o755 | fs.ModeSetgid, 0o644 | fs.ModeSetuid, 0o666 | fs.ModeSticky,
	} {
		file := b.at(fmt.Sprintf("mode%d", i))
		b.do(transport.Create(file, []byte("x"), 0o600), transport.Chmod(file, mode))
		f := b.look(transport.File(file))
		if f.Mode != mode {
			t.Errorf("mode %v, want %v", f.Mode, mode)
		}
		if !isNumber(f.Owner) || !isNumber(f.Group) || f.Link != "" {
			t.Errorf("owner %q, group %q, link %q", f.Owner, f.Group, f.Link)
		}
		if s := b.look(transport.Stat(file)); s.Mode != mode || s.Owner != f.Owner || s.Data != nil {
			t.Errorf("without its content: %+v, want what else is in %+v", s, f)
		}
	}
	b.do(transport.Create(b.at("exact"), nil, 0o666))
	if f := b.look(transport.File(b.at("exact"))); f.Mode != 0o666 {
		t.Errorf("the umask bent the mode to %v", f.Mode)
	}
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}

func testDirs(t *testing.T, b *bench) {
	b.do(transport.MakeDir(b.at("d/e")), transport.MakeDir(b.at("d/e")),
		transport.Create(b.at("d/.hidden"), nil, 0o600), transport.Create(b.at("d/with blank"), nil, 0o600))
	f := b.look(transport.Dir(b.at("d")))
	if diff := cmp.Diff([]string{".hidden", "e", "with blank"}, f.Names); diff != "" {
		t.Errorf("names:\n%s", diff)
	}
	if f.Mode.Perm()&0o700 != 0o700 {
		t.Errorf("mode %v", f.Mode)
	}
	if f := b.look(transport.Dir(b.at("d/e"))); len(f.Names) != 0 || f.Missing || f.Problem != "" {
		t.Errorf("empty directory: %+v", f)
	}
	if f := b.look(transport.Dir(b.at("d/.hidden"))); f.Problem == "" || f.Missing {
		t.Errorf("a file asked as a directory: %+v", f)
	}
	if f := b.look(transport.File(b.at("d"))); f.Problem == "" || f.Missing || f.Data != nil {
		t.Errorf("a directory asked as a file: %+v", f)
	}
	b.refuses(transport.MakeDir(b.at("d/.hidden/under")))
}

func testSystem(t *testing.T, b *bench) {
	f := b.look(transport.System())
	if f.System == "" || f.Clock.Before(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("system %q, clock %v", f.System, f.Clock)
	}
	if f := b.look(transport.Holders("libNobodyHasThis.so")); f.Missing || len(f.Processes) > 0 {
		t.Errorf("programs with a library that is nowhere: %+v", f)
	}
	names := b.look(transport.Addresses()).Names
	if !strings.Contains(fmt.Sprint(names), "127.0.0.1") {
		t.Errorf("addresses %q", names)
	}
}

func testBadPaths(t *testing.T, b *bench) {
	for _, path := range []string{"relative", "", b.root + "/with\nbreak", b.root + "/with\x00nul", "-rf"} {
		f := b.look(transport.File(path))
		if f.Problem == "" || f.Missing {
			t.Errorf("file %q: %+v", path, f)
		}
		out, err := b.Do(context.Background(), transport.MakeDir(b.at("before")), transport.MakeDir(path))
		if err == nil || len(out) != 0 {
			t.Errorf("mkdir %q: %v, %v", path, out, err)
		}
		b.gone("before")
	}
	good := transport.Dir(b.root)
	facts, err := b.Look(context.Background(), transport.File("relative"), good)
	if err != nil || facts[good].Problem != "" {
		t.Errorf("a query that cannot be sent spoilt another: %v, %v", facts, err)
	}
}

func testBadContent(t *testing.T, b *bench) {
	b.do(transport.Create(b.at("file"), []byte("old"), 0o644))
	for name, data := range map[string][]byte{
		"NUL": []byte("a\x00b"), "too large": make([]byte, 1<<20+1),
	} {
		for _, a := range []transport.Action{
			transport.Create(b.at("new"), data, 0o644), transport.Replace(b.at("file"), []byte("old"), data),
		} {
			if _, err := b.Do(context.Background(), a); err == nil {
				t.Errorf("%s of %s content succeeded", a.Kind, name)
			}
		}
	}
	b.holds("file", "old")
	b.onlyNames("file")
}

func testEnded(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Look(ctx, transport.System()); !errors.Is(err, context.Canceled) {
		t.Errorf("look: %v", err)
	}
	if _, err := b.Do(ctx, transport.MakeDir(b.at("d"))); !errors.Is(err, context.Canceled) {
		t.Errorf("do: %v", err)
	}
	b.gone("d")
}
