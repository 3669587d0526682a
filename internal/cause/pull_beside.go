package cause

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// authKinds are the kinds of refusal.
var authKinds = []pullerror.Kind{pullerror.AccessDenied, pullerror.NoBasicAuth, pullerror.Unauthorized, pullerror.TokenUnauthorized, pullerror.TokenDenied, pullerror.Forbidden}

// notFoundKinds are the kinds of absence.
var notFoundKinds = []pullerror.Kind{pullerror.NotFound, pullerror.TagMissing, pullerror.RepoMissing, pullerror.DigestMissing}

// networkKinds are failures on the way to a registry.
var networkKinds = []pullerror.Kind{pullerror.DNSNotFound, pullerror.DNSServfail, pullerror.DNSTimeout, pullerror.DNSRefused, pullerror.TCPRefused,
	pullerror.TCPTimeout, pullerror.TCPReset, pullerror.NoRoute, pullerror.HandshakeTime, pullerror.HeaderTimeout, pullerror.RequestTimeout,
	pullerror.TransferEOF, pullerror.ProxyDown, pullerror.ProxyDenied, pullerror.ProxyConfig}

// serviceKinds are failures of a registry that was reached.
var serviceKinds = []pullerror.Kind{pullerror.RateLimited, pullerror.ServerError, pullerror.TokenEndpoint, pullerror.RegistryDown}

// mirrorKinds are failures that a mirror can have in a registry's stead.
var mirrorKinds = slices.Concat(networkKinds, serviceKinds, []pullerror.Kind{pullerror.HTTPStatus, pullerror.BlobMissing})

// mixedCredentials: the kubelet tried several credentials and they failed
// differently; the text lists one error each.
func mixedCredentials(w *facts.Workload, t *trouble, found []Finding) (Finding, bool) {
	e := t.err.Elements
	if len(e) < 2 || !slices.ContainsFunc(e, func(x pullerror.Error) bool {
		return x.Kind != e[0].Kind || x.Credential != e[0].Credential
	}) {
		return Finding{}, false
	}
	if !slices.Contains(authKinds, t.err.Kind) {
		return Finding{}, false // one credential got past the door; its error counts
	}
	fd := t.finding(w, "mixed-credential-errors", Certain, fmt.Sprintf("%d credentials were tried for %s and each was refused in its own way", len(e), t.text))
	fd.Key = "registry " + t.image.Registry
	for _, x := range found {
		if x.Cause != fd.Cause {
			fd.Explains = append(fd.Explains, x.Cause)
		}
	}
	return fd, true
}

// volumeFinding says that an image volume's pull fails, not the container's own.
func volumeFinding(w *facts.Workload, t *trouble, found []Finding) Finding {
	summary := fmt.Sprintf("the image %s of volume %s cannot be pulled", t.text, t.volume)
	conf, rivals := Certain, []Rival(nil)
	var explains []string
	if len(found) > 0 {
		summary += ": " + found[0].Summary
		conf, rivals = found[0].Confidence, found[0].Rivals
		explains = []string{found[0].Cause}
	}
	fd := t.finding(w, "image-volume-pull-failed", conf, summary, rivals...)
	fd.Key, fd.Explains = "image "+t.image.String(), explains
	if slices.Contains(networkKinds, t.err.Kind) || slices.Contains(serviceKinds, t.err.Kind) {
		fd.Class = SelfHealing
	}
	return fd
}

// volumePulls are the findings about image volumes.
func volumePulls(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, t := range troubles(w, nil) {
		if t.volume == "" {
			continue
		}
		t.locate(f)
		out = mergeFinding(out, volumeFinding(w, &t, judgePull(f, w, &t)))
	}
	return out
}

// cachedCopy notes that the image is on the node already and that only the
// policy, or the kubelet's check of credentials, makes the registry necessary.
func cachedCopy(f *facts.Facts, w *facts.Workload, t *trouble, found []Finding) []Finding {
	if len(found) == 0 || t.volume != "" {
		return nil
	}
	c := t.at[0]
	network := slices.Contains(networkKinds, t.err.Kind) || slices.Contains(serviceKinds, t.err.Kind)
	refused := slices.Contains(authKinds, t.err.Kind)
	if !network && !refused {
		return nil
	}
	e, ok := copyOnNode(f, c, t.image)
	if !ok {
		return nil
	}
	if pullPolicy(c) == string(corev1.PullAlways) {
		if !network {
			return nil
		}
		fd := t.finding(w, "policy-always-needs-registry", Likely,
			fmt.Sprintf("node %s already holds %s, but imagePullPolicy Always asks the registry at every start; with IfNotPresent the container would start", c.Pod.NodeName(), t.text),
			rival(found[0].Cause, "mend this first: it is what makes the question to the registry fail"))
		fd.Key, fd.Evidence = "image "+t.image.String(), append(fd.Evidence, e)
		return []Finding{fd}
	}
	// KubeletEnsureSecretPulledImages is on by default since 1.35.
	if kubeletMinor(c.Pod.Node) < 35 {
		return nil
	}
	fd := t.finding(w, "credential-recheck-repull", Likely,
		fmt.Sprintf("node %s already holds %s, but was given it for another credential; the kubelet asks the registry again before this pod may use it", c.Pod.NodeName(), t.text),
		rival(found[0].Cause, "mend this first: it is what makes the question to the registry fail"))
	fd.Key, fd.Evidence = "image "+t.image.String(), append(fd.Evidence, e)
	if refused {
		found[0].Explains = append(found[0].Explains, fd.Cause)
	}
	return []Finding{fd}
}

// copyOnNode finds the image on the container's node.
func copyOnNode(f *facts.Facts, c *facts.Container, img facts.Image) (Evidence, bool) {
	if ran := f.Ran(img, c.Pod.NodeName()); ran != nil {
		return ranEvidence(ran, "this pod runs the same image on the same node"), true
	}
	if present, _ := facts.OnNode(c.Pod.Node, img); present {
		return Evidence{"the node lists the image as present", facts.Receipt{Kind: "Node", Name: c.Pod.NodeName(), Field: "status.images", Text: img.String(), Time: f.Now}}, true
	}
	return Evidence{}, false
}
