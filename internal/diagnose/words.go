package diagnose

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/paste"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// wording ties words that a component prints to the causes they can mean.
type wording struct {
	text   string // lower case; "*" stands for anything between
	causes string // codes, the likeliest first
}

func (w wording) in(lower string) bool {
	for part := range strings.SplitSeq(w.text, "*") {
		i := strings.Index(lower, part)
		if i < 0 {
			return false
		}
		lower = lower[i+len(part):]
	}
	return true
}

// worded reads messages by their words alone, one finding per set of causes.
func worded(causes cause.Set, said []paste.Saying) []placed {
	var out []placed
	seen := map[string]bool{}
	// What kubectl rollout status reports on its way counts while it waits only.
	concluded := slices.ContainsFunc(said, func(s paste.Saying) bool {
		return strings.Contains(s.Text, "successfully rolled out") || strings.Contains(s.Text, "exceeded its progress deadline")
	})
	for _, s := range said {
		if len(seen) > 20 || len(s.Text) > 16<<10 {
			break
		}
		if concluded && strings.HasPrefix(s.Text, "Waiting for ") {
			continue
		}
		codes := codesOf(causes, s)
		if len(codes) == 0 || seen[codes[0]] {
			continue
		}
		seen[codes[0]] = true
		if slices.Contains(codes, "crashloop-app-error") && !slices.Contains(codes, "dependency-unavailable") && slices.ContainsFunc(said, unanswered) {
			codes = append([]string{"dependency-unavailable"}, codes...)
		}
		out = append(out, placed{wordFinding(causes, s, codes), s.About})
	}
	return out
}

// unanswered tells a message of a program whose call to another failed.
func unanswered(s paste.Saying) bool { return s.Kind == "" && noAnswer.MatchString(s.Text) }

var noAnswer = pattern.New(`(?i)connection refused|no such host|i/o timeout|connection reset by peer|could not connect|ECONNREFUSED|ENOTFOUND|UnknownHostException`)

func wordFinding(causes cause.Set, s paste.Saying, codes []string) cause.Finding {
	fd := cause.Finding{Cause: codes[0], Confidence: cause.Likely, Vars: map[string]string{},
		Summary:  causes.ByCode(codes[0]).Title + ": the text says " + quoteLine(s.Text, 200),
		Evidence: []cause.Evidence{{Text: "these words are printed for it", Receipt: facts.Receipt{Kind: "Text", Name: "paste", Field: "event/" + s.Reason, Text: s.Text}}}}
	if s.Reason == "" {
		fd.Evidence[0].Receipt.Field = "message"
	}
	for _, c := range codes[1:] {
		fd.Confidence = cause.Possible
		fd.Rivals = append(fd.Rivals, cause.Rival{Cause: c, SettledBy: settle(causes, c)})
	}
	return fd
}

// settle is the first check of a cause's playbook.
func settle(causes cause.Set, code string) string {
	for _, s := range causes.ByCode(code).Playbook.Verify {
		return s.Text
	}
	return ""
}

func quoteLine(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "…"
	}
	return "“" + s + "”"
}

// codesOf are the known causes that the words of a message or the reason of an
// event can mean.
func codesOf(causes cause.Set, s paste.Saying) []string {
	lower := strings.ToLower(strings.TrimSpace(s.Text))
	for _, w := range wordings {
		if s.Normal && !slices.Contains(tellingNormal, s.Reason) {
			break
		}
		if w.in(lower) {
			return known(causes, w.causes)
		}
	}
	if m := pulledIn.FindStringSubmatch(s.Text); m != nil {
		return known(causes, queueCodes(m[1], m[2]))
	}
	switch m := aboutClaim.FindStringSubmatch(lower); {
	case m != nil && m[1] == "not found":
		return known(causes, "pvc-not-found")
	case m != nil:
		return known(causes, "pvc-lost-or-deleting statefulset-pvc-create-failed")
	}
	if f := strings.Fields(lower); len(f) == 2 && f[0] == "insufficient" {
		return known(causes, "insufficient-extended pod-larger-than-any-node fragmentation")
	}
	for _, word := range []string{s.Reason, strings.TrimSpace(s.Text)} {
		if codes, ok := reasons[strings.TrimPrefix(strings.TrimPrefix(word, "Reason: "), "reason: ")]; ok && !(s.Normal && word == s.Reason && !slices.Contains(tellingNormal, word)) {
			return known(causes, codes)
		}
	}
	return nil
}

// tellingNormal are reasons of events of the type Normal that say of a trouble
// all the same. "info" and "error" are Flux's.
var tellingNormal = []string{"BackOff", "Killing", "NotTriggerScaleUp", "TriggeredScaleUp", "Nominated", "NodeNotReady", "Evicted", "Preempted", "TaintManagerEviction",
	"NodeHasDiskPressure", "NodeHasInsufficientMemory", "NodeHasInsufficientPID", "WaitForFirstConsumer", "ExternalProvisioning", "WaitForPodScheduled", "SandboxChanged",
	"DeploymentPaused", "RolloutPaused", "Suspended", "ScaleDown", "Rebooted", "error", "Deleted", "DeploymentRollbackRevisionNotFound", "Disrupted", "EvictedByVPA", "Unconsolidatable"}

var (
	pulledIn   = regexp.MustCompile(`Successfully pulled image .* in (\S+) \((\S+) including waiting\)`)
	aboutClaim = regexp.MustCompile(`(?:persistentvolumeclaim|pvc) "?[a-z0-9.-]+"? (not found|is being deleted)`)
)

// A pull that waited or lasted this long is worth a word.
const (
	longWait = 30 * time.Second
	longPull = 3 * time.Minute
)

// queueCodes tells a long wait for other pulls from a long pull.
func queueCodes(pull, all string) string {
	p, err := time.ParseDuration(pull)
	a, err2 := time.ParseDuration(all)
	switch {
	case err != nil || err2 != nil:
		return ""
	case a-p >= longWait:
		return "serial-pull-queue parallel-cap-queue"
	case p >= longPull:
		return "slow-transfer slow-unpack image-too-large"
	}
	return ""
}

func known(causes cause.Set, codes string) []string {
	var out []string
	for _, c := range strings.Fields(codes) {
		if causes.ByCode(c) != nil {
			out = append(out, c)
		}
	}
	return out
}
