package snapshot

import (
	"regexp"
	"strings"
)

var (
	secretEnv = regexp.MustCompile(`(?i)(?:passw|passphrase|(?:^|_)(?:pass|pwd|auth|dsn|creds?|cred|salt|pin)(?:_|$)|secret|token|credential|api_?key|access_?key|private_?key|account_?key|encryption_?key|signing_?key|_key$|conn(?:ection)?_?str)`)
	// plainEnv are names that speak about a secret but hold its place or mode.
	plainEnv  = regexp.MustCompile(`(?i)(?:_(?:file|path|dir|name|ref|ttl|url|uri|host|port|enabled|mode|type|expiry)|^author.*)$`)
	secretKey = regexp.MustCompile(`(?i)^` + secretWord + `$`)
	flagName  = regexp.MustCompile(`(?i)^--?(?:[\w-]*-)?(?:password|passwd|token|secret|api-key|access-key|secret-key)$`)
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

// redactHeader judges the value of an HTTP header of a probe or hook as redactEnv
// does a variable.
func redactHeader(name, value string) string {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie":
		return redacted
	}
	return redactEnv(strings.ReplaceAll(name, "-", "_"), value)
}

// redactField judges a string by the last part of its key: the password of a
// custom resource, a token in an annotation. Keys of Kubernetes itself that
// speak of secrets end in Name, Ref and the like.
func redactField(key, value string) string {
	key = key[strings.LastIndexByte(key, '/')+1:]
	if !containsAny(strings.ToLower(key), secretSigns) || !secretKey.MatchString(key) || harmlessKey.MatchString(key) || harmlessVal.MatchString(value) {
		return Redact(value)
	}
	return redacted
}

// isNamesOnly reports whether the keys of a map are names that people choose
// and match by: a label secrets-store says nothing of its value.
func isNamesOnly(key string) bool {
	switch key {
	case "labels", "matchLabels", "selector", "nodeSelector", "hard", "used", "limits", "requests", "capacity", "allocatable":
		return true
	}
	return false
}

// redactTree redacts every string of a decoded JSON document in place and
// returns it. Lists of variables and headers and command lines get the closer
// look they need. key is the name of the field that holds v.
func redactTree(v any, key string) any {
	switch x := v.(type) {
	case string:
		return Redact(x)
	case map[string]any:
		for k, e := range x {
			if s, ok := e.(string); ok && !isNamesOnly(key) {
				x[k] = redactField(k, s)
				continue
			}
			x[k] = redactTree(e, k)
		}
	case []any:
		redactArgs := key == "args" || key == "command"
		for i, e := range x {
			if m, ok := e.(map[string]any); ok && (key == "env" || key == "httpHeaders") {
				redactNamed(m, key == "httpHeaders")
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

// redactNamed redacts the value of a variable or header.
func redactNamed(m map[string]any, header bool) {
	name, _ := m["name"].(string)
	value, ok := m["value"].(string)
	switch {
	case !ok:
	case header:
		m["value"] = redactHeader(name, value)
	default:
		m["value"] = redactEnv(name, value)
	}
}
