package paste

import (
	"encoding/json"
	"strings"

	"github.com/unjam-dev/unjam/internal/pattern"
)

var (
	ansiCodes = pattern.New(`\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)`)
	quoteMark = pattern.New(`^(?:[>|│┃] ?)+`)
	// lineHeads stand before every line of a log that holds the output of a
	// command: the log of a GitHub Actions job, with job and step or without, of a
	// GitLab job (FF_TIMESTAMPS), a container's log in the format of the CRI, and
	// kubectl logs --prefix. Their one blank is taken off and no more, since the
	// indentation behind it has a meaning.
	lineHeads = []*pattern.Pattern{
		pattern.New(`^(?:[^\t\n]{1,100}\t[^\t\n]{1,100}\t)?\x{feff}?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ?(?:##\[(?:error|warning|debug|command|group)\])?`),
		pattern.New(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \d\d[OE]\+? ?`),
		pattern.New(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] `),
		pattern.New(`^\[pod/[^\]\s]+\] `),
		pattern.New(`^[a-z0-9-]+-[a-z0-9]{5} [a-z0-9-]+ (?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d) )`),
		pattern.New(`^##\[(?:error|warning|debug|command|group)\]`),
	}
	jobSection = pattern.New(`^section_(?:start|end):\d+:|^::(?:group|endgroup)::|^##\[endgroup\]`)
)

// clean takes away what terminals, mails, tickets and logs put around lines:
// colour codes, carriage returns, quote marks, heads of log lines, tabs, common
// indentation, line breaks of a narrow terminal.
func clean(text string) []string {
	text = strings.ToValidUTF8(text, "�")
	if strings.IndexByte(text, 0x1b) >= 0 {
		text = ansiCodes.ReplaceAllString(text, "")
	}
	text = newlines.Replace(text)
	var lines []string
	for _, l := range strings.SplitN(text, "\n", maxLines) {
		if len(l) > maxLine {
			l = l[:maxLine]
		}
		l, ok := bare(l)
		if ok {
			lines = append(lines, l)
		}
	}
	lines = unfold(lines)
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return dedent(lines)
}

var (
	newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ", "\u200b", "")
	tabs     = strings.NewReplacer("\t", "    ")
)

// bare is a line without what a log or a quotation puts before it; false when
// nothing of the line was printed by a command.
func bare(l string) (string, bool) {
	if strings.HasPrefix(l, `{"log":"`) {
		var docker struct {
			Log string `json:"log"`
		}
		if json.Unmarshal([]byte(l), &docker) == nil {
			l = strings.TrimRight(docker.Log, "\n")
			if before, _, more := strings.Cut(l, "\n"); more {
				l = before
			}
		}
	}
	if l != "" && (l[0] == '>' || l[0] == '|' || l[0] >= 0x80) {
		l = quoteMark.ReplaceAllString(l, "")
	}
	for _, head := range lineHeads {
		if l == "" {
			break
		}
		l = head.ReplaceAllString(l, "")
	}
	trimmed := strings.TrimSpace(l)
	if strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~") || jobSection.MatchString(trimmed) {
		return "", false
	}
	return tabs.Replace(l), true
}

// dedent takes the indentation off that all lines share.
func dedent(lines []string) []string {
	indent := -1
	for _, l := range lines {
		if n := indentOf(l); strings.TrimSpace(l) != "" && (indent < 0 || n < indent) {
			indent = n
		}
	}
	for i, l := range lines {
		if indent > 0 && len(l) >= indent {
			lines[i] = l[indent:]
		}
	}
	return lines
}

func indentOf(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }

// Widths of terminals that break lines.
const (
	leastWidth = 60
	mostWidth  = 300
)

// unfold joins lines that a terminal broke at its last column: no line is longer
// than that column, and what follows a line that fills it does not begin
// anything of its own.
func unfold(lines []string) []string {
	width, full := 0, 0
	for _, l := range lines {
		switch n := len(l); {
		case n > width:
			width, full = n, 1
		case n == width:
			full++
		}
	}
	if width < leastWidth || width > mostWidth || full < 2 && width != 80 {
		return lines
	}
	out := make([]string, 0, len(lines))
	joining := false
	for _, l := range lines {
		if joining && l != "" && !begins(l) {
			out[len(out)-1] += l
		} else {
			out = append(out, l)
		}
		joining = len(l) == width
	}
	return out
}

// begins tells a line that starts something from the rest of a broken line.
func begins(l string) bool {
	t := strings.TrimLeft(l, " ")
	return eventish(l) || podRow.MatchString(t) || beginsField.MatchString(l) || strings.HasPrefix(t, "- ") ||
		strings.HasPrefix(t, "{") || strings.HasPrefix(t, "}") || strings.HasPrefix(t, "$ ") || strings.HasPrefix(t, "time=") ||
		syslogHead.MatchString(t) || dateHead.MatchString(t) || levelHead.MatchString(t) || strings.HasPrefix(t, "----")
}

// beginsField is a field of kubectl describe or of YAML. Running text with a
// colon is none.
var beginsField = pattern.New(`^ *[A-Z][A-Za-z() -]{1,40}:(?: {2,}|$)|^ {2,}"?[a-z][A-Za-z0-9]*"?:(?: |$)|^(?:apiVersion|kind|metadata|spec|status|items):`)
