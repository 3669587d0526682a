package cause

import (
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Limits on what is read and quoted of a log.
const (
	maxLogLines = 60
	maxLogLine  = 4096
	maxQuote    = 240
)

// telling marks a log line that says what went wrong.
var telling = pattern.New(`(?i)\b(?:panic|fatal|error|exception|cannot|can't|could not|unable|failed|failure|refused|denied|forbidden|no such|not found|unknown|invalid|usage)\b`)

// noise marks lines that follow a failure and say nothing of it.
var noise = pattern.New(`^(?:\s|goroutine \d|created by |exit status \d|\.\.\. \d+ more|npm (?:ERR!|error) A complete log)`)

// logEnd is the end of a container's log, clipped for safety.
func logEnd(c *facts.Container) []string {
	lines := c.LogTail[max(0, len(c.LogTail)-maxLogLines):]
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		l = strings.TrimRight(l[:min(len(l), maxLogLine)], " \t\r\n")
		if l != "" {
			out = append(out, l)
		}
	}
	return out
}

// lastLine is the last log line that says something about the end: the last
// telling one, else the last that is not noise.
func lastLine(c *facts.Container) string {
	lines := logEnd(c)
	fallback := ""
	for i := len(lines) - 1; i >= 0; i-- {
		if noise.MatchString(lines[i]) {
			continue
		}
		if telling.MatchString(lines[i]) {
			return lines[i]
		}
		if fallback == "" {
			fallback = lines[i]
		}
	}
	return fallback
}

// findLine returns the last log line that matches.
func findLine(c *facts.Container, re *pattern.Pattern) (line string, groups []string) {
	lines := logEnd(c)
	for i := len(lines) - 1; i >= 0; i-- {
		if m := re.FindStringSubmatch(lines[i]); m != nil {
			return lines[i], m
		}
	}
	return "", nil
}

// quote is text shortened and redacted for a sentence.
func quote(text string) string {
	text = text[:min(len(text), 2*maxLogLine)]
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	text = snapshot.Redact(text)
	if r := []rune(text); len(r) > maxQuote {
		text = string(r[:maxQuote]) + "…"
	}
	return text
}

// logProof is a log line as evidence.
func logProof(c *facts.Container, text, line string) Evidence {
	r := c.Pod.Receipt("log/"+c.Name, quote(line), logTime(c))
	return Evidence{Text: text, Receipt: r}
}

// fieldProof is a field of a pod as evidence.
func fieldProof(p *facts.Pod, text, field, value string) Evidence {
	return Evidence{Text: text, Receipt: p.Receipt(field, quote(value), podStart(p))}
}

// eventProof is an event as evidence.
func eventProof(text string, e *facts.Event) Evidence {
	r := e.Receipt()
	r.Text = quote(r.Text)
	return Evidence{Text: text, Receipt: r}
}

// logTime is when the quoted log ended.
func logTime(c *facts.Container) (t time.Time) {
	if d := c.LastDeath(); d != nil {
		t = d.Finished
	}
	return t
}
