package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Scenario is one directory test/scenarios/FAMILY/NAME. Its namespace has its name.
type Scenario struct {
	Name, Family, Dir string
	Expect            Expect
}

// Load reads the scenarios below root that can be played, sorted by name. It
// checks written ones, too, and leaves them out.
func Load(root string) ([]Scenario, error) {
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "expect.yaml"))
	if err != nil {
		return nil, err
	}
	var out []Scenario
	for _, file := range files {
		dir := filepath.Dir(file)
		s := Scenario{Name: filepath.Base(dir), Family: filepath.Base(filepath.Dir(dir)), Dir: dir}
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalStrict(b, &s.Expect); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := s.validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no scenario below %s", root)
	}
	slices.SortFunc(out, func(a, b Scenario) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(out); i++ {
		if out[i].Name == out[i-1].Name {
			return nil, fmt.Errorf("two scenarios are called %s", out[i].Name)
		}
	}
	return slices.DeleteFunc(out, func(s Scenario) bool { return s.Expect.Written }), nil
}

func (s Scenario) validate() error {
	if err := s.Expect.validate(); err != nil {
		return err
	}
	files := []string{"manifest.yaml"}
	if s.Expect.Written {
		files = []string{"objects.yaml"}
	}
	for _, a := range slices.Concat(s.Expect.Setup, s.Expect.During) {
		if a.Apply != "" {
			files = append(files, a.Apply)
		}
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(s.Dir, f)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is missing", f)
		}
	}
	return nil
}

// Vars fill ${NAME} in manifests.
type Vars map[string]string

// Objects reads a file of the scenario and fills its variables.
func (s Scenario) Objects(file string, vars Vars) ([]*unstructured.Unstructured, error) {
	b, err := os.ReadFile(filepath.Join(s.Dir, file))
	if err != nil {
		return nil, err
	}
	text := string(b)
	for k, v := range vars {
		text = strings.ReplaceAll(text, "${"+k+"}", v)
	}
	if i := strings.Index(text, "${"); i >= 0 {
		return nil, fmt.Errorf("%s: nothing fills %.20q", file, text[i:])
	}
	var out []*unstructured.Unstructured
	r := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text)), 4096)
	for {
		u := &unstructured.Unstructured{}
		if err := r.Decode(u); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(u.Object) > 0 {
			out = append(out, u)
		}
	}
}

func splitWorkload(w string) (kind, name string, err error) {
	kind, name, ok := strings.Cut(w, "/")
	if !ok || kind == "" || name == "" {
		return "", "", fmt.Errorf("workload %q is not kind/name", w)
	}
	return kind, name, nil
}
