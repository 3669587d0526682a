package properties

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// TestOlderRuntime judges recordings of the same faults under containerd
// 1.6.20, made by hand with kubectl: pods, events, Deployment and ReplicaSet,
// nothing else. The true cause is named or kept
// open as a rival, and no other one is certain.
func TestOlderRuntime(t *testing.T) {
	files, err := filepath.Glob("testdata/containerd-1.6.20/*.tgz")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	named, open, silent := 0, 0, 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".tgz")
		s := sceneOf(t, name)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		snap, err := snapshot.Decode(name, bytes.NewReader(b), snapshot.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v, err := s.judge(snap)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		right := append([]string{s.want.Cause}, s.want.Acceptable...)
		switch {
		case v.Primary == nil:
			// The old runtime hangs without a word where the new one gives up.
			silent++
			if v.State != s.want.State && name != "no-answer" {
				t.Errorf("%s: %s, want %s (%s)", name, v.State, s.want.State, s.want.Cause)
			}
		case slices.Contains(right, primary(v)):
			named++
		case allows(v, s.want.Cause) && !certain(v):
			open++
			t.Logf("%s: %s, with %s as a rival", name, primary(v), s.want.Cause)
		default:
			t.Errorf("%s: %s (%s), want %s", name, answer(v), v.Primary.Confidence, s.want.Cause)
		}
	}
	t.Logf("%d recordings: %d name the cause, %d keep it open, %d have none to name", len(files), named, open, silent)
}
