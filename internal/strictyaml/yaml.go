// Package strictyaml reads YAML files that people write and reports every fault
// at its line and column: unknown, repeated and missing fields, values of the
// wrong kind, texts that are too long. Anchors and aliases are refused, so that
// a small file cannot become a large one.
package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Document is one file while it is read. It collects the faults of all that is
// read from it.
type Document struct {
	// File is the name in messages.
	File string
	// MaxBytes bounds the file.
	MaxBytes int

	lines    []string // of the source, for places inside scalars
	problems []Problem
}

// Problems are the faults found so far.
func (d *Document) Problems() []Problem { return d.problems }

// Item is one YAML node with its path from the top, for messages. The zero Item
// stands for a field that is not there.
type Item struct {
	Doc  *Document
	Node *yaml.Node
	Path string
}

// maxProblems is how many faults of a file are listed.
const maxProblems = 100

// maxWord bounds a text that must be one of a list.
const maxWord = 500

// Report adds a fault at a place; line 0 blames the file as a whole.
func (d *Document) Report(line, column int, format string, args ...any) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, Problem{d.File, line, column, fmt.Sprintf(format, args...)})
	}
}

// Fail adds a fault at the item.
func (n Item) Fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if n.Path != "" {
		text = n.Path + ": " + text
	}
	n.Doc.Report(n.Node.Line, n.Node.Column, "%s", text)
}

// breaks are the ends of lines that editors write beside "\n".
var breaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): `)

// Decode reads the YAML documents of a file and returns their roots.
func (d *Document) Decode(data []byte) []Item {
	if len(data) > d.MaxBytes {
		d.Report(0, 0, "the file is larger than %d bytes", d.MaxBytes)
		return nil
	}
	if !utf8.Valid(data) {
		d.Report(0, 0, "the file is not UTF-8 text")
		return nil
	}
	text := breaks.Replace(string(data))
	d.lines = strings.Split(text, "\n")
	dec := yaml.NewDecoder(strings.NewReader(text))
	var out []Item
	for {
		var n yaml.Node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			said, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
			if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
				said = err.Error()[len(m[0]):]
				line, _ = strconv.Atoi(m[1])
			}
			d.Report(line, 0, "not YAML: %s", said)
			return out
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
			out = append(out, Item{d, n.Content[0], ""})
		}
	}
}

// Fields reads a mapping. Unknown, repeated and missing keys are faults.
func (n Item) Fields(known, required []string) map[string]Item {
	out, given := map[string]Item{}, map[string]bool{}
	if n.Node.Kind != yaml.MappingNode {
		n.Fail("must be a mapping, not %s", kindOf(n.Node))
		return out
	}
	for i := 0; i+1 < len(n.Node.Content); i += 2 {
		k, v := n.Node.Content[i], n.Node.Content[i+1]
		key := Item{n.Doc, k, n.Path}
		child := Item{n.Doc, v, join(n.Path, k.Value)}
		switch {
		case k.Kind != yaml.ScalarNode || !slices.Contains(known, k.Value):
			hint := ""
			if near := Nearest(k.Value, known); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			key.Fail("unknown field %q%s", Short(k.Value), hint)
			continue
		case given[k.Value]:
			key.Fail("the field %q is given twice", k.Value)
			continue
		}
		given[k.Value] = true
		if v.Kind == yaml.AliasNode || v.Anchor != "" {
			child.Fail("anchors and aliases are not read; write the value out")
			continue
		}
		out[k.Value] = child
	}
	for _, r := range required {
		if !given[r] {
			n.Fail("%q is missing", r)
		}
	}
	return out
}

// Keys are the keys of a mapping whose keys are free, without repeats.
func (n Item) Keys(limit int) []string {
	if n.Node.Kind != yaml.MappingNode {
		n.Fail("must be a mapping, not %s", kindOf(n.Node))
		return nil
	}
	var out []string
	for i := 0; i+1 < len(n.Node.Content) && len(out) < limit; i += 2 {
		if k := n.Node.Content[i]; k.Kind == yaml.ScalarNode && !slices.Contains(out, k.Value) {
			out = append(out, k.Value)
		}
	}
	if len(n.Node.Content)/2 > limit {
		n.Fail("has more than %d entries", limit)
	}
	return out
}

// Elements reads a sequence.
func (n Item) Elements(limit int) []Item {
	if n.Node.Kind != yaml.SequenceNode {
		n.Fail("must be a list, not %s", kindOf(n.Node))
		return nil
	}
	if len(n.Node.Content) > limit {
		n.Fail("has more than %d entries", limit)
		return nil
	}
	var out []Item
	for i, c := range n.Node.Content {
		child := Item{n.Doc, c, fmt.Sprintf("%s[%d]", n.Path, i)}
		if c.Kind == yaml.AliasNode || c.Anchor != "" {
			child.Fail("anchors and aliases are not read; write the value out")
			continue
		}
		out = append(out, child)
	}
	return out
}

// Text reads a text of at most limit characters; ok is false after a fault.
func (n Item) Text(limit int) (s string, ok bool) {
	if n.Node.Kind != yaml.ScalarNode || n.Node.Tag == "!!null" {
		n.Fail("must be a text, not %s", kindOf(n.Node))
		return "", false
	}
	if n.Node.Tag != "!!str" {
		n.Fail("must be a text; put %s in quotes", Short(n.Node.Value))
		return "", false
	}
	if utf8.RuneCountInString(n.Node.Value) > limit {
		n.Fail("is longer than %d characters", limit)
		return "", false
	}
	if strings.TrimSpace(n.Node.Value) == "" {
		n.Fail("is empty")
		return "", false
	}
	return strings.TrimRight(n.Node.Value, "\n"), true
}

// Choice reads a text that must be one of a list.
func (n Item) Choice(what string, of []string) (string, bool) {
	s, ok := n.Text(maxWord)
	if !ok {
		return "", false
	}
	if !slices.Contains(of, s) {
		hint := ""
		if near := Nearest(s, of); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		n.Fail("unknown %s %q%s; choose one of %s", what, Short(s), hint, strings.Join(of, ", "))
		return "", false
	}
	return s, true
}

func kindOf(y *yaml.Node) string {
	switch {
	case y.Kind == yaml.MappingNode:
		return "a mapping"
	case y.Kind == yaml.SequenceNode:
		return "a list"
	case y.Kind == yaml.AliasNode:
		return "an alias"
	case y.Tag == "!!null":
		return "nothing"
	}
	return "a text"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Short cuts a text that is quoted in a message.
func Short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
