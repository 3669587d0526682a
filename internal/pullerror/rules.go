package pullerror

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

// match returns the first rule that fits, or nil.
func (p *parser) match() *rule {
	for _, list := range ruleLists {
		for i := range list {
			if p.fits(&list[i]) {
				return &list[i]
			}
		}
	}
	return nil
}

func (p *parser) fits(r *rule) bool {
	for i := range r.all {
		if !p.says(&r.all[i]) {
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
