package snapshot

import (
	"bytes"
	"time"
)

// timeFields are the fields in which the API server, the kubelet or a
// controller writes the moment something happened. Moments still to come
// (deletionTimestamp, notAfter) are not among them.
var timeFields = map[string]bool{
	"creationTimestamp": true, "firstTimestamp": true, "lastTimestamp": true, "eventTime": true, "lastObservedTime": true,
	"lastTransitionTime": true, "lastUpdateTime": true, "lastHeartbeatTime": true, "lastProbeTime": true,
	"startTime": true, "completionTime": true, "startedAt": true, "finishedAt": true, "acquireTime": true, "renewTime": true,
	"lastScaleTime": true, "deprecatedFirstTimestamp": true, "deprecatedLastTimestamp": true,
}

// noteTimes keeps the newest value of a time field in a valid JSON document.
// It looks at keys and their string values only, so a time inside a message or
// inside JSON quoted in an annotation does not count.
func (s *source) noteTimes(raw []byte) {
	var key []byte
	for i := 0; i < len(raw); {
		open := bytes.IndexByte(raw[i:], '"')
		if open < 0 {
			return
		}
		start := i + open + 1
		end := start
		for end < len(raw) && raw[end] != '"' {
			if raw[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(raw) {
			return
		}
		text := raw[start:end]
		i = end + 1
		next := i
		for next < len(raw) && (raw[next] == ' ' || raw[next] == '\n' || raw[next] == '\t' || raw[next] == '\r') {
			next++
		}
		if next < len(raw) && raw[next] == ':' {
			key = text
			i = next + 1
			continue
		}
		if len(text) >= 20 && len(text) <= 40 && key != nil && timeFields[string(key)] {
			if t, err := time.Parse(time.RFC3339Nano, string(text)); err == nil && t.After(s.newest) {
				s.newest = t
			}
		}
		key = nil
	}
}
