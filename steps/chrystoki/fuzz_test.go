package chrystoki

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// seed gives a fuzz target every sample.
func seed(f *testing.F, add func(text string)) {
	for _, bad := range []bool{false, true} {
		for _, data := range samples(f, bad) {
			add(string(data))
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	seed(f, func(text string) { f.Add([]byte(text)) })
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Line > bytes.Count(data, []byte("\n"))+1 || syntax.Why == "" {
				t.Fatalf("not a proper error: %#v", err)
			}
			return
		}
		if !bytes.Equal(file.Bytes(), data) {
			t.Fatalf("bytes changed: %q became %q", data, file.Bytes())
		}
		for _, e := range file.Entries() {
			if got, ok := file.Get(e.Section, e.Key); !ok || got != e.Value {
				t.Fatalf("Get(%q, %q) = %q, %v; want %q", e.Section, e.Key, got, ok, e.Value)
			}
			if e.Section != trim(e.Section) || e.Key != trim(e.Key) || e.Value != trim(e.Value) || e.Section == "" || e.Key == "" {
				t.Fatalf("entry %q with blanks around it or without a name", e)
			}
			if strings.ContainsAny(e.Section+e.Key+e.Value, "{};\r\n") {
				t.Fatalf("entry %q holds what the format cannot", e)
			}
		}
	})
}

// FuzzSet sets one entry. If it was there, only its value may differ
// afterwards; if not, taking the new bytes out again must give the old file.
func FuzzSet(f *testing.F) {
	seed(f, func(text string) {
		f.Add(text, SectionClient, KeyNetClient, "1")
		f.Add(text, "Luna", "PEDTimeout4", "")
		f.Add(text, "New Section", "Key-1", `C:\a b\c=d`)
		f.Add(text, "REST", "x", "1;")
	})
	f.Fuzz(func(t *testing.T, text, section, key, value string) {
		file, err := Parse([]byte(text))
		if err != nil {
			return
		}
		was := file.Entries()
		at := file.find(section, key)
		if err := file.Set(section, key, value); err != nil {
			if string(file.Bytes()) != text {
				t.Fatalf("Set failed (%v) and changed the file", err)
			}
			return
		}
		if got, ok := file.Get(section, key); !ok || got != value {
			t.Fatalf("Get = %q, %v; want %q", got, ok, value)
		}
		if at >= 0 {
			checkOneValue(t, text, file, at, value)
			return
		}
		checkInserted(t, text, file, was, Entry{trim(section), trim(key), value})
	})
}

// checkInserted holds that the file is the text with one entry (and its
// section) put in at one place.
func checkInserted(t *testing.T, text string, file *File, was []Entry, added Entry) {
	t.Helper()
	now := string(file.Bytes())
	head := 0
	for head < min(len(text), len(now)) && text[head] == now[head] {
		head++
	}
	if tail := text[head:]; !strings.HasSuffix(now, tail) {
		t.Fatalf("more than one place changed:\n%q\n%q", text, now)
	}
	entries := file.Entries()
	if len(entries) != len(was)+1 {
		t.Fatalf("%d entries became %d", len(was), len(entries))
	}
	i := 0
	for i < len(was) && was[i] == entries[i] {
		i++
	}
	if got := entries[i]; got.Key != added.Key || got.Value != added.Value || !sameFold(got.Section, added.Section) {
		t.Fatalf("entry %q stands where %q was added", got, added)
	}
	for ; i < len(was); i++ {
		if was[i] != entries[i+1] {
			t.Fatalf("entry %q became %q", was[i], entries[i+1])
		}
	}
}

// FuzzAddServer adds a server: the others stay, it is there, and adding it
// again changes nothing.
func FuzzAddServer(f *testing.F) {
	seed(f, func(text string) {
		f.Add(text, "hsm-new", 1792)
		f.Add(text, "hsm-a.example.net", 1)
	})
	f.Fuzz(func(t *testing.T, text, name string, port int) {
		file, err := Parse([]byte(text))
		if err != nil {
			return
		}
		was, before := file.Servers(), len(file.Entries())
		if err := file.AddServer(name, port); err != nil {
			if string(file.Bytes()) != text {
				t.Fatalf("AddServer failed (%v) and changed the file", err)
			}
			return
		}
		now := file.Servers()
		if string(file.Bytes()) != text {
			last := now[len(now)-1]
			if len(now) != len(was)+1 || last.Name != name || last.Port != port {
				t.Fatalf("servers %v became %v", was, now)
			}
			if n := len(file.Entries()) - before; n != 2 && n != 3 {
				t.Fatalf("%d entries were added", n)
			}
		}
		again := file.Clone()
		if err := again.AddServer(name, port); err != nil || !bytes.Equal(again.Bytes(), file.Bytes()) {
			t.Fatalf("adding it again (%v) made %q of %q", err, again.Bytes(), file.Bytes())
		}
	})
}

// FuzzDiff follows a diff from the old text to the new one.
func FuzzDiff(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd")
	f.Add("", "a")
	f.Add("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\nx\n")
	f.Fuzz(func(t *testing.T, have, want string) {
		if mask(have) != have || mask(want) != want || len(have)+len(want) > 4096 {
			return
		}
		if got := follow(t, have, Diff("f", []byte(have), []byte(want))); got != want {
			t.Fatalf("followed to %q, want %q", got, want)
		}
	})
}
