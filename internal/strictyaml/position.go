package strictyaml

import (
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Place is where in the file the character at (line, column) of a scalar's
// value stands; both count from 1, as does the answer. The value and the source
// are walked side by side: quotes, escapes, indentation and folded lines are in
// the source only.
func (n Item) Place(line, column int) (int, int) {
	r := []rune(n.Node.Value)
	at := offset(r, line, column)
	c := cursor{lines: n.Doc.lines, line: n.Node.Line - 1, column: n.Node.Column - 1}
	switch {
	case n.Node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		c.line, c.column = c.line+1, 0 // after the | or >
	case n.Node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		c.column++
	}
	for i := 0; i <= at && i < len(r); i++ {
		if !c.seek(r[i]) {
			return n.Node.Line, n.Node.Column
		}
		if i == at {
			return c.line + 1, c.column + 1
		}
		c.column++
		if n.Node.Style&yaml.SingleQuotedStyle != 0 && r[i] == '\'' {
			c.column++ // written twice
		}
	}
	return c.line + 1, c.column + 1
}

// offset is the index of the character at a line and column, both from 1.
func offset(r []rune, line, column int) int {
	i := 0
	for ; line > 1 && i < len(r); i++ {
		if r[i] == '\n' {
			line--
		}
	}
	return i + column - 1
}

// cursor is a place in the source, counted in characters from 0.
type cursor struct {
	lines        []string
	line, column int
}

// seek moves to the next place that holds r. White space matches the end of a
// line with all that follows up to the next text; other characters are looked
// for behind white space and backslashes only.
func (c *cursor) seek(r rune) bool {
	for c.line < len(c.lines) {
		row := []rune(c.lines[c.line])
		switch {
		case c.column >= len(row):
			if unicode.IsSpace(r) {
				return true
			}
			c.line, c.column = c.line+1, 0
		case row[c.column] == r:
			return true
		case row[c.column] == '\\', unicode.IsSpace(row[c.column]):
			c.column++
		case unicode.IsSpace(r):
			return true // a fold that the source shows by indentation only
		default:
			return false
		}
	}
	return false
}
