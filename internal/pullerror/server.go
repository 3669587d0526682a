package pullerror

import "strings"

// serverCodes are what registries say first in an error body, as the clients
// print them: the code of the distribution API in lower case.
var serverCodes = []phrase{
	say("toomanyrequests"), say("insufficient_scope"), say("manifest unknown"), say("manifest invalid"), say("name unknown"), say("name invalid"), say("blob unknown"),
	say("unknown blob"), say("denied"), say("unauthorized"),
}

// readServer finds what the registry itself said.
func (p *parser) readServer() {
	s := p.text
	switch {
	case p.readJSONBody(s), p.readXMLBody(s):
		return
	}
	if !p.saysAny(serverCodes) && !strings.Contains(p.words, "server message: ") {
		return
	}
	lower := strings.ToLower(s)
	if len(lower) != len(s) {
		return // letters whose lower case has another length; positions would not fit
	}
	if i := strings.Index(lower, "server message: "); i >= 0 {
		s, lower = s[i+len("server message: "):], lower[i+len("server message: "):]
		p.e.ServerMessage = s
	}
	at, code := -1, ""
	for i := range serverCodes {
		c := &serverCodes[i]
		if !p.says(c) {
			continue
		}
		if i := codeAt(s, lower, c.text); i >= 0 && (at < 0 || i < at) {
			at, code = i, c.text
		}
	}
	if at < 0 {
		return
	}
	p.e.ServerCode = code
	p.e.ServerMessage = strings.TrimPrefix(s[at+len(code):], ": ")
}

// codeAt finds a code that stands as a word of its own and is followed by a
// colon or the end. A capital followed by a small letter is a status text
// ("401 Unauthorized") and no code.
func codeAt(s, lower, code string) int {
	for from := 0; ; {
		i := strings.Index(lower[from:], code)
		if i < 0 {
			return -1
		}
		i += from
		from = i + len(code)
		end := from == len(lower) || lower[from] == ':' && (from+1 == len(lower) || lower[from+1] == ' ')
		start := i == 0 || lower[i-1] == ' '
		statusText := s[i] != lower[i] && s[i+1] == lower[i+1]
		if start && end && !statusText && !nameBefore(lower[:i]) {
			return i
		}
	}
}

// nameBefore tells whether the word before says that a name or a verb's end
// stands here.
func nameBefore(before string) bool {
	return strings.HasSuffix(before, "is ") || strings.HasSuffix(before, "access ") ||
		strings.HasSuffix(before, "for ") || strings.HasSuffix(before, "manifest ") || strings.HasSuffix(before, "host ") ||
		strings.HasSuffix(before, "lookup ") || strings.HasSuffix(before, "registry ") || strings.HasSuffix(before, "code = ")
}

// readJSONBody reads {"errors":[{"code":"X","message":"Y"}]}.
func (p *parser) readJSONBody(s string) bool {
	code, ok := jsonField(s, `"code":`)
	if !ok {
		return false
	}
	message, _ := jsonField(s, `"message":`)
	p.e.ServerCode = strings.ReplaceAll(strings.ToLower(code), "_", " ")
	if p.e.ServerCode == "insufficient scope" {
		p.e.ServerCode = "insufficient_scope"
	}
	p.e.ServerMessage = message
	return true
}

func jsonField(s, key string) (string, bool) {
	_, rest, ok := strings.Cut(s, key)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimPrefix(rest, " "), `"`)
	if !ok {
		return "", false
	}
	value, _, ok := strings.Cut(rest, `"`)
	return value, ok && len(value) > 0
}

// readXMLBody reads the answer of object storage: <Code>X</Code><Message>Y</Message>.
func (p *parser) readXMLBody(s string) bool {
	_, rest, ok := strings.Cut(s, "<Code>")
	if !ok {
		return false
	}
	code, rest, ok := strings.Cut(rest, "</Code>")
	if !ok || len(code) > 64 {
		return false
	}
	p.e.ServerCode = code
	if _, rest, ok = strings.Cut(rest, "<Message>"); ok {
		p.e.ServerMessage, _, _ = strings.Cut(rest, "<")
	}
	return true
}

// kindOfServerCode is used when no rule on the words fits.
func (p *parser) kindOfServerCode() Kind {
	switch p.e.ServerCode {
	case "toomanyrequests":
		return RateLimited
	case "insufficient_scope":
		return AccessDenied
	case "manifest unknown":
		return TagMissing
	case "name unknown":
		return RepoMissing
	case "blob unknown", "unknown blob":
		return BlobMissing
	case "denied":
		if p.e.Stage == StageToken {
			return TokenDenied
		}
		return Forbidden
	case "unauthorized":
		if p.e.Status == 403 {
			return Forbidden
		}
		if p.e.Stage == StageToken {
			return TokenUnauthorized
		}
		return Unauthorized
	case "AccessDenied", "AuthorizationFailure", "SignatureDoesNotMatch", "AuthenticationFailed", "PublicAccessNotPermitted":
		return Forbidden
	case "NoSuchKey", "BlobNotFound":
		return BlobMissing
	case "SlowDown", "ServerBusy":
		return RateLimited
	case "InternalError", "ServiceUnavailable":
		return ServerError
	}
	return Unknown
}

// readCredential tells from the words whether a credential was sent.
func (p *parser) readCredential() {
	for i := range credentialWords {
		if c := &credentialWords[i]; p.says(&c.words) {
			p.e.Credential = c.is
			return
		}
	}
}

var credentialWords = []struct {
	words phrase
	is    Credential
}{
	{say("oauth token"), CredentialSent},
	{say("anonymous token"), CredentialNone},
	{say("no basic auth credentials"), CredentialNone},
	{say("unauthenticated pull rate limit"), CredentialNone},
	{say("unauthenticated request"), CredentialNone},
	{say("anonymous pull"), CredentialNone},
	{say("there are no credentials on this request"), CredentialNone},
	{say("invalid username/password"), CredentialSent},
	{say("incorrect username or password"), CredentialSent},
	{say("authorization token has expired"), CredentialSent},
	{say("is not authorized to perform:"), CredentialSent},
	{say("denied: permission ~ denied on resource"), CredentialSent},
}
