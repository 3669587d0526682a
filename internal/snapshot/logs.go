package snapshot

import (
	"bytes"
	"regexp"
	"strings"
)

// Bounds of one kept log tail.
const (
	maxLogLines = 200
	maxLogBytes = 64 << 10
)

var (
	dumpStart = regexp.MustCompile(`(?m)^==== START logs for container (\S+) of pod ([^/\s]+)/(\S+) ====\r?\n`)
	dumpEnd   = []byte("==== END logs for container ")
)

func (s *source) addLog(place LogTail, data []byte) {
	if place.Container == "" {
		s.takeDumpLogs(data)
		return
	}
	if place.Lines = TailLines(string(cleanText(data))); len(place.Lines) > 0 {
		s.logs = append(s.logs, place)
	}
}

// TailLines cuts log text into its last lines, bounded and redacted.
func TailLines(text string) []string {
	if len(text) > maxLogBytes {
		text = text[len(text)-maxLogBytes:]
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			text = text[i+1:]
		}
	}
	text = strings.TrimRight(Redact(strings.ToValidUTF8(text, "\uFFFD")), "\r\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-maxLogLines):]
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, "\r")
	}
	return lines
}

// takeDumpLogs moves the logs that `kubectl cluster-info dump` prints between
// its JSON lists into the snapshot. It returns what is left, with as many
// lines as before, so that line numbers stay true.
func (s *source) takeDumpLogs(data []byte) []byte {
	if !bytes.Contains(data, []byte("==== START logs for container ")) {
		return data
	}
	var rest []byte
	for {
		m := dumpStart.FindSubmatchIndex(data)
		if m == nil {
			return append(rest, data...)
		}
		rest = append(rest, data[:m[0]]...)
		body, end := data[m[1]:], len(data)
		if i := bytes.Index(body, dumpEnd); i >= 0 {
			end = m[1] + i
			body = body[:i]
			if j := bytes.IndexByte(data[end:], '\n'); j >= 0 {
				end += j + 1
			} else {
				end = len(data)
			}
		}
		place := LogTail{Container: string(data[m[2]:m[3]]), Namespace: string(data[m[4]:m[5]]), Pod: string(data[m[6]:m[7]])}
		if place.Lines = TailLines(string(body)); len(place.Lines) > 0 {
			s.logs = append(s.logs, place)
		}
		rest = append(rest, bytes.Repeat([]byte{'\n'}, bytes.Count(data[m[0]:end], []byte{'\n'}))...)
		data = data[end:]
	}
}
