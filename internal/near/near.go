// Package near finds the names that someone who typed a name may have meant.
package near

import (
	"strings"
	"unicode/utf8"
)

// Limits that keep the search for like names cheap on hostile input.
const (
	maxName  = 253 // no object name is longer
	maxNames = 500
	maxShown = 3
)

// Names are the names that someone who typed want may have meant: equal but
// for a few letters, or one the beginning or end of the other, closest first.
func Names(want string, have []string) []string {
	if len(want) > maxName {
		return nil
	}
	var byRank [4][]string
	for _, h := range have[:min(len(have), maxNames)] {
		if len(h) > maxName || h == want || h == "" {
			continue
		}
		if r := rank(want, h); r < len(byRank) {
			byRank[r] = append(byRank[r], h)
		}
	}
	var out []string
	for _, names := range byRank {
		out = append(out, names...)
	}
	return out[:min(len(out), maxShown)]
}

// rank is 0 to 3 for names that are near, more for others.
func rank(a, b string) int {
	fold := strings.NewReplacer("_", "-", ".", "-")
	x, y := strings.ToLower(fold.Replace(a)), strings.ToLower(fold.Replace(b))
	if x == y {
		return 0
	}
	short := min(len(x), len(y))
	if d := Distance(x, y, 2); d <= 2 && d*3 <= short {
		return d
	}
	if short >= 3 && (strings.HasPrefix(x, y+"-") || strings.HasPrefix(y, x+"-") || strings.HasSuffix(x, "-"+y) || strings.HasSuffix(y, "-"+x)) {
		return 3
	}
	// The same name with another version or hash at its end.
	i, j := strings.LastIndexByte(x, '-'), strings.LastIndexByte(y, '-')
	if i >= 3 && i == j && x[:i] == y[:j] {
		return 3
	}
	return 4
}

// Distance is the Levenshtein distance of two names, or limit+1 when it is larger.
func Distance(a, b string, limit int) int {
	ra, rb := []rune(a), []rune(b)
	if utf8.RuneCountInString(a)-len(rb) > limit || len(rb)-len(ra) > limit {
		return limit + 1
	}
	row := make([]int, len(rb)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range ra {
		prev, best := row[0], i+1
		row[0] = i + 1
		for j, y := range rb {
			cost := 1
			if x == y {
				cost = 0
			}
			prev, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, prev+cost)
			best = min(best, row[j+1])
		}
		if best > limit {
			return limit + 1
		}
	}
	return row[len(rb)]
}
