package paste

import (
	"strings"

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
