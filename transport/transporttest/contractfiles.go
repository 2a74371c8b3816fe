package transporttest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

func testCreate(t *testing.T, b *bench) {
	b.do(transport.Create(b.at("file"), []byte("first"), 0o640))
	b.refuses(transport.Create(b.at("file"), []byte("second"), 0o640))
	b.holds("file", "first")
	b.refuses(transport.Create(b.at("no/dir/file"), []byte("x"), 0o640))
	b.do(transport.MakeDir(b.at("dir")))
	b.refuses(transport.Create(b.at("dir"), []byte("x"), 0o640))
	b.onlyNames("dir", "file")
	if f := b.look(transport.Dir(b.at("dir"))); len(f.Names) != 0 {
		t.Errorf("the refused file went into the directory: %q", f.Names)
	}
}

func testReplace(t *testing.T, b *bench) {
	b.do(transport.Create(b.at("conf"), []byte("one\n"), 0o600), transport.Chmod(b.at("conf"), 0o544))
	before := b.look(transport.File(b.at("conf")))
	b.do(transport.Replace(b.at("conf"), []byte("one\n"), []byte("two\r\n")))
	b.holds("conf", "two\r\n")
	after := b.look(transport.File(b.at("conf")))
	if after.Mode != before.Mode || after.Owner != before.Owner || after.Group != before.Group {
		t.Errorf("mode and owner: %v %s %s, want %v %s %s",
			after.Mode, after.Owner, after.Group, before.Mode, before.Owner, before.Group)
	}
	for name, old := range map[string]string{
		"as it was": "one\n", "shorter": "two\r", "longer": "two\r\n\n", "empty": "",
	} {
		b.refuses(transport.Replace(b.at("conf"), []byte(old), []byte("three")))
		b.holds("conf", "two\r\n")
		if t.Failed() {
			t.Fatalf("replaced though the old content is %s", name)
		}
	}
	b.refuses(transport.Replace(b.at("no"), nil, []byte("x")))
	b.do(transport.Replace(b.at("conf"), []byte("two\r\n"), nil))
	b.holds("conf", "")
	b.onlyNames("conf")
}

func testBackup(t *testing.T, b *bench) {
	b.do(transport.Backup(b.at("conf"), b.at("conf.bak")))
	b.gone("conf.bak")
	b.do(transport.Create(b.at("conf"), []byte("one"), 0o640),
		transport.Backup(b.at("conf"), b.at("conf.bak")),
		transport.Replace(b.at("conf"), []byte("one"), []byte("two")),
		transport.Backup(b.at("conf"), b.at("conf.bak")))
	b.holds("conf", "two")
	b.holds("conf.bak", "one")
	if f := b.look(transport.File(b.at("conf.bak"))); f.Mode != 0o640 {
		t.Errorf("mode of the copy: %v", f.Mode)
	}
	b.refuses(transport.Backup(b.at("conf"), b.at("no/dir/conf.bak")))
	b.onlyNames("conf", "conf.bak")
}

func testMove(_ *testing.T, b *bench) {
	b.do(transport.Create(b.at("a"), []byte("A"), 0o600), transport.Create(b.at("b"), []byte("B"), 0o600))
	b.refuses(transport.Move(b.at("a"), b.at("b")))
	b.holds("a", "A")
	b.holds("b", "B")
	b.refuses(transport.Move(b.at("no"), b.at("c")))
	b.refuses(transport.Move(b.at("a"), b.at("no/dir/a")))
	b.do(transport.MakeDir(b.at("d")))
	b.refuses(transport.Move(b.at("a"), b.at("d")))
	b.refuses(transport.Move(b.at("d"), b.at("e")))
	b.do(transport.Move(b.at("a"), b.at("c")))
	b.holds("c", "A")
	b.onlyNames("b", "c", "d")
}

func testRemove(_ *testing.T, b *bench) {
	b.do(transport.Create(b.at("a"), []byte("A"), 0o400))
	b.do(transport.Remove(b.at("a")), transport.Remove(b.at("a")))
	b.gone("a")
	b.do(transport.MakeDir(b.at("d")))
	b.refuses(transport.Remove(b.at("d")))
	b.onlyNames("d")
}

