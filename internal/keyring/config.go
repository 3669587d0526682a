package keyring

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Secret is a value that must not show. It prints and encodes as [redacted];
// only Reveal gives the value.
type Secret struct{ value string }

// NewSecret keeps a value from showing.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal is the value itself, for the request that needs it and nothing else.
func (s Secret) Reveal() string { return s.value }

const hidden = "[redacted]"

// String hides the value.
func (s Secret) String() string { return hidden }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return hidden }

// Format hides the value from every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText hides the value from JSON, YAML and slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Config is a docker config as the kubelet reads it from a pull Secret.
type Config struct {
	// Malformed says why the whole document does not decode; it never quotes it.
	Malformed string
	// Ignored names the top-level fields the kubelet ignores.
	Ignored []string
	// Entries are the values of auths, sorted by their key.
	Entries []Entry
}

// Entry is one value of auths.
type Entry struct {
	// Key is the key in auths as written.
	Key string
	// Malformed says why the entry does not decode; it never quotes it.
	Malformed string
	User      string
	Password  Secret
	// HasIdentityToken is true when the entry has an identitytoken, which the
	// kubelet ignores and whose presence explains an empty entry.
	HasIdentityToken bool
}

// DataKey is the only key of a Secret that the kubelet reads for a pull type,
// empty for other types.
func DataKey(t corev1.SecretType) string {
	switch t {
	case corev1.SecretTypeDockerConfigJson:
		return corev1.DockerConfigJsonKey
	case corev1.SecretTypeDockercfg:
		return corev1.DockerConfigKey
	}
	return ""
}

// rawEntry is a value of auths; fields the kubelet does not know are kept out.
type rawEntry struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Auth          string `json:"auth"`
	IdentityToken string `json:"identitytoken"`
}

// Decode reads the value of a pull Secret of the given type.
func Decode(t corev1.SecretType, value []byte) Config {
	var out Config
	entries := map[string]json.RawMessage{}
	if t == corev1.SecretTypeDockercfg {
		if err := json.Unmarshal(value, &entries); err != nil {
			return Config{Malformed: jsonFault(err)}
		}
	} else {
		var doc struct {
			Auths       map[string]json.RawMessage `json:"auths"`
			CredsStore  json.RawMessage            `json:"credsStore"`
			CredHelpers json.RawMessage            `json:"credHelpers"`
		}
		if err := json.Unmarshal(value, &doc); err != nil {
			return Config{Malformed: jsonFault(err)}
		}
		entries = doc.Auths
		if len(doc.CredsStore) > 0 {
			out.Ignored = append(out.Ignored, "credsStore")
		}
		if len(doc.CredHelpers) > 0 {
			out.Ignored = append(out.Ignored, "credHelpers")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		out.Entries = append(out.Entries, decodeEntry(key, entries[key]))
	}
	return out
}

func decodeEntry(key string, raw json.RawMessage) Entry {
	out := Entry{Key: key}
	var e rawEntry
	if err := json.Unmarshal(raw, &e); err != nil {
		out.Malformed = jsonFault(err)
		return out
	}
	user, password := e.Username, e.Password
	if e.Auth != "" { // it wins over username and password
		if user, password, out.Malformed = decodeAuth(e.Auth); out.Malformed != "" {
			return out
		}
	}
	out.HasIdentityToken = e.IdentityToken != ""
	out.User, out.Password = user, NewSecret(password)
	return out
}

// Empty tells an entry without a user and a password: an anonymous pull.
func (e Entry) Empty() bool { return e.User == "" && e.Password.Reveal() == "" }

// jsonFault names a JSON error without its text, which can quote the document.
func jsonFault(err error) string {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return "not a docker config: a value has the wrong JSON type"
	}
	return "not valid JSON"
}

// decodeAuth undoes base64("user:password"). As in the kubelet, the padding
// decides which alphabet variant applies, and line breaks inside are allowed.
func decodeAuth(auth string) (user, password, fault string) {
	enc := base64.RawStdEncoding
	if strings.HasSuffix(strings.TrimSpace(auth), "=") {
		enc = base64.StdEncoding
	}
	plain, err := enc.DecodeString(auth)
	if err != nil {
		return "", "", "auth is not base64"
	}
	user, password, ok := strings.Cut(string(plain), ":")
	if !ok {
		return "", "", "auth does not decode to user:password"
	}
	return user, password, ""
}
