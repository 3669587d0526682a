package probe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func isECR(host string) bool {
	return strings.Contains(host, ".dkr.ecr.") && strings.Contains(host, ".amazonaws.com")
}

func isGoogle(host string) bool {
	return host == "gcr.io" || strings.HasSuffix(host, ".gcr.io") || strings.HasSuffix(host, "-docker.pkg.dev")
}

func isACR(host string) bool { return strings.HasSuffix(host, ".azurecr.io") }

func isGitLab(host, user string) bool {
	return host == "registry.gitlab.com" || strings.Contains(host, "gitlab") || user == "gitlab-ci-token" || strings.HasPrefix(user, "gitlab+deploy-token")
}

// tokenRefused judges a token service that answers 401 or 403.
func (s *session) tokenRefused(a attempt, got *answer, where string) result {
	if a.anonymous() {
		// Decided in noToken, which may ask more.
		return fail("private-or-nonexistent", fmt.Sprintf("%s gives no token for %s without a credential%s", where, s.repository, s.said(got)))
	}
	return s.credentialRefused(a, got.status, lower(got), fmt.Sprintf("%s refuses %s with %d%s", where, s.who(a), got.status, s.said(got)))
}

// noToken judges a token stage in which nothing was granted.
func (s *session) noToken(ctx context.Context) result {
	first := s.attempts[0]
	if first.anonymous() {
		if first.status == http.StatusUnauthorized || first.status == http.StatusForbidden {
			// A token that allows nothing is given to everybody unless the registry
			// wants a login for all it has.
			bare := s.tokenFor(ctx, -1, "")
			s.out.Auth.Scope = s.word(s.scope())
			return s.anonymousRefused(first.refused.detail, bare.refused != nil)
		}
		return *first.refused
	}
	refusedByService := func(a attempt) bool {
		return a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status == http.StatusBadRequest
	}
	if slices.ContainsFunc(s.attempts, refusedByService) {
		if anon := s.anonymous(ctx); anon != nil && anon.status == http.StatusOK {
			return s.stale(first.refused.detail)
		}
	}
	return s.together()
}

// together is the answer for several credentials that were all refused.
func (s *session) together() result {
	out := *s.attempts[0].refused
	same := true
	for _, a := range s.attempts[1:] {
		if a.refused == nil || a.refused.cause != out.cause {
			same = false
		}
	}
	if same {
		return out
	}
	mixed := fail("mixed-credential-errors", out.detail)
	for _, a := range s.attempts {
		if a.refused != nil {
			mixed.rivals = append(mixed.rivals, rival(a.refused.cause, "ask with "+s.who(a)+" alone (--secret)"))
		}
	}
	return mixed
}

// stale: the image is public, and only the credential is in the way.
func (s *session) stale(detail string) result {
	return fail("stale-credential-breaks-public-pull", detail+"; without a credential "+s.repository+" can be pulled, but the kubelet never tries that when one matches")
}

// anonymousRefused: no credential was sent. everything is true when the
// registry wants a login for all it has.
func (s *session) anonymousRefused(detail string, everything bool) result {
	for _, n := range s.req.As.Notes {
		if n.Cause != "" {
			return fail(n.Cause, fmt.Sprintf("%s; %s %s", detail, n.Source, n.Text))
		}
	}
	absent := rival("repo-not-found", "look for "+s.repository+" with an account that sees the whole project")
	switch {
	case isECR(s.registry):
		return fail("ecr-no-basic-auth", detail)
	case isGoogle(s.registry):
		return fail("gar-permission-denied", detail, absent)
	case s.registry == "quay.io":
		return fail("quay-unauthorized", detail, absent)
	case isACR(s.registry):
		return fail("anonymous-denied", detail, rival("acr-unauthorized", "ask with the identity of the nodes: az aks check-acr"))
	case everything:
		return fail("anonymous-denied", detail)
	}
	return fail("private-or-nonexistent", detail, absent)
}

