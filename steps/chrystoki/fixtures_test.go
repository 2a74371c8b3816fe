package chrystoki

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// samples are the sample configurations with their head removed, by name; bad
// ones are those that have to be refused.
func samples(t testing.TB, bad bool) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../fixtures/transcripts/client/conf-*.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		if strings.HasPrefix(name, "conf-bad-") != bad {
			continue
		}
		data, err := os.ReadFile(path) //nolint:gosec // a path of this repository
		if err != nil {
			t.Fatal(err)
		}
		_, body, ok := bytes.Cut(data, []byte("\n----\n"))
		if !ok {
			t.Fatalf("%s: no head", path)
		}
		out[strings.TrimPrefix(strings.TrimPrefix(name, "conf-"), "bad-")] = body
	}
	if len(out) < 9 {
		t.Fatalf("only %d sample configurations found", len(out))
	}
	return out
}

// sample is one good sample.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, ok := samples(t, false)[name]
	if !ok {
		t.Fatalf("no sample %q", name)
	}
	return data
}

// mustParse parses what has to be understood.
func mustParse(t testing.TB, text string) *File {
	t.Helper()
	f, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return f
}

// lineReader is a second opinion: it understands the format line by line, as
// simple readers do, and so only files with one statement on a line.
func lineReader(t testing.TB, text string) []Entry {
	t.Helper()
	var out []Entry
	section := ""
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", line[0] == '#':
		case line[0] == '}':
			section = ""
		case strings.HasSuffix(strings.TrimSpace(strings.Split(line, "#")[0]), "{"):
			section = strings.TrimSpace(strings.Split(line, "=")[0])
		default:
			statement, _, _ := strings.Cut(line, ";")
			key, value, _ := strings.Cut(statement, "=")
			out = append(out, Entry{section, strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return out
}
