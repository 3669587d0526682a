package scenario

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestFaultsOverSocket uses the Unix socket, which reaches a control endpoint
// in another network namespace.
func TestFaultsOverSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]bool{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /faults/{name}", func(w http.ResponseWriter, r *http.Request) {
		var s struct{ On bool }
		if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
			t.Error(err)
		}
		if r.PathValue("name") == "nonsense" {
			http.Error(w, "no such fault: nonsense", http.StatusNotFound)
			return
		}
		state[r.PathValue("name")] = s.On
	})
	mux.HandleFunc("GET /ca", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("pem")) })
	srv := &http.Server{Handler: mux}
	go srv.Serve(ln)
	defer srv.Close()

	f := NewFaults("unix://" + path)
	ctx := context.Background()
	if err := f.Set(ctx, "flaky", false); err != nil {
		t.Fatal(err)
	}
	if on, ok := state["flaky"]; !ok || on {
		t.Errorf("state is %v", state)
	}
	if err := f.Set(ctx, "nonsense", true); err == nil || !strings.Contains(err.Error(), "no such fault") {
		t.Errorf("got %v", err)
	}
	if ca, err := f.CABundle(ctx); err != nil || ca != "cGVt" {
		t.Errorf("CA %q, %v", ca, err)
	}
	if err := NewFaults("").Set(ctx, "flaky", true); err == nil || !strings.Contains(err.Error(), "--faults") {
		t.Errorf("without an endpoint: %v", err)
	}
}
