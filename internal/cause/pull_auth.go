package cause

import (
	"fmt"
	"strings"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// judgeAuth decides among the ways of being refused. Order: what the registry
// itself says; whether a credential was sent; what the pod's Secrets hold; who
// else can pull the image.
func judgeAuth(f *facts.Facts, w *facts.Workload, t *trouble) []Finding {
	if t.err.Kind == pullerror.SecretMissing {
		return []Finding{newAuth(f, t).unreadableSecret(w)}
	}
	if t.err.Kind == pullerror.SecretMalformed {
		return []Finding{malformedSecret(f, w, t)}
	}
	for _, judge := range []func(*facts.Facts, *facts.Workload, *trouble) (Finding, bool){blobRefused, saidByRegistry} {
		if fd, ok := judge(f, w, t); ok {
			return []Finding{fd}
		}
	}
	if fd, ok := wrongSearchRegistry(w, t); ok {
		return []Finding{fd}
	}
	a := newAuth(f, t)
	fd := a.sentFinding(w)
	if !a.sent {
		fd = a.unsentFinding(w)
	}
	return []Finding{a.healable(fd)}
}

// auth is the evidence about one refused pull.
type auth struct {
	f       *facts.Facts
	t       *trouble
	pod     *facts.Pod
	secrets []secretReport
	// match is the Secret whose credential the kubelet sends, nil when none.
	match *secretReport
	// sent is true when a credential went out with the refused request.
	sent bool
	// witness has pulled from the same repository, nil when none is known.
	witness *facts.Container
}

func newAuth(f *facts.Facts, t *trouble) *auth {
	a := &auth{f: f, t: t, pod: t.pod()}
	a.secrets = pullSecrets(f, a.pod, t.image)
	for i := range a.secrets {
		if a.secrets[i].state == secretMatches && a.match == nil {
			a.match = &a.secrets[i]
		}
	}
	switch t.err.Credential {
	case pullerror.CredentialSent:
		a.sent = true
	case pullerror.CredentialUnknown:
		a.sent = a.match != nil
	}
	if t.err.Kind == pullerror.NoBasicAuth {
		a.sent = false
	}
	if t.err.Credential == pullerror.CredentialUnknown && !a.sent && a.unfit() == nil {
		a.sent = a.impliesSent()
	}
	if c := f.Ran(t.image, ""); c != nil {
		a.witness = c
	} else if _, c := closestTag(f.TagsRun(t.image), t.image.Tag); c != nil {
		a.witness = c
	}
	return a
}

// impliesSent reads from the form of an answer, whose words do not say so, that
// a credential must have been sent. containerd that names the request shows a
// bare 401 only for a refused credential, else it says "no basic auth
// credentials"; older wording ("pulling from host") is the same for both. ECR
// answers 401 and never 403 when there is none.
func (a *auth) impliesSent() bool {
	e, reg := a.t.err, a.t.image.Registry
	switch e.Kind {
	case pullerror.Unauthorized:
		return e.Runtime == pullerror.Containerd && e.Status == 401 && e.URL != "" || e.Status == 401 && a.find(secretUnread) != nil
	case pullerror.Forbidden:
		return isECR(reg) || reg == "public.ecr.aws"
	}
	return false
}

// unfit is the first Secret of the pod that gives no credential for the image.
func (a *auth) unfit() *secretReport {
	for _, s := range []secretState{secretMissing, secretWrongType, secretMalformed, secretEmpty, secretNoHost} {
		if r := a.find(s); r != nil {
			return r
		}
	}
	return nil
}

// find returns the first Secret in the state.
func (a *auth) find(s secretState) *secretReport {
	for i := range a.secrets {
		if a.secrets[i].state == s {
			return &a.secrets[i]
		}
	}
	return nil
}

// finding is a finding about a Secret; Key is the Secret, since whoever uses it
// fails alike.
func (a *auth) finding(w *facts.Workload, code string, conf Confidence, s *secretReport, summary string, rivals ...Rival) Finding {
	fd := a.t.finding(w, code, conf, summary, rivals...)
	fd.Key = "registry " + a.t.image.Registry
	if s != nil {
		fd.Key = "secret " + a.pod.Obj.Namespace + "/" + s.name
		fd.Vars["secret"] = s.name
		if s.receipt.Field != "" {
			fd.Evidence = append(fd.Evidence, Evidence{"the pull secret", s.receipt})
		}
		if s.entry != nil {
			fd.Vars["hostkey"] = s.entry.HostKey
			if s.entry.User != "" {
				fd.Vars["user"] = s.entry.User
			}
		}
	}
	return fd
}

// openAnswer is true when the registry's words fit a repository that does not
// exist as well as one that is private.
func (a *auth) openAnswer() bool { return a.t.err.Kind == pullerror.AccessDenied && a.witness == nil }

// defect is a finding that a Secret of the pod is unfit. When the registry's
// words leave open whether the repository exists, so does the finding.
func (a *auth) defect(w *facts.Workload, code string, s *secretReport, summary string) Finding {
	if a.t.err.Kind == pullerror.Forbidden {
		return a.finding(w, code, Likely, s, summary, rival("forbidden-403", "mend the Secret first; if the answer stays, read its body (curl the manifest with GET)"))
	}
	if a.openAnswer() {
		return a.finding(w, code, Likely, s, summary, rival("private-or-nonexistent", "mend the Secret first; if the answer stays, the repository does not exist or the account has no right to it"))
	}
	return a.finding(w, code, Certain, s, summary)
}

// unsentFinding: the registry was asked without a credential.
func (a *auth) unsentFinding(w *facts.Workload) Finding {
	ns, reg := a.pod.Obj.Namespace, a.t.image.Registry
	// Secrets the pod does name, the surest defect first.
	if s := a.find(secretMissing); s != nil {
		if other := secretElsewhere(a.f, ns, s.name); other != "" {
			fd := a.defect(w, "pull-secret-wrong-namespace", s, fmt.Sprintf("pull secret %s is in namespace %s, but pod %s is in %s and can use only its own: %s was asked without a credential", s.name, other, a.pod.Name(), ns, reg))
			fd.Vars["othernamespace"] = other
			return fd
		}
		return a.defect(w, "pull-secret-missing", s, fmt.Sprintf("pull secret %s/%s does not exist, so %s was asked for %s without a credential and refused", ns, s.name, reg, a.t.text))
	}
	if s := a.find(secretWrongType); s != nil {
		return a.defect(w, "pull-secret-wrong-type", s, fmt.Sprintf("the kubelet ignores pull secret %s/%s because %s, so %s was asked without a credential", ns, s.name, s.why, reg))
	}
	if s := a.find(secretMalformed); s != nil {
		return a.defect(w, "pull-secret-malformed", s, fmt.Sprintf("pull secret %s/%s cannot be read: %s", ns, s.name, s.why))
	}
	if s := a.find(secretEmpty); s != nil {
		return a.defect(w, "pull-secret-empty-auth", s, fmt.Sprintf("pull secret %s/%s carries no credential for %s: %s", ns, s.name, reg, s.why))
	}
	if fd, ok := a.accountFinding(w); ok {
		return fd
	}
	if s := a.find(secretNoHost); s != nil && a.find(secretUnread) == nil {
		return a.defect(w, "pull-secret-wrong-host-key", s, fmt.Sprintf("no pull secret of pod %s is for %s: secret %s/%s, %s", a.pod.Name(), reg, ns, s.name, s.why))
	}
	return a.noSecretFinding(w)
}

// accountFinding: the ServiceAccount has a Secret that the pod never got.
func (a *auth) accountFinding(w *facts.Workload) (Finding, bool) {
	for _, s := range accountSecrets(a.f, a.pod, a.t.image) {
		if s.state != secretMatches && s.state != secretUnread {
			continue
		}
		why := "it was added after the pod was created"
		if len(a.pod.Obj.Spec.ImagePullSecrets) > 0 {
			why = "the pod names pull secrets of its own, and those of the account are then not added"
		}
		sa := serviceAccount(a.pod)
		fd := a.defect(w, "sa-pull-secret-not-applied", &s, fmt.Sprintf("ServiceAccount %s has pull secret %s, but pod %s does not carry it: %s", sa, s.name, a.pod.Name(), why))
		if s.state == secretUnread && fd.Confidence == Certain {
			fd.Confidence, fd.Rivals = Likely, []Rival{rival("pull-secret-wrong-host-key", "look at the hosts in the Secret: kubectl -n "+a.pod.Obj.Namespace+" get secret "+s.name+" -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d | jq '.auths|keys'")}
		}
		fd.Evidence = append(fd.Evidence, Evidence{"the account's list of pull secrets", facts.Receipt{Kind: "ServiceAccount", Namespace: a.pod.Obj.Namespace, Name: sa, Field: "imagePullSecrets", Text: s.name, Time: a.f.Now}})
		return fd, true
	}
	return Finding{}, false
}

// noSecretFinding: no credential was sent and no Secret of the pod is to blame.
func (a *auth) noSecretFinding(w *facts.Workload) Finding {
	t := a.t
	code, conf := "private-or-nonexistent", Likely
	summary := fmt.Sprintf("%s wants a credential for %s%s and got none", t.image.Registry, t.image.Repository, t.status())
	rivals := a.unreadRivals()
	switch {
	case isECR(t.image.Registry):
		fd := a.ecrAnonymous(w)
		fd.Rivals = append(rivals, fd.Rivals...)
		return fd
	case t.err.Kind == pullerror.AccessDenied:
		summary = fmt.Sprintf("%s denies %s without a credential: it is private or does not exist, the registry does not tell which", t.image.Registry, t.image.Repository)
		if a.witness == nil {
			rivals = append(rivals, anonymousRival(t), rival("repo-not-found", "ask with a credential that may list it (crane ls "+t.image.Name()+"), or look at the registry's own page"))
		}
	case t.err.Kind == pullerror.Forbidden:
		code = "forbidden-403"
		summary = fmt.Sprintf("%s forbids %s%s without asking for a credential%s", t.image.Registry, t.image.Repository, t.status(), said(t.err))
	case t.err.Kind != pullerror.NoBasicAuth:
		code = "anonymous-denied"
		summary = fmt.Sprintf("%s refused to let %s be pulled without a credential%s", t.image.Registry, t.image.Repository, t.status())
	}
	if fd, ok := movedImage(w, t); ok {
		return fd
	}
	if fd, ok := onlyLocal(a.f, w, t); ok {
		return fd
	}
	if fd, ok := providerAnonymous(w, t, rivals); ok {
		return fd
	}
	if len(a.secrets) == 0 && code != "forbidden-403" {
		summary += fmt.Sprintf("; pod %s names no pull secret", a.pod.Name())
	}
	if !t.image.Named && code != "forbidden-403" {
		summary += fmt.Sprintf("; %s names no registry, so Docker Hub was asked", t.text)
		rivals = append(rivals, rival("image-only-local", "look whether the image exists only on a developer's machine or another node (crictl images, docker images)"))
	}
	if code == "anonymous-denied" && t.err.Credential == pullerror.CredentialUnknown {
		rivals = append(rivals, rival("bad-credentials", "look whether the node itself has a credential for "+t.image.Registry+" (containerd's or the kubelet's configuration)"))
	}
	if code == "anonymous-denied" && a.witness == nil {
		rivals = append(rivals, rival("private-or-nonexistent", "ask for the image with a credential that may read it; many registries give the same answer for a name that does not exist"))
	} else if code == "private-or-nonexistent" && t.err.Kind == pullerror.NoBasicAuth && a.witness == nil {
		rivals = append(rivals, anonymousRival(t), rival("repo-not-found", "list the repository's tags with a credential (crane ls "+t.image.Name()+")"))
	}
	var extra []Evidence
	if a.witness != nil {
		summary += fmt.Sprintf("; it exists: pod %s runs it", a.witness.Pod.Name())
		extra = append(extra, ranEvidence(a.witness, "this pod has pulled from the repository"))
	}
	if len(rivals) == 0 {
		conf = Certain
	}
	fd := a.finding(w, code, conf, nil, summary, rivals...)
	fd.Evidence = append(fd.Evidence, extra...)
	if s := unusedSecret(a.f, a.pod, t.image); s != "" {
		fd.Vars["secret"] = s
		fd.Summary += fmt.Sprintf("; secret %s would match but is not named by the pod", s)
	}
	return fd
}

// anonymousRival: the repository exists and only lacks a credential.
func anonymousRival(t *trouble) Rival {
	return rival("anonymous-denied", "ask for the image with a credential that may read it (crane digest "+t.text+"): an answer means that the pod lacks only that")
}

// unreadableSecret is the kubelet's own complaint about a Secret, without the
// registry's answer. It proves the Secret's absence, not that it is needed.
func (a *auth) unreadableSecret(w *facts.Workload) Finding {
	if s := a.find(secretMissing); s != nil {
		return a.unsentFinding(w)
	}
	names := secretNames(a.t.err.Text)
	which := "a pull secret that the pod names"
	if len(names) > 0 {
		which = "pull secret " + strings.Join(names, ", ")
	}
	fd := a.finding(w, "pull-secret-missing", Likely, nil, fmt.Sprintf("the kubelet cannot read %s in namespace %s", which, a.pod.Obj.Namespace),
		rival("pull-secret-wrong-namespace", "look for a Secret of the name in all namespaces"))
	if len(names) > 0 {
		fd.Vars["secret"] = names[0]
	}
	return fd
}

// unreadRivals are the Secret causes that cannot be excluded because the
// Secrets could not be read.
func (a *auth) unreadRivals() []Rival {
	s := a.find(secretUnread)
	if s == nil {
		return nil
	}
	ns := a.pod.Obj.Namespace
	return []Rival{
		rival("pull-secret-missing", fmt.Sprintf("kubectl -n %s get secret %s", ns, s.name)),
		rival("pull-secret-wrong-type", fmt.Sprintf("kubectl -n %s get secret %s -o jsonpath={.type}", ns, s.name)),
		rival("pull-secret-wrong-host-key", fmt.Sprintf("kubectl -n %s get secret %s -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d | jq '.auths|keys'", ns, s.name)),
	}
}

// healable lowers the certainty of a refusal that may end by itself: the image
// is on the node already, and a kubelet that verifies credentials lets the pod
// start once it has a record that fits.
func (a *auth) healable(fd Finding) Finding {
	c := a.pod.Obj.Spec.Containers
	if len(c) == 0 || pullPolicy(a.t.at[0]) == "Always" || fd.Confidence != Certain {
		return fd
	}
	node := a.pod.NodeName()
	present, _ := facts.OnNode(a.pod.Node, a.t.image)
	if ran := a.f.Ran(a.t.image, node); node == "" || ran == nil && !present {
		return fd
	}
	fd.Confidence = Likely
	fd.Rivals = append(fd.Rivals, rival("credential-recheck-repull", fmt.Sprintf("the image is already on node %s: see whether the pod starts at the next retry; it does when the kubelet accepts the copy for this pod", node)))
	fd.Summary += fmt.Sprintf("; the image is already on node %s, so the pod may yet start", node)
	return fd
}

// pullPolicy is the container's policy with the API server's default applied.
func pullPolicy(c *facts.Container) string {
	if p := c.Spec.ImagePullPolicy; p != "" {
		return string(p)
	}
	if img, ok := facts.ParseImage(c.Image); ok && img.Tag == "latest" && img.Digest == "" {
		return "Always"
	}
	return "IfNotPresent"
}

// malformedSecret: the kubelet's own decoding error names no Secret.
func malformedSecret(f *facts.Facts, w *facts.Workload, t *trouble) Finding {
	a := newAuth(f, t)
	if s := a.find(secretMalformed); s != nil {
		return a.finding(w, "pull-secret-malformed", Certain, s, fmt.Sprintf("pull secret %s/%s blocks every image of pod %s: %s", a.pod.Obj.Namespace, s.name, a.pod.Name(), s.why))
	}
	var names []string
	for _, s := range a.secrets {
		names = append(names, s.name)
	}
	which := "one of its pull secrets"
	var s *secretReport
	if len(a.secrets) == 1 {
		s, which = &a.secrets[0], "its pull secret "+names[0]
	} else if len(names) > 1 {
		which += " (" + strings.Join(names, ", ") + ")"
	}
	return a.finding(w, "pull-secret-malformed", Certain, s, fmt.Sprintf("the kubelet cannot decode %s of pod %s: %s", which, a.pod.Name(), t.err.Text))
}