// credentialRefused judges a refusal of a credential that was sent, by status
// and by the words (in lower case) of the answer.
func (s *session) credentialRefused(a attempt, status int, words, detail string) result {
	c := s.req.As.Credentials[a.credential]
	end := c.Shape.Expires
	expired := !end.IsZero() && end.Before(s.place.Now())
	if expired {
		detail += fmt.Sprintf("; its token expired %s ago, at %s", span(s.place.Now().Sub(end)), date(end))
	}
	if c.Shape.TrailingNewline {
		detail += "; its password ends in a line break"
	}
	gitlab := isGitLab(s.registry, c.User)
	forbidden := status == http.StatusForbidden
	switch {
	case strings.Contains(words, "authorization token has expired") && s.registry == "public.ecr.aws":
		return fail("stale-credential-breaks-public-pull", detail)
	case strings.Contains(words, "authorization token has expired"):
		return fail("ecr-token-expired", detail)
	case strings.Contains(words, "not authorized to perform: ecr:"):
		return fail("ecr-iam-denied", detail)
	case strings.Contains(words, "client with ip") && strings.Contains(words, "not allowed access"):
		return fail("acr-firewall", detail)
	case expired && (isECR(s.registry) || c.Shape.Kind == "ecr"):
		return fail("ecr-token-expired", detail)
	case gitlab && (expired || forbidden || c.User == "gitlab-ci-token"), strings.Contains(words, "denied: access forbidden"):
		return fail("gitlab-registry-denied", detail)
	case expired:
		return fail("bad-credentials", detail)
	case strings.Contains(words, "unauthorized to access repository"):
		return fail("harbor-unauthorized", detail)
	case isECR(s.registry) && forbidden:
		return fail("ecr-token-expired", detail, rival("ecr-iam-denied", "aws ecr get-login-password with the same identity, and ask again"))
	case isGoogle(s.registry) && forbidden:
		return fail("gar-permission-denied", detail, rival("repo-not-found", "gcloud artifacts repositories list, in the project and location that the image names"))
	case forbidden:
		return fail("forbidden-403", detail)
	}
	return fail("bad-credentials", detail)
}

// denied judges 401 and 403 for the manifest, with the witnesses that a probe
// can call and a message cannot.
func (s *session) denied(ctx context.Context, a *attempt) result {
	status := a.answer.status
	// HEAD has no body; the refusal's words need a GET, which is refused too.
	body, err := s.do(ctx, s.manifestAsk(http.MethodGet, s.repository, s.wanted(), a.header))
	if err != nil || body.status < 400 {
		body = a.answer
	}
	detail := fmt.Sprintf("%s answers %d for the manifest of %s%s", s.host, status, s.name(), s.said(body))
	if a.anonymous() {
		if words := lower(body); strings.Contains(words, "client with ip") && strings.Contains(words, "not allowed access") {
			return fail("acr-firewall", detail)
		}
		if s.challenge.scheme == "" && status == http.StatusForbidden {
			// A registry that wanted a login would have asked for one.
			return s.privateOrAbsent(ctx, a, fail("forbidden-403", detail+", without asking for a login"))
		}
		if s.challenge.is("basic") {
			return s.anonymousRefused(detail+" and was asked without a credential", true)
		}
		return s.privateOrAbsent(ctx, a, s.anonymousRefused(detail+" to an anonymous request", false))
	}
	if anon := s.anonymous(ctx); anon != nil && anon.status == http.StatusOK {
		return s.stale(fmt.Sprintf("%s to %s", detail, s.who(*a)))
	}
	// The token service knew the credential: what lacks is the right, or the
	// repository.
	if s.challenge.is("bearer") && (status == http.StatusUnauthorized || a.told && !slices.Contains(a.granted, "pull")) {
		return s.privateOrAbsent(ctx, a, fail("private-or-nonexistent", fmt.Sprintf("%s to %s, which it knows: the account has no right to the repository, or there is none", detail, s.who(*a)),
			rival("repo-not-found", "look for "+s.repository+" with an account that sees the whole project")))
	}
	return s.credentialRefused(*a, status, lower(body), fmt.Sprintf("%s to %s", detail, s.who(*a)))
}

// privateOrAbsent takes a refusal apart by what the registry answers for a
// repository that surely does not exist.
func (s *session) privateOrAbsent(ctx context.Context, a *attempt, r result) result {
	if r.cause != "private-or-nonexistent" && r.cause != "quay-unauthorized" && r.cause != "gar-permission-denied" {
		return r
	}
	if s.listed(ctx, a) {
		r.rivals = nil
		r.detail += "; the registry's catalogue lists the repository, so it exists"
		return r
	}
	switch s.control(ctx, a) {
	case http.StatusNotFound:
		r.rivals = nil
		r.detail += "; a repository that does not exist gets 404 here, so this one exists"
	case a.answer.status:
		r.detail += "; a repository that does not exist gets the same answer here"
	}
	return r
}
