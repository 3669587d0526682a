package registry

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// WebhookPort serves admission webhooks over TLS: /deny refuses, /allow admits,
// /slow never answers in time. The port above it presents a certificate that
// the lab's authority did not sign. 5999 stays closed: scenarios use it as a
// webhook that is down.
const WebhookPort = 5900

// Webhooks are the running admission webhooks.
type Webhooks struct{ servers []*http.Server }

// ServeWebhooks starts the admission webhooks.
func ServeWebhooks(ip net.IP, a *Authority) (*Webhooks, error) {
	good, err := a.Issue(ip.String(), "webhooks.lab")
	if err != nil {
		return nil, err
	}
	bad, err := a.issue(certificate{hosts: []string{ip.String()}, from: -time.Hour, to: year, selfSigned: true})
	if err != nil {
		return nil, err
	}
	out := &Webhooks{}
	for i, cert := range []*tls.Certificate{good, bad} {
		ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip, Port: WebhookPort + i})
		if err != nil {
			out.Close()
			return nil, fmt.Errorf("webhooks: %w", err)
		}
		s := &http.Server{Handler: webhookHandler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}}
		out.servers = append(out.servers, s)
		go s.ServeTLS(ln, "", "")
	}
	return out, nil
}

// Close ends the webhooks.
func (w *Webhooks) Close() {
	for _, s := range w.servers {
		_ = s.Close()
	}
}

func webhookHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/allow", func(w http.ResponseWriter, r *http.Request) { review(w, r, true, "") })
	mux.HandleFunc("/deny", func(w http.ResponseWriter, r *http.Request) {
		review(w, r, false, "label \"team\" is required by company policy LAB-7")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	})
	return mux
}

// review answers an AdmissionReview; the few fields are spelled out so that
// the registries need no Kubernetes package.
func review(w http.ResponseWriter, r *http.Request, allowed bool, message string) {
	var in struct {
		Request struct {
			UID string `json:"uid"`
		} `json:"request"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 4<<20)).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	response := map[string]any{"uid": in.Request.UID, "allowed": allowed}
	if message != "" {
		response["status"] = map[string]any{"code": http.StatusForbidden, "message": message}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
}
