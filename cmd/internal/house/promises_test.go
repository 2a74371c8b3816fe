package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// heading begins the README's section of promises.
const heading = "## What it promises\n"

// named are the tests that a promise names: `TestX`, `TestY` (package/path).
var (
	named   = regexp.MustCompile("((?:`(?:Test|Fuzz)[A-Za-z0-9]+`(?:, )?)+) \\(([a-z/-]+)\\)")
	anyTest = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
)

// Every promise of the README names the tests that hold it, and they exist.
func TestEveryPromiseHasItsTest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), heading)
	if !found {
		t.Fatal("the README has no section of promises")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	declared := map[string][]string{}
	promises := 0
	for _, promise := range strings.Split(section, "\n- ")[1:] {
		promises++
		promise, _, _ = strings.Cut(promise, "\n\n")
		promise = strings.Join(strings.Fields(promise), " ")
		tests := 0
		for _, m := range named.FindAllStringSubmatch(promise, -1) {
			for _, test := range anyTest.FindAllStringSubmatch(m[1], -1) {
				tests++
				if !slices.Contains(testsOf(t, declared, m[2]), test[1]) {
					t.Errorf("there is no %s in %s: %.60s…", test[1], m[2], promise)
				}
			}
		}
		if all := len(anyTest.FindAllString(promise, -1)); tests == 0 || tests != all {
			t.Errorf("%d tests are named, %d of them with their package: %.60s…", all, tests, promise)
		}
	}
	if promises < 15 {
		t.Errorf("only %d promises were found", promises)
	}
}

// testsOf are the test and fuzz functions of a package.
func testsOf(t *testing.T, known map[string][]string, dir string) []string {
	t.Helper()
	if tests, ok := known[dir]; ok {
		return tests
	}
	files, err := filepath.Glob(filepath.Join(root(t), filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	known[dir] = []string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				known[dir] = append(known[dir], fn.Name.Name)
			}
		}
	}
	return known[dir]
}

// writers are the functions of the standard library that make or change a file
// of this machine.
func writers() []string {
	return []string{
		"Create", "CreateTemp", "OpenFile", "OpenInRoot", "OpenRoot", "WriteFile", "Mkdir", "MkdirAll", "MkdirTemp", "Rename", "Link", "Symlink",
		"Remove", "RemoveAll", "Truncate", "Chmod", "Chown", "Lchown", "Chtimes", "CopyFS",
	}
}

// The product writes to files of this machine in few places, none of which can
// take a name that a remote machine told: known_hosts, the journal and the
// transcript, a saved plan and a collection are named by the user or by the run's own time.
func TestLocalFilesAreWrittenInFewPlaces(t *testing.T) {
	allowed := []string{"transport/ssh/known.go", "orchestrator/journal/", "transport/transcript/log.go", "cmd/ntl-setup/collect.go", "cmd/ntl-setup/saved.go", "cmd/internal/ui/tty_"}
	checked := 0
	for _, p := range packages(t) {
		if in(p.ImportPath, "fixtures") || in(p.ImportPath, "cmd/ntl-lab") {
			continue
		}
		for _, name := range p.GoFiles {
			path := filepath.ToSlash(strings.TrimPrefix(filepath.Join(p.Dir, name), root(t)+string(filepath.Separator)))
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			checked++
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, ok := call.X.(*ast.Ident)
				if ok && (pkg.Name == "os" || pkg.Name == "ioutil") && slices.Contains(writers(), call.Sel.Name) &&
					!slices.ContainsFunc(allowed, func(a string) bool { return strings.HasPrefix(path, a) }) {
					t.Errorf("%s calls %s.%s", path, pkg.Name, call.Sel.Name)
				}
				return true
			})
		}
	}
	if checked < 50 {
		t.Errorf("only %d files were looked at", checked)
	}
}
