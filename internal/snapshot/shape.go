package snapshot

import "time"

// SecretShape is all that is ever kept of a Secret: enough to judge a pull
// credential or a missing key, never a value.
type SecretShape struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	UID       string    `json:"uid,omitempty"`
	Version   string    `json:"resourceVersion,omitempty"`
	Created   time.Time `json:"created,omitzero"`
	// Type is the Secret's type, e.g. kubernetes.io/dockerconfigjson.
	Type string `json:"type,omitempty"`
	// Keys are the names in data, sorted. KeysUnknown means that only the
	// object's metadata was read: Type, Keys and Pull say nothing then.
	Keys        []string `json:"keys,omitempty"`
	KeysUnknown bool     `json:"keysUnknown,omitempty"`
	// Pull is set when the Secret is of a pull-secret type.
	Pull *PullCredentials `json:"pull,omitempty"`
}

// PullCredentials is the shape of a docker config: which hosts it names and
// whether each entry could work, judged as the kubelet would.
type PullCredentials struct {
	// Malformed is the decode error of the whole document, empty when it parses.
	Malformed string `json:"malformed,omitempty"`
	// Skipped says why the kubelet passes over the Secret without a word, empty
	// when it reads it.
	Skipped string `json:"skipped,omitempty"`
	// Ignored names the top-level fields the kubelet ignores (credsStore, credHelpers).
	Ignored []string     `json:"ignored,omitempty"`
	Entries []Credential `json:"entries,omitempty"`
}

// Credential is one entry of auths, without its secret part.
type Credential struct {
	// HostKey is the key in auths as written.
	HostKey string `json:"hostKey"`
	// User is the user name; a long or token-like one is shortened.
	User string `json:"user,omitempty"`
	// Empty is true when the entry carries no user and no password: anonymous.
	Empty bool `json:"empty,omitempty"`
	// NoPassword is true when there is a user and an empty password.
	NoPassword bool `json:"noPassword,omitempty"`
	// Malformed says why auth does not decode to user:password.
	Malformed string `json:"malformed,omitempty"`
	// TrailingNewline is true when the password ends in a line break.
	TrailingNewline bool `json:"trailingNewline,omitempty"`
	// Ignored names a field of the entry the kubelet ignores (identitytoken).
	Ignored string `json:"ignored,omitempty"`
	// Expires is the expiry found inside the password (JWT exp, ECR expiration).
	Expires time.Time `json:"expires,omitzero"`
	// Kind tells the sort of token: "password", "jwt", "ecr".
	Kind string `json:"kind,omitempty"`
}

// ConfigMapShape is all that is kept of a ConfigMap: its keys.
type ConfigMapShape struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	UID       string    `json:"uid,omitempty"`
	Version   string    `json:"resourceVersion,omitempty"`
	Created   time.Time `json:"created,omitzero"`
	// Keys are the names in data and binaryData, sorted; KeysUnknown as in
	// SecretShape.
	Keys        []string `json:"keys,omitempty"`
	KeysUnknown bool     `json:"keysUnknown,omitempty"`
}

func (s *SecretShape) identity() identity {
	return identity{s.Namespace, s.Name, s.UID, s.Version, s.Created}
}
func (s *SecretShape) setNamespace(ns string) { s.Namespace = ns }

func (c *ConfigMapShape) identity() identity {
	return identity{c.Namespace, c.Name, c.UID, c.Version, c.Created}
}
func (c *ConfigMapShape) setNamespace(ns string) { c.Namespace = ns }
