package registry

import (
	"strings"
	"sync"
)

// State is whether a fault is on, and how strong it is.
type State struct {
	mu      sync.Mutex
	on      bool
	rate    int // bytes per second of slow blobs
	changed chan struct{}
	// spared are digests of layers that every image shares: a node holds them
	// at one time and not at another, so faults leave them alone.
	spared []string
}

func newState() *State { return &State{on: true, changed: make(chan struct{})} }

// On says whether the fault is on.
func (s *State) On() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on
}

// Rate is the transfer rate in bytes per second, def when none was set.
func (s *State) Rate(def int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rate > 0 {
		return s.rate
	}
	return def
}

func (s *State) set(on bool, rate int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on, s.rate = on, rate
	close(s.changed)
	s.changed = make(chan struct{})
}

// next returns a channel that closes at the next change, so that requests held
// by a fault can go when it is lifted.
func (s *State) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *State) spares(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, digest := range s.spared {
		if strings.HasSuffix(path, digest) {
			return true
		}
	}
	return false
}

func (s *State) spare(digests []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spared = append(s.spared, digests...)
}
