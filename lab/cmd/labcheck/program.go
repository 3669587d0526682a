package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// program is the unjam to check and the cluster it looks at.
type program struct{ path, kubeconfig string }

// answer is what one run of `why` gave and needed.
type answer struct {
	report   report
	code     int
	requests int
	wall     time.Duration
	peakKB   int64 // peak resident set, KiB
}

// report is the part of unjam's JSON report that checks look at.
type report struct {
	Verdicts []verdict `json:"verdicts"`
	Gaps     []gap     `json:"gaps"`
}

type verdict struct {
	Workload struct{ Kind, Namespace, Name string } `json:"workload"`
	State    string                                 `json:"state"`
	Primary  *struct{ Cause string }                `json:"primary"`
}

func (v verdict) String() string {
	s := v.Workload.Namespace + "/" + v.Workload.Name + " is " + v.State
	if v.Primary != nil {
		s += " (" + v.Primary.Cause + ")"
	}
	return s
}

type gap struct{ Resource, Namespace, Reason, Settle string }

var requestsLine = regexp.MustCompile(`(\d+) API requests`)

// why runs `unjam why` and reads its report. Exit codes from 3 on are answers.
func (p program) why(ctx context.Context, args ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, append([]string{"why", "-o", "json", "--explain-evidence", "--kubeconfig", p.kubeconfig}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	a := answer{wall: time.Since(start)}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() >= 3 {
		err = nil
	}
	if err != nil {
		return a, fmt.Errorf("why %v: %w: %s", args, err, bytes.TrimSpace(stderr.Bytes()))
	}
	a.code = cmd.ProcessState.ExitCode()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		a.peakKB = usage.Maxrss
	}
	if err := json.Unmarshal(stdout.Bytes(), &a.report); err != nil {
		return a, fmt.Errorf("why %v printed no report: %w", args, err)
	}
	m := requestsLine.FindSubmatch(stderr.Bytes())
	if m == nil {
		return a, fmt.Errorf("why %v did not say how many requests it made: %q", args, stderr.String())
	}
	a.requests, err = strconv.Atoi(string(m[1]))
	return a, err
}
