package cli

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unjam-dev/unjam/internal/capture"
	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/rules"
)

func addRulesFlag(cmd *cobra.Command, to *[]string, more string) {
	cmd.Flags().StringArrayVar(to, "rules", nil, "add your own causes from a file or directory of rules"+more+" (repeatable)")
}

// readRules are the built-in causes with the rules of all sources beside them.
// flags choose the cluster for ConfigMaps; nil where no cluster is asked.
func readRules(ctx context.Context, sources []string, flags *kubeFlags) (cause.Set, error) {
	if len(sources) == 0 {
		return cause.BuiltIn, nil
	}
	files, err := ruleFiles(ctx, sources, flags)
	if err != nil {
		return cause.Set{}, err
	}
	own, err := rules.Load(cause.BuiltIn, files...)
	if err != nil {
		return cause.Set{}, err
	}
	return own.Extend(cause.BuiltIn)
}

func ruleFiles(ctx context.Context, sources []string, flags *kubeFlags) ([]rules.File, error) {
	var out []rules.File
	for _, s := range sources {
		if ref, ok := strings.CutPrefix(s, "configmap:"); ok {
			files, err := configMapRules(ctx, ref, flags)
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
			continue
		}
		paths, err := yamlFiles(s, func(name string) bool { return !isTestFile(name) })
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, usagef("there are no rules in %q: no file there ends in .yaml or .yml", s)
		}
		for _, p := range paths {
			data, err := readSmall(p, rules.MaxFile)
			if err != nil {
				return nil, err
			}
			out = append(out, rules.File{Name: p, Data: data})
		}
	}
	return out, nil
}

// configMapRules reads every key of a ConfigMap that ends in .yaml or .yml.
func configMapRules(ctx context.Context, ref string, flags *kubeFlags) ([]rules.File, error) {
	namespace, name, ok := strings.Cut(ref, "/")
	switch {
	case !ok || namespace == "" || name == "" || strings.Contains(name, "/"):
		return nil, usagef("--rules configmap:%s: write configmap:NAMESPACE/NAME", ref)
	case flags == nil:
		return nil, usagef("--rules configmap:%s needs a cluster; only why reads one, here give a file", ref)
	}
	cfg, err := flags.rest()
	if err != nil {
		return nil, err
	}
	data, err := capture.ConfigMapFiles(ctx, cfg, namespace, name)
	if err != nil {
		return nil, err
	}
	var out []rules.File
	for _, f := range data {
		if isYAML(f.Name) && !isTestFile(f.Name) {
			out = append(out, rules.File{Name: "configmap:" + ref + "/" + f.Name, Data: []byte(f.Text)})
		}
	}
	if len(out) == 0 {
		return nil, usagef("ConfigMap %s holds no rules: no key ends in .yaml or .yml", ref)
	}
	return out, nil
}

func isYAML(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// isTestFile tells the unit tests of rules, which stand beside them.
func isTestFile(name string) bool {
	return strings.HasSuffix(strings.TrimSuffix(name, filepath.Ext(name)), "_test")
}

// yamlFiles are the YAML files at a path that is a file or a directory, in the
// order of their names. A file named outright is taken whatever its name.
func yamlFiles(path string, wanted func(name string) bool) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var out []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fileError(p, err)
		}
		if d.Type().IsRegular() && isYAML(p) && wanted(p) {
			out = append(out, p)
		}
		if len(out) > maxRuleFiles {
			return usagef("%q holds more than %d files: name the directory that holds the rules", path, maxRuleFiles)
		}
		return nil
	})
	return out, err
}

const maxRuleFiles = 1000

// readSmall reads a file of rules; one byte past the limit is enough to refuse it.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fileError(path, err)
	}
	return data, nil
}
