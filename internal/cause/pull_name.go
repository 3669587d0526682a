package cause

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/keyring"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// judgeName handles what fails before any registry is asked.
func judgeName(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	var fd Finding
	switch t.err.Kind {
	case pullerror.InvalidName:
		fd = t.finding(w, "invalid-image-name", Certain, fmt.Sprintf("image name %q of container %s is not valid: %s", t.text, t.at[0].Name, nameFault(t.text)))
	case pullerror.ShortName:
		fd = t.finding(w, "crio-short-name-enforced", Certain, fmt.Sprintf("image %s names no registry, and CRI-O on %s accepts full names only", t.text, nodesWords(t.nodes)))
	default:
		return []Finding{neverPulled(f, w, t)}
	}
	fd.Key = "image " + t.text
	return []Finding{fd}
}

// nameFault says in words what is wrong with a reference the kubelet refuses.
func nameFault(s string) string {
	repo, _, _ := strings.Cut(s, "@")
	slash := strings.LastIndexByte(repo, '/')
	last := repo[slash+1:]
	name, tag, tagged := strings.Cut(last, ":")
	host, path := keyring.SplitHost(repo)
	switch {
	case s == "":
		return "it is empty"
	case strings.Contains(s, "://"):
		return "it starts with a URL scheme, which image names do not have"
	case strings.ContainsAny(s, " \t\r\n"):
		return "it holds a blank"
	case strings.ContainsAny(s, "${}<>"):
		return "it holds a template variable that was not filled in"
	case strings.HasSuffix(s, "/"):
		return "it ends in a slash"
	case tagged && tag == "":
		return "the tag after the colon is empty, as from a variable that was not set"
	case strings.Contains(s, "::") || strings.Count(last, ":") > 1:
		return "it holds a colon too many"
	case name == "" || strings.Contains(s, "//"):
		return "a part of the name is empty, as from a variable that was not set"
	case path != "" && strings.ToLower(path[:len(path)-len(last)]+name) != path[:len(path)-len(last)]+name && strings.ContainsAny(host, ".:"),
		!strings.ContainsAny(host, ".:") && strings.ToLower(repo[:slash+1]+name) != repo[:slash+1]+name:
		return "the repository must be in lower case"
	case len(repo) > 255:
		return "it is longer than 255 characters"
	case strings.Contains(s, "@") && !strings.Contains(s, "@sha256:"):
		return "what follows the @ is not a digest"
	case len(tag) > 128:
		return "the tag is longer than 128 characters"
	}
	return "it does not follow the form registry/repository:tag"
}

// neverPulled tells an absent image from one that is there and may not be used
// by this pod: since 1.33 (on by default since 1.35) the kubelet prints the
// same text for both (image_manager.go, imageNotPresentOnNeverPolicyError).
func neverPulled(f *facts.Facts, w *facts.Workload, t *trouble) Finding {
	node := t.pod().Node
	minor := kubeletMinor(node)
	present, known := facts.OnNode(node, t.image)
	var receipt Evidence
	if node != nil {
		receipt = Evidence{"the node's list of images", facts.Receipt{Kind: "Node", Name: node.Name, Field: "status.images", Text: fmt.Sprintf("%d images", len(node.Status.Images)), Time: f.Now}}
	}
	if c := f.Ran(t.image, t.pod().NodeName()); c != nil && !present {
		present, receipt = true, ranEvidence(c, "this pod runs the image on the same node")
	}
	where := nodesWords(t.nodes)
	if present && (minor >= 33 || minor == 0) {
		fd := t.finding(w, "never-policy-no-credential", Likely,
			fmt.Sprintf("image %s is on %s, but pod %s may not use it: the policy is Never and the pod shows no credential that the image was pulled with", t.text, where, t.pod().Name()),
			rival("never-policy-image-absent", "list the images on the node (crictl images)"))
		fd.Key, fd.Evidence = "image "+t.image.String(), append(fd.Evidence, receipt)
		return fd
	}
	fd := t.finding(w, "never-policy-image-absent", Certain, fmt.Sprintf("image %s is not on %s and container %s may never pull it (imagePullPolicy Never)", t.text, where, t.at[0].Name))
	fd.Key = "image " + t.image.String()
	fd.Evidence = append(fd.Evidence, Evidence{"the pull policy", t.pod().Receipt("spec.containers["+t.at[0].Name+"].imagePullPolicy", string(corev1.PullNever), f.Now)})
	if minor != 0 && minor < 33 || known && !present {
		return fd
	}
	fd.Confidence = Likely
	fd.Rivals = []Rival{rival("never-policy-no-credential", "list the images on the node (crictl images): if it is there, the kubelet hides it from pods without the credential it was pulled with")}
	return fd
}

// kubeletMinor is 37 for v1.37.x, 0 when the version is not known.
func kubeletMinor(n *corev1.Node) int {
	if n == nil {
		return 0
	}
	v, ok := strings.CutPrefix(n.Status.NodeInfo.KubeletVersion, "v1.")
	if !ok {
		return 0
	}
	minor := 0
	for _, r := range v {
		if r < '0' || r > '9' || minor > 1000 {
			break
		}
		minor = minor*10 + int(r-'0')
	}
	return minor
}

// nodesWords names up to three nodes.
func nodesWords(nodes []string) string {
	switch n := len(nodes); {
	case n == 0:
		return "its node"
	case n == 1:
		return "node " + nodes[0]
	case n <= 3:
		return "nodes " + strings.Join(nodes[:n-1], ", ") + " and " + nodes[n-1]
	default:
		return fmt.Sprintf("%d nodes", n)
	}
}
