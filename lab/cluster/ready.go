package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// api is the little of the Kubernetes API that bringing a lab up needs. It spares
// this package client-go, so that it compiles in seconds.
type api struct {
	base   string
	client *http.Client
}

func newAPI(d layout, port int) (*api, error) {
	cert, err := tls.LoadX509KeyPair(d.pki("admin.crt"), d.pki("admin.key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(d.pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &api{
		base: fmt.Sprintf("https://127.0.0.1:%d", port),
		client: &http.Client{
			Timeout:   5 * time.Second,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}}},
		},
	}, nil
}

// get reads JSON into a value; nil discards it.
func (a *api) get(path string, into any) error { return a.do("GET", path, "", into) }

func (a *api) do(method, path, body string, into any) error {
	q, err := http.NewRequest(method, a.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := a.client.Do(q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		return err
	}
	if r.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.200s", method, path, r.Status, b)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}

// NodeState is a node as the API server sees it.
type NodeState struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
}

func (a *api) nodes() ([]NodeState, error) {
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := a.get("/api/v1/nodes", &list); err != nil {
		return nil, err
	}
	var out []NodeState
	for _, i := range list.Items {
		n := NodeState{Name: i.Metadata.Name}
		for _, c := range i.Status.Conditions {
			n.Ready = n.Ready || c.Type == "Ready" && c.Status == "True"
		}
		out = append(out, n)
	}
	return out, nil
}

// usable reports why pods cannot be created yet: they need the API server and the
// ServiceAccount that the controller manager makes in each namespace.
func (a *api) usable() error {
	if err := a.get("/readyz", nil); err != nil {
		return err
	}
	return a.get("/api/v1/namespaces/default/serviceaccounts/default", nil)
}

// allReady reports which of the wanted number of nodes is missing.
func (a *api) allReady(want int) error {
	nodes, err := a.nodes()
	if err != nil {
		return err
	}
	ready := 0
	for _, n := range nodes {
		if n.Ready {
			ready++
		}
	}
	if ready < want {
		return fmt.Errorf("%d of %d nodes are Ready", ready, want)
	}
	return nil
}

// poll repeats a check until it passes, the time is over (then with the check's
// last complaint), or the context ends.
func poll(ctx context.Context, limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return nil
		}
		if errors.Is(err, errGivenUp) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// errGivenUp ends a poll whose check can no longer pass.
var errGivenUp = errors.New("given up")
