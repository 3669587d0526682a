package cause

import (
	"cmp"
	"fmt"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// The texts of a ConfigMap, Secret or token volume that cannot be set up
// (pkg/volume/configmap, pkg/volume/secret, pkg/kubelet/util/manager).
var (
	setUpFailed   = pattern.New(`^MountVolume\.SetUp failed for volume "([^"]{1,253})" ?: ?`)
	noConfigKey   = pattern.New(`references? non-existent (config|secret) key: (\S{1,253})`)
	notRegistered = pattern.New(`object "[^"]*"/"[^"]*" not registered`)
	tokenFailed   = pattern.New(`failed to fetch token|serviceaccounts? "[^"]*" (?:is forbidden|not found)|failed to generate token`)
)

// configVolumeSightings reads the newest failed set-up of a volume of pods that
// have no sandbox yet.
func configVolumeSightings(f *facts.Facts, w *facts.Workload) []sighting {
	return rememberedAs("config-volume", readConfigVolume)(f, w)
}

func readConfigVolume(f *facts.Facts, w *facts.Workload) []sighting {
	var out []sighting
	for _, p := range startingPods(w) {
		if p.Phase != facts.PhaseVolume && p.Phase != facts.PhaseSandbox {
			continue
		}
		// A pod with several volumes reports each on its own; the newest event of
		// each volume tells its present state.
		seen := map[string]bool{}
		for i := len(p.Events) - 1; i >= 0; i-- {
			e := p.Events[i]
			m := setUpFailed.FindStringSubmatch(clipMiddle(e.Message))
			if e.Reason != "FailedMount" || m == nil || seen[m[1]] {
				continue
			}
			seen[m[1]] = true
			if s, ok := configVolume(f, p, e, m[1]); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

func configVolume(f *facts.Facts, p *facts.Pod, e *facts.Event, volume string) (sighting, bool) {
	text := clipMiddle(e.Message)
	s := sighting{pod: p, confidence: Certain, since: e.First, last: e.Last, attempts: int(e.Count),
		evidence: []Evidence{eventProof("the kubelet cannot set up volume "+volume, e)}, explains: []string{"mount-failed", "volume-wait-silent", "not-pulling-yet"}}
	switch {
	case notRegistered.MatchString(text):
		s.code, s.same = "object-not-registered-noise", p.Name()
		s.summary = fmt.Sprintf("the kubelet of %s does not follow the objects of volume %s yet; this passes by itself", p.NodeName(), volume)
		s.confidence = Likely
	case cacheNotSynced.MatchString(text):
		s.code, s.same, s.key, s.confidence = "configmap-cache-sync", p.NodeName(), "node "+p.NodeName(), cacheConfidence(s)
		s.summary = fmt.Sprintf("the kubelet of %s has not yet read what volume %s needs", p.NodeName(), volume)
	case noConfigKey.MatchString(text):
		m := noConfigKey.FindStringSubmatch(text)
		kind := map[string]string{"config": "configmap", "secret": "secret"}[m[1]]
		name := volumeSource(p, volume, kind, m[2])
		if name == "" {
			s.summary = fmt.Sprintf("volume %s asks for the key %s, which its %s lacks", volume, m[2], objectKinds[kind])
			s.vars = map[string]string{"key": m[2]}
		} else {
			s.describeMissing(f, kind, name, m[2], "volume "+volume)
		}
		s.code, s.same = "config-volume-missing", volume+"/"+m[2]
	case objectNotFound.MatchString(text):
		m := objectNotFound.FindStringSubmatch(text)
		s.describeMissing(f, m[1], m[2], "", "volume "+volume)
		s.code, s.same = "config-volume-missing", m[1]+"/"+m[2]
	case tokenFailed.MatchString(text):
		s.code, s.same = "projected-token-failed", p.NodeName()
		s.summary = fmt.Sprintf("the API server gives no ServiceAccount token for volume %s of %s", volume, p.Name())
		s.vars = map[string]string{"serviceaccount": cmp.Or(p.Obj.Spec.ServiceAccountName, "default")}
		s.confidence = cacheConfidence(s)
	default:
		return sighting{}, false
	}
	if s.vars == nil {
		s.vars = map[string]string{}
	}
	s.vars["volume"] = volume
	return s, true
}

// volumeSource is the object a volume reads the key from; empty when it
// cannot be told.
func volumeSource(p *facts.Pod, volume, kind, key string) string {
	for _, v := range p.Obj.Spec.Volumes {
		if v.Name != volume {
			continue
		}
		switch {
		case kind == "configmap" && v.ConfigMap != nil:
			return v.ConfigMap.Name
		case kind == "secret" && v.Secret != nil:
			return v.Secret.SecretName
		case v.Projected == nil:
			return ""
		}
		for _, src := range v.Projected.Sources {
			if r := src.ConfigMap; r != nil && kind == "configmap" {
				for _, it := range r.Items {
					if it.Key == key {
						return r.Name
					}
				}
			}
			if r := src.Secret; r != nil && kind == "secret" {
				for _, it := range r.Items {
					if it.Key == key {
						return r.Name
					}
				}
			}
		}
	}
	return ""
}
