package pullerror

import "testing"

// BenchmarkParse parses every test message once per round and reports messages
// per second on one core.
func BenchmarkParse(b *testing.B) {
	all := messages(b)
	size := 0
	for _, m := range all {
		size += len(m.text)
	}
	b.SetBytes(int64(size / len(all)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		m := &all[n%len(all)]
		Parse(m.text, m.image())
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
}
