package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one fault of a file, at its place.
type Problem struct {
	File string `json:"file"`
	// Line and Column count from 1; Line is 0 when no place is to blame.
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
}

func (p Problem) String() string {
	switch {
	case p.Line == 0:
		return p.File + ": " + p.Text
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// Errors are all faults found, in the order of files and places.
type Errors []Problem

func (e Errors) Error() string {
	var out []string
	for _, p := range e {
		out = append(out, p.String())
	}
	return strings.Join(out, "\n")
}

// Sorted orders faults by file and place and leaves out repeats.
func Sorted(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(list)
}
