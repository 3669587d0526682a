package probe

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/keyring"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// Anonymous asks without any credential.
func Anonymous() Identity {
	return Identity{ProbeIdentity: snapshot.ProbeIdentity{Kind: "anonymous"}}
}

// PullSecret is a pull Secret that a pod names; Secret is nil when there is
// none of that name.
type PullSecret struct {
	Namespace, Name string
	Secret          *corev1.Secret
}

// FromSecrets is the identity that the kubelet would use with these Secrets,
// in the order in which the pod names them.
func FromSecrets(image string, who snapshot.ProbeIdentity, secrets []PullSecret) Identity {
	out := Identity{ProbeIdentity: who}
	s := &session{req: Request{Image: image}}
	if _, good := parse(s); !good {
		return out // the first stage says so
	}
	repository := s.registry + "/" + s.repository
	var ring keyring.Keyring
	for _, p := range secrets {
		source := p.Namespace + "/" + p.Name
		if note, bad := unusable(p); bad {
			out.Notes = append(out.Notes, note)
			continue
		}
		cfg := keyring.Decode(p.Secret.Type, p.Secret.Data[keyring.DataKey(p.Secret.Type)])
		switch {
		case cfg.Malformed != "":
			out.Notes = append(out.Notes, Note{Source: source, Cause: "pull-secret-malformed", Text: "cannot be read: " + cfg.Malformed, Blocks: true})
			continue
		case len(cfg.Entries) == 0:
			out.Notes = append(out.Notes, Note{Source: source, Cause: "pull-secret-empty-auth", Text: "holds no entry for any registry"})
			continue
		}
		out.Notes = append(out.Notes, notes(source, repository, cfg.Entries)...)
		ring.Add(source, usable(cfg))
	}
	for _, c := range ring.Lookup(repository) {
		out.Credentials = append(out.Credentials, Credential{Source: c.Secret, User: c.User, Password: c.Password,
			Shape: snapshot.ShapeOfEntry(keyring.Entry{Key: c.Key, User: c.User, Password: c.Password})})
	}
	return out
}

// unusable are Secrets that the kubelet passes over without a word.
func unusable(p PullSecret) (Note, bool) {
	source := p.Namespace + "/" + p.Name
	switch {
	case p.Secret == nil:
		return Note{Source: source, Cause: "pull-secret-missing", Text: "does not exist"}, true
	case keyring.DataKey(p.Secret.Type) == "":
		return Note{Source: source, Cause: "pull-secret-wrong-type", Text: fmt.Sprintf("has the type %s, which the kubelet does not read for pulls", p.Secret.Type)}, true
	case len(p.Secret.Data[keyring.DataKey(p.Secret.Type)]) == 0:
		return Note{Source: source, Cause: "pull-secret-empty-auth", Text: "has no " + keyring.DataKey(p.Secret.Type)}, true
	}
	return Note{}, false
}

// usable drops the entries without a credential: they mean an anonymous pull.
func usable(c keyring.Config) keyring.Config {
	var out keyring.Config
	for _, e := range c.Entries {
		if !e.Empty() {
			out.Entries = append(out.Entries, e)
		}
	}
	return out
}

// notes are about the entries of a Secret that give no credential.
func notes(source, repository string, entries []keyring.Entry) []Note {
	var out []Note
	for _, e := range entries {
		n := Note{Source: source, Shape: snapshot.ShapeOfEntry(e)}
		key := n.Shape.HostKey
		switch {
		case e.Malformed != "":
			n.Cause, n.Text, n.Blocks = "pull-secret-malformed", fmt.Sprintf("has an entry for %s that cannot be read: %s", key, e.Malformed), true
		case keyring.Matches(e.Key, repository) && e.Empty():
			n.Cause, n.Text = "pull-secret-empty-auth", fmt.Sprintf("has an entry for %s without user and password", key)
			if e.HasIdentityToken {
				n.Text += " (its identitytoken is not read by the kubelet)"
			}
		case keyring.Matches(e.Key, repository):
			continue
		default:
			n.Cause, n.Text = "pull-secret-wrong-host-key", fmt.Sprintf("is for %s, which does not match %s", key, repository)
			if why, near := keyring.NearMiss(e.Key, repository); near {
				n.Text += ": " + why
			}
		}
		out = append(out, n)
	}
	return out
}

// AccountNote says that the pod's ServiceAccount names pull Secrets that the
// pod does not: they are copied only when a pod is made.
func AccountNote(account string, secrets []string) Note {
	return Note{Source: "serviceaccount " + account, Cause: "sa-pull-secret-not-applied",
		Text: fmt.Sprintf("names %s, but the pod was made before and has no pull secret", strings.Join(secrets, ", "))}
}

// FromDockerConfig is the docker login of this machine's user for the image's
// registry, with its credential helpers; anonymous when there is none.
func FromDockerConfig(image string) (Identity, error) {
	s := &session{req: Request{Image: image}}
	if _, good := parse(s); !good {
		return Anonymous(), nil // the first stage says so
	}
	repo, err := name.NewRepository(s.registry+"/"+s.repository, name.WeakValidation)
	if err != nil {
		return Anonymous(), nil //nolint:nilerr // the first stage says so
	}
	auth, err := authn.DefaultKeychain.Resolve(repo)
	if err != nil {
		return Identity{}, fmt.Errorf("docker login for %s: %w", s.registry, err)
	}
	cfg, err := auth.Authorization()
	if err != nil {
		return Identity{}, fmt.Errorf("docker login for %s: %w", s.registry, err)
	}
	if cfg.Username == "" && cfg.Password == "" && cfg.IdentityToken == "" {
		return Anonymous(), nil
	}
	shape := snapshot.ShapeOfEntry(keyring.Entry{Key: s.registry, User: cfg.Username, Password: keyring.NewSecret(cfg.Password)})
	shape.Empty, shape.NoPassword = false, false
	return Identity{ProbeIdentity: snapshot.ProbeIdentity{Kind: "docker-config"}, Credentials: []Credential{{Source: "docker config", Shape: shape,
		User: cfg.Username, Password: keyring.NewSecret(cfg.Password), IdentityToken: keyring.NewSecret(cfg.IdentityToken)}}}, nil
}
