package pullerror

import (
	"strings"
	"testing"
)

// BenchmarkParse parses every test message once per round and reports messages
// per second on one core.
func BenchmarkParse(b *testing.B) {
	all := benchMessages(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		m := &all[n%len(all)]
		Parse(m.text, m.image())
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkSearches is the yardstick of BenchmarkParse: over the same messages
// it does no more than search each of the rules' phrases with strings.Contains,
// which is the least that a reader without an index of the phrases must do.
func BenchmarkSearches(b *testing.B) {
	all := benchMessages(b)
	var phrases []string
	for i := range gates {
		for _, f := range gates[i].rule.all {
			phrases = append(phrases, f.text)
		}
	}
	b.ReportAllocs()
	n, found := 0, 0
	for b.Loop() {
		m := &all[n%len(all)]
		for _, f := range phrases {
			if strings.Contains(m.text, f) {
				found++
			}
		}
		n++
	}
	if found == 0 {
		b.Fatal("no phrase in any message")
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64(len(phrases)), "phrases")
}

// BenchmarkScan is the physical limit beside them: one pass over each byte.
func BenchmarkScan(b *testing.B) {
	all := benchMessages(b)
	n := 0
	var set pairs
	for b.Loop() {
		p := pairsOf(all[n%len(all)].text)
		set.add(&p)
		n++
	}
	if set == (pairs{}) {
		b.Fatal("nothing scanned")
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
}

func benchMessages(b *testing.B) []message {
	all := messages(b)
	size := 0
	for _, m := range all {
		size += len(m.text)
	}
	b.SetBytes(int64(size / len(all)))
	return all
}
