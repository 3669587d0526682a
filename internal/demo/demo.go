// Package demo holds recorded stalls inside the binary: bundles captured from
// real clusters of the lab, the same ones that the tests replay.
package demo

import (
	"bytes"
	"embed"
	"fmt"
	"strings"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

//go:embed bundles
var bundles embed.FS

// Tour is what `unjam demo` shows without arguments: one stall of each kind
// that people meet first, and one rollout that only looks stalled.
var Tour = []string{"missing-tag", "auth-bearer-wrong-secret", "dns-servfail", "rollout-maxunavailable-zero-quota", "cpu-too-large", "liveness-fail", "rollout-paused"}

// Names lists the recordings, sorted.
func Names() []string {
	entries, _ := bundles.ReadDir("bundles") // embedded: cannot fail
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".tgz"); ok {
			out = append(out, name)
		}
	}
	return out
}

// Load decodes a recording.
func Load(name string) (*snapshot.Snapshot, error) {
	b, err := bundles.ReadFile("bundles/" + name + ".tgz")
	if err != nil {
		return nil, fmt.Errorf("there is no recording %q", name)
	}
	return snapshot.Decode(name+".tgz", bytes.NewReader(b), snapshot.Limits{})
}
