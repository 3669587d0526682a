package registry

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

const (
	slowRate = 64 << 10 // bytes per second
	dripRate = 1
	// smallBlob is the size below which a blob is taken for an image
	// configuration and left alone, so that the fault meets the layers.
	smallBlob = 2 << 10
)

// layers runs change on every GET of a layer and passes everything else.
func layers(s *State, next http.Handler, change func(w http.ResponseWriter, r *http.Request, body []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isBlob(r) || r.Method != http.MethodGet || s.spares(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		// Range requests would resume behind the fault; answer whole blobs only.
		whole := r.Clone(r.Context())
		whole.Header.Del("Range")
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, whole)
		body := rec.Body.Bytes()
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		if rec.Code != http.StatusOK || len(body) < smallBlob {
			w.WriteHeader(rec.Code)
			_, _ = w.Write(body)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		change(w, r, body)
	})
}

func corruptBlobs(s *State, next http.Handler) http.Handler {
	return layers(s, next, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		bad := append([]byte(nil), body...)
		bad[len(bad)/2] ^= 1
		_, _ = w.Write(bad)
	})
}

func truncateBlobs(s *State, next http.Handler) http.Handler {
	return layers(s, next, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		_, _ = w.Write(body[:5])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // net/http then closes the connection short of Content-Length
	})
}

func missingBlobs(s *State, next http.Handler) http.Handler {
	return layers(s, next, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Del("Content-Length")
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
	})
}

func slowBlobs(s *State, next http.Handler) http.Handler { return throttle(s, next, slowRate) }
func dripBlobs(s *State, next http.Handler) http.Handler { return throttle(s, next, dripRate) }

// throttle sends layers at a rate; once the fault is lifted the rest goes at
// full speed.
func throttle(s *State, next http.Handler, def int) http.Handler {
	return layers(s, next, func(w http.ResponseWriter, r *http.Request, body []byte) {
		const perSecond = 10
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		debt := 0 // bytes owed times perSecond, so that one byte a second is exact
		for len(body) > 0 && s.On() {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
			debt += s.Rate(def)
			n := min(debt/perSecond, len(body))
			debt -= n * perSecond
			if n == 0 {
				continue
			}
			if _, err := w.Write(body[:n]); err != nil {
				return
			}
			body = body[n:]
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write(body)
	})
}

// redirectBlobs sends layers to another port of the same server under a host
// name of its own, as registries do that keep blobs with a storage provider.
func redirectBlobs(port string) func(*State, http.Handler) http.Handler {
	return func(s *State, next http.Handler) http.Handler {
		return layers(s, next, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			w.Header().Del("Content-Length")
			host := "blobs.lab"
			if name, _, err := net.SplitHostPort(r.Host); err == nil && net.ParseIP(name) != nil {
				host = name // without the lab's DNS
			}
			http.Redirect(w, r, "http://"+host+port+storagePath(r.URL.Path), http.StatusTemporaryRedirect)
		})
	}
}

// storagePath is where a storage provider keeps a layer: a path without /v2/
// and a signature in the query, which must not show in any output.
func storagePath(path string) string {
	hex := path[strings.LastIndex(path, ":")+1:]
	return "/docker/registry/v2/blobs/sha256/" + hex[:2] + "/" + hex + "/data?X-Amz-Signature=0123456789abcdef"
}
