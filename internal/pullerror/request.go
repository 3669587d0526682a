package pullerror

import "strings"

// method names as Go's net/http prints them in url.Error ("Head") and as
// containerd prints them ("HEAD request to").
var methods = []struct {
	word   phrase
	method string
}{
	{say(`Head "http`), "HEAD"}, {say(`Get "http`), "GET"}, {say(`Post "http`), "POST"},
	{say("Head http"), "HEAD"}, {say("Get http"), "GET"}, {say("Post http"), "POST"},
	{say("HEAD request to "), "HEAD"}, {say("GET request to "), "GET"}, {say("POST request to "), "POST"},
	{say("HEAD http"), "HEAD"}, {say("GET http"), "GET"},
}

// hostWords stand before the host asked, where no URL is printed.
var hostWords = []phrase{say("pulling from host "), say("pinging container registry "), say("pinging docker registry ")}

// addressWords stand before an address.
var dialWords = []phrase{say("dial tcp "), say("dial tcp4 "), say("dial tcp6 "), say("dial udp ")}
var lookupWord = say("lookup ")
var copyWords = []phrase{say("read tcp "), say("write tcp "), say("read udp "), say("write udp ")}

// readRequest finds the failed request: method, URL and host.
func (p *parser) readRequest() {
	at, method := -1, ""
	set := p.raw
	for i := range methods {
		m := &methods[i]
		if j := m.word.lastIn(p.text, &set); j > at {
			at, method = j, m.method
		}
	}
	from := max(at, 0)
	raw := firstURL(p.text[from:])
	if at < 0 && !p.requestURL(raw) {
		raw = ""
	}
	if raw != "" {
		p.e.Method = method
		p.setURL(raw)
		return
	}
	for i := range hostWords {
		w := &hostWords[i]
		if j := w.lastIn(p.text, &set); j >= 0 {
			p.e.URLHost = hostToken(p.text[j+len(w.text):])
			return
		}
	}
	if i := strings.Index(p.text, "reading manifest "); i >= 0 {
		if _, repo, ok := strings.Cut(p.text[i:], " in "); ok {
			p.e.URLHost = hostOfImage(hostToken2(repo))
		}
	}
}

// requestURL tells whether a URL without a method before it is the failed
// request, and not a link to a help page.
func (p *parser) requestURL(u string) bool {
	if u == "" {
		return false
	}
	return strings.Contains(u, "/v2/") || strings.Contains(p.text, "unexpected status code "+u) ||
		strings.Contains(p.text, "token") && strings.Contains(u, "scope=")
}

// firstURL returns the first http(s) URL of s without trailing punctuation.
func firstURL(s string) string {
	i := strings.Index(s, "http")
	for i >= 0 {
		rest := s[i:]
		if strings.HasPrefix(rest, "http://") || strings.HasPrefix(rest, "https://") {
			end := 0
			for end < len(rest) && !urlEnd(rest[end]) {
				end++
			}
			return strings.TrimRight(rest[:end], ":,;.)]")
		}
		j := strings.Index(rest[4:], "http")
		if j < 0 {
			break
		}
		i += 4 + j
	}
	return ""
}

// setURL stores a redacted URL and what its parts tell.
func (p *parser) setURL(raw string) {
	base, query, _ := strings.Cut(raw, "?")
	var keep []string
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "scope", "service":
			keep = append(keep, pair)
		case "ns":
			p.e.MirrorOf = strings.ToLower(value)
		}
	}
	if len(keep) > 0 {
		base += "?" + strings.Join(keep, "&")
	}
	p.e.URL = base
	p.e.URLHost = hostOfURL(base)
}

func hostOfURL(u string) string {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	return strings.ToLower(host)
}

// pathOfURL returns the path, without query.
func pathOfURL(u string) string {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return ""
	}
	_, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "?")
	return "/" + path
}

// hostToken returns the first token without trailing punctuation.
func hostToken(s string) string {
	return strings.ToLower(hostToken2(s))
}

func hostToken2(s string) string {
	end := strings.IndexAny(s, ` "`)
	if end < 0 {
		end = len(s)
	}
	return strings.TrimRight(s[:end], ":,;.)]")
}

// readNetwork finds the addresses of a failed connection.
func (p *parser) readNetwork() {
	s, set := p.text, p.raw
	if i := lookupWord.lastIn(s, &set); i >= 0 && (i == 0 || s[i-1] == ' ') {
		rest := s[i+len("lookup "):]
		p.e.Lookup = strings.TrimSuffix(hostToken(rest), ".")
		if _, after, ok := strings.Cut(rest, " "); ok && !strings.HasPrefix(rest[len(rest)-len(after)-2:], ":") {
			if r, ok := strings.CutPrefix(after, "on "); ok {
				p.e.Resolver = hostToken(r)
			}
		}
	}
	for k := range dialWords {
		w := &dialWords[k]
		i := w.lastIn(s, &set)
		if i < 0 {
			continue
		}
		to := s[i+len(w.text):]
		if _, after, ok := strings.Cut(hostToken2(to), "->"); ok {
			to = after
		}
		p.dialled(hostToken(to), w.text == "dial udp ")
	}
	for k := range copyWords {
		w := &copyWords[k]
		if i := w.lastIn(s, &set); i >= 0 {
			if _, to, ok := strings.Cut(hostToken(s[i+len(w.text):]), "->"); ok {
				p.dialled(to, strings.HasSuffix(w.text, "udp "))
			}
		}
	}
}

// dialled notes an address; a UDP one is the resolver's.
func (p *parser) dialled(address string, udp bool) {
	if address == "" || strings.HasPrefix(address, "lookup") {
		return
	}
	p.e.Dial = address
	if udp && p.e.Resolver == "" {
		p.e.Resolver = address
	}
}
