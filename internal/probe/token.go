package probe

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// attempt is one credential, or none, on its way to the manifest.
type attempt struct {
	// credential is its index, -1 for anonymous.
	credential int
	// header is what to send to the registry.
	header string
	// granted are the actions that a token tells it allows, nil when it does not.
	granted []string
	told    bool
	// refused is the token service's refusal.
	refused *result
	status  int // of the token service
	// answer is the registry's answer for the manifest.
	answer  *answer
	outcome string
}

func (a attempt) anonymous() bool { return a.credential < 0 }

// tokens gets a token for every credential in turn, as the kubelet tries whole
// pulls with one after the other.
func tokens(ctx context.Context, s *session) result {
	if s.challenge.scheme == "" {
		if r, done := s.firstAsk(ctx); done {
			return r
		}
	}
	if s.challenge.is("basic") {
		for i, c := range s.req.As.Credentials {
			s.attempts = append(s.attempts, attempt{credential: i, header: basic(c)})
		}
		if !s.withCredentials() {
			s.attempts = append(s.attempts, attempt{credential: -1})
		}
		return notAsked("Basic login, no token")
	}
	for i := range s.req.As.Credentials {
		s.attempts = append(s.attempts, s.token(ctx, i))
	}
	if !s.withCredentials() {
		s.attempts = append(s.attempts, s.token(ctx, -1))
	}
	if i := slices.IndexFunc(s.attempts, func(a attempt) bool { return a.refused == nil }); i >= 0 {
		return s.granted(s.attempts[i])
	}
	return s.noToken(ctx)
}

// firstAsk is for registries whose /v2/ is open: only the manifest tells
// whether a login is wanted.
func (s *session) firstAsk(ctx context.Context) (result, bool) {
	a, err := s.do(ctx, s.manifestAsk(http.MethodHead, s.repository, s.wanted(), ""))
	if err != nil {
		s.attempts = append(s.attempts, attempt{credential: -1})
		return notAsked("no login asked for so far"), true
	}
	if a.status == http.StatusUnauthorized {
		if r := s.challenged(a); r.status == snapshot.ProbeFailed {
			return r, true
		}
		return result{}, false
	}
	s.attempts = append(s.attempts, attempt{credential: -1, answer: a})
	return notAsked("no login asked for"), true
}

func basic(c Credential) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.User+":"+c.Password.Reveal()))
}

func (s *session) scope() string { return "repository:" + s.repository + ":pull" }

// token asks the token service, with credential i or anonymously with -1.
func (s *session) token(ctx context.Context, i int) attempt {
	return s.tokenFor(ctx, i, s.scope())
}

func (s *session) tokenFor(ctx context.Context, i int, scope string) attempt {
	out := attempt{credential: i}
	realm, err := url.Parse(s.challenge.params["realm"])
	if err != nil || realm.Host == "" {
		out.refuse(fail("auth-scheme-unsupported", "the address of the token service is malformed"))
		return out
	}
	q := realm.Query()
	if service := s.challenge.params["service"]; service != "" {
		q.Set("service", service)
	}
	q.Set("scope", scope)
	a := ask{method: http.MethodGet, limit: maxToken}
	if i >= 0 {
		if s.scheme == "https" && realm.Scheme != "https" {
			out.refuse(fail("token-endpoint-failed", "the registry speaks TLS and sends to a token service in plain HTTP ("+realmShown(realm.String())+"); the credential was not sent there"))
			return out
		}
		c := s.req.As.Credentials[i]
		if c.IdentityToken.Reveal() != "" {
			a.method = http.MethodPost
			a.form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {c.IdentityToken.Reveal()}, "service": q["service"], "scope": q["scope"], "client_id": {"unjam"}}
		} else {
			a.auth = basic(c)
		}
	}
	if a.form == nil {
		realm.RawQuery = q.Encode()
	}
	a.url = realm.String()
	s.out.Auth.Scope = s.word(scope)
	got, err := s.do(ctx, a)
	if err != nil {
		out.refuse(s.noRealm(realm, err))
		return out
	}
	if s.out.Auth.RealmHost == nil {
		s.out.Auth.RealmHost = got.host
	}
	s.readToken(&out, got, realm)
	return out
}

func (a *attempt) refuse(r result) { a.refused, a.outcome = &r, "refused" }

