package probe

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

func TestParse(t *testing.T) {
	const good = `{"schema":"ntl-probe/1","library":"/l.so","result":"ok","exit":0,"slots":[{"slot":3,"description":"d","present":true,"initialised":true,"serial":"1"}],"later":1}`
	want := Document{Schema: Schema, Library: "/l.so", Result: OK, Slots: []Slot{{Slot: 3, Description: "d", Present: true, Initialised: true, Serial: "1"}}}
	for name, said := range map[string]string{
		"alone":           good,
		"a line":          good + "\n",
		"among others":    "a warning\n{not json}\n{\"schema\":\"other/1\"}\n" + good + "\nmore\n",
		"carriage return": good + "\r\n",
	} {
		got, err := Parse([]byte(said))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	for said, says := range map[string]string{
		"":                                       "no answer of an ntl-probe: it said nothing",
		"sh: not\x1b[31m found\n":                "no answer of an ntl-probe: sh: not found",
		"x " + good:                              "no answer of an ntl-probe: x {",
		`{"schema":"ntl-probe/2","result":"ok"}`: "no answer of an ntl-probe",
		`{"schema":"ntl-probe/1","result":"ok","error":{}}`:     "neither that it went well nor why not",
		`{"schema":"ntl-probe/1","result":"failed"}`:            "neither that it went well nor why not",
		`{"schema":"ntl-probe/1","result":"ok","slots":"many"}`: "no answer of an ntl-probe",
		strings.Repeat("x", Largest+1):                          "the answer has more than 1048576 bytes",
		strings.Repeat("long ", 1000):                           "no answer of an ntl-probe: long long",
	} {
		_, err := Parse([]byte(said))
		if err == nil || !strings.Contains(err.Error(), says) || len(err.Error()) > 400 {
			t.Errorf("%.60q: %v", said, err)
		}
	}
}

func TestFail(t *testing.T) {
	d := Fail("/l\x07.so", transport.ClassRemote, "do", "it %s", "broke\n")
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"schema":"ntl-probe/1","library":"/l\\x07.so","result":"failed","exit":1,"slots":[],"error":{"class":"remote","message":"it broke\\x0a","hint":"do"}}`
	if string(text) != want {
		t.Errorf("%s\nwant %s", text, want)
	}
	if back, err := Parse(text); err != nil || !cmp.Equal(back, d) {
		t.Errorf("%v %+v", err, back)
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"part1                           ": "part1",
		"zeros\x00\x00 \x00":               "zeros",
		"  leading":                        "  leading",
		"two  blanks":                      "two  blanks",
		"":                                 "",
		"tab\there":                        `tab\x09here`,
		"\x1b[31mred":                      `\x1b[31mred`,
		"latin\xe9":                        `latin\xe9`,
		"Grüße 日本":                         "Grüße 日本",
		"left\u202eright\u200b":            `left\u202eright\u200b`,
		"new\nline":                        `new\x0aline`,
		"\ufffd":                           "\ufffd",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// program is the head of an ELF file, enough to tell its architecture.
func program(class byte, machine uint16) []byte {
	size := map[byte]int{1: 52, 2: 64}[class]
	b := make([]byte, size)
	copy(b, "\x7fELF")
	b[4], b[5], b[6] = class, 1, 1
	binary.LittleEndian.PutUint16(b[16:], 3)
	binary.LittleEndian.PutUint16(b[18:], machine)
	binary.LittleEndian.PutUint32(b[20:], 1)
	if class == 2 {
		binary.LittleEndian.PutUint16(b[52:], 64)
	} else {
		binary.LittleEndian.PutUint16(b[40:], 52)
	}
	return b
}

func TestProgramOfThisMachine(t *testing.T) {
	const amd64, arm64, i386 = 62, 183, 3
	dir := t.TempDir()
	at := func(name string, text []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	pc, arm, old := at("pc", program(2, amd64)), at("arm", program(2, arm64)), at("old", program(1, i386))
	x32, mac, none := at("x32", program(1, amd64)), at("mac", []byte("\xcf\xfa\xed\xfe")), filepath.Join(dir, "none")
	for name, c := range map[string]struct {
		places  []string
		machine string
		want    string // the file that is taken
		says    string
	}{
		"the same":             {places: []string{pc}, machine: "x86_64", want: pc},
		"the other":            {places: []string{arm}, machine: "aarch64", want: arm},
		"the second":           {places: []string{none, mac, arm, pc}, machine: "x86_64", want: pc},
		"nothing":              {machine: "x86_64", says: "nor is there one beside ntl-setup here"},
		"nothing there":        {places: []string{none}, machine: "x86_64", says: "nor is there one beside ntl-setup here"},
		"another architecture": {places: []string{arm}, machine: "x86_64", says: arm + ": it is for another architecture than the client's, x86_64"},
		"32 bits":              {places: []string{old}, machine: "x86_64", says: "another architecture"},
		"32 bits of the same":  {places: []string{x32}, machine: "x86_64", says: "another architecture"},
		"no program for Linux": {places: []string{mac}, machine: "x86_64", says: mac + ": it is no Linux program"},
		"a strange client":     {places: []string{pc}, machine: "s390x", says: `there is none for a client of architecture "s390x"`},
		"not readable":         {places: []string{dir}, machine: "x86_64", says: "is a directory"},
		"a silent client":      {places: []string{pc}, says: `architecture ""`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Here{Places: c.places}.Program(c.machine)
			if c.want == "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v", err)
				}
				return
			}
			want, _ := os.ReadFile(c.want)
			if err != nil || !bytes.Equal(unpack(t, got), want) {
				t.Errorf("%v: another file than %s", err, c.want)
			}
		})
	}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
