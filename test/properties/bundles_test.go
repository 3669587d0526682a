// Package properties holds what must stay true of every verdict however the
// evidence is ordered, cut, aged or worded. The evidence is the recorded
// bundles of test/scenarios, seen on real clusters.
package properties

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/diagnose"
	"github.com/unjam-dev/unjam/internal/report"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// scene is one recorded bundle, decoded, with what it is about.
type scene struct {
	family, name string
	want         expect
	snap         *snapshot.Snapshot
	// base is the verdict on the bundle as it was recorded.
	base report.Verdict
}

// expect is the part of expect.yaml that the properties start from.
type expect struct {
	State      string   `json:"state"`
	Cause      string   `json:"cause"`
	Acceptable []string `json:"acceptable"`
	Rivals     []string `json:"rivals"`
	Workload   string   `json:"workload"`
}

var load = sync.OnceValues(func() ([]*scene, error) {
	files, err := filepath.Glob("../scenarios/*/*/bundle.tgz")
	if err != nil {
		return nil, err
	}
	var out []*scene
	for _, file := range files {
		dir := filepath.Dir(file)
		s := &scene{family: filepath.Base(filepath.Dir(dir)), name: filepath.Base(dir)}
		text, err := os.ReadFile(filepath.Join(dir, "expect.yaml"))
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(text, &s.want); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if s.snap, err = snapshot.Decode("bundle.tgz", bytes.NewReader(b), snapshot.Limits{}); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		if s.base, err = s.judge(s.snap); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		out = append(out, s)
	}
	return out, nil
})

// scenes are all recorded bundles.
func scenes(t *testing.T) []*scene {
	t.Helper()
	all, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 150 {
		t.Fatalf("only %d recorded bundles", len(all))
	}
	return all
}

// sceneOf is one recorded bundle by name.
func sceneOf(t *testing.T, name string) *scene {
	t.Helper()
	all := scenes(t)
	i := slices.IndexFunc(all, func(s *scene) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("no recorded bundle %q", name)
	}
	return all[i]
}

// judge judges the scene's own workload in another snapshot.
func (s *scene) judge(snap *snapshot.Snapshot) (report.Verdict, error) {
	r, err := s.report(snap)
	if err != nil {
		return report.Verdict{}, err
	}
	return r.Verdicts[0], nil
}

func (s *scene) report(snap *snapshot.Snapshot) (*report.Report, error) {
	return s.reportBy(cause.BuiltIn, snap)
}

// reportBy is the report by the causes of a set.
func (s *scene) reportBy(causes cause.Set, snap *snapshot.Snapshot) (*report.Report, error) {
	targets, err := diagnose.ParseTargets([]string{s.want.Workload})
	if err != nil {
		return nil, err
	}
	return diagnose.Judge(causes, snap, diagnose.Scope{Namespace: s.name, Targets: targets})
}

// text is the report on a snapshot as a terminal without colours shows it.
func (s *scene) text(t *testing.T, snap *snapshot.Snapshot) string {
	t.Helper()
	r, err := s.report(snap)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.WriteText(&b, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return ansi.ReplaceAllString(b.String(), "")
}

// answer is what of a verdict must not change: its state and its causes.
func answer(v report.Verdict) string {
	var beside []string
	for _, f := range v.Contributing {
		beside = append(beside, f.Cause)
	}
	return fmt.Sprintf("%s %s %v", v.State, primary(v), beside)
}

func primary(v report.Verdict) string {
	if v.Primary == nil {
		return "-"
	}
	return v.Primary.Cause
}

func certain(v report.Verdict) bool { return v.Primary != nil && v.Primary.Confidence == "certain" }

// allows reports whether the verdict leaves a cause open: as its primary, a
// contributing or explained finding, or a rival of one.
func allows(v report.Verdict, code string) bool {
	all := slices.Concat(v.Contributing, v.Explained)
	if v.Primary != nil {
		all = append(all, *v.Primary)
	}
	return slices.ContainsFunc(all, func(f report.Finding) bool {
		return f.Cause == code || slices.ContainsFunc(f.Rivals, func(r report.Rival) bool { return r.Cause == code })
	})
}
