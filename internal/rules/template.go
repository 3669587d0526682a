package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/snapshot"
	"github.com/unjam-dev/unjam/internal/strictyaml"
)

// placeholder is {name} as playbooks write it.
var placeholder = regexp.MustCompile(`\{([a-zA-Z][a-zA-Z0-9_-]*)\}`)

// template reads a text whose {names} must be known.
func template(n strictyaml.Item, limit int, known []string, where string) string {
	s, ok := n.Text(limit)
	if !ok {
		return ""
	}
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		knows(n, m[1], known, where)
	}
	return s
}

// knows reports a name that nothing fills. known is nil after a fault that
// leaves the names open.
func knows(n strictyaml.Item, name string, known []string, where string) {
	if known == nil || slices.Contains(known, name) {
		return
	}
	by := "nothing fills it"
	if where != "" {
		by = "it is not filled " + where
	}
	hint := ""
	if near := strictyaml.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("; did you mean {%s}?", near)
	}
	n.Fail("{%s}: %s%s; known are %s", name, by, hint, strings.Join(known, ", "))
}

// fill fills the names of a sentence; one that the facts do not hold stays as
// <name>.
func fill(s string, vars map[string]string) string {
	return placeholder.ReplaceAllStringFunc(s, func(m string) string {
		if v := vars[m[1:len(m)-1]]; v != "" {
			return v
		}
		return "<" + m[1:len(m)-1] + ">"
	})
}

// maxValue bounds what one name of a message can put into a sentence.
const maxValue = 200

// word is a captured text as a placeholder's value: redacted, on one line and
// of readable length.
func word(s string) string {
	s = strings.Join(strings.Fields(snapshot.Redact(s)), " ")
	if r := []rune(s); len(r) > maxValue {
		return string(r[:maxValue]) + "…"
	}
	return s
}
