package snapshot

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/unjam-dev/unjam/internal/keyring"
)

// SecretShapeOf reads the outline of a Secret and judges its docker config the
// way the kubelet's keyring does (k8s.io/kubernetes pkg/credentialprovider):
// only the two pull types with their own key count, auth wins over username
// and password, and one entry that does not decode spoils them all. No value
// of the Secret is kept, nor any text from which one could be read.
func SecretShapeOf(s *corev1.Secret) *SecretShape {
	keys := make(map[string]bool, len(s.Data)+len(s.StringData))
	for k := range s.Data {
		keys[k] = true
	}
	for k := range s.StringData { // only manifests have it; the server merges it into data
		keys[k] = true
	}
	out := &SecretShape{
		Namespace: s.Namespace, Name: s.Name, UID: string(s.UID), Version: s.ResourceVersion,
		Created: s.CreationTimestamp.Time, Type: string(s.Type),
		Keys: slices.Sorted(maps.Keys(keys)),
	}
	key := keyring.DataKey(s.Type)
	if key == "" {
		return out
	}
	value, ok := s.Data[key]
	if v, has := s.StringData[key]; has {
		value, ok = []byte(v), true
	}
	if !ok || len(value) == 0 {
		out.Pull = &PullCredentials{Skipped: "the Secret has no " + key}
		return out
	}
	out.Pull = pullCredentials(s.Type, value)
	return out
}

func pullCredentials(t corev1.SecretType, value []byte) *PullCredentials {
	c := keyring.Decode(t, value)
	out := &PullCredentials{Malformed: c.Malformed, Ignored: c.Ignored}
	for _, e := range c.Entries {
		out.Entries = append(out.Entries, ShapeOfEntry(e))
	}
	return out
}

// ShapeOfEntry is the outline of one credential: nothing from which its secret
// part could be read.
func ShapeOfEntry(e keyring.Entry) Credential {
	c := Credential{HostKey: cleanHostKey(e.Key), Malformed: e.Malformed}
	if e.Malformed != "" {
		return c
	}
	if e.HasIdentityToken {
		c.Ignored = "identitytoken"
	}
	if e.Empty() {
		c.Empty = true
		return c
	}
	password := e.Password.Reveal()
	c.NoPassword = password == ""
	c.TrailingNewline = strings.HasSuffix(password, "\n") || strings.HasSuffix(password, "\r")
	c.Kind, c.Expires = tokenOf(strings.TrimSpace(password))
	c.User = cleanUser(e.User, password)
	return c
}

// tokenOf tells the sort of a password and when it expires, zero when it does
// not say. The signature is not checked: only the registry can do that.
func tokenOf(password string) (kind string, expires time.Time) {
	if password == "" {
		return "", time.Time{}
	}
	if parts := strings.Split(password, "."); len(parts) == 3 && strings.HasPrefix(password, "eyJ") {
		var claims struct {
			Exp float64 `json:"exp"`
		}
		body, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
		if err == nil && json.Unmarshal(body, &claims) == nil {
			return "jwt", unixTime(claims.Exp)
		}
	}
	// An ECR token is base64 of a JSON envelope that carries its own expiry.
	if strings.HasPrefix(password, "eyJ") {
		var envelope struct {
			Payload    string  `json:"payload"`
			Expiration float64 `json:"expiration"`
		}
		body, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(password, "="))
		if err == nil && json.Unmarshal(body, &envelope) == nil && envelope.Payload != "" {
			return "ecr", unixTime(envelope.Expiration)
		}
	}
	return "password", time.Time{}
}

// unixTime refuses seconds outside the years 2000 to 2200: a number out there
// is not an expiry, and time.Time could not be written as JSON past 9999.
func unixTime(sec float64) time.Time {
	if sec < 946684800 || sec > 7258118400 {
		return time.Time{}
	}
	return time.Unix(int64(sec), 0).UTC()
}

// plainUsers are long or odd user names that registries prescribe; they tell
// the kind of credential and are no secret.
var plainUsers = map[string]bool{
	"AWS": true, "_json_key": true, "_json_key_base64": true, "oauth2accesstoken": true, "_token": true,
	"00000000-0000-0000-0000-000000000000": true, // Azure Container Registry
	"x-access-token":                       true, "gitlab-ci-token": true, "$oauthtoken": true, "iamapikey": true, "token": true,
}

// cleanUser keeps a user name that reads like a name. A token put in the user
// field by mistake, or the whole user with an empty password, is shortened.
func cleanUser(user, password string) string {
	switch {
	case plainUsers[user]:
		return user
	case !safeText(user), password == "", len(password) >= 4 && strings.Contains(user, password):
		return shorten(user, 2)
	case strings.Count(user, ".") == 2 && strings.HasPrefix(user, "eyJ"), Redact(user) != user:
		return "(token)"
	case len(user) > 40:
		return shorten(user, 8)
	}
	return user
}

func shorten(s string, keep int) string {
	if !safeText(s) {
		return "…"
	}
	if len(s) <= 2*keep {
		return s[:len(s)/2] + "…"
	}
	return s[:keep] + "…"
}

func safeText(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// cleanHostKey keeps the key as written but for a user and password put into
// it as in a URL, and for what no registry address can contain.
func cleanHostKey(key string) string {
	key = strings.ToValidUTF8(key, "\uFFFD")
	if at := strings.LastIndexByte(key, '@'); at >= 0 {
		scheme := ""
		if i := strings.Index(key, "://"); i >= 0 && i < at {
			scheme = key[:i+3]
		}
		key = scheme + redacted + "@" + key[at+1:]
	}
	if len(key) > 300 {
		key = strings.ToValidUTF8(key[:300], "") + "…"
	}
	return Redact(key)
}

// secretKeysOnly reads a Secret whose data does not decode (a manifest with a
// placeholder instead of base64): name, type and keys, no judgement.
func secretKeysOnly(raw []byte) (*SecretShape, bool) {
	var s struct {
		Metadata struct {
			Name      string    `json:"name"`
			Namespace string    `json:"namespace"`
			UID       types.UID `json:"uid"`
		} `json:"metadata"`
		Type       string                     `json:"type"`
		Data       map[string]json.RawMessage `json:"data"`
		StringData map[string]json.RawMessage `json:"stringData"`
	}
	if json.Unmarshal(raw, &s) != nil || s.Metadata.Name == "" {
		return nil, false
	}
	keys := slices.Collect(maps.Keys(s.Data))
	for k := range s.StringData {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := &SecretShape{Namespace: s.Metadata.Namespace, Name: s.Metadata.Name, UID: string(s.Metadata.UID), Type: s.Type, Keys: slices.Compact(keys)}
	if keyring.DataKey(corev1.SecretType(s.Type)) != "" {
		out.Pull = &PullCredentials{Malformed: "a value in data is not base64"}
	}
	return out, true
}

// ConfigMapShapeOf keeps the keys of a ConfigMap.
func ConfigMapShapeOf(c *corev1.ConfigMap) *ConfigMapShape {
	keys := make([]string, 0, len(c.Data)+len(c.BinaryData))
	for k := range c.Data {
		keys = append(keys, k)
	}
	for k := range c.BinaryData {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) == 0 {
		keys = nil
	}
	return &ConfigMapShape{Namespace: c.Namespace, Name: c.Name, UID: string(c.UID), Version: c.ResourceVersion,
		Created: c.CreationTimestamp.Time, Keys: keys}
}
