// Package pattern holds regular expressions that are compiled when first used.
//
// The causes know more than a hundred of them, and one run needs a few: it looks
// only at the messages that a cluster really has. Compiling all of them at the
// start took longer than everything else that a short command does.
package pattern

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression in the syntax of package regexp. It is safe
// for use by several goroutines.
type Pattern struct {
	text string
	once sync.Once
	re   *regexp.Regexp
}

// New returns a pattern of the text. Text that is not a regular expression
// panics at the first use; a test compiles the text of every call.
func New(text string) *Pattern { return &Pattern{text: text} }

func (p *Pattern) regexp() *regexp.Regexp {
	p.once.Do(func() { p.re = regexp.MustCompile(p.text) })
	return p.re
}

// MatchString tells whether s holds a match.
func (p *Pattern) MatchString(s string) bool { return p.regexp().MatchString(s) }

// FindStringSubmatch returns the first match in s and its groups, or nil.
func (p *Pattern) FindStringSubmatch(s string) []string { return p.regexp().FindStringSubmatch(s) }

// FindStringSubmatchIndex returns where the first match in s and its groups
// start and end, or nil.
func (p *Pattern) FindStringSubmatchIndex(s string) []int {
	return p.regexp().FindStringSubmatchIndex(s)
}

// FindAllStringSubmatch returns at most n matches in s with their groups, all of
// them when n is negative.
func (p *Pattern) FindAllStringSubmatch(s string, n int) [][]string {
	return p.regexp().FindAllStringSubmatch(s, n)
}

// FindAllStringSubmatchIndex returns where at most n matches in s and their
// groups start and end.
func (p *Pattern) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return p.regexp().FindAllStringSubmatchIndex(s, n)
}

// ReplaceAllString puts repl, in which $1 is the first group, in the place of
// every match in s.
func (p *Pattern) ReplaceAllString(s, repl string) string {
	return p.regexp().ReplaceAllString(s, repl)
}
