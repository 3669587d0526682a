package keyring

import (
	"slices"
	"strings"
)

// Credential is one credential that the kubelet would try for an image.
type Credential struct {
	// Secret is namespace/name of the Secret it comes from.
	Secret string
	// Key is the key in auths as written.
	Key      string
	User     string
	Password Secret
}

// Keyring holds the credentials of a pod's pull Secrets. The zero Keyring is
// empty.
type Keyring struct{ entries []filed }

// filed is a credential under the form of its key that the kubelet compares.
type filed struct {
	key string
	Credential
}

// Add files the entries of one Secret, named namespace/name. Secrets are added
// in the order in which the pod lists them.
func (k *Keyring) Add(secret string, c Config) {
	for _, e := range c.Entries {
		if key, ok := normalKey(e.Key); ok && e.Malformed == "" {
			k.entries = append(k.entries, filed{key, Credential{Secret: secret, Key: e.Key, User: e.User, Password: e.Password}})
		}
	}
}

// Lookup returns the credentials for an image in the order in which the
// kubelet tries them: keys in reverse lexical order, which puts a longer path
// before a shorter one, and per key in the order of the Secrets. name is the
// normalised registry/repository. With none the kubelet pulls anonymously;
// with some it never does.
func (k *Keyring) Lookup(name string) []Credential {
	matches := func(e filed) bool { return globMatches(e.key, name) }
	if !slices.ContainsFunc(k.entries, matches) {
		if !strings.HasPrefix(name, "docker.io/") {
			return nil
		}
		// Docker Hub's historic key, which counts only where no other does.
		matches = func(e filed) bool { return e.key == hubKey }
	}
	var found []filed
	for _, e := range k.entries {
		if matches(e) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b filed) int { return strings.Compare(b.key, a.key) })
	out := make([]Credential, 0, len(found))
	for _, e := range found {
		out = append(out, e.Credential)
	}
	return out
}
