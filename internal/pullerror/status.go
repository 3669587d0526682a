package pullerror

import "strings"

// statusBefore are the words before an HTTP status. Between them and the number
// stands at most one name.
var statusBefore = []phrase{
	say("unexpected status"), say("failed with status code"), say("unexpected http status"), say("unexpected http status code"), say("http status"),
	say("status code"), say("invalid status code from registry"), say("error parsing http"), say("response status"), say("server returned"), say("status:"),
}

// readStatus finds the HTTP status the server answered with.
func (p *parser) readStatus() {
	for i := range statusBefore {
		w := &statusBefore[i]
		if !p.may(w) {
			continue
		}
		if i := strings.LastIndex(p.words, w.text); i >= 0 {
			if n := statusAfter(p.words[i+len(w.text):]); n != 0 {
				p.e.Status = n
				return
			}
		}
	}
	// "401 Unauthorized" anywhere: a number with its own reason is a status.
	for i := 0; i+4 < len(p.words); i++ {
		if (i == 0 || p.words[i-1] == ' ') && p.words[i] >= '1' && p.words[i] <= '5' {
			if n := numberAt(p.words[i:]); n != 0 && reasonFollows(p.words[i+3:]) {
				p.e.Status = n
				return
			}
		}
	}
}

// statusAfter reads the number that follows within the next few words.
func statusAfter(s string) int {
	for i := 0; i < len(s) && i < 64; i++ {
		if (i == 0 || s[i-1] == ' ' || s[i-1] == '(') && s[i] >= '1' && s[i] <= '9' {
			if n := numberAt(s[i:]); n != 0 {
				return n
			}
		}
	}
	return 0
}

// numberAt reads a status between 100 and 599 that is a word of its own.
func numberAt(s string) int {
	if len(s) < 3 || s[0] < '1' || s[0] > '5' {
		return 0
	}
	for i := 1; i < 3; i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
	}
	if len(s) > 3 && strings.IndexByte(" ,;.:)]\n(", s[3]) < 0 {
		return 0
	}
	return int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
}

// reasons are the status texts of net/http that matter here, in lower case.
var reasons = []string{
	"unauthorized", "forbidden", "not found", "too many requests", "internal server error", "bad gateway", "service unavailable",
	"gateway timeout", "gateway time-out", "bad request", "method not allowed", "proxy authentication required", "request timeout",
	"service temporarily unavailable", "not acceptable", "gone", "unavailable for legal reasons",
}

func reasonFollows(s string) bool {
	for _, r := range reasons {
		if len(s) > len(r) && s[0] == ' ' && s[1] == r[0] && strings.HasPrefix(s[1:], r) {
			return true
		}
	}
	return false
}

// kindOfStatus is the general meaning of a status at a stage.
func (p *parser) kindOfStatus() Kind {
	n := p.e.Status
	token := p.e.Stage == StageToken
	switch {
	case n == 0:
		return Unknown
	case n == 401 && token:
		return TokenUnauthorized
	case n == 403 && token:
		return TokenDenied
	case n == 429:
		return RateLimited
	case token && (n >= 500 || n == 404):
		return TokenEndpoint
	case n == 401:
		return Unauthorized
	case n == 403:
		return Forbidden
	case n == 404:
		return NotFound
	case n == 407:
		return ProxyDenied
	case n >= 500:
		return ServerError
	}
	return HTTPStatus
}

// bareStatus tells whether the words end in a status text right after a
// request, without a number: net/http prints that when a proxy refused CONNECT
// (net/http/transport.go, dialConn). The text has a capital; a registry's own
// error code in the same place has not.
func bareStatus(words, text string) bool {
	for _, r := range reasons {
		head, ok := strings.CutSuffix(words, r)
		if !ok || !strings.HasSuffix(head, ": ") {
			continue
		}
		head, ok = strings.CutSuffix(head[:len(head)-2], "~")
		if first := text[max(len(text)-len(r), 0)]; !ok || first < 'A' || first > 'Z' {
			return false
		}
		return strings.HasSuffix(head, "head ") || strings.HasSuffix(head, "get ") || strings.HasSuffix(head, "post ")
	}
	return false
}