func testChmod(t *testing.T, b *bench) {
	b.do(transport.Create(b.at("a"), []byte("A"), 0o644), transport.Chmod(b.at("a"), 0o600))
	if f := b.look(transport.File(b.at("a"))); f.Mode != 0o600 {
		t.Errorf("mode %v", f.Mode)
	}
	b.refuses(transport.Chmod(b.at("no"), 0o600))
	b.do(transport.MakeDir(b.at("d")), transport.Chmod(b.at("d"), 0o750))
	if f := b.look(transport.Dir(b.at("d"))); f.Mode != 0o750 {
		t.Errorf("mode of the directory %v", f.Mode)
	}
}

func testRun(t *testing.T, b *bench) {
	tool := b.at("tool")
	b.refuses(transport.Run(tool, "x"))
	b.do(transport.Create(tool, []byte(toolText), 0o755))
	if out := b.do(transport.Run(tool, "createCert", "-n", "web1")); string(out[0].Stdout) != "<createCert>\n<-n>\n<web1>\n" {
		t.Errorf("output %q", out[0].Stdout)
	}
	out := b.do(transport.Run(tool, "fail"), transport.Run(tool, "after"))
	if out[0].Status != 3 || string(out[0].Stdout) != "<fail>\n" {
		t.Errorf("output %q, status %d", out[0].Stdout, out[0].Status)
	}
	if out[1].Status != 0 || string(out[1].Stdout) != "<after>\n" {
		t.Errorf("the status of one tool fell on the next: %q, %d", out[1].Stdout, out[1].Status)
	}
	b.do(transport.Chmod(tool, 0o644))
	b.refuses(transport.Run(tool, "x"))
}

func testWords(t *testing.T, b *bench) {
	words := []string{
		"", " ", "two words", "it's", `"`, "$HOME", "$(id)", "`id`", "*", "?", "[a]", "~", "!", "!!", "#",
		"a;b", "a&b", "a|b", "a<b>c", "(x)", "{a,b}", `back\slash`, "-n", "--", "%s", "tab\there",
		"line\nbreak", "cr\rhere", "ünïcode", "\xff\x80", allBytes(),
	}
	tool := b.at("a tool's $name")
	want := ""
	for _, w := range words {
		want += fmt.Sprintf("<%s>\n", w)
	}
	b.do(transport.Create(tool, []byte(toolText), 0o755))
	out := b.do(transport.Run(append([]string{tool}, words...)...))
	if diff := cmp.Diff(want, string(out[0].Stdout)); diff != "" {
		t.Errorf("words:\n%s", diff)
	}
}

func testFirstFailure(t *testing.T, b *bench) {
	tool := b.at("tool")
	b.do(transport.Create(tool, []byte(toolText), 0o755))
	out, err := b.Do(context.Background(),
		transport.MakeDir(b.at("one")),
		transport.Run(tool, "fail"),
		transport.Remove(b.at("one")),
		transport.MakeDir(b.at("two")))
	var failed *transport.ActionError
	if !errors.As(err, &failed) || failed.Action.Kind != transport.ActRemove || failed.Host != b.Name() {
		t.Fatalf("error %v", err)
	}
	if len(out) != 3 || out[0].Status != 0 || out[1].Status != 3 || out[2].Status == 0 {
		t.Errorf("outputs %v", out)
	}
	b.onlyNames("one", "tool")
}

func testVtl(t *testing.T, b *bench) {
	vtl := b.at("vtl")
	b.do(transport.Create(vtl, []byte(toolText), 0o644))
	if f := b.look(transport.VtlListServers(vtl)); !f.Missing {
		t.Errorf("a file that is no program: %+v", f)
	}
	b.do(transport.Chmod(vtl, 0o755))
	facts, err := b.Look(context.Background(), transport.VtlListServers(vtl), transport.VtlVerify(vtl))
	if err != nil {
		t.Fatal(err)
	}
	for q, want := range map[transport.Query]string{
		transport.VtlListServers(vtl): "<listServers>\n", transport.VtlVerify(vtl): "<verify>\n",
	} {
		if got := facts[q]; string(got.Data) != want || got.Missing {
			t.Errorf("%s: %+v", q.Args, got)
		}
	}
}
