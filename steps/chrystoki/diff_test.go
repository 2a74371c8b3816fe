package chrystoki

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	tests := []struct{ name, have, want, diff string }{
		{"same", "a\nb\n", "a\nb\n", ""},
		{"both empty", "", "", ""},
		{"from nothing", "", "a\n", "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n"},
		{"to nothing", "a\nb\n", "", "--- f\n+++ f\n@@ -1,2 +0,0 @@\n-a\n-b\n"},
		{"one line of many", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nV\n6\n7\n8\n9\n", "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+V\n 6\n 7\n 8\n"},
		{"two hunks", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "I\n2\n3\n4\n5\n6\n7\n8\nIX\n", "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-1\n+I\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+IX\n"},
		{"contexts touch", "1\n2\n3\n4\n5\n6\n7\n8\n", "I\n2\n3\n4\n5\n6\n7\nVIII\n", "--- f\n+++ f\n@@ -1,8 +1,8 @@\n-1\n+I\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+VIII\n"},
		{"line end lost", "a\nb\n", "a\nb", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+b\n\\ No newline at end of file\n"},
		{"line end gained", "a", "a\n", "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{"no line end as context", "a\nb", "c\nb", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n-a\n+c\n b\n\\ No newline at end of file\n"},
		{"carriage return", "a\r\n", "a\n", "--- f\n+++ f\n@@ -1 +1 @@\n-a\r\n+a\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.diff, Diff("f", []byte(tt.have), []byte(tt.want))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiffHidesSecrets(t *testing.T) {
	have := sample(t, "cloud-secret")
	f := mustParse(t, string(have))
	for _, change := range []func() error{
		func() error { return f.Set("REST", "RestClient", "0") }, // the secret is context
		func() error { return f.Set("REST", "AuthTokenClientSecret", "canary-other") },
		func() error { return f.Set("REST", "SSLPassword", "canary-third") },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		got := Diff("Chrystoki.conf", have, f.Bytes())
		if strings.Contains(got, "canary") || !strings.Contains(got, "AuthTokenClientSecret = (not shown);\n") {
			t.Errorf("the diff shows a secret, or hides where one is:\n%s", got)
		}
	}
}

func TestMask(t *testing.T) {
	tests := []struct{ line, want string }{
		{"   AuthTokenClientSecret = canary;", "   AuthTokenClientSecret = (not shown);"},
		{"PASSWORD=canary", "PASSWORD= (not shown);"},
		{" a = 1; xPassWd = canary; b = 2;\r", " a = 1; xPassWd = (not shown); b = 2;\r"},
		{"# old password: canary", " (not shown)"},
		{"Secret canary", " (not shown)"},
		{"  ServerCAFile = /run/secrets/luna/CAFile.pem;", "  ServerCAFile = /run/secrets/luna/CAFile.pem;"},
		{"  NetClient = 1;", "  NetClient = 1;"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := mask(tt.line); got != tt.want {
			t.Errorf("mask(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}

// sampleEdits are texts before and after: each sample with more and more of its
// values changed, and with another server.
func sampleEdits(t *testing.T) map[string][2]string {
	t.Helper()
	out := map[string][2]string{}
	for name, data := range samples(t, false) {
		if name == "cloud-secret" {
			continue // a masked diff cannot be applied
		}
		f := mustParse(t, string(data))
		for i, e := range f.Entries() {
			if err := f.Set(e.Section, e.Key, fmt.Sprint("v", i)); err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%s-%d", name, i)] = [2]string{string(data), string(f.Bytes())}
		}
		if err := f.AddServer("hsm-new", 1792); err != nil {
			t.Fatal(err)
		}
		out[name+"-server"] = [2]string{string(data), string(f.Bytes())}
	}
	out["all-gone"] = [2]string{string(sample(t, "gaps")), ""}
	out["shuffled"] = [2]string{"a\nb\nc\nd\ne\nf\ng\n", "c\na\nb\ng\nd\nx\nf\n"}
	return out
}

// TestDiffAgainstRealTools applies each diff with patch(1), and compares its
// length with that of diff(1), which is minimal.
func TestDiffAgainstRealTools(t *testing.T) {
	for name, pair := range sampleEdits(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			have, want := filepath.Join(dir, "have"), filepath.Join(dir, "want")
			write(t, have, pair[0])
			write(t, want, pair[1])
			own := Diff("have", []byte(pair[0]), []byte(pair[1]))
			theirs := run(t, 1, "", "diff", "-u", "--minimal", have, want)
			if strings.Count(own, "\n") != strings.Count(theirs, "\n") {
				t.Errorf("not minimal, own:\n%s\ndiff -u:\n%s", own, theirs)
			}
			run(t, 0, own, "patch", "--binary", "--fuzz=0", "--quiet", have)
			got, err := os.ReadFile(have) //nolint:gosec // in t.TempDir
			if err != nil && !(pair[1] == "" && errors.Is(err, os.ErrNotExist)) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(pair[1], string(got)); diff != "" {
				t.Errorf("patched (-want +got):\n%s", diff)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a tool that has to end with a status.
func run(t *testing.T, status int, stdin, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: install the packages diffutils and patch", err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("%s ended with %d: %s", name, got, out)
	}
	return string(out)
}

func TestDiffOfHugeTextsIsBounded(t *testing.T) {
	var have, want strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&have, "a%d\n", i)
		fmt.Fprintf(&want, "b%d\n", i)
	}
	got := Diff("f", []byte("x\n"+have.String()+"y\n"), []byte("x\n"+want.String()+"y\n"))
	if head := "--- f\n+++ f\n@@ -1,5002 +1,5002 @@\n x\n-a0\n"; !strings.HasPrefix(got, head) {
		t.Errorf("begins %.80q", got)
	}
	if n := strings.Count(got, "\n"); n != 10005 {
		t.Errorf("%d lines", n)
	}
}
