package rules

import (
	"fmt"
	"github.com/unjam-dev/unjam/internal/strictyaml"
	"slices"
	"strings"
)

// crossCheck checks what only all files together tell: codes given twice,
// codes that do not exist, and rules that explain one another away.
func (l *loader) crossCheck() {
	byCode := map[string]*rule{}
	for _, r := range l.rules {
		if first, ok := byCode[r.Code]; ok {
			r.at.Fail("the code %q is used already at %s:%d", r.Code, first.at.Doc.File, first.at.Node.Line)
			continue
		}
		byCode[r.Code] = r
	}
	for _, ref := range l.refs {
		if l.base.ByCode(ref.code) != nil || byCode[ref.code] != nil {
			continue
		}
		var all []string
		for c := range l.base.All() {
			all = append(all, c.Code)
		}
		for code := range byCode {
			all = append(all, code)
		}
		slices.Sort(all)
		hint := ""
		if near := strictyaml.Nearest(ref.code, all); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		ref.at.Fail("there is no cause %q%s", strictyaml.Short(ref.code), hint)
	}
	l.circles(byCode)
}

// circles finds rules that explain one another: none of them could stand, and
// which one did would hang on their order.
func (l *loader) circles(byCode map[string]*rule) {
	const (
		open = 1
		done = 2
	)
	state := map[string]int{}
	var visit func(code string, path []string)
	visit = func(code string, path []string) {
		r := byCode[code]
		if r == nil || state[code] == done {
			return
		}
		if state[code] == open {
			i := slices.Index(path, code)
			r.at.Fail("explains itself: %s", strings.Join(append(path[i:], code), " explains "))
			return
		}
		state[code] = open
		for _, e := range r.explains {
			visit(e, append(slices.Clip(path), code))
		}
		state[code] = done
	}
	for _, r := range l.rules {
		visit(r.Code, nil)
	}
}
