package pattern_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/unjam-dev/unjam/internal/pattern"
)

// TestAllCompile compiles the text of every pattern.New of the module, since
// text that is wrong would show itself only when the pattern is first used. The
// text must be a literal, a constant of the file, or several of them joined by "+".
func TestAllCompile(t *testing.T) {
	calls := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !isNew(call) {
				return true
			}
			calls++
			text, ok := literal(call.Args[0], constants(file))
			if !ok {
				t.Errorf("%s: the text of the pattern is no literal", files.Position(call.Pos()))
			} else if _, err := regexp.Compile(text); err != nil {
				t.Errorf("%s: %v", files.Position(call.Pos()), err)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls == 0 {
		t.Error("no pattern found")
	}
}

func isNew(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "New" || len(call.Args) != 1 {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "pattern"
}

// constants are the strings that constants of a file stand for.
func constants(file *ast.File) map[string]ast.Expr {
	out := map[string]ast.Expr{}
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
			for _, spec := range g.Specs {
				if v := spec.(*ast.ValueSpec); len(v.Names) == 1 && len(v.Values) == 1 {
					out[v.Names[0].Name] = v.Values[0]
				}
			}
		}
	}
	return out
}

func literal(e ast.Expr, constants map[string]ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		if value, ok := constants[e.Name].(*ast.BasicLit); ok {
			return literal(value, nil)
		}
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		x, okX := literal(e.X, constants)
		y, okY := literal(e.Y, constants)
		return x + y, okX && okY && e.Op == token.ADD
	}
	return "", false
}

// TestUseByMany holds that a pattern serves goroutines that meet at its first use.
func TestUseByMany(t *testing.T) {
	p := pattern.New(`(\d+) pods`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if m := p.FindStringSubmatch("12 pods"); m == nil || m[1] != "12" {
				t.Errorf("match %q", m)
			}
		})
	}
	wg.Wait()
	if p.MatchString("no pods") || p.ReplaceAllString("3 pods", "$1") != "3" {
		t.Error("wrong match")
	}
}
