package windows

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// Wine takes a while to start, so all of this shares one machine.
func TestOnWine(t *testing.T) {
	w := machine(t)
	for _, group := range []struct {
		name string
		test func(*testing.T, *wineWire, transport.Host, string)
	}{
		{"detect", testDetect}, {"look", testLook}, {"words", testWords}, {"files", testFiles},
		{"lock", testLock}, {"the act asks for the lock", testGuard}, {"lock race", testRace},
	} {
		t.Run(group.name, func(t *testing.T) {
			root := "C:/Program Files (x86)/Luna's " + group.name
			w.install(t, root+"/print.exe")
			w.before = nil
			group.test(t, w, New(w, Cmd), root)
		})
	}
}

func testDetect(t *testing.T, w *wineWire, _ transport.Host, _ string) {
	before := w.execs.Load()
	h, err := Detect(t.Context(), detected{w}, transport.Output{})
	if err != nil || h == nil || h.Name() != w.Name() {
		t.Fatalf("%v, %v", h, err)
	}
	if w.execs.Load()-before != 1 {
		t.Errorf("%d command lines", w.execs.Load())
	}
}

func testLook(t *testing.T, w *wineWire, h transport.Host, root string) {
	at := func(name string) string { return root + "/" + name }
	w.put(t, at("conf.ini"), "[A]\r\nk=%PATH% & \x00\xff\r\n")
	w.put(t, at("web1.pem"), "-----BEGIN CERTIFICATE-----\n")
	w.put(t, at("web1Key.pem"), "-----BEGIN RSA PRIVATE KEY-----\nSECRET\n")
	w.put(t, at("oneline"), "-----BEGIN EC PRIVATE KEY-----SECRET")
	w.put(t, at("locked"), "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nSECRET\n")
	w.put(t, at("nokey"), "SECRET-OF-THE-KEY\n")
	w.put(t, at("big"), strings.Repeat("x", largestFile+1))
	vtl := at("print.exe")
	noPublic := "no tool of Windows shows the public half of a key"
	want := transport.Facts{
		transport.System():                    {System: "Windows"},
		transport.File(at("conf.ini")):        {Data: []byte("[A]\r\nk=%PATH% & \x00\xff\r\n")},
		transport.File(at("web1.pem")):        {Data: []byte("-----BEGIN CERTIFICATE-----\n")},
		transport.File(at("web1Key.pem")):     {Problem: "a private key is not read"},
		transport.File(at("oneline")):         {Problem: "a private key is not read"},
		transport.File(at("no")):              {Missing: true},
		transport.File(at("no/such")):         {Missing: true},
		transport.File(at("big")):             {Problem: "larger than 1 MiB"},
		transport.File(root):                  {Directory: true, Problem: "not a regular file"},
		transport.Key(at("web1Key.pem")):      {Header: "-----BEGIN RSA PRIVATE KEY-----", Problem: noPublic},
		transport.Key(at("oneline")):          {Header: "-----BEGIN EC PRIVATE KEY-----", Problem: noPublic},
		transport.Key(at("locked")):           {Header: "-----BEGIN RSA PRIVATE KEY-----", Encrypted: true, Problem: "the key is encrypted"},
		transport.Key(at("nokey")):            {Damaged: true, Problem: "no PEM header"},
		transport.Key(at("no")):               {Missing: true},
		transport.Key(root):                   {Directory: true, Problem: "not a regular file"},
		transport.Dir(root):                   {Names: []string{"big", "conf.ini", "locked", "nokey", "oneline", "print.exe", "web1.pem", "web1Key.pem"}},
		transport.Dir(at("no")):               {Missing: true},
		transport.Dir(at("big")):              {Problem: "not a directory"},
		transport.VtlListServers(vtl):         {Data: []byte("<listServers>\r\n")},
		transport.VtlVerify(vtl):              {Data: []byte("<verify>\r\n")},
		transport.VtlVerify(at("no")):         {Missing: true},
		transport.Processes(vtl):              {},
		transport.Route("192.0.2.1"):          {Problem: "route is not asked of a Windows machine"},
		transport.Holders("libX.so"):          {Problem: "holders is not asked of a Windows machine"},
		transport.File("/etc/Chrystoki.conf"): {Problem: `"/etc/Chrystoki.conf" is not a whole path of a Windows machine`},
	}
	var queries []transport.Query
	for q := range want {
		queries = append(queries, q, q)
	}
	before := w.execs.Load()
	facts, err := h.Look(t.Context(), queries...)
	if err != nil {
		t.Fatal(err)
	}
	system := facts[transport.System()]
	if off := time.Since(system.Clock).Abs(); off > time.Minute {
		t.Errorf("the machine's clock is off by %s", off)
	}
	system.Clock = time.Time{}
	facts[transport.System()] = system
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	if n := w.execs.Load() - before; n > 3 { // two lines, and the clock
		t.Errorf("%d command lines for one look", n)
	}
	w.only(t, root, "big", "conf.ini", "locked", "nokey", "oneline", "print.exe", "web1.pem", "web1Key.pem")
	facts, err = h.Look(t.Context())
	if err != nil || len(facts) != 0 {
		t.Errorf("look at nothing: %v, %v", facts, err)
	}
}

