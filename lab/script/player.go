package script

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Player answers from a script file and reads it again when it changes, so that
// a fault can be lifted while the node runs.
type Player struct {
	file string

	mu     sync.Mutex
	stamp  string // size and time of the version in use
	script Script
	err    error
	used   map[string]int // how often an entry has answered, by kind and index
}

// NewPlayer plays the file; an empty name plays the empty script.
func NewPlayer(file string) *Player { return &Player{file: file, used: map[string]int{}} }

// Err is the problem of the last reload, if it had one; the former version stays in use.
func (p *Player) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Pull returns the answer for an image reference.
func (p *Player) Pull(image string) Pull {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reload()
	for i, e := range p.script.Pulls {
		if Glob(e.Image, image) && p.take("pull", i, e.Times) {
			e.Error = strings.ReplaceAll(e.Error, "{{.Image}}", image)
			return e
		}
	}
	return Pull{}
}

// Sandbox returns the answer for a pod ("namespace/name").
func (p *Player) Sandbox(pod string) Sandbox {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reload()
	for i, e := range p.script.Sandboxes {
		if Glob(e.Pod, pod) && p.take("sandbox", i, e.Times) {
			return e
		}
	}
	return Sandbox{}
}

// Container returns the life of the next run of a container.
func (p *Player) Container(pod, name, image string) Container {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reload()
	for i, e := range p.script.Containers {
		if Glob(e.Image, image) && Glob(e.Name, name) && Glob(e.Pod, pod) && p.take("container", i, e.Times) {
			return e
		}
	}
	return Container{}
}

func (p *Player) take(kind string, i, times int) bool {
	key := fmt.Sprint(kind, i)
	if times > 0 && p.used[key] >= times {
		return false
	}
	p.used[key]++
	return true
}

func (p *Player) reload() {
	if p.file == "" {
		return
	}
	stamp := "absent"
	if st, err := os.Stat(p.file); err == nil {
		stamp = st.ModTime().Format(time.RFC3339Nano) + fmt.Sprint(st.Size())
	}
	if stamp == p.stamp {
		return
	}
	p.stamp = stamp
	s, err := Load(p.file)
	p.err = err
	if err == nil {
		p.script, p.used = s, map[string]int{}
	}
}

// For returns the first probe entry that matches what is probed.
func (c Container) For(what string) (Probe, bool) {
	for _, p := range c.Probes {
		if Glob(p.Match, what) {
			return p, true
		}
	}
	return Probe{}, false
}

// Healthy reports whether the probe passes at this age of the run.
func (p Probe) Healthy(age time.Duration) bool {
	return p.HealthyAfter != nil && age >= time.Duration(*p.HealthyAfter)
}
