package scenario

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Faults talks to the control endpoint of labfaults.
type Faults struct {
	client *http.Client
	base   string
}

// NewFaults takes http://host:port or unix:///path; nil for an empty address.
func NewFaults(address string) *Faults {
	if address == "" {
		return nil
	}
	f := &Faults{client: &http.Client{Timeout: 10 * time.Second}, base: strings.TrimSuffix(address, "/")}
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		f.base = "http://labfaults"
		f.client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}}
	}
	return f
}

// Set turns a fault on or off.
func (f *Faults) Set(ctx context.Context, name string, on bool) error {
	if f == nil {
		return fmt.Errorf("fault %s: no control endpoint given (--faults)", name)
	}
	body, err := json.Marshal(map[string]bool{"on": on})
	if err != nil {
		return err
	}
	_, err = f.do(ctx, http.MethodPost, "/faults/"+name, body)
	return err
}

// List returns every fault and whether it is on, as JSON.
func (f *Faults) List(ctx context.Context) ([]byte, error) {
	return f.do(ctx, http.MethodGet, "/faults", nil)
}

// CABundle is the lab's certificate authority as webhooks carry it.
func (f *Faults) CABundle(ctx context.Context) (string, error) {
	pem, err := f.do(ctx, http.MethodGet, "/ca", nil)
	return base64.StdEncoding.EncodeToString(pem), err
}

func (f *Faults) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, f.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fault control: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fault control: %s: %s", resp.Status, bytes.TrimSpace(b))
	}
	return b, nil
}
