package cli

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"github.com/unjam-dev/unjam/internal/report"
)

// formats are the values of --output.
var formats = []string{"text", "json", "yaml", "md"}

func checkFormat(format string) error {
	if slices.Contains(formats, format) {
		return nil
	}
	return usagef("unknown output format %q: choose one of %s", format, strings.Join(formats, ", "))
}

// styled is the writer for styled text: it strips or lowers colours to what
// the terminal and the environment ask for.
func (a *app) styled() (io.Writer, error) {
	w := colorprofile.NewWriter(a.out, a.env)
	switch a.color {
	case "auto":
		if _, ok := a.out.(*os.File); !ok && !slices.Contains(a.env, "CLICOLOR_FORCE=1") {
			w.Profile = colorprofile.NoTTY
		}
		// colorprofile lets CLICOLOR_FORCE win where there is no terminal.
		if slices.ContainsFunc(a.env, func(e string) bool { return strings.HasPrefix(e, "NO_COLOR=") && e != "NO_COLOR=" }) {
			w.Profile = min(w.Profile, colorprofile.Ascii)
		}
	case "always":
		w.Profile = max(w.Profile, colorprofile.ANSI)
	case "never":
		w.Profile = colorprofile.NoTTY
	default:
		return nil, usagef("unknown --color %q: choose auto, always or never", a.color)
	}
	return w, nil
}

// width is the terminal's width; text that goes elsewhere is wrapped at 100.
func (a *app) width() int {
	if f, ok := a.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return min(w, 140)
		}
	}
	return 100
}

// document is a report of any command that people and programs read.
type document interface {
	WriteText(io.Writer, report.TextOptions) error
	WriteMarkdown(io.Writer) error
}

// write renders a document in a format.
func (a *app) write(d document, format string, evidence bool) error {
	switch format {
	case "json":
		return report.WriteJSON(a.out, d)
	case "yaml":
		return report.WriteYAML(a.out, d)
	case "md":
		return d.WriteMarkdown(a.out)
	}
	w, err := a.styled()
	if err != nil {
		return err
	}
	return d.WriteText(w, report.TextOptions{Width: a.width(), Evidence: evidence, Program: a.program})
}
