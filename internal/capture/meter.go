package capture

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// meter counts requests and bytes in the transport, and notes how far the
// server's clock is from ours.
type meter struct {
	countMu sync.Mutex
	calls   map[string]int
	total   int
	bytes   atomic.Int64
	skew    time.Duration
}

type meteredTransport struct {
	next http.RoundTripper
	m    *meter
}

func (m *meter) wrap(next http.RoundTripper) http.RoundTripper { return &meteredTransport{next, m} }

func (t *meteredTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.m.countMu.Lock()
	if t.m.calls == nil {
		t.m.calls = map[string]int{}
	}
	t.m.total++
	t.m.calls[req.Method+" "+resourceOf(req.URL.Path)]++
	t.m.countMu.Unlock()
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		t.m.countMu.Lock()
		t.m.skew = time.Until(date)
		t.m.countMu.Unlock()
	}
	resp.Body = &countedBody{resp.Body, t.m}
	return resp, nil
}

type countedBody struct {
	io.ReadCloser
	m *meter
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.m.bytes.Add(int64(n))
	return n, err
}

func (m *meter) stats() Stats {
	m.countMu.Lock()
	defer m.countMu.Unlock()
	return Stats{Requests: m.total, Bytes: m.bytes.Load(), Calls: maps.Clone(m.calls)}
}

// clock is the server's time at the local time now. Objects carry the
// server's times, so a wrong clock here must not turn into a wrong age. The
// Date header has whole seconds: less than three are no difference.
func (m *meter) clock(now time.Time) time.Time {
	m.countMu.Lock()
	defer m.countMu.Unlock()
	if m.skew > -3*time.Second && m.skew < 3*time.Second {
		return now.UTC()
	}
	return now.Add(m.skew).UTC()
}

// resourceOf is the resource of an API path, with its subresource.
func resourceOf(path string) string {
	seg := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(seg) >= 3 && seg[0] == "api":
		seg = seg[2:]
	case len(seg) >= 4 && seg[0] == "apis":
		seg = seg[3:]
	default:
		return path
	}
	if len(seg) >= 3 && seg[0] == "namespaces" {
		seg = seg[2:]
	}
	if len(seg) >= 3 {
		return seg[0] + "/" + seg[2]
	}
	return seg[0]
}
