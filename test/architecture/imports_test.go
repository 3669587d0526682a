// Package architecture holds the repository to its layout: which package may
// import which, and why.
package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/unjam-dev/unjam"

// layer is one package with what it may import of this module, and why.
type layer struct {
	pkg   string
	allow []string
	// pure packages do no I/O and read no clock.
	pure bool
	why  string
}

// layers is the picture of the architecture, left to right as data flows.
var layers = []layer{
	{"internal/keyring", nil, true, "pull Secrets to credentials as the kubelet reads them, useful alone"},
	{"internal/near", nil, true, "names like the one typed, useful alone"},
	{"internal/snapshot", []string{"internal/keyring"}, true, "what was seen, as plain values; knows nothing of judging"},
	{"internal/snapshot/snaptest", []string{"internal/snapshot"}, true, "builders of small snapshots for tests"},
	{"internal/pullerror", nil, true, "error text to typed error, useful alone"},
	{"internal/fit", nil, true, "scheduling arithmetic, useful alone"},
	{"internal/pattern", nil, true, "regular expressions that are compiled when first used"},
	{"internal/facts", []string{"internal/snapshot", "internal/pullerror", "internal/fit"}, true, "reads a snapshot, with the two helpers"},
	{"internal/cause", []string{"internal/facts", "internal/snapshot", "internal/pullerror", "internal/fit", "internal/pattern", "internal/keyring", "internal/near"}, true, "sees causes in facts"},
	{"internal/verdict", []string{"internal/cause", "internal/facts", "internal/snapshot"}, true, "weighs findings"},
	{"internal/strictyaml", []string{"internal/near"}, true, "reads files that people write, each fault at its place"},
	{"internal/rules", []string{"internal/strictyaml", "internal/verdict", "internal/cause", "internal/facts", "internal/pullerror", "internal/snapshot"}, true, "users' causes, read from YAML"},
	{"internal/plan", []string{"internal/cause", "internal/facts"}, true, "fills playbooks with names"},
	{"internal/report", []string{"internal/plan", "internal/verdict", "internal/cause", "internal/facts", "internal/snapshot"}, true, "renders verdicts"},
	{"internal/paste", []string{"internal/snapshot", "internal/pullerror", "internal/fit", "internal/pattern"}, true, "text to snapshot"},
	{"internal/diagnose", []string{"internal/snapshot", "internal/facts", "internal/cause", "internal/verdict", "internal/report", "internal/paste", "internal/near", "internal/pattern"}, true, "the use case; sources come in as an interface"},
	{"internal/ruletest", []string{"internal/strictyaml", "internal/rules", "internal/cause", "internal/diagnose", "internal/report", "internal/snapshot"}, true, "users' unit tests of rules"},
	{"internal/capture", []string{"internal/snapshot"}, false, "the edge that reads the API server"},
	{"internal/probe", []string{"internal/snapshot", "internal/keyring", "internal/near"}, false, "the edge that looks at registries and the way to them"},
	{"internal/demo", []string{"internal/snapshot"}, false, "recordings inside the binary"},
	{"internal/cli", []string{"internal/snapshot", "internal/capture", "internal/cause", "internal/diagnose", "internal/report", "internal/demo", "internal/probe", "internal/rules", "internal/ruletest", "internal/strictyaml"}, false, "the only wiring"},
	{"docs/generate", []string{"internal/cause", "internal/report", "internal/rules"}, false, "writes the generated pages"},
	{"cmd/unjam", []string{"internal/cli"}, false, "nothing to test here"},
}

// impure are imports the pure middle must not have, with the reason.
var impure = map[string]string{
	"os":                 "the pure middle reads no files and no environment",
	"os/exec":            "the pure middle starts no processes",
	"net":                "the pure middle has no network",
	"net/http":           "the pure middle has no network",
	"log":                "findings are values, not log lines",
	"log/slog":           "findings are values, not log lines",
	"math/rand":          "the same snapshot gives the same verdict",
	"k8s.io/client-go":   "reading a cluster is capture's job",
	"k8s.io/cli-runtime": "flags and kubeconfigs are the command line's",
}

func TestImportsFollowTheDataFlow(t *testing.T) {
	found := map[string]bool{}
	for dir, files := range packages(t) {
		found[dir] = true
		i := slices.IndexFunc(layers, func(l layer) bool { return l.pkg == dir })
		if i < 0 {
			if dir != "test/architecture" {
				t.Errorf("%s has no layer: add it to the list with what it may import and why", dir)
			}
			continue
		}
		l := layers[i]
		for _, f := range files {
			for _, imp := range f.imports {
				own, ok := strings.CutPrefix(imp, module+"/")
				if ok && !slices.Contains(l.allow, own) {
					t.Errorf("%s imports %s; %s (%s) may import only %v", f.path, own, dir, l.why, l.allow)
				}
				for bad, why := range impure {
					if l.pure && (imp == bad || strings.HasPrefix(imp, bad+"/") && strings.Contains(bad, ".")) {
						t.Errorf("%s imports %s: %s", f.path, imp, why)
					}
				}
				if strings.HasPrefix(imp, module+"/lab") {
					t.Errorf("%s imports the lab", f.path)
				}
			}
			if l.pure && f.readsClock {
				t.Errorf("%s reads the clock: time is the snapshot's TakenAt", f.path)
			}
		}
	}
	for _, l := range layers {
		if !found[l.pkg] {
			t.Errorf("layer %s has no code any more: remove it", l.pkg)
		}
	}
}

type source struct {
	path       string
	imports    []string
	readsClock bool
}

// packages parses the non-test files of the module by folder.
func packages(t *testing.T) map[string][]source {
	t.Helper()
	root := filepath.Join("..", "..")
	out := map[string][]source{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && rel != "." || strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s := source{path: rel}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			s.imports = append(s.imports, p)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.readsClock = strings.Contains(string(text), "time.Now()") || strings.Contains(string(text), "time.Since(")
		dir := filepath.ToSlash(filepath.Dir(rel))
		out[dir] = append(out[dir], s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNoJunkDrawers(t *testing.T) {
	for dir := range packages(t) {
		for _, part := range strings.Split(dir, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc"}, part) {
				t.Errorf("%s: name the package for what it does", dir)
			}
		}
	}
}
