package chrystoki

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// factory is a crystoki.ini as an installer leaves it.
const factory = "[Chrystoki2]\r\n" +
	"LibNT=C:\\Program Files\\SafeNet\\LunaClient\\cryptoki.dll\r\n" +
	"[LunaSA Client]\r\n" +
	"ReceiveTimeout=20000\r\n" +
	"ClientCertFile=C:\\Program Files\\SafeNet\\LunaClient\\cert\\client\\ClientNameCert.pem\r\n" +
	"ClientPrivKeyFile=C:\\Program Files\\SafeNet\\LunaClient\\cert\\client\\ClientNameKey.pem\r\n" +
	"ServerCAFile=C:\\Program Files\\SafeNet\\LunaClient\\cert\\server\\CAFile.pem\r\n" +
	"NetClient=1\r\n" +
	"[Misc]\r\n" +
	"PE1746Enabled=0\r\n"

func mustParseINI(t testing.TB, text string) *File {
	t.Helper()
	f, err := ParseINI([]byte(text))
	if err != nil {
		t.Fatalf("ParseINI: %v\n%s", err, text)
	}
	return f
}

func TestINIPathsComeWithSlashes(t *testing.T) {
	f := mustParseINI(t, factory)
	cert, key := f.Identity()
	if cert != "C:/Program Files/SafeNet/LunaClient/cert/client/ClientNameCert.pem" || !strings.HasSuffix(key, "/ClientNameKey.pem") {
		t.Errorf("Identity = %q, %q", cert, key)
	}
	if lib, _ := f.Get("chrystoki2", "libnt"); !strings.Contains(lib, `\cryptoki.dll`) {
		t.Errorf("a path that is not the link's: %q", lib)
	}
	if err := f.Set(SectionClient, KeyClientCert, cert); err != nil || string(f.Bytes()) != factory {
		t.Errorf("setting what is there: %v\n%s", err, f.Bytes())
	}
	if err := f.Set(SectionClient, KeyClientCert, "D:/keys/web1.pem"); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(factory, `C:\Program Files\SafeNet\LunaClient\cert\client\ClientNameCert.pem`, `D:\keys\web1.pem`, 1)
	if diff := cmp.Diff(want, string(f.Bytes())); diff != "" {
		t.Error(diff)
	}
}

