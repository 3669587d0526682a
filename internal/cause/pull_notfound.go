package cause

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/keyring"
	"github.com/unjam-dev/unjam/internal/near"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// judgeNotFound tells a missing tag from a missing repository. containerd drops
// the body of a 404, so only the registry's own words or a witness that the
// repository exists can decide.
func judgeNotFound(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	if fd, ok := wrongSearchRegistry(w, t); ok {
		return []Finding{fd}
	}
	if fd, ok := movedImage(w, t); ok {
		return []Finding{fd}
	}
	if fd, ok := onlyLocal(f, w, t); ok {
		return []Finding{fd}
	}
	if t.err.Kind == pullerror.RepoMissing {
		fd := t.finding(w, "repo-not-found", Certain, fmt.Sprintf("the registry %s has no repository %s, which image %s names", t.image.Registry, t.image.Repository, t.text))
		fd.Key = "repository " + t.image.Name()
		return []Finding{fd}
	}
	if t.err.Kind == pullerror.DigestMissing || t.image.Digest != "" {
		return []Finding{digestGone(f, w, t)}
	}
	return []Finding{tagGone(f, w, t)}
}

const listTags = "list the repository's tags with the pod's credential: an answer with tags means that only the tag is missing (crane ls %s)"

func tagGone(f *facts.Facts, w *facts.Workload, t *trouble) Finding {
	summary := fmt.Sprintf("tag %s of %s does not exist in the registry", t.image.Tag, t.name())
	if t.image.Tag == "" {
		summary = t.name() + " does not exist in the registry under this tag"
	}
	key := "image " + t.image.String()
	if c := f.RanElsewhere(t.image, t.nodes); c != nil {
		fd := t.finding(w, "tag-not-found", Likely, fmt.Sprintf("%s any more, though pod %s on node %s still runs it", summary, c.Pod.Name(), c.Pod.NodeName()),
			rival("mirror-error-masks-upstream", "compare the mirror settings of node "+c.Pod.NodeName()+" and node "+t.nodes[0]+" (/etc/containerd/certs.d), then ask the registry for the tag (crane digest "+t.text+")"))
		fd.Key, fd.Evidence = key, append(fd.Evidence, ranEvidence(c, "this pod runs the same image from node "+c.Pod.NodeName()))
		return fd
	}
	if other, c := closestTag(f.TagsRun(t.image), t.image.Tag); c != nil {
		fd := t.finding(w, "tag-not-found", Certain, fmt.Sprintf("%s; tag %s of it runs in pod %s", summary, other, c.Pod.Name()))
		fd.Key, fd.Evidence, fd.Vars["othertag"] = key, append(fd.Evidence, ranEvidence(c, "another tag of the repository runs here, so the repository exists")), other
		return fd
	}
	if other, s, ok := storedTag(f, t.image); ok {
		fd := t.finding(w, "tag-not-found", Certain, fmt.Sprintf("%s; node %s holds tag %s of it", summary, s.Node, other))
		fd.Key, fd.Vars["othertag"] = key, other
		fd.Evidence = append(fd.Evidence, Evidence{"this node once pulled another tag of the repository, so the repository exists",
			facts.Receipt{Kind: "Node", Name: s.Node, Field: "status.images", Text: s.Name, Time: f.Now}})
		return fd
	}
	fd := t.finding(w, "tag-not-found", Likely, fmt.Sprintf("%s, or the repository itself does not: the answer is the same for both", summary),
		rival("repo-not-found", fmt.Sprintf(listTags, t.name())))
	fd.Key = key
	return fd
}

func digestGone(f *facts.Facts, w *facts.Workload, t *trouble) Finding {
	digest := t.image.Digest
	if digest == "" {
		digest = t.err.Digest
	}
	summary := fmt.Sprintf("the registry has no image %s in %s", shortDigest(digest), t.name())
	other, c := closestTag(f.TagsRun(t.image), digest)
	conf, rivals := Likely, []Rival{rival("repo-not-found", fmt.Sprintf(listTags, t.name()))}
	var extra []Evidence
	if c != nil {
		conf, rivals = Certain, nil
		extra = append(extra, ranEvidence(c, "another image of the repository runs here, so the repository exists"))
		summary += fmt.Sprintf("; %s of it runs in pod %s", shortDigest(other), c.Pod.Name())
	}
	fd := t.finding(w, "digest-not-found", conf, summary, rivals...)
	fd.Evidence = append(fd.Evidence, extra...)
	fd.Key = "image " + t.image.String()
	return fd
}

func shortDigest(d string) string {
	if algo, hex, ok := strings.Cut(d, ":"); ok && len(hex) > 12 {
		return algo + ":" + hex[:12] + "…"
	}
	return d
}

func ranEvidence(c *facts.Container, text string) Evidence {
	return Evidence{text, c.Pod.Receipt(c.StatusPath()+".image", c.Image, c.Pod.Obj.CreationTimestamp.Time)}
}

// closestTag picks the tag most like the wanted one.
func closestTag(tags map[string]*facts.Container, want string) (string, *facts.Container) {
	best := ""
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if tag != want && (best == "" || letters(tag, want) < letters(best, want)) {
			best = tag
		}
	}
	return best, tags[best]
}

