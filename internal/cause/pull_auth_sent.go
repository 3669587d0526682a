package cause

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// sentFinding: a credential was sent and refused, or lacks the right.
func (a *auth) sentFinding(w *facts.Workload) Finding {
	t, reg := a.t, a.t.image.Registry
	if s := a.match; s != nil && s.expired(a.when()) {
		return a.expiredFinding(w, s)
	}
	if fd, ok := a.stalePublic(w); ok {
		return fd
	}
	if fd, ok := a.providerSent(w); ok {
		return fd
	}
	who := a.credentialWords()
	switch t.err.Kind {
	case pullerror.AccessDenied:
		summary := fmt.Sprintf("%s accepts %s but denies it %s: it has no right to the repository, or the repository does not exist", reg, who, t.image.Repository)
		if a.witness != nil {
			fd := a.finding(w, "private-or-nonexistent", Certain, a.match, fmt.Sprintf("%s accepts %s but gives it no right to pull %s, which exists: pod %s runs it", reg, who, t.image.Repository, a.witness.Pod.Name()))
			fd.Evidence = append(fd.Evidence, ranEvidence(a.witness, "this pod has pulled from the repository"))
			return fd
		}
		return a.finding(w, "private-or-nonexistent", Likely, a.match, summary,
			rival("repo-not-found", "list the repository's tags with an account that sees the whole project (crane ls "+t.image.Name()+")"),
			rival("bad-credentials", "log in with the Secret's user and password (crane auth login "+reg+")"))
	case pullerror.Forbidden, pullerror.TokenDenied:
		return a.finding(w, "forbidden-403", Certain, a.match, fmt.Sprintf("%s forbids %s to pull %s%s%s", reg, who, t.image.Repository, t.status(), said(t.err)))
	}
	summary := fmt.Sprintf("%s refused %s for %s%s", reg, who, t.text, t.status())
	if s := a.match; s != nil && s.entry != nil && s.entry.TrailingNewline {
		summary += "; its password ends in a line break"
	}
	if a.match == nil && a.find(secretUnread) != nil && t.err.Credential == pullerror.CredentialUnknown && t.err.URL == "" {
		return a.finding(w, "bad-credentials", Likely, nil, summary, append(a.unreadRivals(), anonymousRival(t))...)
	}
	return a.finding(w, "bad-credentials", Certain, a.match, summary)
}

// credentialWords names the credential that was sent.
func (a *auth) credentialWords() string {
	if a.match != nil {
		s := fmt.Sprintf("the credential of secret %s/%s", a.pod.Obj.Namespace, a.match.name)
		if a.match.entry != nil && a.match.entry.User != "" {
			s += " (user " + a.match.entry.User + ")"
		}
		return s
	}
	if len(a.secrets) == 1 {
		return fmt.Sprintf("the credential sent (the pod names secret %s/%s)", a.pod.Obj.Namespace, a.secrets[0].name)
	}
	if len(a.secrets) == 0 {
		return "the node's own credential"
	}
	return "the credential sent"
}

func (a *auth) when() time.Time {
	if !a.t.last.IsZero() {
		return a.t.last
	}
	return a.f.Now
}

func (a *auth) expiredFinding(w *facts.Workload, s *secretReport) Finding {
	code, noun := "bad-credentials", "token"
	switch reg := a.t.image.Registry; {
	case reg == "public.ecr.aws":
		code = "stale-credential-breaks-public-pull"
	case isECR(reg), s.entry.Kind == "ecr":
		code, noun = "ecr-token-expired", "ECR token"
	case isGitLab(reg, s.entry.User):
		code = "gitlab-registry-denied"
	}
	fd := a.finding(w, code, Certain, s, fmt.Sprintf("the %s in secret %s/%s expired at %s, so %s refuses %s%s", noun, a.pod.Obj.Namespace, s.name,
		s.entry.Expires.UTC().Format("2006-01-02 15:04 UTC"), a.t.image.Registry, a.t.text, a.t.status()))
	fd.Evidence = append(fd.Evidence, Evidence{"the token's own end", facts.Receipt{Kind: "Secret", Namespace: a.pod.Obj.Namespace, Name: s.name, Field: "data (expiry)", Text: s.entry.Expires.UTC().Format(time.RFC3339), Time: a.f.Now}})
	return fd
}

// stalePublic: a pod without any Secret has pulled the same repository, so the
// credential is the only thing in the way. The kubelet never retries without
// one once a credential matched (kuberuntime_image.go, PullImage).
func (a *auth) stalePublic(w *facts.Workload) (Finding, bool) {
	c := a.witness
	if c == nil || a.match == nil || len(c.Pod.Obj.Spec.ImagePullSecrets) > 0 || a.t.err.Kind == pullerror.AccessDenied {
		return Finding{}, false
	}
	if len(accountSecrets(a.f, c.Pod, a.t.image)) > 0 || isECR(a.t.image.Registry) || isGoogle(a.t.image.Registry) || isACR(a.t.image.Registry) {
		return Finding{}, false // the node's own identity may have pulled it
	}
	fd := a.finding(w, "stale-credential-breaks-public-pull", Likely, a.match,
		fmt.Sprintf("%s refuses %s%s, although %s can be pulled without any: pod %s did", a.t.image.Registry, a.credentialWords(), a.t.status(), a.t.image.Repository, c.Pod.Name()),
		rival("bad-credentials", "ask for the manifest once without a credential (crane digest "+a.t.text+", logged out)"))
	fd.Evidence = append(fd.Evidence, ranEvidence(c, "this pod names no pull secret and runs the repository's image"))
	return fd, true
}

// said is the registry's own message in quotes.
func said(e pullerror.Error) string {
	m := strings.TrimSpace(e.ServerMessage)
	if m == "" {
		return ""
	}
	if len(m) > 200 {
		m = strings.ToValidUTF8(m[:200], "") + "…"
	}
	return fmt.Sprintf(", saying %q", m)
}
