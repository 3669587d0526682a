package registry

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func sum(b []byte) []byte { h := sha256.Sum256(b); return h[:] }

func TestFaultTable(t *testing.T) {
	names, ports := map[string]bool{}, map[int]bool{}
	for _, f := range slices.Concat(Faults, Spares()) {
		if names[f.Name] || ports[f.Port] {
			t.Errorf("%s (port %d) is there twice", f.Name, f.Port)
		}
		names[f.Name], ports[f.Port] = true, true
		if f.Summary == "" || f.Host == "" {
			t.Errorf("%s lacks a summary or a host", f.Name)
		}
	}
	for port := 5000; port <= 5018; port++ {
		if !ports[port] {
			t.Errorf("port %d of the first recordings is gone", port)
		}
	}
	if ports[5999] {
		t.Error("5999 must stay closed")
	}
}

func TestHosts(t *testing.T) {
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]Host{}
	for _, h := range Hosts(a) {
		if h.PlainHTTP == (h.CA != "") {
			t.Errorf("%s: plain HTTP %v with CA %q", h.Host, h.PlainHTTP, h.CA)
		}
		hosts[h.Host] = h
	}
	for host, plain := range map[string]bool{"registry.lab:5000": true, "plainhttp.lab:5009": false, "tlsonly.lab:5027": true, "selfsigned.lab:5002": false} {
		if h, ok := hosts[host]; !ok || h.PlainHTTP != plain {
			t.Errorf("%s: listed %v, plain HTTP %v, want %v", host, ok, h.PlainHTTP, plain)
		}
	}
}

func TestAuthorityIsKept(t *testing.T) {
	dir := t.TempDir() + "/state"
	first, err := LoadAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := LoadAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.PEM, second.PEM) {
		t.Error("a second load makes another authority")
	}
	if _, err := second.Issue("registry.lab"); err != nil {
		t.Errorf("the loaded authority cannot sign: %v", err)
	}
}

func TestWebhooks(t *testing.T) {
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	// Another address of the loopback network leaves the fixed ports free for a
	// lab that may be running.
	ip := net.IPv4(127, 0, 0, 59)
	hooks, err := ServeWebhooks(ip, a)
	if err != nil {
		t.Fatal(err)
	}
	defer hooks.Close()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM)
	client := &http.Client{Timeout: 500 * time.Millisecond, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	ask := func(url string) (string, error) {
		resp, err := client.Post(url, "application/json", strings.NewReader(`{"request":{"uid":"u1"}}`))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	var answer struct {
		Response struct {
			UID     string
			Allowed bool
			Status  struct{ Message string }
		}
	}
	body, err := ask("https://127.0.0.59:5900/deny")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Response.UID != "u1" || answer.Response.Allowed || !strings.Contains(answer.Response.Status.Message, "LAB-7") {
		t.Errorf("deny answers %s", body)
	}
	if _, err := ask("https://127.0.0.59:5900/slow"); err == nil || !strings.Contains(err.Error(), "Timeout") {
		t.Errorf("slow: got %v, want a timeout", err)
	}
	if _, err := ask("https://127.0.0.59:5901/allow"); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("bad certificate: got %v, want unknown authority", err)
	}
}
