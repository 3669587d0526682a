// Package dns answers names of the lab and fails others on purpose.
package dns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Fault is one way for name resolution to fail; it rules the names that begin
// with its prefix. While it is lifted those names have the server's address.
type Fault struct {
	Name    string
	Prefix  string
	Summary string
	outcome outcome
}

type outcome int

const (
	resolves outcome = iota
	servfail
	silent
	nxdomain
)

// Spare is the number of names that work until Server.Play gives them a fault.
const Spare = 10

// SpareName is the host name of a spare.
func SpareName(i int) string { return fmt.Sprintf("spare-%d.dns.lab", i) }

func spares() []Fault {
	out := make([]Fault, Spare)
	for i := range out {
		out[i] = Fault{Name: fmt.Sprintf("dns-spare-%d", i), Prefix: SpareName(i), Summary: "resolves until told to play a fault"}
	}
	return out
}

// Faults lists the rules. Names under .lab that no rule matches resolve to the
// listen address; all others do not exist.
var Faults = []Fault{
	{Name: "dns-servfail", Prefix: "servfail.", Summary: "SERVFAIL", outcome: servfail},
	{Name: "dns-timeout", Prefix: "timeout.", Summary: "no answer", outcome: silent},
	{Name: "dns-moving", Prefix: "moving.", Summary: "NXDOMAIN until lifted", outcome: nxdomain},
}

// Server answers queries on UDP and TCP.
type Server struct {
	// Answer is the address of every name that resolves.
	Answer net.IP

	mu     sync.Mutex
	lifted map[string]bool
	spares []Fault
	udp    net.PacketConn
	tcp    net.Listener
}

// NewServer makes a server whose names resolve to answer.
func NewServer(answer net.IP) *Server {
	return &Server{Answer: answer, lifted: map[string]bool{}, spares: spares()}
}

// Listen opens UDP and TCP on one address; port 0 picks a free port.
func (s *Server) Listen(addr string) error {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("dns: %w", err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		_ = tcp.Close()
		return fmt.Errorf("dns: %w", err)
	}
	s.udp, s.tcp = udp, tcp
	go s.serveUDP()
	go s.serveTCP()
	return nil
}

// Addr is the address on which the server listens.
func (s *Server) Addr() string { return s.udp.LocalAddr().String() }

// Close stops the server.
func (s *Server) Close() {
	if s.udp != nil {
		_ = s.udp.Close()
		_ = s.tcp.Close()
	}
}

// Set turns a fault on or off; false when there is none of that name.
func (s *Server) Set(name string, on bool) bool {
	for _, f := range slices.Concat(Faults, s.spares) {
		if f.Name == name {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lifted[name] = !on
			return true
		}
	}
	return false
}

// Play turns a spare on with the behaviour of another fault; false when one of
// the two is not there.
func (s *Server) Play(name, like string) bool {
	i := slices.IndexFunc(s.spares, func(f Fault) bool { return f.Name == name })
	j := slices.IndexFunc(Faults, func(f Fault) bool { return f.Name == like })
	if i < 0 || j < 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spares[i].outcome, s.lifted[name] = Faults[j].outcome, false
	return true
}

// Status says for each fault whether it is on.
func (s *Server) Status() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]bool, len(Faults))
	for _, f := range Faults {
		out[f.Name] = !s.lifted[f.Name]
	}
	return out
}

func (s *Server) rule(name string) outcome {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range slices.Concat(Faults, s.spares) {
		if strings.HasPrefix(name, f.Prefix) {
			if s.lifted[f.Name] {
				return resolves
			}
			return f.outcome
		}
	}
	if name == "lab" || strings.HasSuffix(name, ".lab") {
		return resolves
	}
	return nxdomain
}

func (s *Server) serveUDP() {
	buf := make([]byte, 4096)
	for {
		n, from, err := s.udp.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		if reply := s.reply(buf[:n]); reply != nil {
			_, _ = s.udp.WriteTo(reply, from)
		}
	}
}

func (s *Server) serveTCP() {
	for {
		c, err := s.tcp.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			go s.serveConn(c)
		}
	}
}

func (s *Server) serveConn(c net.Conn) {
	defer c.Close()
	for {
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		reply := s.reply(query)
		if reply == nil {
			// Silence over TCP means to let the client wait.
			_, _ = io.Copy(io.Discard, c)
			return
		}
		out := binary.BigEndian.AppendUint16(nil, uint16(len(reply)))
		if _, err := c.Write(append(out, reply...)); err != nil {
			return
		}
	}
}

// reply builds the answer to a query, nil for silence.
func (s *Server) reply(query []byte) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil || header.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	h := dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true}
	rule := s.rule(q.Name.String())
	switch rule {
	case silent:
		return nil
	case servfail:
		h.RCode = dnsmessage.RCodeServerFailure
	case nxdomain:
		h.RCode = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, h)
	b.EnableCompression()
	if b.StartQuestions() != nil || b.Question(q) != nil || b.StartAnswers() != nil {
		return nil
	}
	// Only IPv4: an IPv6 query gets an empty answer, not a failure.
	if ip := s.Answer.To4(); rule == resolves && q.Type == dnsmessage.TypeA && ip != nil {
		rr := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
		if b.AResource(rr, dnsmessage.AResource{A: [4]byte(ip)}) != nil {
			return nil
		}
	}
	out, err := b.Finish()
	if err != nil {
		return nil
	}
	return out
}
