package paste

import (
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/unjam-dev/unjam/internal/pattern"
)

// yamlField is a line of a piece of YAML or indented JSON that carries words.
var yamlField = pattern.New(`^( *)(?:- )?"?(message|note|reason|Message|Reason)"?: +(.*)$`)

// yamlText reads a field of words from a piece of YAML that has no apiVersion
// and so is no object: its value may go on in deeper indented lines. It returns
// the number of lines used, 0 when the line is no such field.
func yamlText(lines []string) (value string, used int) {
	m := yamlField.FindStringSubmatch(lines[0])
	if m == nil {
		return "", 0
	}
	value = strings.TrimSuffix(strings.TrimSpace(m[3]), ",")
	used = 1
	for used < len(lines) && used < 40 && indentOf(lines[used]) > len(m[1]) && strings.TrimSpace(lines[used]) != "" && !yamlKey.MatchString(lines[used]) {
		value += " " + strings.TrimSpace(lines[used])
		used++
	}
	value = strings.TrimSpace(strings.TrimLeft(value, "|>-"))
	if n := len(value); n >= 2 && value[0] == '\'' && value[n-1] == '\'' {
		return strings.ReplaceAll(value[1:n-1], "''", "'"), used
	}
	return unquote(value), used
}

var yamlKey = pattern.New(`^ *(?:- )?"?[A-Za-z][A-Za-z0-9]*"?:(?: |$)`)

// partStart begins a part of a pod in YAML or indented JSON.
var partStart = pattern.New(`^ *(?:- )?"?(?:status|containerStatuses|initContainerStatuses|state|lastState|waiting|terminated|conditions)"?: *[\[{]?$|^ *- (?:containerID|image): \S+$`)

// fragment reads a part of a pod that stands without the rest, and returns the
// number of lines used, 0 when the lines are none.
func (d *draft) fragment(lines []string) int {
	if d.parts >= maxParts || !partStart.MatchString(lines[0]) {
		return 0
	}
	d.parts++
	indent := indentOf(lines[0])
	end := 1
	for end < len(lines) && end < 2000 && (strings.TrimSpace(lines[end]) == "" || indentOf(lines[end]) >= indent) {
		end++
	}
	block := make([]string, end)
	for i, l := range lines[:end] {
		block[i] = l[min(indent, len(l)):]
	}
	text := strings.Join(block, "\n")
	if strings.HasPrefix(text, `"`) {
		text = mendJSON("{" + text)
	}
	for range 6 {
		var part any
		if yaml.Unmarshal([]byte(text), &part) == nil {
			if pod, ok := podOf(part); ok {
				d.take(pod)
				return end
			}
			return 0
		}
		i := strings.LastIndexByte(text, '\n')
		if i < 0 {
			return 0
		}
		text = text[:i]
	}
	return 0
}
