package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"

	"github.com/unjam-dev/unjam/lab/dns"
	"github.com/unjam-dev/unjam/lab/images"
	"github.com/unjam-dev/unjam/lab/registry"
)

// setting is the body of POST /faults/{name}.
type setting struct {
	On bool `json:"on"`
	// BytesPerSecond is the rate of the slow faults, 0 for their default.
	BytesPerSecond int `json:"bytesPerSecond,omitempty"`
	// Like makes a spare play the fault of that name.
	Like string `json:"like,omitempty"`
}

// newControl serves GET /faults (name to on), POST /faults/{name}, POST /reset,
// POST /images (an images.Spec to push), GET /hosts and GET /ca.
func newControl(r *registry.Server, d *dns.Server, a *registry.Authority, programs images.Programs) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		all := r.Status()
		maps.Copy(all, d.Status())
		reply(w, all)
	})
	mux.HandleFunc("POST /faults/{name}", func(w http.ResponseWriter, req *http.Request) {
		var s setting
		if err := json.NewDecoder(io.LimitReader(req.Body, 1<<10)).Decode(&s); err != nil {
			http.Error(w, `want {"on":true|false}: `+err.Error(), http.StatusBadRequest)
			return
		}
		name := req.PathValue("name")
		if s.Like != "" {
			if d.Play(name, s.Like) {
				reply(w, s)
			} else if err := r.Play(name, s.Like, s.BytesPerSecond); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
			} else {
				reply(w, s)
			}
			return
		}
		if d.Set(name, s.On) {
			reply(w, s)
			return
		}
		switch err := r.Set(name, s.On, s.BytesPerSecond); {
		case errors.Is(err, registry.ErrNoFault):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			reply(w, s)
		}
	})
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		for name, on := range r.Status() {
			if !on {
				if err := r.Set(name, true, 0); err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
					return
				}
			}
		}
		for name := range d.Status() {
			d.Set(name, true)
		}
		reply(w, r.Status())
	})
	mux.HandleFunc("POST /images", func(w http.ResponseWriter, req *http.Request) {
		var spec images.Spec
		if err := json.NewDecoder(io.LimitReader(req.Body, 1<<10)).Decode(&spec); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := images.Push(r.Store(), []images.Spec{spec}, programs); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply(w, spec)
	})
	mux.HandleFunc("GET /hosts", func(w http.ResponseWriter, _ *http.Request) { reply(w, registry.Hosts(a)) })
	mux.HandleFunc("GET /ca", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(a.PEM) })
	return mux
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
