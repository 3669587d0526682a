package snapshot

import (
	"encoding/json"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ownGroup is the API group of the documents that only a bundle holds.
const (
	ownGroup   = "unjam.dev/"
	ownVersion = ownGroup + "v1alpha1"
)

// bundleDoc is version.yaml, the first file of a bundle.
type bundleDoc struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	TakenAt    time.Time `json:"takenAt"`
	Origin     Origin    `json:"origin"`
	// Tool is the version of unjam that wrote the bundle.
	Tool string `json:"tool,omitempty"`
	// Resources are those the writer knew of: what a later unjam also knows was
	// not looked for.
	Resources []string `json:"resources"`
}

// apply gives the snapshot what the bundle says about itself.
func (b *bundleDoc) apply(s *Snapshot) {
	if !b.TakenAt.IsZero() {
		s.TakenAt = b.TakenAt.UTC()
	}
	name := s.Origin.Name
	s.Origin = b.Origin
	s.Origin.Kind, s.Origin.Name = "bundle", name
	for _, k := range Kinds {
		if !slices.Contains(b.Resources, k.Resource) {
			s.Gaps = append(s.Gaps, Gap{Resource: k.Resource, Reason: GapNotCaptured, Detail: "the unjam that wrote the bundle did not read it"})
		}
	}
}

// addOwn takes a document of our own API group.
func (s *source) addOwn(raw []byte, kind string) error {
	switch kind {
	case "Bundle":
		var b bundleDoc
		if err := json.Unmarshal(raw, &b); err != nil {
			return err
		}
		s.bundle = &b
	case "GapList":
		var l struct {
			Items []Gap `json:"items"`
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return err
		}
		for _, g := range l.Items {
			s.gap(g)
		}
	case "SecretShapeList":
		var l struct {
			Items []*SecretShape `json:"items"`
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return err
		}
		s.objects.Secrets = appendPresent(s, s.objects.Secrets, l.Items)
	case "NeighbourPodList":
		var l struct {
			Items []*corev1.Pod `json:"items"`
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return err
		}
		if s.objects.Neighbours == nil {
			s.objects.Neighbours = []*corev1.Pod{}
		}
		s.objects.Neighbours = appendPresent(s, s.objects.Neighbours, l.Items)
	case "ConfigMapShapeList":
		var l struct {
			Items []*ConfigMapShape `json:"items"`
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return err
		}
		s.objects.ConfigMaps = appendPresent(s, s.objects.ConfigMaps, l.Items)
	}
	return nil
}

// appendPresent leaves out the nulls that a hand-made list may hold.
func appendPresent[T any](s *source, dst, items []*T) []*T {
	for _, x := range items {
		if x != nil {
			dst = append(dst, x)
			s.seen++
		}
	}
	return dst
}
