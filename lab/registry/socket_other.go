//go:build !linux

package registry

import (
	"errors"
	"net"
)

type dropping struct{}

func listenDropping(*net.TCPAddr) (*dropping, error) {
	return nil, errors.New("dropping connection requests needs Linux")
}

func (d *dropping) close() {}
