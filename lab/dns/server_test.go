package dns

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

func TestAnswers(t *testing.T) {
	s := NewServer(net.IPv4(10, 77, 0, 1))
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, network := range []string{"udp", "tcp"} {
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.Addr())
		}}
		lookup := func(name string) ([]string, error) {
			ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
			defer cancel()
			return r.LookupHost(ctx, name)
		}
		if got, err := lookup("anything.lab."); err != nil || len(got) != 1 || got[0] != "10.77.0.1" {
			t.Errorf("%s: anything.lab: %v, %v", network, got, err)
		}
		var dnsErr *net.DNSError
		if _, err := lookup("registry.example."); !errors.As(err, &dnsErr) || !dnsErr.IsNotFound {
			t.Errorf("%s: registry.example: %v, want not found", network, err)
		}
		if _, err := lookup("servfail.registry.example."); err == nil || !strings.Contains(err.Error(), "server misbehaving") {
			t.Errorf("%s: servfail: %v", network, err)
		}
		if _, err := lookup("timeout.registry.example."); !errors.As(err, &dnsErr) || !dnsErr.IsTimeout {
			t.Errorf("%s: timeout: %v", network, err)
		}
		if _, err := lookup("moving.lab."); !errors.As(err, &dnsErr) || !dnsErr.IsNotFound {
			t.Errorf("%s: moving.lab: %v, want not found", network, err)
		}
		for _, f := range Faults {
			if !s.Set(f.Name, false) {
				t.Fatalf("no fault %s", f.Name)
			}
			if got, err := lookup(f.Prefix + "lab."); err != nil || len(got) != 1 {
				t.Errorf("%s: %s lifted: %v, %v", network, f.Name, got, err)
			}
			s.Set(f.Name, true)
		}
	}
	if s.Set("nonsense", true) {
		t.Error("an unknown fault can be set")
	}
}

func TestReplyToGarbage(t *testing.T) {
	s := NewServer(net.IPv4(10, 77, 0, 1))
	for _, q := range [][]byte{nil, {1}, make([]byte, 12), []byte(strings.Repeat("\xff", 600))} {
		if out := s.reply(q); out != nil {
			t.Errorf("%x is answered with %x", q, out)
		}
	}
}
