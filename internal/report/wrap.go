package report

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// wrap breaks text at blanks so that no line is wider than width, but for a
// word that is: names and commands are never broken, since people copy them.
func wrap(text string, width int) []string {
	var out []string
	for _, paragraph := range strings.Split(text, "\n") {
		line, used := "", 0
		for _, word := range strings.Split(paragraph, " ") {
			w := ansi.StringWidth(word)
			switch {
			case used == 0 && line == "":
				line, used = word, w
			case used+1+w > width:
				out = append(out, line)
				line, used = word, w
			default:
				line += " " + word
				used += 1 + w
			}
		}
		out = append(out, line)
	}
	return out
}
