package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFlags(t *testing.T) {
	for line, want := range map[string]options{
		"":                                {timeout: 20 * time.Second, output: "text"},
		"--library /l.so --timeout 1s":    {library: "/l.so", timeout: time.Second, output: "text"},
		"-o json":                         {timeout: 20 * time.Second, output: "json"},
		"--output=json --library=../l.so": {library: "../l.so", timeout: 20 * time.Second, output: "json"},
	} {
		got, err := parse(strings.Fields(line))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", line, err, diff)
		}
	}
}

// What was not understood is one line, and status 64.
func TestWrongUsage(t *testing.T) {
	for line, says := range map[string]string{
		"--pin 1234":             "flag provided but not defined: -pin",
		"/l.so":                  `unexpected word "/l.so"`,
		"-o yaml":                `--output is text or json, not "yaml"`,
		"--timeout soon":         `invalid value "soon" for flag -timeout`,
		"--timeout 0":            "--timeout must be more than nothing, not 0s",
		"--timeout -5s":          "--timeout must be more than nothing, not -5s",
		"--library":              "flag needs an argument: -library",
		childWord:                "unexpected word",
		childWord + " a b c":     "unexpected word",
		"--library l.so -o json": "",
	} {
		var out, stderr strings.Builder
		status := run(t.Context(), strings.Fields(line), func(string) string { return "" }, &out, &stderr)
		if says == "" { // understood, and there is no such file
			if status != exitUsage || !strings.Contains(out.String(), "no such file") || stderr.String() != "" {
				t.Errorf("%q: status %d, %q, %q", line, status, out.String(), stderr.String())
			}
			continue
		}
		if status != exitUsage || out.String() != "" || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), says) {
			t.Errorf("%q: status %d, %q, %q", line, status, out.String(), stderr.String())
		}
	}
}

func TestHelp(t *testing.T) {
	var out, stderr strings.Builder
	if status := run(t.Context(), []string{"--help"}, os.Getenv, &out, &stderr); status != exitOK || out.String() != usage || stderr.String() != "" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

func TestLibraryOfTheConfiguration(t *testing.T) {
	for name, c := range map[string]struct{ conf, want, says string }{
		"named":     {conf: "Chrystoki2 = {\n  LibUNIX64 = /l/libCryptoki2_64.so;\n}\n", want: "/l/libCryptoki2_64.so"},
		"logged":    {conf: "Chrystoki2 = {\n  LibUNIX64 = /l/libcklog2.so;\n}\nCkLog2 = {\n  LibUNIX64 = /l/real.so;\n}\n", want: "/l/real.so"},
		"none":      {conf: "Luna = {\n  DefaultTimeOut = 1;\n}\n", says: "names no library (LibUNIX64)"},
		"relative":  {conf: "Chrystoki2 = {\n  LibUNIX64 = l.so;\n}\n", says: `names "l.so", which is no whole path`},
		"damaged":   {conf: "Chrystoki2 = {\n", says: "Chrystoki.conf: line"},
		"not there": {says: "there is no "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.conf != "" {
				if err := os.WriteFile(filepath.Join(dir, "Chrystoki.conf"), []byte(c.conf), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := configured(func(name string) string {
				return map[string]string{"ChrystokiConfigurationPath": dir}[name]
			})
			if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	_, err := configured(func(string) string { return "" })
	if err == nil || !strings.Contains(err.Error(), "/etc/Chrystoki.conf") {
		t.Errorf("%v", err)
	}
}