func storedTag(f *facts.Facts, img facts.Image) (string, facts.StoredImage, bool) {
	stored := f.Stored(img)
	for _, tag := range slices.Sorted(maps.Keys(stored)) {
		if tag != img.Tag && !stored[tag].Loaded {
			return tag, stored[tag], true
		}
	}
	return "", facts.StoredImage{}, false
}

// letters is how many letters two tags differ in; tags hold at most 128 bytes,
// longer names are cut.
func letters(a, b string) int {
	return near.Distance(a[:min(len(a), 128)], b[:min(len(b), 128)], 128)
}

// moves are repositories known to have left their old place.
var moves = []struct{ prefix, successor string }{
	{"docker.io/bitnami/", "docker.io/bitnamilegacy/"}, // bitnami/containers#83267
	{"docker.io/bitnamicharts/", "docker.io/bitnamilegacy/"},
	{"k8s.gcr.io/", "registry.k8s.io/"}, // kubernetes.io blog, 2023-02-06
	{"gcr.io/google_containers/", "registry.k8s.io/"},
	{"gcr.io/google-containers/", "registry.k8s.io/"},
}

// movedImage recognises retired repositories. gcr.io itself is too large to be
// in the table: only its bare 403 to a public image is a sign.
func movedImage(w *facts.Workload, t *trouble) (Finding, bool) {
	name := t.image.Name()
	for _, m := range moves {
		if rest, ok := strings.CutPrefix(name, m.prefix); ok {
			fd := t.finding(w, "image-moved-or-retired", Likely,
				fmt.Sprintf("%s is no longer served: images of %s moved to %s%s", t.text, strings.TrimSuffix(m.prefix, "/"), m.successor, rest),
				rival("tag-not-found", fmt.Sprintf(listTags, name)))
			fd.Key, fd.Vars["successor"] = "repository "+name, m.successor+rest
			return fd, true
		}
	}
	if t.image.Registry == "gcr.io" && t.err.Kind == pullerror.Forbidden && t.err.Credential != pullerror.CredentialSent {
		fd := t.finding(w, "image-moved-or-retired", Likely, fmt.Sprintf("gcr.io refuses %s%s: Container Registry has ended and images moved to Artifact Registry", t.text, t.status()),
			rival("gar-permission-denied", "ask for the manifest with the node's own service account (gcloud artifacts docker images describe "+t.text+")"))
		fd.Key = "repository " + name
		return fd, true
	}
	return Finding{}, false
}

// onlyLocal finds images that exist in a node's store without ever having come
// from a registry.
func onlyLocal(f *facts.Facts, w *facts.Workload, t *trouble) (Finding, bool) {
	make := func(where string, e Evidence) (Finding, bool) {
		fd := t.finding(w, "image-only-local", Likely, fmt.Sprintf("image %s was loaded into the store of %s and never pushed: %s does not serve it", t.text, where, t.image.Registry),
			rival(notServed(t), "ask the registry for it from elsewhere (crane digest "+t.text+")"))
		fd.Key, fd.Evidence = "image "+t.image.String(), append(fd.Evidence, e)
		return fd, true
	}
	if s, ok := f.Stored(t.image)[t.image.Tag]; ok && s.Loaded {
		return make("node "+s.Node, Evidence{"the node's copy carries no registry digest: it was not pulled",
			facts.Receipt{Kind: "Node", Name: s.Node, Field: "status.images", Text: s.Name, Time: f.Now}})
	}
	if c := f.Ran(t.image, ""); c != nil && c.Status != nil && strings.HasPrefix(strings.TrimPrefix(c.Status.ImageID, "docker://"), "sha256:") {
		return make("node "+c.Pod.NodeName(), Evidence{"this pod's copy carries no registry digest: it was not pulled",
			c.Pod.Receipt(c.StatusPath()+".imageID", c.Status.ImageID, f.Now)})
	}
	return Finding{}, false
}

func notServed(t *trouble) string {
	switch t.err.Kind {
	case pullerror.AccessDenied, pullerror.NoBasicAuth, pullerror.Unauthorized, pullerror.Forbidden:
		return "private-or-nonexistent"
	}
	return "tag-not-found"
}

// wrongSearchRegistry: CRI-O completed a short name with another registry than
// Docker Hub and shows only the last candidate's answer.
func wrongSearchRegistry(w *facts.Workload, t *trouble) (Finding, bool) {
	host := t.err.URLHost
	if t.image.Named || host == "" || t.volume != "" || t.err.Runtime != pullerror.CRIO || keyring.HubAlias(host) || strings.HasSuffix(host, ".docker.com") || t.err.Target == pullerror.TargetMirror {
		return Finding{}, false
	}
	fd := t.finding(w, "crio-unqualified-search-wrong-registry", Likely,
		fmt.Sprintf("image %s names no registry, and CRI-O looked for it at %s last and was refused there", t.text, host),
		rival("private-or-nonexistent", "name the registry in full (docker.io/"+t.image.Repository+") and see whether the answer changes"))
	fd.Key = "image " + t.text
	return fd, true
}
