package cause

import (
	"fmt"
	"strings"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// judgeService handles a registry that was reached and could not serve.
func judgeService(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	s := scopeOf(f, t)
	if t.err.Kind == pullerror.RateLimited {
		return []Finding{rateLimited(f, w, t)}
	}
	if fd, ok := mirrorFault(f, w, t); ok {
		return []Finding{fd}
	}
	code, summary := "registry-5xx", fmt.Sprintf("%s answers with a server error%s to the request for %s%s", t.host(), t.status(), t.text, said(t.err))
	switch {
	case t.err.Kind == pullerror.RegistryDown || t.err.Wrapper == "RegistryUnavailable":
		code, summary = "registry-unavailable-crio", fmt.Sprintf("CRI-O cannot reach %s: %s", t.host(), clip(t.err.Text))
	case t.err.Kind == pullerror.TokenEndpoint, t.err.Kind == pullerror.ServerError && t.err.Stage == pullerror.StageToken:
		code, summary = "token-endpoint-failed", fmt.Sprintf("the token service of %s (%s) fails%s, so nothing can be pulled from it", t.image.Registry, t.host(), t.status())
	case t.err.Status == 400 && strings.HasPrefix(t.err.URL, "http://"):
		// The answer to HEAD has no body that would say so.
		return []Finding{s.apply(t.finding(w, "http-request-to-https", Likely, fmt.Sprintf("%s asks %s with plain HTTP and gets a bad request (400), as from a server that speaks HTTPS", nodesWords(t.nodes), t.host()),
			rival("registry-5xx", "curl -s http://"+t.host()+"/v2/ and read the body")))}
	case t.err.Status == 400 && t.err.URL == "" && t.err.Stage == pullerror.StageResolve:
		// containerd 1.x does not say in which scheme it asked.
		return []Finding{s.apply(t.finding(w, "http-request-to-https", Possible, fmt.Sprintf("%s answers a bad request (400) to the request for the manifest of %s, as a server does that speaks HTTPS and is asked in plain HTTP", t.host(), t.text),
			rival("registry-5xx", "ask the registry from the node: curl -si https://"+t.host()+"/v2/ answers 200 or 401 where it speaks HTTPS; curl -s http://"+t.host()+"/v2/ shows what it says to plain HTTP")))}
	case t.err.Kind == pullerror.HTTPStatus && t.err.Status < 500:
		return []Finding{unread(w, t)}
	}
	return []Finding{s.apply(t.finding(w, code, Certain, summary))}
}

// rateLimited tells whose limit it is: Docker Hub counts by address when no
// credential is sent and by account when one is.
func rateLimited(f *facts.Facts, w *facts.Workload, t *trouble) Finding {
	reg := t.image.Registry
	fd := func(code string, conf Confidence, summary string, rivals ...Rival) Finding {
		x := t.finding(w, code, conf, summary, rivals...)
		x.Key = "registry " + t.host()
		if t.err.Target != pullerror.TargetMirror {
			x.Key = "registry " + reg
		}
		return x
	}
	if t.err.Target == pullerror.TargetMirror {
		return fd("rate-limit-other", Certain, fmt.Sprintf("the mirror %s limits how fast images may be pulled (429) and turned %s away", t.host(), t.text))
	}
	if strings.Contains(words(t.err), "reached your pull rate limit") || strings.Contains(words(t.err), "unauthenticated pull rate limit") {
		reg = "docker.io" // Docker Hub's own words, also through a proxy
	}
	switch reg {
	case "public.ecr.aws":
		return fd("rate-limit-ecr-public", Certain, fmt.Sprintf("public.ecr.aws turned %s away: too many pulls at once (429); the limit clears within seconds", t.text))
	case "docker.io":
	default:
		return fd("rate-limit-other", Certain, fmt.Sprintf("%s limits how fast images may be pulled and turned %s away (429)", reg, t.text))
	}
	a := newAuth(f, t)
	text := words(t.err)
	switch {
	case strings.Contains(text, "unauthenticated pull rate limit"), t.err.Credential == pullerror.CredentialNone, len(a.secrets) == 0 && !a.sent:
		return fd("rate-limit-dockerhub-anonymous", Certain, fmt.Sprintf("Docker Hub has served all it gives without a login to the address of %s and turned %s away (429)%s", nodesWords(t.nodes), t.text, a.uselessSecrets()))
	case a.sent:
		return fd("rate-limit-dockerhub-authenticated", Certain, fmt.Sprintf("Docker Hub has served all it gives to %s and turned %s away (429)", a.credentialWords(), t.text))
	case a.find(secretUnread) != nil:
		return fd("rate-limit-dockerhub-anonymous", Likely, fmt.Sprintf("Docker Hub turned %s away (429): the limit of the address or of the account is used up", t.text),
			rival("rate-limit-dockerhub-authenticated", "look whether pull secret "+a.secrets[0].name+" holds a credential for docker.io"))
	}
	return fd("rate-limit-dockerhub-anonymous", Certain, fmt.Sprintf("Docker Hub has served all it gives without a login to the address of %s and turned %s away (429)%s", nodesWords(t.nodes), t.text, a.uselessSecrets()))
}

// uselessSecrets says why the pod's Secrets did not make it a logged-in pull.
func (a *auth) uselessSecrets() string {
	for _, s := range a.secrets {
		if s.state != secretMatches && s.state != secretUnread {
			return fmt.Sprintf("; pull secret %s did not help: %s", s.name, s.why)
		}
	}
	return ""
}

// mirrorFault: a configured mirror failed, not the registry the image names.
func mirrorFault(f *facts.Facts, w *facts.Workload, t *trouble) (Finding, bool) {
	if t.err.Target != pullerror.TargetMirror {
		return Finding{}, false
	}
	upstream := t.err.MirrorOf
	if upstream == "" {
		upstream = t.image.Registry
	}
	code := "mirror-error-masks-upstream"
	summary := fmt.Sprintf("the mirror %s that %s asks for %s fails (%s); what %s itself would answer is not known", t.host(), nodesWords(t.nodes), upstream, plain(t.err), upstream)
	if t.err.Stage == pullerror.StageBlob || t.err.Stage == pullerror.StageManifest || t.err.Stage == pullerror.StageVerify || t.err.Kind == pullerror.TransferEOF {
		code = "mirror-no-blob-fallback"
		summary = fmt.Sprintf("the mirror %s fails while %s is fetched (%s), and %s does not turn to %s instead", t.host(), t.text, plain(t.err), nodesWords(t.nodes), upstream)
	}
	s := scopeOf(f, t)
	fd := t.finding(w, code, Certain, summary)
	fd.Key, fd.Vars["upstream"] = "mirror "+t.host(), upstream
	fd.Evidence = append(fd.Evidence, s.Evidence...)
	return fd, true
}

// plain names a failure in a few words.
func plain(e pullerror.Error) string {
	if e.Status != 0 {
		return fmt.Sprintf("HTTP %d", e.Status)
	}
	switch e.Kind {
	case pullerror.DNSNotFound:
		return "its name does not resolve"
	case pullerror.DNSServfail, pullerror.DNSTimeout, pullerror.DNSRefused:
		return "its name cannot be resolved now"
	case pullerror.TCPRefused:
		return "connection refused"
	case pullerror.TCPTimeout, pullerror.RequestTimeout:
		return "no answer"
	case pullerror.TCPReset:
		return "connection reset"
	case pullerror.NoRoute:
		return "no route"
	case pullerror.HandshakeTime:
		return "TLS handshake timeout"
	case pullerror.HeaderTimeout:
		return "no response in time"
	case pullerror.TransferEOF:
		return "the transfer breaks off"
	}
	return strings.ReplaceAll(string(e.Kind), "-", " ")
}

// short is the error's own text, cut for a summary at a rune's border.
func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 240 {
		s = strings.ToValidUTF8(s[:240], "") + "…"
	}
	return s
}

// unread is a failing pull whose words fit no cause: the state, with the words.
func unread(w *facts.Workload, t *trouble) Finding {
	summary := fmt.Sprintf("pulling %s fails and waits for its next try", t.text)
	if text := clip(t.err.Text); text != "" && t.err.Kind != pullerror.BackOffOnly {
		summary += fmt.Sprintf("; the words are not known: %q", text)
	}
	fd := t.finding(w, "backoff-wait", Certain, summary)
	fd.Key = "image " + t.image.String()
	return fd
}