// Words reach a program as they are, through cmd.exe and the program's own
// reading of its command line.
func testWords(t *testing.T, _ *wineWire, h transport.Host, root string) {
	words := []string{"", " ", "two words", `"`, `a"b`, `\`, `\\`, `a\`, `a b\`, `a\"b`, `\\"`, `"\\`, "a&b", "a|b", "a<b>c", "(x)", ")", "^", "^^", `^"&"`,
		"-n", "/n", "*", "?", "~", "#", "$HOME", "$(id)", "`id`", "'it''s'", "a;b", "a,b", "a=b", "@x", "{1}", "[a]", "C:", "a:b/c"}
	const letters = `ab "\^&|<>()/-'=;,@`
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable words for a test
	for range 150 {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		words = append(words, b.String())
	}
	var plain strings.Builder
	for c := ' '; c <= '~'; c++ {
		if c != '%' && c != '!' {
			plain.WriteRune(c)
		}
	}
	words = append(words, plain.String())
	want := ""
	for _, word := range words {
		want += fmt.Sprintf("<%s>\r\n", word)
	}
	out, err := h.Do(t.Context(), transport.Run(append([]string{root + "/print.exe"}, words...)...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(out[0].Stdout)); diff != "" {
		t.Error(diff)
	}
	out, err = h.Do(t.Context(), transport.Run(root+"/print.exe", "-c", "C:/Program Files/a.pem"))
	if err != nil || string(out[0].Stdout) != "<-c>\r\n<C:\\Program Files\\a.pem>\r\n" {
		t.Errorf("a path: %v, %v", out, err)
	}
}

// refuses checks that one action fails on the machine, with a word.
func refuses(t *testing.T, h transport.Host, a transport.Action) {
	t.Helper()
	out, err := h.Do(t.Context(), a)
	var failed *transport.ActionError
	if !errors.As(err, &failed) || len(out) != 1 || out[0].Status == 0 || strings.TrimSpace(string(out[0].Stdout)) == "" {
		t.Errorf("%s %s: %v, %v; want an ActionError with words", a.Kind, a.Path, out, err)
	}
}

func do(t *testing.T, h transport.Host, actions ...transport.Action) {
	t.Helper()
	if out, err := h.Do(t.Context(), actions...); err != nil || len(out) != len(actions) {
		t.Fatalf("%v, %v", out, err)
	}
}