func TestINIEdits(t *testing.T) {
	for name, c := range map[string]struct {
		have string
		edit func(*File) error
		want string
	}{
		"first server": {factory, func(f *File) error { return f.AddServer("192.0.2.9", 1792) },
			strings.Replace(factory, "NetClient=1\r\n", "NetClient=1\r\nServerName00=192.0.2.9\r\nServerPort00=1792\r\nServerHtl00=0\r\n", 1)},
		"behind the others": {"[LunaSA Client]\r\nServerName03=a\r\nServerPort03=1\r\nLast=1\r\n[X]\r\n",
			func(f *File) error { return f.AddServer("b", 2) },
			"[LunaSA Client]\r\nServerName03=a\r\nServerPort03=1\r\nServerName04=b\r\nServerPort04=2\r\nLast=1\r\n[X]\r\n"},
		"no line end at the end": {"[A]\r\nk=v", func(f *File) error { return f.Set("A", "l", "w") }, "[A]\r\nk=v\r\nl=w"},
		"line feeds, blanks":     {"[A]\n k = v\n", func(f *File) error { return f.Set("A", "l", "w") }, "[A]\n k = v\n l = w\n"},
		"a new section":          {"[A]\r\nk=v", func(f *File) error { return f.Set("B", "l", "w") }, "[A]\r\nk=v\r\n[B]\r\nl=w\r\n"},
		"sections set apart":     {"[A]\r\nk=v\r\n\r\n[B]\r\n", func(f *File) error { return f.Set("C", "l", "w") }, "[A]\r\nk=v\r\n\r\n[B]\r\n\r\n[C]\r\nl=w\r\n"},
		"an empty file":          {"", func(f *File) error { return f.Set("A", "l", "w") }, "[A]\r\nl=w\r\n"},
		"an empty section":       {"[A]\r\n; why\r\n[B]\r\nx=y\r\n", func(f *File) error { return f.Set("a", "l", "w") }, "[A]\r\nl=w\r\n; why\r\n[B]\r\nx=y\r\n"},
		"an empty value":         {"[A]\r\nk=\r\n", func(f *File) error { return f.Set("A", "K", "v") }, "[A]\r\nk=v\r\n"},
		"comments stay":          {"; top\r\n[A]\r\n# in\r\nk=v ; no comment\r\n", func(f *File) error { return f.Set("A", "k", "w") }, "; top\r\n[A]\r\n# in\r\nk=w\r\n"},
		"labels differ by case":  {"[HASynchronize]\r\npar=1\r\n", func(f *File) error { return f.Set("HASynchronize", "PAR", "1") }, "[HASynchronize]\r\npar=1\r\nPAR=1\r\n"},
	} {
		f := mustParseINI(t, c.have)
		if err := c.edit(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, string(f.Bytes())); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestINIRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"section twice":        {"[A]\r\n[B]\r\n[a]\r\n", 3},
		"entry twice":          {"[A]\r\nk=1\r\nK=2\r\n", 3},
		"entry outside":        {"k=1\r\n[A]\r\n", 1},
		"no entry":             {"[A]\r\nk=1\r\nwhat\r\n", 3},
		"nameless entry":       {"[A]\r\n=1\r\n", 2},
		"open header":          {"[A\r\n", 1},
		"text behind header":   {"[A] x\r\n", 1},
		"nameless section":     {"[ ]\r\n", 1},
		"byte order mark":      {"\ufeff[A]\r\nk=1\r\n", 1},
		"UTF-16":               {"[\x00A\x00]\x00", 1},
		"the other dialect":    {"LunaSA Client = {\n NetClient = 1;\n}\n", 1},
		"carriage return":      {"[A]\r\nk=1\rl=2\r\n", 2},
		"far too large":        {strings.Repeat("; comment\r\n", MaxSize/10), 1},
		"brackets in brackets": {"[A]B]\r\n", 1},
	} {
		_, err := ParseINI([]byte(c.text))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != c.line {
			t.Errorf("%s: %v, want an error on line %d", name, err, c.line)
		}
	}
	f := mustParseINI(t, factory)
	for _, add := range []Entry{{"A]B", "k", "v"}, {"A", "[k", "v"}, {"A", ";k", "v"}, {"A", "k", " v"}, {"A", "k", "a\nb"}} {
		if err := f.Set(add.Section, add.Key, add.Value); err == nil || string(f.Bytes()) != factory {
			t.Errorf("Set(%q) = %v", add, err)
		}
	}
}

func TestINIHidesSecrets(t *testing.T) {
	_, err := ParseINI([]byte("[REST]\r\nAuthTokenClientSecret=canary\r\nAuthTokenClientSecret=canary2\r\n"))
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v", err)
	}
}

func FuzzRoundTripINI(f *testing.F) {
	f.Add([]byte(factory), "192.0.2.9")
	f.Add([]byte("[LunaSA Client]\nServerName00 = a\n"), "b")
	f.Add([]byte("; c\r\n\r\n[X]\r\n[LunaSA Client]"), "hsm.example.net")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		file, err := ParseINI(data)
		if err != nil {
			return
		}
		if !bytes.Equal(file.Bytes(), data) {
			t.Fatalf("bytes changed: %q became %q", data, file.Bytes())
		}
		was := file.Entries()
		for _, e := range was {
			got, ok := file.Get(e.Section, e.Key)
			if isPath(e.Section, e.Key) {
				e.Value = strings.ReplaceAll(e.Value, `\`, "/")
			}
			if !ok || got != e.Value {
				t.Fatalf("Get(%q) = %q, %v", e, got, ok)
			}
		}
		if err := file.AddServer(name, 1792); err != nil {
			if !bytes.Equal(file.Bytes(), data) {
				t.Fatalf("AddServer failed (%v) and changed the file", err)
			}
			return
		}
		if now := file.Entries(); len(now)-len(was) > 3 || len(now) < len(was) {
			t.Fatalf("%d entries became %d", len(was), len(now))
		}
	})
}