// noRealm: the token service could not be asked.
func (s *session) noRealm(realm *url.URL, err error) result {
	cause, what := networkFault(err)
	detail := fmt.Sprintf("the token service %s %s", s.word(realm.Host), what)
	if isNetwork(cause) && realm.Host != s.hostPort() {
		return fail("token-realm-unreachable", detail, rival(cause, "ask "+realmShown(realm.String())+" from a node"))
	}
	if cause == "unexpected-media-type" || cause == "pull-hangs-drip" || cause == "mid-transfer-eof" {
		cause = "token-endpoint-failed"
	}
	return fail(cause, detail)
}

// realmShown is a realm without user, password and query.
func realmShown(realm string) string {
	u, err := url.Parse(realm)
	if err != nil {
		return "(malformed)"
	}
	return shownURL(u)
}

// readToken judges the token service's answer.
func (s *session) readToken(out *attempt, a *answer, realm *url.URL) {
	out.status = a.status
	where := "the token service " + s.word(realm.Host)
	switch {
	case a.status == http.StatusOK:
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status == http.StatusBadRequest && !out.anonymous():
		out.refuse(s.tokenRefused(*out, a, where))
		return
	case a.status == http.StatusTooManyRequests:
		cause, what := s.statusFault(a, !out.anonymous())
		out.refuse(fail(cause, where+" answers 429"+what))
		return
	default:
		out.refuse(fail("token-endpoint-failed", fmt.Sprintf("%s answers %d%s", where, a.status, s.said(a))))
		return
	}
	var t struct {
		Token       string  `json:"token"`
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	switch err := json.Unmarshal(a.body, &t); {
	case a.cut:
		out.refuse(fail("token-endpoint-failed", fmt.Sprintf("%s sends more than %d KiB", where, maxToken>>10)))
		return
	case a.broken != nil:
		_, what := networkFault(a.broken)
		out.refuse(fail("token-endpoint-failed", where+" "+what))
		return
	case err != nil:
		out.refuse(fail("token-endpoint-failed", where+" answers 200 with something that is no token"))
		return
	}
	token := t.Token
	if token == "" {
		token = t.AccessToken
	}
	// Anything that could end the header, or nothing, is no token.
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || len(token) > maxHeaders {
		out.refuse(fail("token-endpoint-failed", where+" answers 200 with something that is no token"))
		return
	}
	s.hide.add(token)
	out.header = "Bearer " + token
	out.granted, out.told = grantOf(token, s.repository)
	s.out.Auth.TokenSeconds = int(min(max(t.ExpiresIn, 0), 1e9))
	s.out.Auth.Granted = s.word(grantWords(out.granted, out.told))
}

// grantOf reads the claims of a token in JWT form (distribution's token
// authentication specification); told is false for other tokens.
func grantOf(token, repository string) (actions []string, told bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, false
	}
	var claims struct {
		Access *[]struct {
			Type    string   `json:"type"`
			Name    string   `json:"name"`
			Actions []string `json:"actions"`
		} `json:"access"`
	}
	if json.Unmarshal(body, &claims) != nil || claims.Access == nil {
		return nil, false
	}
	for _, a := range *claims.Access {
		if a.Type == "repository" && a.Name == repository {
			actions = append(actions, a.Actions...)
		}
	}
	return actions[:min(len(actions), maxParams)], true
}

func grantWords(actions []string, told bool) string {
	switch {
	case !told:
		return ""
	case len(actions) == 0:
		return "nothing"
	}
	return strings.Join(actions, ",")
}

// granted sums up the token stage when a token was given.
func (s *session) granted(a attempt) result {
	who := "an anonymous token"
	if !a.anonymous() {
		who = "a token for " + s.who(a)
	}
	detail := "got " + who
	if s.out.Auth.TokenSeconds > 0 {
		detail += fmt.Sprintf(" for %d s", s.out.Auth.TokenSeconds)
	}
	if g := s.out.Auth.Granted; g == "nothing" {
		return warn("private-or-nonexistent", detail+", which allows nothing on "+s.repository)
	} else if g != "" {
		detail += ", allows " + g
	}
	return ok(detail)
}

// who names the credential of an attempt.
func (s *session) who(a attempt) string {
	if a.anonymous() {
		return "nobody"
	}
	c := s.req.As.Credentials[a.credential]
	if c.Shape.User != "" {
		return fmt.Sprintf("%s (user %s)", c.Source, c.Shape.User)
	}
	return c.Source
}
