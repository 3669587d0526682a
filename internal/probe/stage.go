package probe

import (
	"context"
	"slices"
	"time"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// stage is one step of a pull.
type stage struct {
	name string
	// needs are stages without which this one cannot be judged.
	needs []string
	run   func(ctx context.Context, s *session) result
}

// stages is the order of a pull. Adding one is a file and a line here.
var stages = []stage{
	{"reference", nil, referenceStage},
	{"credentials", []string{"reference"}, credentials},
	{"dns", []string{"reference"}, resolve},
	{"tcp", []string{"dns"}, connect},
	{"proxy", []string{"reference"}, throughProxy},
	{"tls", []string{"tcp", "proxy"}, handshake},
	{"ping", []string{"tls"}, ping},
	{"token", []string{"ping"}, tokens},
	{"manifest", []string{"token"}, manifest},
	{"platform", []string{"manifest"}, platform},
	{"blob", []string{"platform"}, blob},
	{"rate-limit", []string{"ping"}, rateLimit},
	{"signature", []string{"manifest"}, signature},
}

// Stages names the stages in order.
func Stages() []string {
	var out []string
	for _, s := range stages {
		out = append(out, s.name)
	}
	return out
}

// result is how a stage ended.
type result struct {
	status snapshot.ProbeStatus
	detail string
	cause  string
	rivals []snapshot.ProbeRival
	// passable is set for a stage that was skipped without keeping later ones
	// from being judged.
	passable bool
}

func ok(detail string) result { return result{status: snapshot.ProbeOK, detail: detail} }

func warn(cause, detail string) result {
	return result{status: snapshot.ProbeWarning, cause: cause, detail: detail}
}

func fail(cause, detail string, rivals ...snapshot.ProbeRival) result {
	return result{status: snapshot.ProbeFailed, cause: cause, detail: detail, rivals: rivals}
}

// notAsked is a stage that this pull does not have.
func notAsked(detail string) result {
	return result{status: snapshot.ProbeSkipped, detail: detail, passable: true}
}

func rival(cause, settledBy string) snapshot.ProbeRival {
	return snapshot.ProbeRival{Cause: cause, SettledBy: settledBy}
}

// run judges one stage, or skips it when what it needs is not there.
func (s *session) run(ctx context.Context, st stage) snapshot.ProbeStage {
	out := snapshot.ProbeStage{Name: st.name, Status: snapshot.ProbeSkipped}
	if i := slices.IndexFunc(st.needs, func(n string) bool { return s.missing[n] }); i >= 0 {
		s.missing[st.name] = true
		out.Detail = "not reached"
		return out
	}
	if ctx.Err() != nil {
		s.missing[st.name] = true
		out.Detail = "no time left"
		return out
	}
	start := time.Now()
	r := st.run(ctx, s)
	out.TookMS = millis(time.Since(start))
	out.Status, out.Cause, out.Detail = r.status, r.cause, s.clean(r.detail)
	for _, v := range r.rivals {
		if v.Cause != r.cause {
			out.Rivals = append(out.Rivals, snapshot.ProbeRival{Cause: v.Cause, SettledBy: s.clean(v.SettledBy)})
		}
	}
	s.missing[st.name] = r.status == snapshot.ProbeFailed || r.status == snapshot.ProbeSkipped && !r.passable
	return out
}
