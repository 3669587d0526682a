package snapshot

import (
	"path"
	"slices"
	"strings"
)

// cleanPath makes a relative slash path of an archive's entry name; ok is
// false for one that points outside.
func cleanPath(name string) (string, bool) {
	p := strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(p, "/") || strings.Contains(p, "\x00") || len(p) > 1024 || slices.Contains(strings.Split(p, "/"), "..") {
		return "", false
	}
	p = path.Clean(p)
	return p, p != "." && p != ""
}

// logPlace reads where a log came from out of its path:
// logs/NS/POD/CONTAINER.log and CONTAINER.previous.log in our bundles,
// CONTAINER-previous.log in troubleshoot's, and NS/POD/logs.txt, which names
// no container, in a cluster-info dump.
func logPlace(p string) (LogTail, bool) {
	seg := strings.Split(p, "/")
	if n := len(seg); n >= 3 && seg[n-1] == "logs.txt" {
		return LogTail{Namespace: seg[n-3], Pod: seg[n-2]}, true
	}
	at := -1
	for i := len(seg) - 4; i >= 0; i-- {
		if seg[i] == "logs" && len(seg) == i+4 {
			at = i
			break
		}
	}
	if at < 0 {
		return LogTail{}, false
	}
	name, ok := strings.CutSuffix(seg[at+3], ".log")
	if !ok || name == "" {
		return LogTail{}, false
	}
	t := LogTail{Namespace: seg[at+1], Pod: seg[at+2]}
	if c, ok := strings.CutSuffix(name, ".previous"); ok {
		name, t.Previous = c, true
	} else if c, ok := strings.CutSuffix(name, "-previous"); ok {
		name, t.Previous = c, true
	}
	t.Container = name
	return t, true
}

// shortNames are directory names of troubleshoot that are no resource names.
var shortNames = map[string]string{
	"pvcs": "persistentvolumeclaims", "pvs": "persistentvolumes", "pdbs": "poddisruptionbudgets", "hpas": "horizontalpodautoscalers",
}

// hintOf is the kind a file holds by its path, for objects that do not say:
// …/pods/NS.json, …/nodes.json, NS/events.json.
func hintOf(file string) (apiVersion, kind string) {
	seg := strings.Split(strings.TrimSuffix(file, path.Ext(file)), "/")
	for i := len(seg) - 1; i >= 0 && i >= len(seg)-2; i-- {
		name := strings.ReplaceAll(strings.ToLower(seg[i]), "-", "")
		if long, ok := shortNames[name]; ok {
			name = long
		}
		for _, k := range Kinds {
			if name == k.Resource || name+"s" == k.Resource {
				return k.GroupVersion().String(), k.Kind
			}
		}
	}
	return "", ""
}
