package pullerror

import "strings"

// method names as Go's net/http prints them in url.Error ("Head") and as
// containerd prints them ("HEAD request to").
var methods = []struct{ word, method string }{
	{`Head "`, "HEAD"}, {`Get "`, "GET"}, {`Post "`, "POST"}, {"Head http", "HEAD"}, {"Get http", "GET"}, {"Post http", "POST"},
	{"HEAD request to ", "HEAD"}, {"GET request to ", "GET"}, {"POST request to ", "POST"},
}

// readRequest finds the failed request: method, URL and host.
func (p *parser) readRequest() {
	at, method := -1, ""
	for _, m := range methods {
		if i := strings.LastIndex(p.text, m.word); i > at {
			at, method = i, m.method
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
	for _, w := range []string{"pulling from host ", "pinging container registry ", "pinging docker registry ", "last URL "} {
		if i := strings.Index(p.text, w); i >= 0 {
			p.e.URLHost = hostToken(p.text[i+len(w):])
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
	s := p.text
	if i := strings.LastIndex(s, "lookup "); i >= 0 && (i == 0 || s[i-1] == ' ') {
		rest := s[i+len("lookup "):]
		p.e.Lookup = strings.TrimSuffix(hostToken(rest), ".")
		if _, after, ok := strings.Cut(rest, " "); ok && !strings.HasPrefix(rest[len(rest)-len(after)-2:], ":") {
			if r, ok := strings.CutPrefix(after, "on "); ok {
				p.e.Resolver = hostToken(r)
			}
		}
	}
	for _, w := range []string{"dial tcp ", "dial tcp4 ", "dial tcp6 ", "dial udp "} {
		i := strings.LastIndex(s, w)
		if i < 0 {
			continue
		}
		to := s[i+len(w):]
		if _, after, ok := strings.Cut(hostToken2(to), "->"); ok {
			to = after
		}
		p.dialled(hostToken(to), w == "dial udp ")
	}
	for _, w := range []string{"read tcp ", "write tcp ", "read udp ", "write udp "} {
		if i := strings.LastIndex(s, w); i >= 0 {
			if _, to, ok := strings.Cut(hostToken(s[i+len(w):]), "->"); ok {
				p.dialled(to, w[len(w)-4:] == "udp ")
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
