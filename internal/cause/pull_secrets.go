package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/keyring"
	"github.com/unjam-dev/unjam/internal/snapshot"
)

// secretState is what one pull Secret does for one image.
type secretState string

const (
	secretUnread    secretState = "unread" // cannot tell
	secretMissing   secretState = "missing"
	secretWrongType secretState = "wrong-type"
	secretMalformed secretState = "malformed"
	secretNoHost    secretState = "no-host" // holds no entry that matches
	secretEmpty     secretState = "empty"   // the matching entry is anonymous
	secretMatches   secretState = "matches" // its credential is sent
)

// secretReport is one Secret judged for one image as the kubelet would.
type secretReport struct {
	name  string
	state secretState
	// entry is the entry that matches, or the one that was meant to.
	entry *snapshot.Credential
	// why explains a state in one clause.
	why     string
	receipt facts.Receipt
}

// pullSecrets judges the Secrets that the pod names, in order.
func pullSecrets(f *facts.Facts, p *facts.Pod, img facts.Image) []secretReport {
	var out []secretReport
	for _, ref := range p.Obj.Spec.ImagePullSecrets {
		if ref.Name != "" {
			out = append(out, judgeSecret(f, p, ref.Name, img))
		}
	}
	return out
}

func judgeSecret(f *facts.Facts, p *facts.Pod, name string, img facts.Image) secretReport {
	ns := p.Obj.Namespace
	r := secretReport{name: name, state: secretUnread, receipt: facts.Receipt{Kind: "Secret", Namespace: ns, Name: name, Time: f.Now}}
	shape, known := f.Secret(ns, name)
	if shape == nil {
		if e := missingSecretEvent(p, name); e != nil {
			r.state, r.receipt, r.why = secretMissing, e.Receipt(), "the kubelet could not read it"
		} else if known {
			r.state, r.why = secretMissing, "no such Secret exists in the namespace"
			r.receipt = p.Receipt("spec.imagePullSecrets", name, f.Now)
		}
		return r
	}
	r.receipt.Field, r.receipt.Text = "type", shape.Type
	key := map[string]string{"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}[shape.Type]
	switch {
	case shape.Type == "":
		return r // only its metadata was read
	case key == "":
		r.state, r.why = secretWrongType, "its type is "+shape.Type
		return r
	case !slices.Contains(shape.Keys, key) && len(shape.Keys) > 0:
		r.state, r.why = secretWrongType, "it has no key "+key
		return r
	case shape.Pull == nil:
		return r
	}
	judgeEntries(&r, shape.Pull, img)
	return r
}

func judgeEntries(r *secretReport, pull *snapshot.PullCredentials, img facts.Image) {
	r.receipt.Field, r.receipt.Text = "data (hosts)", strings.Join(hostKeys(pull), ", ")
	if pull.Malformed != "" {
		r.state, r.why = secretMalformed, pull.Malformed
		return
	}
	for i := range pull.Entries {
		// One bad entry spoils the whole Secret.
		if e := &pull.Entries[i]; e.Malformed != "" {
			r.state, r.entry, r.why = secretMalformed, e, fmt.Sprintf("the entry for %s is broken: %s", e.HostKey, e.Malformed)
			return
		}
	}
	r.state, r.why = secretNoHost, "it holds no entry at all"
	if len(pull.Entries) > 0 {
		r.why = "it is for " + strings.Join(hostKeys(pull), ", ")
	}
	for i := range pull.Entries {
		e := &pull.Entries[i]
		if keyring.Matches(e.HostKey, img.Name()) {
			r.entry, r.state, r.why = e, secretMatches, ""
			if e.Empty {
				r.state, r.why = secretEmpty, "its entry for "+e.HostKey+" is empty"
				if e.Ignored != "" {
					r.why = fmt.Sprintf("its entry for %s holds only %s, which the kubelet does not read", e.HostKey, e.Ignored)
				}
			}
			if r.state == secretMatches {
				return
			}
		} else if why, near := keyring.NearMiss(e.HostKey, img.Name()); near && r.entry == nil {
			r.entry, r.why = e, fmt.Sprintf("its key %s does not match: %s", e.HostKey, why)
		}
	}
}

func hostKeys(pull *snapshot.PullCredentials) []string {
	var out []string
	for _, e := range pull.Entries {
		out = append(out, e.HostKey)
		if len(out) == 5 {
			return append(out, "…")
		}
	}
	return out
}

// missingSecretEvent finds the kubelet's complaint that it could not read a
// Secret. Kubelets up to 1.36 write it even when the pull succeeds, so it
// counts only beside a failing pull.
func missingSecretEvent(p *facts.Pod, name string) *facts.Event {
	for _, e := range slices.Backward(p.Events) {
		if e.Reason == "FailedToRetrieveImagePullSecret" && slices.Contains(secretNames(e.Message), name) {
			return e
		}
	}
	return nil
}

// secretNames reads the list in parentheses of FailedToRetrieveImagePullSecret.
func secretNames(message string) []string {
	_, rest, ok := strings.Cut(message, "(")
	list, _, ok2 := strings.Cut(rest, ")")
	if !ok || !ok2 {
		return nil
	}
	names := strings.Split(list, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// accountSecrets judges the pull Secrets of the pod's ServiceAccount that the
// pod does not name. They were not there when the pod was created, or the pod
// names others and admission then adds none.
func accountSecrets(f *facts.Facts, p *facts.Pod, img facts.Image) []secretReport {
	sa, _ := f.ServiceAccount(p.Obj.Namespace, serviceAccount(p))
	if sa == nil {
		return nil
	}
	var out []secretReport
	for _, ref := range sa.ImagePullSecrets {
		if !slices.ContainsFunc(p.Obj.Spec.ImagePullSecrets, func(x corev1.LocalObjectReference) bool { return x.Name == ref.Name }) {
			out = append(out, judgeSecret(f, p, ref.Name, img))
		}
	}
	return out
}

// expired reports when the entry's token ended, if that is known and past.
func (r secretReport) expired(at time.Time) bool {
	return r.entry != nil && !r.entry.Expires.IsZero() && r.entry.Expires.Before(at)
}

// secretElsewhere names another namespace that has a Secret of the name.
func secretElsewhere(f *facts.Facts, namespace, name string) string {
	for _, s := range f.Snap.Objects.Secrets {
		if s.Name == name && s.Namespace != namespace && s.Pull != nil {
			return s.Namespace
		}
	}
	return ""
}

// unusedSecret is a Secret of the namespace that would match the image and that
// the pod does not name.
func unusedSecret(f *facts.Facts, p *facts.Pod, img facts.Image) string {
	for _, s := range f.Snap.Objects.Secrets {
		if s.Namespace != p.Obj.Namespace || s.Pull == nil {
			continue
		}
		for _, e := range s.Pull.Entries {
			if !e.Empty && e.Malformed == "" && keyring.Matches(e.HostKey, img.Name()) {
				return s.Name
			}
		}
	}
	return ""
}
