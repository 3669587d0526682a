package properties

import "testing"

// TestCrowd puts the workloads of all recordings into one cluster, each judged
// at the time of its own recording: every fault keeps its own cause, whatever
// else fails on the same nodes, registries and names. Two downloads that were
// recorded apart would really stand in one queue on their node, so the slow
// ones are not put together.
func TestCrowd(t *testing.T) {
	all := scenes(t)
	for _, s := range all {
		if apart(s) {
			continue
		}
		crowd := deepCopyOf(s.snap)
		crowd.Origin.Namespace = ""
		for _, other := range all {
			if other != s && !apart(other) && !(slowDownload[s.name] && slowDownload[other.name]) {
				join(crowd, other.snap)
			}
		}
		v, err := s.judge(crowd)
		if err != nil {
			t.Fatal(err)
		}
		if answer(v) != answer(s.base) {
			conf := ""
			if v.Primary != nil {
				conf = v.Primary.Confidence + " " + v.Primary.Summary
			}
			t.Errorf("%s in the crowd: %s, want %s: %s", s.name, answer(v), answer(s.base), conf)
		}
	}
}

// slowDownload are the recordings in which a download goes on.
var slowDownload = map[string]bool{"drip": true, "slow-pull-running": true, "slow-pull": true, "no-answer": true}

// apart are recordings that fit into no other cluster: fleets fill the nodes or
// lose one of them, and nodes that pull one image at a time pull no others.
func apart(s *scene) bool { return s.family == "fleet" || s.name == "serialized-pulls" }
