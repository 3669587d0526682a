package snapshot

import (
	"regexp"
	"strings"
)

var (
	secretEnv = regexp.MustCompile(`(?i)(?:passw|passphrase|(?:^|_)(?:pass|pwd|auth|dsn|creds?|cred|salt|pin)(?:_|$)|secret|token|credential|api_?key|access_?key|private_?key|account_?key|encryption_?key|signing_?key|_key$|conn(?:ection)?_?str)`)
	// plainEnv are names that speak about a secret but hold its place or mode.
	plainEnv = regexp.MustCompile(`(?i)(?:_(?:file|path|dir|name|ref|ttl|url|uri|host|port|enabled|mode|type|expiry)|^author.*)$`)
	flagName = regexp.MustCompile(`(?i)^--?(?:[\w-]*-)?(?:password|passwd|token|secret|api-key|access-key|secret-key)$`)
)

// redactEnv judges the value of an environment variable by its name and its
// form. The name is always kept.
func redactEnv(name, value string) string {
	switch {
	case value == "" || harmlessVal.MatchString(value):
		return value
	case secretEnv.MatchString(name) && !plainEnv.MatchString(name):
		return redacted
	case len(value) >= 24 && !strings.ContainsAny(value, " ./:,") && looksRandom(value):
		return redacted
	}
	return Redact(value)
}

// redactTree redacts every string of a decoded JSON document in place and
// returns it. env lists and command lines get the closer look they need.
func redactTree(v any, key string) any {
	switch x := v.(type) {
	case string:
		return Redact(x)
	case map[string]any:
		for k, e := range x {
			x[k] = redactTree(e, k)
		}
	case []any:
		redactArgs := key == "args" || key == "command"
		for i, e := range x {
			if m, ok := e.(map[string]any); ok && key == "env" {
				name, _ := m["name"].(string)
				if value, ok := m["value"].(string); ok {
					m["value"] = redactEnv(name, value)
				}
				continue
			}
			if s, ok := e.(string); ok && redactArgs && i > 0 {
				if flag, ok := x[i-1].(string); ok && flagName.MatchString(flag) && !strings.HasPrefix(s, "-") {
					x[i] = redacted
					continue
				}
			}
			x[i] = redactTree(e, key)
		}
	}
	return v
}