func testFiles(t *testing.T, w *wineWire, h transport.Host, base string) {
	root := base + "/work"
	do(t, h, transport.MakeDir(root), transport.MakeDir(root), transport.MakeDir(root+"/d/e"))
	at := func(name string) string { return root + "/" + name }
	content := "a=1\r\n%PATH% \xff\x80 \"&\r\nno end"
	do(t, h, transport.Create(at("f"), []byte(content), 0o600), transport.Create(at("empty"), nil, 0o600))
	w.holds(t, at("f"), content)
	refuses(t, h, transport.Create(at("f"), []byte("x"), 0o600))
	refuses(t, h, transport.Create(at("d"), []byte("x"), 0o600))
	refuses(t, h, transport.Create(at("no/f"), []byte("x"), 0o600))
	refuses(t, h, transport.MakeDir(at("f/under")))
	w.holds(t, at("f"), content)

	do(t, h, transport.Backup(at("no"), at("no.bak")), transport.Backup(at("f"), at("f.bak")),
		transport.Replace(at("f"), []byte(content), []byte("two")), transport.Backup(at("f"), at("f.bak")))
	w.holds(t, at("f"), "two")
	w.holds(t, at("f.bak"), content)
	refuses(t, h, transport.Replace(at("f"), []byte("one"), []byte("three")))
	refuses(t, h, transport.Replace(at("no"), nil, []byte("three")))
	refuses(t, h, transport.Backup(at("d"), at("d.bak")))
	w.holds(t, at("f"), "two")
	do(t, h, transport.Replace(at("f"), []byte("two"), nil), transport.Replace(at("f"), nil, []byte("two")))

	refuses(t, h, transport.Move(at("f"), at("f.bak")))
	refuses(t, h, transport.Move(at("no"), at("g")))
	refuses(t, h, transport.Move(at("d"), at("g")))
	do(t, h, transport.Absent(at("g")), transport.Move(at("f"), at("g")), transport.Absent(at("f")))
	refuses(t, h, transport.Absent(at("g")))
	w.holds(t, at("g"), "two")

	do(t, h, transport.Remove(at("g")), transport.Remove(at("g")), transport.Remove(at("f.bak")), transport.Remove(at("empty")))
	refuses(t, h, transport.Remove(at("d")))
	refuses(t, h, transport.Run(at("no.exe"), "x"))
	w.only(t, root, "d")

	out, err := h.Do(t.Context(), transport.MakeDir(at("one")), transport.Absent(at("one")), transport.MakeDir(at("two")))
	var failed *transport.ActionError
	if !errors.As(err, &failed) || failed.Action.Kind != transport.ActAbsent || len(out) != 2 {
		t.Errorf("%v, %v", out, err)
	}
	w.only(t, root, "d", "one")
}

func TestWhatCannotBeSent(t *testing.T) {
	h := New(&wineWire{}, Cmd) // nothing may reach it
	const p = "C:/a/f"
	for _, a := range []transport.Action{
		transport.MakeDir("relative"), transport.MakeDir("/usr"), transport.MakeDir("C:"), transport.MakeDir("C:/a%b"), transport.MakeDir("C:/a!b"),
		transport.MakeDir(`C:/a"b`), transport.MakeDir(`C:/a\b`), transport.MakeDir("C:/a&b"), transport.MakeDir("C:/a/../b"), transport.MakeDir("C:/a./b"),
		transport.MakeDir("C:/a /b"), transport.MakeDir("C:/ä"), transport.MakeDir("C:/a\nb"), transport.MakeDir("C:/a\x00b"), transport.MakeDir("C:/a:b"),
		transport.MakeDir("C:/" + strings.Repeat("a", 300)),
		transport.Move(p, "C:/b/f"), transport.Backup(p, "f"),
		transport.Run(p, "%PATH%"), transport.Run(p, "a!b"), transport.Run(p, "a\nb"), transport.Run(p, "ä"), transport.Run(p, "C:/a%b"), transport.Run("vtl"),
		transport.Chmod(p, 0o600), transport.Start(p), transport.Stop(1, p, 0),
		transport.Create(p, []byte("a\x00"), 0), transport.Replace(p, nil, make([]byte, largestFile+1)), {Kind: "dance", Path: p},
		transport.Lock("C:/l", "../x", nil, 0), transport.Unlock("C:/l", ""), transport.TakeOver(transport.Lock("C:/l", "A", nil, 0), "a b", nil),
	} {
		out, err := h.Do(t.Context(), transport.MakeDir("C:/ok"), a)
		var config *transport.Error
		if !errors.As(err, &config) || config.Class != transport.ClassConfig || out != nil {
			t.Errorf("%s %q %q: %v, %v", a.Kind, a.Path, a.Argv, out, err)
		}
	}
	if _, err := h.Do(context.Background()); err != nil {
		t.Error(err)
	}
}
