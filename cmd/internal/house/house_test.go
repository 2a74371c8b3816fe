package house

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "ntl-setup"

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func in(path, folder string) bool {
	return path == module+"/"+folder || strings.HasPrefix(path, module+"/"+folder+"/")
}

func external(path string) bool { return strings.Contains(strings.SplitN(path, "/", 2)[0], ".") }

// Imports run one way: cmd -> steps -> orchestrator, cmd -> transport/* ->
// transport, steps -> transport.
func TestImportsRunOneWay(t *testing.T) {
	homes := map[string][]string{
		"github.com/google/goexpect": {"transport/lunash"},
		"golang.org/x/crypto/ssh":    {"transport/ssh", "fixtures"},
		"github.com/pkg/sftp":        {"transport/ssh", "fixtures"},
		"github.com/miekg/pkcs11":    {"cmd/ntl-probe"},
	}
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			if bad := wrongWay(p.ImportPath, imp); bad != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imp, bad)
			}
			for lib, allowed := range homes {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.ContainsFunc(allowed, func(f string) bool { return in(p.ImportPath, f) }) {
					t.Errorf("%s imports %s, whose home is %v", p.ImportPath, imp, allowed)
				}
			}
		}
	}
}

func wrongWay(from, to string) string {
	switch {
	case in(from, "orchestrator") && (external(to) || strings.HasPrefix(to, module) && !in(to, "orchestrator")):
		return "the engine imports the standard library alone"
	case in(from, "transport") && (in(to, "steps") || in(to, "orchestrator") || in(to, "cmd")):
		return "transport knows nothing above it"
	case in(from, "steps") && in(to, "cmd"):
		return "steps know no command"
	case in(from, "steps/chrystoki") && strings.HasPrefix(to, module), in(from, "steps/vtl") && in(to, "transport/"):
		return "it is pure"
	case in(from, "fixtures") && (in(to, "steps") || in(to, "transport/lunash") || in(to, "cmd")):
		return "the simulated site shares no code with what it tests"
	}
	return ""
}

// The simulated site never reaches the product binary.
func TestFixturesStayOutOfTheProduct(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/ntl-setup")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, module+"/steps") {
		t.Fatal("the list of dependencies lacks the steps themselves")
	}
	for _, d := range deps {
		if in(d, "fixtures") {
			t.Errorf("the product links %s", d)
		}
	}
}

// Every package opens with a page in doc.go.
func TestEveryPackageHasItsPage(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		name := filepath.Join(p.Dir, "doc.go")
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Errorf("%s: %v", p.ImportPath, err)
			continue
		}
		if f.Doc == nil || len(f.Doc.Text()) < 200 {
			t.Errorf("%s: the page in doc.go is missing or says too little", p.ImportPath)
		}
	}
}

// The top level is fixed, files stay short, and tests outweigh the code.
func TestShapeOfTheTree(t *testing.T) {
	const longest = 300
	top := []string{"cmd", "orchestrator", "steps", "transport", "fixtures", "go.mod", "go.sum", "Makefile", "README.md"}
	built := []string{"bin", "dist"}
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(top, e.Name()) && !slices.Contains(built, e.Name()) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
	code, tests := 0, 0
	for _, dir := range top[:5] {
		err := filepath.WalkDir(filepath.Join(root(t), dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".txtar") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			lines := bytes.Count(text, []byte("\n"))
			switch isTest := strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".txtar"); {
			case isTest:
				tests += lines
			case lines > longest:
				t.Errorf("%s has %d lines, more than %d", path, lines, longest)
				fallthrough
			default:
				if dir != "fixtures" { // the simulated site is test equipment
					code += lines
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d lines of code, %d of tests", code, tests)
	if tests < code {
		t.Errorf("%d lines of tests for %d of code", tests, code)
	}
}
