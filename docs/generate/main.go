// Command generate writes the pages that follow from code: docs/causes and
// docs/exit-codes.md. Run it from the repository's root with `make docs`.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/rules"
)

func main() {
	if err := run("docs"); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	pages, err := Pages()
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "causes", "*.md"))
	if err != nil {
		return err
	}
	for _, f := range old {
		name := filepath.ToSlash(filepath.Join("causes", filepath.Base(f)))
		if _, ok := pages[name]; !ok && filepath.Base(f) != "not-covered.md" {
			if err := os.Remove(f); err != nil {
				return err
			}
		}
	}
	for name, text := range pages {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Pages renders every generated page, by its path under docs.
func Pages() (map[string][]byte, error) {
	out := map[string][]byte{}
	render := func(name string, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		out[name] = b.Bytes()
		return nil
	}
	for c := range cause.BuiltIn.All() {
		if err := render("causes/"+c.Code+".md", func(w io.Writer) error { return report.WriteCausePage(w, *c) }); err != nil {
			return nil, err
		}
	}
	entries, err := report.Entries(cause.BuiltIn, "")
	if err != nil {
		return nil, err
	}
	if err := render("causes/README.md", func(w io.Writer) error { return report.WriteEntriesMarkdown(w, entries) }); err != nil {
		return nil, err
	}
	if err := render("rules/variables.md", rules.NewReference().WriteMarkdown); err != nil {
		return nil, err
	}
	return out, render("exit-codes.md", report.WriteExitCodes)
}
