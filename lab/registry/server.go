package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
)

// Server runs every fault over one shared store of images.
type Server struct {
	ip        net.IP
	authority *Authority
	store     http.Handler
	ports     []*port
}

// NewServer makes a server for faults on the given address. It does not listen
// yet. Port 0 in a fault picks a free port, for tests.
func NewServer(ip net.IP, authority *Authority, faults []Fault) *Server {
	s := &Server{ip: ip, authority: authority,
		store: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))}
	for _, f := range faults {
		s.ports = append(s.ports, &port{fault: f, state: newState(), server: s, number: f.Port})
	}
	return s
}

// Store is the registry behind all faults: what is pushed to it shows on every port.
func (s *Server) Store() http.Handler { return s.store }

// Spare exempts layers, by digest, from the faults that concern layers.
func (s *Server) Spare(digests []string) {
	for _, p := range s.ports {
		p.state.spare(digests)
	}
}

// Listen opens all ports; Close ends them.
func (s *Server) Listen() error {
	for _, p := range s.ports {
		if err := p.start(); err != nil {
			s.Close()
			return fmt.Errorf("fault %s: %w", p.fault.Name, err)
		}
	}
	return nil
}

// Close closes all ports and open connections.
func (s *Server) Close() {
	for _, p := range s.ports {
		p.stop()
	}
}

// Addr is the address on which a fault listens.
func (s *Server) Addr(name string) string {
	if p := s.find(name); p != nil {
		return p.addr().String()
	}
	return ""
}

// ErrNoFault is returned for names that are no fault.
var ErrNoFault = errors.New("no such fault")

// Set turns a fault on or off. rate is the transfer rate in bytes per second
// of the slow faults, 0 for their default.
func (s *Server) Set(name string, on bool, rate int) error {
	p := s.find(name)
	if p == nil {
		return fmt.Errorf("%w: %s", ErrNoFault, name)
	}
	return p.set(on, rate)
}

// Play turns a spare port on with the behaviour of another fault. Plain ports
// play faults of plain ports, TLS ports those of TLS ports: nodes know one or
// the other.
func (s *Server) Play(name, like string, rate int) error {
	p, f := s.find(name), s.find(like)
	switch {
	case p == nil:
		return fmt.Errorf("%w: %s", ErrNoFault, name)
	case f == nil:
		return fmt.Errorf("%w: %s", ErrNoFault, like)
	case !p.fault.spare:
		return fmt.Errorf("%s is no spare port", name)
	case p.fault.secure != f.fault.secure:
		return fmt.Errorf("%s and %s differ in TLS", name, like)
	}
	p.mu.Lock()
	old := p.fault
	p.fault = f.fault
	p.fault.Name, p.fault.Port, p.fault.Host, p.fault.Summary, p.fault.spare = old.Name, old.Port, old.Host, old.Summary, true
	p.mu.Unlock()
	return p.set(true, rate)
}

// Status says for each fault whether it is on.
func (s *Server) Status() map[string]bool {
	out := make(map[string]bool, len(s.ports))
	for _, p := range s.ports {
		out[p.fault.Name] = p.state.On()
	}
	return out
}

func (s *Server) find(name string) *port {
	for _, p := range s.ports {
		if p.fault.Name == name {
			return p
		}
	}
	return nil
}

// port is one fault with its socket.
type port struct {
	fault  Fault
	state  *State
	server *Server

	mu     sync.Mutex
	number int
	http   *http.Server
	drop   *dropping
}

func (p *port) addr() *net.TCPAddr {
	return &net.TCPAddr{IP: p.server.ip, Port: p.number}
}

func (p *port) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open()
}

func (p *port) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut()
}

func (p *port) set(on bool, rate int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.set(on, rate)
	if p.fault.socket == socketServes && !p.fault.spare {
		return nil
	}
	p.shut()
	return p.open()
}

// open brings the socket into the state the fault wants.
func (p *port) open() error {
	if p.number == 0 {
		// A port that refuses or drops must keep its number over changes.
		ln, err := net.ListenTCP("tcp", p.addr())
		if err != nil {
			return err
		}
		p.number = ln.Addr().(*net.TCPAddr).Port
		_ = ln.Close()
	}
	switch on := p.state.On(); {
	case on && p.fault.socket == socketRefuses:
		return nil
	case on && p.fault.socket == socketDrops:
		d, err := listenDropping(p.addr())
		p.drop = d
		return err
	}
	ln, err := net.ListenTCP("tcp", p.addr())
	if err != nil {
		return err
	}
	certs, err := p.certificates()
	if err != nil {
		_ = ln.Close()
		return err
	}
	p.http = &http.Server{Handler: p.handler(), ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	if p.fault.conn != nil || p.fault.secure {
		// The next request must meet the fault as it then is.
		p.http.SetKeepAlivesEnabled(false)
	}
	go p.http.Serve(&listener{TCPListener: ln, fault: p.fault, state: p.state, certs: certs})
	return nil
}

func (p *port) shut() {
	if p.http != nil {
		_ = p.http.Close()
		p.http = nil
	}
	if p.drop != nil {
		p.drop.close()
		p.drop = nil
	}
}

func (p *port) handler() http.Handler {
	if p.fault.spare && p.fault.secure {
		// A spare TLS port is a webhook as well, which a fault takes away.
		mux := http.NewServeMux()
		mux.Handle("/", p.registry())
		mux.Handle("/allow", webhookHandler())
		return mux
	}
	return p.registry()
}

func (p *port) registry() http.Handler {
	if p.fault.handler == nil {
		return p.server.store
	}
	faulty := p.fault.handler(p.state, p.server.store)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.state.On() {
			faulty.ServeHTTP(w, r)
			return
		}
		p.server.store.ServeHTTP(w, r)
	})
}

// certificates returns the TLS settings with the fault off and on.
func (p *port) certificates() (out struct{ good, bad *tls.Config }, err error) {
	if !p.fault.secure {
		return out, nil
	}
	good, err := p.server.authority.Issue(p.fault.Host, "registry.lab", p.server.ip.String())
	if err != nil {
		return out, err
	}
	out.good = &tls.Config{Certificates: []tls.Certificate{*good}, MinVersion: tls.VersionTLS12}
	out.bad = out.good.Clone()
	if p.fault.cert != nil {
		bad, err := p.server.authority.issue(*p.fault.cert)
		if err != nil {
			return out, err
		}
		out.bad.Certificates = []tls.Certificate{*bad}
	}
	if p.fault.maxTLS != 0 {
		out.bad.MinVersion, out.bad.MaxVersion = p.fault.maxTLS, p.fault.maxTLS
	}
	return out, nil
}

// listener decides per accepted connection what the client meets.
type listener struct {
	*net.TCPListener
	fault Fault
	state *State
	certs struct{ good, bad *tls.Config }
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.TCPListener.Accept()
		if err != nil {
			return nil, err
		}
		if c = l.dress(c); c != nil {
			return c, nil
		}
	}
}

func (l *listener) dress(c net.Conn) net.Conn {
	on := l.state.On()
	if on && l.fault.conn != nil {
		return l.fault.conn(c)
	}
	if !l.fault.secure {
		return c
	}
	if on {
		return tls.Server(c, l.certs.bad)
	}
	return tls.Server(c, l.certs.good)
}
