package registry

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// status answers everything with one code and a body in the registry's format.
func status(code int) func(*State, http.Handler) http.Handler {
	return func(*State, http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, code, "UNKNOWN", http.StatusText(code))
		})
	}
}

// refuse writes an error body as the OCI distribution specification has it.
func refuse(w http.ResponseWriter, code int, name, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, name, message)
}

func tooManyRequests(*State, http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "pull rate limit of the lab reached")
	})
}

func captivePortal(*State, http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		page := "<html><title>Sign in to the guest network</title></html>\n"
		w.Header().Set("Content-Length", fmt.Sprint(len(page)))
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, page)
		}
	})
}

// silence holds a request until the client gives up or the fault is lifted.
func silence(s *State, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changed := s.next()
		if !s.On() {
			next.ServeHTTP(w, r)
			return
		}
		select {
		case <-r.Context().Done():
		case <-changed:
			next.ServeHTTP(w, r)
		}
	})
}

// hold keeps a connection open without a word, longer than any client waits.
func hold(c net.Conn) net.Conn {
	go func() {
		defer c.Close()
		// Reading notices that the client has gone.
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Minute))
		_, _ = io.Copy(io.Discard, c)
	}()
	return nil
}

// reset ends a connection with a TCP reset, after the client has spoken so
// that it fails in the request and not in connect.
func reset(c net.Conn) net.Conn {
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		_, _ = c.Read(make([]byte, 1))
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		_ = c.Close()
	}()
	return nil
}

// isBlob says whether a request fetches a layer or an image configuration.
func isBlob(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.URL.Path, "/blobs/sha256:")
}
