package fit

import (
	"regexp"
	"strconv"
	"strings"
)

// FitError is the scheduler's message about one pod, taken apart
// (pkg/scheduler/framework/types.go, FitError.Error).
type FitError struct {
	// Nodes is N of "0/N nodes are available".
	Nodes int
	// PreFilter is the message that applies to all nodes, where there is one.
	PreFilter string
	// Reasons are the per-node reasons with their node counts, as printed.
	Reasons []Reason
	// Preemption is the clause after "preemption:", empty when absent. It is
	// never a second cause.
	Preemption string
	// Cut is true when the text was cut short, as events are at 1024 characters.
	Cut bool
}

// Reason is one per-node reason of a FitError.
type Reason struct {
	Count int
	Text  string
}

var fitHead = regexp.MustCompile(`^(\d+)/(\d+) nodes are available(?::|\.|$) ?`)

// postFilterNoise are texts that PostFilter plugins append to every message:
// dynamic resources from 1.26 to 1.36, and a lookup error of preemption when a
// PreFilter plugin already refused the pod.
var postFilterNoise = []string{"no new claims to deallocate", "still not schedulable", "not found"}

// ParseFitError reads a FailedScheduling message; ok is false when it is not
// of the "0/N nodes" form.
func ParseFitError(message string) (e FitError, ok bool) {
	m := fitHead.FindStringSubmatchIndex(message)
	if m == nil {
		return FitError{}, false
	}
	n, err := strconv.Atoi(message[m[4]:m[5]])
	if err != nil {
		return FitError{}, false
	}
	e.Nodes = n
	body := strings.TrimSpace(message[m[1]:])
	if cut, found := strings.CutSuffix(body, " ..."); found {
		body, e.Cut = cut, true
	}
	body, e.Preemption = splitPreemption(body)
	body = trimNoise(body)
	if body == "" {
		return e, true
	}
	if count, _, ok := leadingCount(body); !ok || count < 0 {
		e.PreFilter = body
		return e, true
	}
	e.Reasons = splitReasons(body)
	return e, true
}

// splitPreemption cuts the clause that begins at "preemption: ".
func splitPreemption(body string) (rest, clause string) {
	const mark = "preemption: "
	if strings.HasPrefix(body, mark) {
		return "", body[len(mark):]
	}
	i := strings.Index(body, " "+mark)
	if i < 0 {
		return body, ""
	}
	return body[:i], body[i+1+len(mark):]
}

// trimNoise drops the dot that ends the reasons and what PostFilter plugins
// wrote after it.
func trimNoise(body string) string {
	for {
		body = strings.TrimRight(body, " ,")
		trimmed := body
		for _, noise := range postFilterNoise {
			if rest, found := strings.CutSuffix(strings.TrimSuffix(body, "."), noise); found && (rest == "" || strings.HasSuffix(rest, ". ") || strings.HasSuffix(rest, ", ")) {
				trimmed = rest
				break
			}
		}
		if trimmed == body {
			return strings.TrimSuffix(body, ".")
		}
		body = trimmed
	}
}

// splitReasons cuts "1 a, 2 b" at each comma that a count follows. Old taint
// texts hold a comma themselves, but no count after it.
func splitReasons(body string) []Reason {
	var out []Reason
	for body != "" {
		count, text, ok := leadingCount(body)
		if !ok {
			break
		}
		end := nextReason(text)
		rest := ""
		if end < len(text) {
			text, rest = text[:end], text[end+2:]
		}
		out = append(out, Reason{Count: count, Text: strings.TrimSuffix(strings.TrimSpace(text), ".")})
		body = rest
	}
	return out
}

// nextReason returns where the next ", <count> <text>" begins in s.
func nextReason(s string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], ", ")
		if i < 0 {
			return len(s)
		}
		i += from
		// "minCount (3) cannot be satisfied: 2 scheduled, 1 remaining" is one reason.
		if _, text, ok := leadingCount(s[i+2:]); ok && !strings.HasPrefix(text, "remaining") {
			return i
		}
		from = i + 2
	}
}

// leadingCount reads "3 text". It looks at a few characters only.
func leadingCount(s string) (int, string, bool) {
	i := 0
	for i < len(s) && i < 8 && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 || i >= len(s) || s[i] != ' ' {
		return 0, "", false
	}
	n, err := strconv.Atoi(s[:i])
	return n, s[i+1:], err == nil
}
