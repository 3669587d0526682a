package pullerror

import "strings"

// rule says: when all these words are in the text, it is this kind. Words are
// lower case, names in them are "~" (see wordsOf).
type rule struct {
	kind Kind
	all  []phrase
	// sets overrides the stage, where the words fix it better than the wrappers.
	sets Stage
	// when is a further condition, nil for none.
	when func(*parser) bool
}

// ruleLists is the order in which rules are tried: the first that fits wins.
// Within a list, too, the more specific rule comes first.
var ruleLists = [][]rule{nameRules, localRules, tlsRules, proxyRules, dnsRules, storageRules, contentRules, networkRules, authRules, serviceRules}

// gate is a rule with the pairs of all its words. Gates lie side by side in
// memory, so that a text passes the hundreds of rules that cannot fit it without
// touching them.
type gate struct {
	set  pairs
	rule *rule
}

var gates = gatesOf(ruleLists)

func gatesOf(lists [][]rule) []gate {
	var out []gate
	for _, list := range lists {
		for i := range list {
			g := gate{rule: &list[i]}
			for _, f := range list[i].all {
				g.set.add(&f.set)
			}
			out = append(out, g)
		}
	}
	return out
}

// match returns the first rule that fits, or nil.
func (p *parser) match() *rule {
	for i := range gates {
		if g := &gates[i]; p.pairs.holds(&g.set) && p.fits(g.rule) {
			return g.rule
		}
	}
	return nil
}

func (p *parser) fits(r *rule) bool {
	for i := range r.all {
		if !strings.Contains(p.words, r.all[i].text) {
			return false
		}
	}
	return r.when == nil || r.when(p)
}

// has is a rule for words that must all be there.
func has(kind Kind, words ...string) rule { return rule{kind: kind, all: phrases(words)} }

func phrases(words []string) []phrase {
	all := make([]phrase, len(words))
	for i, w := range words {
		all[i] = say(w)
	}
	return all
}

// at is has with the stage that these words imply.
func at(stage Stage, kind Kind, words ...string) rule {
	return rule{kind: kind, all: phrases(words), sets: stage}
}

// is is a rule for a condition beside the words.
func is(kind Kind, when func(*parser) bool, words ...string) rule {
	return rule{kind: kind, all: phrases(words), when: when}
}
