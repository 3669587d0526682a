package strictyaml

// Nearest is the word of the list that is at most two edits from s, "" when
// none is.
func Nearest(s string, list []string) string {
	best, at := "", 3
	if len(s) > 64 || len(s) < 3 {
		return ""
	}
	for _, w := range list {
		if d := edits(s, w); d < at {
			best, at = w, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two short words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
