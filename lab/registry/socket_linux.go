package registry

import (
	"fmt"
	"net"
	"syscall"
	"time"
)

// dropping is a listening socket whose accept queue is kept full: the kernel
// then drops every further connection request without an answer, just as a
// firewall does, and no firewall rule is needed.
type dropping struct {
	fd    int
	conns []net.Conn
}

func listenDropping(addr *net.TCPAddr) (*dropping, error) {
	ip := addr.IP.To4()
	if ip == nil {
		return nil, fmt.Errorf("a dropping socket needs an IPv4 address, not %s", addr.IP)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	d := &dropping{fd: fd}
	if err := d.open(addr, ip); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *dropping) open(addr *net.TCPAddr, ip net.IP) error {
	if err := syscall.SetsockoptInt(d.fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return fmt.Errorf("reuse address: %w", err)
	}
	if err := syscall.Bind(d.fd, &syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(ip)}); err != nil {
		return fmt.Errorf("bind %s: %w", addr, err)
	}
	if err := syscall.Listen(d.fd, 0); err != nil {
		return fmt.Errorf("listen %s: %w", addr, err)
	}
	// A queue of length 0 still takes one connection; once a dial gets no
	// answer it is full.
	for range 8 {
		c, err := net.DialTimeout("tcp", addr.String(), 300*time.Millisecond)
		if err != nil {
			return nil
		}
		d.conns = append(d.conns, c)
	}
	return fmt.Errorf("the accept queue of %s does not fill up", addr)
}

func (d *dropping) close() {
	for _, c := range d.conns {
		_ = c.Close()
	}
	_ = syscall.Close(d.fd)
}
