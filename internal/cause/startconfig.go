package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/near"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// The texts of a container that cannot be configured
// (pkg/kubelet/kubelet_pods.go, kuberuntime/security_context_others.go).
var (
	objectNotFound = pattern.New(`\b(configmap|secret)s? "([^"]{1,253})" not found`)
	keyNotFound    = pattern.New(`couldn't find key (\S{1,253}) in (ConfigMap|Secret) ([^/\s]{1,253})/([^\s,"]{1,253})`)
	cacheNotSynced = pattern.New(`failed to sync (configmap|secret) cache|services have not yet been read at least once`)
	nonRoot        = pattern.New(`runAsNonRoot and image (will run as root|has non-numeric user \(([^)]{0,128})\))|container's runAsUser (?:\(0\) )?breaks non-root policy`)
	subPathText    = pattern.New(`failed to (?:prepare|create) subPath(?: directory)? for volumeMount "([^"]*)"`)
	noSuchVolume   = pattern.New(`cannot find volume "([^"]*)" to mount into container`)
)

// configSightings reads containers in CreateContainerConfigError.
func configSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("config", readConfig)(f, w)
}

func readConfig(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range startingPods(w) {
		for _, c := range p.Containers {
			if s, ok := configError(f, c); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// failedText is the error of a container that could not be made: the waiting
// message, else the newest event that tells it.
func failedText(c *facts.Container) (string, Evidence) {
	if c.Waiting != nil && c.Waiting.Message != "" {
		return clipMiddle(c.Waiting.Message), Evidence{Text: "the kubelet cannot make the container",
			Receipt: c.Pod.Receipt(c.StatusPath()+".state.waiting", quote(c.Waiting.Reason+": "+c.Waiting.Message), time.Time{})}
	}
	for _, e := range slices.Backward(c.Events) {
		if text, ok := strings.CutPrefix(e.Message, "Error: "); ok && e.Reason == "Failed" && strings.Contains(text, " ") {
			return clipMiddle(text), eventProof("the kubelet cannot make the container", e)
		}
	}
	return "", Evidence{}
}

func configError(f *facts.Facts, c *facts.Container) (sighting, bool) {
	if c.Waiting == nil || c.Waiting.Reason != "CreateContainerConfigError" {
		return sighting{}, false
	}
	text, proof := failedText(c)
	s := sighting{pod: c.Pod, c: c, confidence: Certain, evidence: []Evidence{proof}}
	s.since, s.last, s.attempts = spanOf(c.Pod, func(e *facts.Event) bool {
		return e.Reason == "Failed" && e.Container == c.Name && strings.HasPrefix(e.Message, "Error: ")
	})
	s.since = cmp.Or(s.since, podStart(c.Pod))
	switch {
	case keyNotFound.MatchString(text):
		m := keyNotFound.FindStringSubmatch(text)
		s.missingObject(f, strings.ToLower(m[2]), m[4], m[1])
	case objectNotFound.MatchString(text):
		m := objectNotFound.FindStringSubmatch(text)
		s.missingObject(f, m[1], m[2], "")
	case cacheNotSynced.MatchString(text):
		s.code, s.same, s.confidence = "configmap-cache-sync", c.Pod.NodeName(), cacheConfidence(s)
		s.key = "node " + c.Pod.NodeName()
		s.summary = fmt.Sprintf("the kubelet of %s has not yet read the ConfigMaps, Secrets or Services that container %s needs", c.Pod.NodeName(), c.Name)
	case nonRoot.MatchString(text):
		m := nonRoot.FindStringSubmatch(text)
		s.code, s.same = "run-as-nonroot", c.Name
		switch {
		case m[2] != "":
			s.vars = map[string]string{"user": m[2]}
			s.summary = fmt.Sprintf("container %s must not run as root, and its image names the user %q, which cannot be proven not to be root", c.Name, m[2])
		case m[1] != "":
			s.summary = fmt.Sprintf("container %s must not run as root, and its image runs as root", c.Name)
		default:
			s.summary = fmt.Sprintf("container %s must not run as root, and its runAsUser is 0", c.Name)
		}
	case subPathText.MatchString(text):
		m := subPathText.FindStringSubmatch(text)
		s.code, s.same = "subpath-failed", c.Name+"/"+m[1]
		s.vars = map[string]string{"volume": m[1]}
		s.summary = fmt.Sprintf("the subPath of volume %s cannot be prepared for container %s", m[1], c.Name)
		if s.attempts < 2 {
			s.confidence = Likely
		}
	case noSuchVolume.MatchString(text):
		m := noSuchVolume.FindStringSubmatch(text)
		s.code, s.same = "volume-not-in-pod", c.Name+"/"+m[1]
		s.vars = map[string]string{"volume": m[1]}
		s.summary = fmt.Sprintf("container %s mounts volume %s, which the pod does not define", c.Name, m[1])
	default:
		return sighting{}, false
	}
	return s, true
}

// cacheConfidence is firm once the complaint came back three times: one alone
// is ordinary while a kubelet starts.
func cacheConfidence(s sighting) Confidence {
	if s.attempts >= 3 {
		return Certain
	}
	return Likely
}

// missingObject fills a sighting of an environment source that does not exist.
// kind is "configmap" or "secret", key empty when the object itself is missing.
func (s *sighting) missingObject(f *facts.Facts, kind, name, key string) {
	s.code, s.same = kind+"-missing-env", name+"/"+key
	s.describeMissing(f, kind, name, key, "container "+s.c.Name)
	if field := envField(s.c, kind, name, key); field != "" {
		s.evidence = append(s.evidence, fieldProof(s.pod, "here the container asks for it", field, name+keySuffix(key)))
	}
}

func keySuffix(key string) string {
	if key == "" {
		return ""
	}
	return " key " + key
}

var objectKinds = map[string]string{"configmap": "ConfigMap", "secret": "Secret"}

// describeMissing words a missing ConfigMap, Secret or key, looks whether it
// exists meanwhile, and names what exists that is like it.
func (s *sighting) describeMissing(f *facts.Facts, kind, name, key, who string) {
	ns := s.pod.Obj.Namespace
	s.vars = map[string]string{"key": key, "object": kind + "/" + name, kind: name}
	s.key = kind + " " + ns + "/" + name
	exists, known, keys := shapeOf(f, kind, ns, name)
	subject := fmt.Sprintf("%s %s/%s", objectKinds[kind], ns, name)
	switch {
	case exists && (key == "" || slices.Contains(keys, key)):
		s.class = Waiting
		s.summary = fmt.Sprintf("%s was missing and exists now%s; the kubelet tries %s again within two minutes", subject, keySuffix(key), who)
		return
	case key != "":
		s.summary = fmt.Sprintf("%s has no key %s, which %s needs", subject, key, who)
		if like := near.Names(key, keys); len(like) > 0 {
			s.near(like, "it has ")
		} else if exists && len(keys) > 0 && len(keys) <= 5 {
			s.summary += "; its keys are " + strings.Join(keys, ", ")
		}
	default:
		s.summary = fmt.Sprintf("%s does not exist, and %s needs it", subject, who)
		s.near(near.Names(name, shapeNames(f, kind, ns)), "there is ")
	}
	if known {
		s.evidence = append(s.evidence, Evidence{Text: "it is not among the objects seen", Receipt: facts.Receipt{Kind: objectKinds[kind], Namespace: ns, Name: name, Field: missingField(key), Time: f.Now, Text: "not found"}})
	}
	if by := maker(f, ns, name); kind == "secret" && by != "" && f.Now.Sub(s.since) < 2*time.Minute {
		s.class = Waiting
		s.summary += "; " + by + " is to make it"
	}
}

func missingField(key string) string {
	if key == "" {
		return "metadata.name"
	}
	return "data." + key
}

func (s *sighting) near(names []string, intro string) {
	if len(names) == 0 {
		return
	}
	s.vars["near"] = names[0]
	s.summary += "; " + intro + strings.Join(names, ", ")
}

// shapeOf looks an object up. keys are nil when unknown.
func shapeOf(f *facts.Facts, kind, ns, name string) (exists, known bool, keys []string) {
	if kind == "secret" {
		x, known := f.Secret(ns, name)
		if x == nil {
			return false, known, nil
		}
		return true, known, x.Keys
	}
	x, known := f.ConfigMap(ns, name)
	if x == nil {
		return false, known, nil
	}
	return true, known, x.Keys
}

func shapeNames(f *facts.Facts, kind, ns string) []string {
	var out []string
	if kind == "secret" {
		for _, x := range f.Snap.Objects.Secrets {
			if x.Namespace == ns {
				out = append(out, x.Name)
			}
		}
		return out
	}
	for _, x := range f.Snap.Objects.ConfigMaps {
		if x.Namespace == ns {
			out = append(out, x.Name)
		}
	}
	return out
}

// maker names the object of an operator that makes the Secret.
func maker(f *facts.Facts, ns, name string) string {
	for _, u := range f.Snap.Objects.Others {
		switch u.GetKind() {
		case "ExternalSecret", "SealedSecret", "Certificate", "VaultStaticSecret":
			if u.GetNamespace() == ns && u.GetName() == name {
				return u.GetKind() + " " + ns + "/" + name
			}
		}
	}
	return ""
}

// envField is the field in which a container asks for an object or key.
func envField(c *facts.Container, kind, name, key string) string {
	path := "spec.containers[" + c.Name + "]"
	if c.Kind != facts.AppContainer {
		path = "spec.initContainers[" + c.Name + "]"
	}
	for _, e := range c.Spec.Env {
		v := e.ValueFrom
		if v == nil {
			continue
		}
		if r := v.ConfigMapKeyRef; r != nil && kind == "configmap" && r.Name == name && (key == "" || r.Key == key) {
			return path + ".env[" + e.Name + "].valueFrom.configMapKeyRef"
		}
		if r := v.SecretKeyRef; r != nil && kind == "secret" && r.Name == name && (key == "" || r.Key == key) {
			return path + ".env[" + e.Name + "].valueFrom.secretKeyRef"
		}
	}
	for i, e := range c.Spec.EnvFrom {
		if kind == "configmap" && e.ConfigMapRef != nil && e.ConfigMapRef.Name == name {
			return path + fmt.Sprintf(".envFrom[%d].configMapRef", i)
		}
		if kind == "secret" && e.SecretRef != nil && e.SecretRef.Name == name {
			return path + fmt.Sprintf(".envFrom[%d].secretRef", i)
		}
	}
	return ""
}
