package snapshot

import "strings"

// The patterns of Redact are costly on long messages, and most messages that
// hold a word such as "token" hold no pair of a key and a value. The gates here
// tell, in one pass and without a pattern, that a pattern cannot match. They may
// let a text through that does not match, never the reverse.

// keyBefore tells whether the word that ends at s[:end] holds one of the signs,
// which are in lower case. Letters beyond ASCII count as a sign, since patterns
// that ignore case fold some of them into ASCII.
func keyBefore(s string, end int, signs []string) bool {
	start := end
	for start > 0 && keyByte(s[start-1]) {
		start--
	}
	word := s[start:end]
	for i := 0; i < len(word); i++ {
		if word[i] >= 0x80 {
			return true
		}
	}
	return word != "" && containsAny(strings.ToLower(word), signs)
}

// keyByte tells whether a byte can be part of a key: word, dot, dash, or a
// letter beyond ASCII.
func keyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c >= 0x80
}

func spaceByte(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' }

func quoteByte(c byte) bool { return c == '"' || c == '\'' }

// mayHoldPair is the gate of equalPair.
func mayHoldPair(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && keyBefore(s, i, pairSigns) {
			return true
		}
	}
	return false
}

// mayHoldSpacedPair is the gate of spacedPair.
func mayHoldSpacedPair(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '=' {
			continue
		}
		end := i
		for end > 0 && (s[end-1] == ' ' || s[end-1] == '\t') {
			end--
		}
		spaced := end < i || i+1 < len(s) && (s[i+1] == ' ' || s[i+1] == '\t')
		if spaced && keyBefore(s, end, secretSigns) {
			return true
		}
	}
	return false
}

// mayHoldColonPair is the gate of replaceColonPairs. Prose such as "…token:
// unexpected status" is common, so it looks at the value too.
func mayHoldColonPair(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != ':' || s[i+1] != ' ' && s[i+1] != '\t' || !keyBefore(s, i, secretSigns) {
			continue
		}
		if keyBefore(s, i, passwordSigns) || looksRandom(valueAfter(s[i+1:])) {
			return true
		}
	}
	return false
}

// valueAfter returns the value of a colon pair: what colonPair takes for it.
func valueAfter(s string) string {
	s = strings.TrimLeft(s, " \t")
	end := 0
	for end < len(s) && (s[end] < 0x80 && s[end] != '.' && keyByte(s[end]) || strings.IndexByte("+/!@#$%^*", s[end]) >= 0) {
		end++
	}
	for range 2 {
		if end < len(s) && s[end] == '=' {
			end++
		}
	}
	return s[:end]
}

// mayHoldQuotedPair is the gate of quotedPair.
func mayHoldQuotedPair(s string) bool {
	for i := 1; i+1 < len(s); i++ {
		if s[i] != ':' {
			continue
		}
		end := i
		for end > 0 && spaceByte(s[end-1]) {
			end--
		}
		if end == 0 || !quoteByte(s[end-1]) {
			continue
		}
		end--
		if end > 0 && s[end-1] == '\\' {
			end--
		}
		if keyBefore(s, end, quotedSigns) {
			return true
		}
	}
	return false
}

// mayHoldFlag is the gate of flagPair.
func mayHoldFlag(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '-' && (i == 0 || spaceByte(s[i-1])) {
			return true
		}
	}
	return false
}

// replaceURLs calls f for every absolute URL of s and puts what it returns in
// its place. A URL is a scheme, "://" and what follows up to white space, a
// quote, an angle bracket or a backslash.
func replaceURLs(s string, f func(string) string) string {
	const mark = "://"
	var b strings.Builder
	from, at := 0, 0 // what is written, and where the search goes on
	for {
		i := strings.Index(s[at:], mark)
		if i < 0 {
			break
		}
		i += at
		start := schemeStart(s, at, i)
		end := i + len(mark)
		for end < len(s) && !urlEnd(s[end]) {
			end++
		}
		if start == i || end == i+len(mark) {
			at = i + len(mark)
			continue
		}
		b.WriteString(s[from:start])
		b.WriteString(f(s[start:end]))
		from, at = end, end
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// schemeStart returns where the scheme that ends at s[:end] starts, not before
// low; it is end when there is none.
func schemeStart(s string, low, end int) int {
	start := end
	for i := end; i > low; i-- {
		c := s[i-1]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			start = i - 1
		case c >= '0' && c <= '9' || c == '+' || c == '.' || c == '-':
		default:
			return start
		}
	}
	return start
}

func urlEnd(c byte) bool {
	return spaceByte(c) || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\' || c == '`'
}
