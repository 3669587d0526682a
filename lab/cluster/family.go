package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// family starts and reaps processes. It belongs to a PID 1, which inherits
// orphans too, so it waits for every child itself and nothing else may call Wait.
type family struct {
	mu       sync.Mutex
	children []*child
}

// child is a started process. Its fields are guarded by family.mu, except done.
type child struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Running bool      `json:"running"`
	// Ended says how it ended: "exit status 1", "killed".
	Ended string `json:"ended,omitempty"`

	done chan struct{}
}

func newFamily() *family {
	f := &family{}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGCHLD)
	go func() {
		for range c {
			f.reap()
		}
	}()
	return f
}

// start runs cmd with its output in a log file. An earlier child of the same
// name is replaced in the list.
func (f *family) start(name, log string, cmd *exec.Cmd) (*child, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{Name: name, PID: cmd.Process.Pid, Started: time.Now(), Running: true, done: make(chan struct{})}
	for i, old := range f.children {
		if old.Name == name {
			f.children[i] = c
			return c, nil
		}
	}
	f.children = append(f.children, c)
	return c, nil
}

func (f *family) reap() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 || err != nil {
			return
		}
		for _, c := range f.children {
			if c.PID == pid && c.Running {
				c.Running = false
				c.Ended = fmt.Sprintf("exit status %d", ws.ExitStatus())
				if ws.Signaled() {
					c.Ended = ws.Signal().String()
				}
				fmt.Fprintf(os.Stderr, "%s %s ended: %s\n", time.Now().Format(time.TimeOnly), c.Name, c.Ended)
				close(c.done)
			}
		}
	}
}

// list returns copies, in the order of starting.
func (f *family) list() []child {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]child, len(f.children))
	for i, c := range f.children {
		out[i] = *c
	}
	return out
}

// find returns the child of that name, or nil.
func (f *family) find(name string) *child {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// stop kills a child and waits until it is gone.
func (f *family) stop(c *child) error {
	f.mu.Lock()
	running := c.Running
	f.mu.Unlock()
	if !running {
		return nil
	}
	if err := syscall.Kill(c.PID, syscall.SIGKILL); err != nil {
		return err
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("%s (pid %d) does not end", c.Name, c.PID)
	}
}
