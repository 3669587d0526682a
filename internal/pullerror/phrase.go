package pullerror

import "strings"

// pairs is a set of the neighbouring byte pairs of a text, folded into 256 bits.
// A phrase can only be in a text that has all its pairs; asking the set first
// spares most of the searches.
type pairs [4]uint64

func pairsOf(s string) pairs {
	var set pairs
	for i := 1; i < len(s); i++ {
		h := s[i-1]*37 + s[i]
		set[h>>6] |= 1 << (h & 63)
	}
	return set
}

// phrase is text to look for, in lower case with "~" for names.
type phrase struct {
	text string
	set  pairs
}

func say(s string) phrase { return phrase{s, pairsOf(s)} }

// says tells whether the words hold the phrase.
func (p *parser) says(f *phrase) bool {
	return p.may(f) && strings.Contains(p.words, f.text)
}

func (p *parser) saysAny(all []phrase) bool {
	for i := range all {
		if p.says(&all[i]) {
			return true
		}
	}
	return false
}

// may tells whether the words can hold the phrase at all.
func (p *parser) may(f *phrase) bool { return p.pairs.may(f) }

// may tells whether a text with these pairs can hold the phrase.
func (s *pairs) may(f *phrase) bool { return s.holds(&f.set) }

// holds tells whether all pairs of o are in s.
func (s *pairs) holds(o *pairs) bool {
	return o[0]&^s[0] == 0 && o[1]&^s[1] == 0 && o[2]&^s[2] == 0 && o[3]&^s[3] == 0
}

func (s *pairs) add(o *pairs) {
	for i := range s {
		s[i] |= o[i]
	}
}

// lastIn is strings.LastIndex with a quick way out.
func (f *phrase) lastIn(s string, set *pairs) int {
	if !set.may(f) {
		return -1
	}
	return strings.LastIndex(s, f.text)
}
