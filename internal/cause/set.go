package cause

import (
	"fmt"
	"iter"
)

// Set is an ordered catalogue of causes: among findings that are equally firm,
// the cause listed earlier wins. A Set is a value that never changes; the zero
// Set is empty.
type Set struct {
	list  []Cause
	index map[string]int // by code
}

// NewSet makes a Set of causes in judging order. A code that is empty or listed
// twice is an error.
func NewSet(list ...Cause) (Set, error) { return Set{}.With(list...) }

// With returns the Set with more causes ahead of its own, since who adds a cause
// knows the case better. A code that the Set has
// already is an error: what a code means must not depend on who reads it.
func (s Set) With(more ...Cause) (Set, error) {
	out := Set{list: make([]Cause, 0, len(s.list)+len(more)), index: make(map[string]int, len(s.list)+len(more))}
	for _, group := range [][]Cause{more, s.list} {
		for _, c := range group {
			if c.Code == "" {
				return Set{}, fmt.Errorf("a cause without a code: %q", c.Title)
			}
			if _, ok := out.index[c.Code]; ok {
				return Set{}, fmt.Errorf("the cause %q exists twice", c.Code)
			}
			out.index[c.Code] = len(out.list)
			out.list = append(out.list, c)
		}
	}
	return out, nil
}

// Len is the number of causes.
func (s Set) Len() int { return len(s.list) }

// All yields the causes in judging order. They are shared: read, do not write.
func (s Set) All() iter.Seq[*Cause] {
	return func(yield func(*Cause) bool) {
		for i := range s.list {
			if !yield(&s.list[i]) {
				return
			}
		}
	}
}

// ByCode returns the cause of a code, nil when there is none.
func (s Set) ByCode(code string) *Cause {
	if i, ok := s.index[code]; ok {
		return &s.list[i]
	}
	return nil
}

// Order is the place of a code in judging order, -1 when it is not in the Set.
func (s Set) Order(code string) int {
	if i, ok := s.index[code]; ok {
		return i
	}
	return -1
}

// ClassOf is the finding's own class where the facts decided it, else its
// cause's.
func (s Set) ClassOf(fd Finding) Class {
	if fd.Class != "" {
		return fd.Class
	}
	if c := s.ByCode(fd.Cause); c != nil {
		return c.Class
	}
	return Terminal
}
