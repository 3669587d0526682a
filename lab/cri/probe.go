package cri

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/unjam-dev/unjam/lab/script"
)

// serveProbes listens on the pod's address for the probes of one run and returns
// what ends it. A port that is taken (two containers of one pod, or host network)
// is left to its owner.
func serveProbes(ip netip.Addr, ports []int, life script.Container, started time.Time) func() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, port := range ports {
		wg.Add(1)
		go func() {
			defer wg.Done()
			servePort(ctx, net.JoinHostPort(ip.String(), strconv.Itoa(port)), life, started)
		}()
	}
	return func() { cancel(); wg.Wait() }
}

// servePort keeps one port open until ctx ends. A port that is scripted to refuse
// opens when it becomes healthy, as a slow program's does.
func servePort(ctx context.Context, addr string, life script.Container, started time.Time) {
	if p, ok := life.For("tcp"); ok && p.Refuse {
		if p.HealthyAfter == nil || pause(ctx, time.Duration(*p.HealthyAfter)-time.Since(started)) != nil {
			return
		}
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return
	}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		p, ok := life.For(q.URL.Path)
		if !ok || p.Refuse || p.Healthy(time.Since(started)) {
			io.WriteString(w, "ok\n")
			return
		}
		if p.Hang {
			<-q.Context().Done()
			return
		}
		code := p.Status
		if code < 200 || code > 599 {
			code = http.StatusServiceUnavailable
		}
		w.WriteHeader(code)
		io.WriteString(w, p.Body)
	})}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	srv.Serve(l)
}
