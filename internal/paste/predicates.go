package paste

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/unjam-dev/unjam/internal/pattern"
)

// predicates maps the names that the scheduler printed up to Kubernetes 1.8 to
// the words that it prints since (plugin/pkg/scheduler/algorithm/predicates/error.go
// then, the Reason constants of the plugins now).
var predicates = map[string]string{
	"MatchNodeSelector":       "node(s) didn't match node selector",
	"PodToleratesNodeTaints":  "node(s) had taints that the pod didn't tolerate",
	"PodFitsHostPorts":        "node(s) didn't have free ports for the requested pod ports",
	"HostName":                "node(s) didn't match the requested hostname",
	"MatchInterPodAffinity":   "node(s) didn't match pod affinity/anti-affinity",
	"NoDiskConflict":          "node(s) had no available disk",
	"NoVolumeZoneConflict":    "node(s) had no available volume zone",
	"MaxVolumeCount":          "node(s) exceed max volume count",
	"NoVolumeNodeConflict":    "node(s) had volume node affinity conflict",
	"VolumeNodeAffinity":      "node(s) had volume node affinity conflict",
	"NodeUnderMemoryPressure": "node(s) had memory pressure",
	"CheckNodeMemoryPressure": "node(s) had memory pressure",
	"NodeUnderDiskPressure":   "node(s) had disk pressure",
	"CheckNodeDiskPressure":   "node(s) had disk pressure",
	"NodeUnschedulable":       "node(s) were unschedulable",
	"NodeNotReady":            "node(s) were not ready",
	"NodeOutOfDisk":           "node(s) were out of disk space",
	"Insufficient pods":       "Too many pods",
	"Insufficient Pods":       "Too many pods",
}

var (
	predicateHead = pattern.New(`(?:No nodes are available that match all of the (?:following )?predicates:{1,2}|fit failure summary on nodes ?:) *(.*)`)
	predicateItem = pattern.New(`([A-Z][A-Za-z.:/ -]*?) \((\d+)\)`)
	predicateNode = pattern.New(`(?i)fit failure on node \([^)]*\): *([^\n]+)`)
)

// modern puts the scheduler's message of Kubernetes 1.4 to 1.8 into the words of
// today; ok is false when it is not of that time.
func modern(message string) (string, bool) {
	counts := map[string]int{}
	var order []string
	count := func(name string, n int) {
		if name = strings.TrimSpace(strings.TrimRight(name, ".")); name == "" {
			return
		}
		if word, ok := predicates[name]; ok {
			name = word
		}
		if counts[name] == 0 {
			order = append(order, name)
		}
		counts[name] += n
	}
	nodes := 0
	if m := predicateHead.FindStringSubmatch(message); m != nil {
		for _, item := range predicateItem.FindAllStringSubmatch(m[1], 50) {
			n, _ := strconv.Atoi(item[2])
			count(item[1], n)
			nodes += n
		}
	} else {
		for _, m := range predicateNode.FindAllStringSubmatch(message, 5000) {
			nodes++
			for name := range strings.SplitSeq(m[1], ", ") {
				count(name, 1)
			}
		}
	}
	if len(order) == 0 || len(order) > 50 {
		return message, false
	}
	var parts []string
	for _, name := range order {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	return fmt.Sprintf("0/%d nodes are available: %s.", nodes, strings.Join(parts, ", ")), true
}
