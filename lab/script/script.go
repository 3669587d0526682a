// Package script describes, as data, how a hollow node's container runtime
// behaves: which pulls fail and with what text, which containers exit and how,
// when a probe starts to answer. The kubelet above the runtime is the real one,
// so statuses, events and back-off are genuine; only the runtime's answers are
// chosen here.
package script

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
	"time"
)

// Script is the content of a script file. In every list the first entry that
// matches wins; what matches nothing succeeds and runs for ever.
type Script struct {
	Pulls      []Pull      `json:"pulls,omitempty"`
	Sandboxes  []Sandbox   `json:"sandboxes,omitempty"`
	Containers []Container `json:"containers,omitempty"`
}

// Pull is the answer to one PullImage call.
type Pull struct {
	// Image is the reference as the pod writes it: exact, or a glob in which
	// `*` also crosses slashes.
	Image string `json:"image"`
	// Code is a gRPC code: Unknown (the default), NotFound, FailedPrecondition,
	// DeadlineExceeded, Unavailable, Internal, PermissionDenied, OK. The kubelet
	// drops the code from its message only when it is Unknown.
	Code string `json:"code,omitempty"`
	// Error is the runtime's text; {{.Image}} stands for the reference. Empty
	// means the pull succeeds (after Delay).
	Error string `json:"error,omitempty"`
	// Delay passes before the answer. A pull that should hang has a long one.
	Delay Duration `json:"delay,omitempty"`
	// Times limits the entry to the first n matching pulls on each node;
	// 0 means always.
	Times int `json:"times,omitempty"`
}

// Sandbox is the answer to RunPodSandbox, where network set-up fails.
type Sandbox struct {
	// Pod is a glob over "namespace/name".
	Pod   string   `json:"pod"`
	Error string   `json:"error,omitempty"`
	Delay Duration `json:"delay,omitempty"`
	Times int      `json:"times,omitempty"`
}

// Container is the life of one container run.
type Container struct {
	// Image and Name are globs; an empty one matches everything. Pod is a glob
	// over "namespace/name".
	Image string `json:"image,omitempty"`
	Name  string `json:"name,omitempty"`
	Pod   string `json:"pod,omitempty"`
	// CreateError and StartError are the runtime's texts for the two calls
	// (kubelet reasons CreateContainerError and RunContainerError).
	CreateError string `json:"createError,omitempty"`
	StartError  string `json:"startError,omitempty"`
	// ExitAfter ends the run with Exit and Reason; nil means it runs until it is
	// stopped. An empty Reason becomes Completed or Error, as containerd sets it.
	ExitAfter *Duration `json:"exitAfter,omitempty"`
	Exit      int32     `json:"exit,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	// Log holds lines that the container prints when it starts.
	Log []string `json:"log,omitempty"`
	// IgnoreTerm makes a stop take the whole grace period and end with 137.
	IgnoreTerm bool `json:"ignoreTerm,omitempty"`
	// Probes answers probes; what no entry matches is healthy at once.
	Probes []Probe `json:"probes,omitempty"`
	// Times limits the entry to the first n runs that match on each node.
	Times int `json:"times,omitempty"`
}

// Probe says how a container answers a probe until it is healthy.
type Probe struct {
	// Match is a glob over the HTTP path, or over the exec command joined by
	// spaces, or "tcp"; empty matches all.
	Match string `json:"match,omitempty"`
	// HealthyAfter is the age of the run from which the probe passes; nil means never.
	HealthyAfter *Duration `json:"healthyAfter,omitempty"`
	// Status and Body are the failing HTTP answer (503 by default).
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	// Exit and Output are the failing exec answer (exit code 1 by default).
	Exit   int    `json:"exit,omitempty"`
	Output string `json:"output,omitempty"`
	// Refuse closes the port: "connection refused". Hang accepts and never answers.
	Refuse bool `json:"refuse,omitempty"`
	Hang   bool `json:"hang,omitempty"`
}

// Duration is a time.Duration written as "1m30s" in JSON.
type Duration time.Duration

// UnmarshalJSON reads a Go duration string.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a duration is a string such as \"5s\": %w", err)
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}

// MarshalJSON writes a Go duration string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// After returns a pointer to d, for literals.
func After(d time.Duration) *Duration { v := Duration(d); return &v }

// Parse reads a script: the object form, or a bare list, which means pulls.
// Unknown fields are errors, so that a misspelt key does not silently succeed.
func Parse(b []byte) (Script, error) {
	var s Script
	target := any(&s)
	if strings.HasPrefix(strings.TrimSpace(string(b)), "[") {
		target = &s.Pulls
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(target); err != nil {
		return Script{}, err
	}
	return s, nil
}

// Load reads a script file. A missing file is an empty script.
func Load(file string) (Script, error) {
	b, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return Script{}, nil
	}
	if err != nil {
		return Script{}, err
	}
	s, err := Parse(b)
	if err != nil {
		return Script{}, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// Save writes the script in one step, so that a reader never sees half of it.
func (s Script) Save(file string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	part := file + ".part"
	if err := os.WriteFile(part, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(part, file)
}

// Glob reports whether text matches the pattern, in which `*` crosses slashes.
// An empty pattern matches everything; a malformed one only itself.
func Glob(pattern, text string) bool {
	if pattern == "" || pattern == text {
		return true
	}
	// path.Match stops at slashes; a byte that no reference contains stands in.
	flat := strings.NewReplacer("/", "\x01")
	ok, err := path.Match(flat.Replace(pattern), flat.Replace(text))
	return err == nil && ok
}
