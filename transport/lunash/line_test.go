package lunash

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLineSpellsCommandsInFull(t *testing.T) {
	for want, line := range map[string]Line{
		"client list": Cmd("client", "list"),
		"client register -client web1 -ip 192.0.2.1":           Cmd("client", "register").Flag("-client", "web1").Flag("-ip", "192.0.2.1"),
		"client register -client web1 -hostname w.example":     Cmd("client", "register").Flag("-client", "web1").Flag("-hostname", "w.example"),
		"client assignPartition -client a_b:c-d -partition p9": Cmd("client", "assignPartition").Flag("-client", "a_b:c-d").Flag("-partition", "p9"),
	} {
		if err := line.Err(); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if got := line.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLineRefusesWordsThatCouldMeanMore(t *testing.T) {
	for _, w := range []string{
		"", "-force", "-", "a b", "a\tb", "a\nclient delete", "a\r", "a;b", "a|b", "$(x)", "`x`", `a"b`, "a'b",
		"a/b", "../a", "a\\b", "naïve", "a\x00", "a\x1b[2J", "ａ", "a,b", "<none>", "*", strings.Repeat("a", wordMax+1), "\xff",
	} {
		l := Cmd("client", "show").Flag("-client", w).Flag("-partition", "fine")
		if l.Err() == nil {
			t.Errorf("%q was accepted", w)
			continue
		}
		if got := classOf(l.Err()); got != "config" {
			t.Errorf("%q: class %q, want config", w, got)
		}
		if strings.ContainsAny(l.Err().Error(), "\n\r\x1b\x00") {
			t.Errorf("%q: control characters in the message %q", w, l.Err())
		}
	}
	for _, w := range []string{"a", "web1", "192.0.2.1", "2001:db8::1", "a.b_c:d-e", strings.Repeat("a", wordMax)} {
		if err := Cmd("x").Flag("-client", w).Err(); err != nil {
			t.Errorf("%q was refused: %v", w, err)
		}
	}
}

func TestLineIsAValue(t *testing.T) {
	base := Cmd("client", "register").Flag("-client", "web1")
	one, two := base.Flag("-ip", "192.0.2.1"), base.Flag("-hostname", "web1.example")
	if diff := cmp.Diff([]string{
		"client register -client web1",
		"client register -client web1 -ip 192.0.2.1",
		"client register -client web1 -hostname web1.example",
	}, []string{base.String(), one.String(), two.String()}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"web1", "192.0.2.1"}, one.values()); diff != "" {
		t.Error(diff)
	}
}

func TestFileNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"server.pem": true, "192.0.2.1.pem": true, "2001:db8::1.pem": true,
		".": false, "..": false, "a/b": false, "-x": false, "": false, "a b": false,
	} {
		if err := checkFile(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"web1", "-x", "a b", "", "a\nb", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, word string) {
		l := Cmd("client", "show").Flag("-client", word)
		if l.Err() != nil {
			return
		}
		if got := strings.Fields(l.String()); len(got) != 4 || got[3] != word || strings.HasPrefix(word, "-") {
			t.Errorf("%q became the words %q", word, got)
		}
	})
}

// A person compares two digests of one kind, written alike.
func TestDigestOf(t *testing.T) {
	der := []byte("abc")
	for algorithm, want := range map[string]string{
		"MD5":     "90:01:50:98:3C:D2:4F:B0:D6:96:3F:7D:28:E1:7F:72",
		"SHA-1":   "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D",
		"SHA-256": "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD",
		"":        "",
	} {
		d := Digest{Algorithm: algorithm}
		if got := d.Of(der); got != want {
			t.Errorf("%s: %s", algorithm, got)
		}
		d.Sum = strings.ToLower(strings.ReplaceAll(want, ":", ""))
		if same, known := d.Matches(der); same != (algorithm != "") || known != (algorithm != "") {
			t.Errorf("%s: same %t, known %t", algorithm, same, known)
		}
	}
}
