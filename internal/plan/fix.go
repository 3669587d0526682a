// Package plan turns the playbook of a finding into steps with every name
// filled in: what to check, what to change, and how to take it back.
package plan

import (
	"regexp"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/cause"
)

// Fix is one remedy, ready to paste.
type Fix struct {
	Text     string `json:"text"`
	Command  string `json:"command,omitempty"`
	Undo     string `json:"undo,omitempty"`
	Approver string `json:"approver,omitempty"`
}

// Check is one way to prove or exclude the cause. It changes nothing.
type Check struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// Fixes are the remedies that apply to the finding, smallest first.
func Fixes(causes cause.Set, fd cause.Finding) []Fix {
	c := causes.ByCode(fd.Cause)
	if c == nil {
		return nil
	}
	var out []Fix
	for _, s := range c.Playbook.Mend {
		if !applies(s, fd.Vars) {
			continue
		}
		if s, ok := fitKind(s, fd.Vars); ok {
			out = append(out, Fix{Text: fillText(s.Text, fd.Vars), Command: fillCommand(s.Command, fd.Vars),
				Undo: fillUndo(s.Undo, fd.Vars), Approver: s.Approver})
		}
	}
	return out
}

// Checks are the checks that apply to the finding, cheapest first.
func Checks(causes cause.Set, fd cause.Finding) []Check {
	c := causes.ByCode(fd.Cause)
	if c == nil {
		return nil
	}
	var out []Check
	for _, s := range c.Playbook.Verify {
		if !applies(s, fd.Vars) {
			continue
		}
		if s, ok := fitKind(s, fd.Vars); ok {
			out = append(out, Check{Text: fillText(s.Text, fd.Vars), Command: fillCommand(s.Command, fd.Vars)})
		}
	}
	return out
}

func applies(s cause.Step, vars map[string]string) bool {
	return !slices.ContainsFunc(s.When, func(name string) bool {
		if absent, ok := strings.CutPrefix(name, "!"); ok {
			return vars[absent] != ""
		}
		return vars[name] == ""
	})
}

var placeholder = regexp.MustCompile(`\{([a-zA-Z][a-zA-Z0-9_-]*)\}`)

// fillText fills placeholders for reading; an unknown name stays as <name>.
func fillText(s string, vars map[string]string) string {
	return placeholder.ReplaceAllStringFunc(s, func(m string) string {
		name := m[1 : len(m)-1]
		if v := vars[name]; v != "" {
			return v
		}
		return "<" + name + ">"
	})
}

// Reference fills every placeholder as <name>, for a cause's own page.
func Reference(s string) string { return fillText(s, nil) }

// fillCommand fills placeholders for a shell. A command with an unknown name,
// or with a value that a shell could take for more than a word, is left out
// rather than shown in a form that is dangerous to paste.
func fillCommand(s string, vars map[string]string) string {
	var out strings.Builder
	last := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(s, -1) {
		v := vars[s[m[2]:m[3]]]
		before := s[last:m[0]]
		// A dash at the beginning of a word would make an option of the name.
		beginsWord := before == "" || strings.ContainsAny(before[len(before)-1:], " '\"")
		if v == "" || !plainWord(v) || v[0] == '-' && beginsWord {
			return ""
		}
		out.WriteString(before + v)
		last = m[1]
	}
	return out.String() + s[last:]
}

// fillUndo fills an undo, which is a command or a sentence.
func fillUndo(s string, vars map[string]string) string {
	if out := fillCommand(s, vars); out != "" {
		return out
	}
	if isCommand(s) {
		return ""
	}
	return fillText(s, vars)
}

// isCommand tells an undo that is a command from one that is a sentence.
func isCommand(s string) bool {
	return strings.HasPrefix(s, "kubectl ") || strings.HasPrefix(s, "oc ")
}

// plainWord reports whether a value means only itself to a POSIX shell, inside
// or outside quotes.
func plainWord(v string) bool {
	for _, r := range v {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_./:@=,+%", r):
		default:
			return false
		}
	}
	return true
}
