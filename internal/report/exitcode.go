package report

import (
	"slices"

	"github.com/unjam-dev/unjam/internal/cause"
)

// ExitCode is the process status of a command. Codes are never renumbered.
type ExitCode struct {
	Code    int
	Meaning string
}

// The exit codes that do not depend on a family.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2
	ExitWaiting     = 3
	ExitUnknown     = 4
	ExitUnreachable = 5
	ExitRefused     = 6
	ExitUndone      = 7
	exitFirstFamily = 10
	ExitStallOther  = 29
)

// ExitCodes is the whole table; docs/exit-codes.md is generated from it.
func ExitCodes() []ExitCode {
	out := []ExitCode{
		{ExitOK, "no stall: everything judged is healthy, or on its way with nothing wrong"},
		{ExitFailure, "unjam itself failed"},
		{ExitUsage, "usage: bad flag, unknown workload, unreadable file"},
		{ExitWaiting, "not a stall: slow, waiting by design, or a fault that may heal alone"},
		{ExitUnknown, "cannot tell: the report names what is missing"},
		{ExitUnreachable, "the cluster cannot be reached or refuses the login"},
		{ExitRefused, "refused: precondition, policy, approval or dry run"},
		{ExitUndone, "acted, did not help, undone"},
	}
	for i, f := range cause.Families {
		if f != cause.Other {
			out = append(out, ExitCode{exitFirstFamily + i, "stalled: " + string(f)})
		}
	}
	return append(out, ExitCode{ExitStallOther, "stalled: another cause, or stalls of several families"})
}

// StallCode is the exit code of a stall by the family of its primary cause.
func StallCode(f cause.Family) int {
	i := slices.Index(cause.Families, f)
	if i < 0 || f == cause.Other {
		return ExitStallOther
	}
	return exitFirstFamily + i
}

// Code is the exit code of the report: a stall beats cannot-tell, which beats
// waiting.
func (r *Report) Code() int {
	code := ExitOK
	families := map[string]bool{}
	for _, v := range r.Verdicts {
		switch v.State {
		case "stalled":
			if v.Primary == nil {
				families[string(cause.Other)] = true
			} else {
				families[v.Primary.Family] = true
			}
		case "unknown":
			code = ExitUnknown
		case "slow", "waiting", "recovering":
			if code == ExitOK {
				code = ExitWaiting
			}
		}
	}
	switch len(families) {
	case 0:
	case 1:
		for f := range families {
			return StallCode(cause.Family(f))
		}
	default:
		return ExitStallOther
	}
	if len(r.Verdicts) == 0 && r.Summary["healthy"] == 0 && len(r.Gaps) > 0 {
		return ExitUnknown
	}
	return code
}

// Simple folds an exit code to 0 (no stall), 1 (stalled or refused) or 2
// (anything else), as diff does.
func Simple(code int) int {
	switch {
	case code == ExitOK:
		return 0
	case code >= exitFirstFamily || code == ExitRefused || code == ExitUndone:
		return 1
	}
	return 2
}
