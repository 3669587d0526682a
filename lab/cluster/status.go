package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// State is what `lab status` shows.
type State struct {
	Name       string      `json:"name"`
	Dir        string      `json:"dir"`
	Running    bool        `json:"running"`
	Kubeconfig string      `json:"kubeconfig,omitempty"`
	Faults     string      `json:"faults,omitempty"`
	API        string      `json:"api,omitempty"` // "ok", or why not
	Nodes      []NodeState `json:"nodes,omitempty"`
	Processes  []child     `json:"processes,omitempty"`
	// InitPID is the lab's PID 1, as the host counts.
	InitPID int    `json:"initPID,omitempty"`
	Bin     string `json:"bin,omitempty"`
}

// Status looks at the lab that the options name.
func Status(o Options) (State, error) {
	o, err := o.complete()
	if err != nil {
		return State{}, err
	}
	d := layout(o.Dir)
	st := State{Name: o.Name, Dir: o.Dir}
	r := readRunning(d)
	if !r.Host.alive() {
		return st, nil
	}
	s, err := readSpec(o.Dir)
	if err != nil {
		return st, err
	}
	c := newCluster(s)
	st.Running, st.Kubeconfig, st.Faults, st.InitPID, st.Bin = true, c.Kubeconfig, c.Faults, r.Init.PID, c.Bin
	api, err := newAPI(d, s.HostPort)
	if err != nil {
		return st, err
	}
	st.API = "ok"
	if err := api.usable(); err != nil {
		st.API = err.Error()
	} else if st.Nodes, err = api.nodes(); err != nil {
		st.API = err.Error()
	}
	if err := control(d, "GET", "/children", &st.Processes); err != nil {
		return st, fmt.Errorf("the lab's inside does not answer: %w", err)
	}
	return st, nil
}

// StopNode kills a node at once, as a power cut does; StartNode starts it again.
func (c *Cluster) StopNode(name string) error { return nodeAct(c.d, name, "stop") }

// StartNode starts a node again.
func (c *Cluster) StartNode(name string) error { return nodeAct(c.d, name, "start") }

// NodeAct stops or starts a node of the lab that the options name.
func NodeAct(o Options, name, act string) error {
	o, err := o.complete()
	if err != nil {
		return err
	}
	return nodeAct(layout(o.Dir), name, act)
}

func nodeAct(d layout, name, act string) error {
	return control(d, "POST", "/nodes/"+name+"/"+act, nil)
}

// control asks the lab's PID 1.
func control(d layout, method, path string, into any) error {
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", d.path("control.sock"))
		},
	}}
	q, err := http.NewRequest(method, "http://lab"+path, nil)
	if err != nil {
		return err
	}
	r, err := client.Do(q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if r.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", path, b)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}
