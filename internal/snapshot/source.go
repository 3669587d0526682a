package snapshot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// source gathers a snapshot from any number of documents.
type source struct {
	name  string
	lim   Limits
	total int64
	files int

	objects Objects
	logs    []LogTail
	gaps    []Gap
	seen    int       // objects of any kind, shapes included
	newest  time.Time // newest known time field, see times.go
	bundle  *bundleDoc
}

func newSource(name string, lim Limits) *source { return &source{name: name, lim: lim} }

func (s *source) gap(g Gap) {
	// A source with thousands of broken files needs no thousand gaps.
	if len(s.gaps) < 1000 {
		s.gaps = append(s.gaps, g)
	}
}

func (s *source) broken(file string, err error) {
	s.gap(Gap{Resource: anyResource, Name: file, Reason: GapBroken, Detail: detail(err)})
}

// detail is an error as one redacted line of bounded length.
func detail(err error) string {
	text := Redact(strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "\uFFFD")), " "))
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}

// maxListDepth is how deep a List may hold Lists.
const maxListDepth = 4

// peek is what decides where a document goes.
type peek struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Items      []json.RawMessage `json:"items"`
	Metadata   struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"metadata"`
}

// addJSON takes one JSON document: an object, a List, a typed list, or an
// array of objects. apiVersion and kind apply to objects that do not say, as
// in a PodList. It returns an error only for what is no JSON document of ours.
func (s *source) addJSON(raw []byte, apiVersion, kind string, depth int) error {
	if depth > maxListDepth {
		return fmt.Errorf("%w: lists inside lists inside lists", ErrTooLarge)
	}
	trimmed := strings.TrimLeft(string(raw[:min(len(raw), 64)]), " \t\r\n")
	if strings.HasPrefix(trimmed, "[") {
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return err
		}
		return s.addItems(items, apiVersion, kind, depth)
	}
	if !strings.HasPrefix(trimmed, "{") {
		return nil // a bare word or number: no object
	}
	var p peek
	if err := json.Unmarshal(raw, &p); err != nil {
		var doc map[string]json.RawMessage
		if json.Unmarshal(raw, &doc) != nil {
			return err
		}
		// The envelope has odd types (an items that is no list, say): not ours.
		return nil
	}
	switch {
	case p.Kind == "" && len(p.Items) > 0:
		return s.addItems(p.Items, apiVersion, kind, depth)
	case p.Kind == "" && (kind == "" || p.Metadata.Name == ""):
		return nil // not an object: values, settings, an error report
	case p.Kind == "":
		p.APIVersion, p.Kind = apiVersion, kind
	case p.APIVersion == "":
		p.APIVersion = apiVersion
	}
	switch {
	case strings.HasPrefix(p.APIVersion, ownGroup):
		return s.addOwn(raw, p.Kind)
	case strings.HasSuffix(p.Kind, "List") && (p.Items != nil || p.Kind == "List"):
		itemKind := strings.TrimSuffix(p.Kind, "List")
		if itemKind == "" {
			return s.addItems(p.Items, "", "", depth)
		}
		return s.addItems(p.Items, p.APIVersion, itemKind, depth)
	}
	s.addObject(raw, p)
	return nil
}

func (s *source) addItems(items []json.RawMessage, apiVersion, kind string, depth int) error {
	for i, item := range items {
		if err := s.addJSON(item, apiVersion, kind, depth+1); err != nil {
			return fmt.Errorf("items[%d]: %w", i, err)
		}
	}
	return nil
}

// addObject stores one object. One that does not decode becomes a gap.
func (s *source) addObject(raw []byte, p peek) {
	k := KindFor(p.APIVersion, p.Kind)
	if k == nil && p.Kind == "Event" && strings.HasPrefix(p.APIVersion, "events.k8s.io/") {
		k = KindOfResource("events")
		core, err := coreEvent(raw)
		if err != nil {
			s.brokenObject(k.Resource, p, err)
			return
		}
		s.objects.Events = append(s.objects.Events, core)
		s.noteTimes(raw)
		s.seen++
		return
	}
	if k == nil {
		s.addOther(raw, p)
		return
	}
	if k.Kind == "ControllerRevision" {
		// data is kept as bytes and compared as bytes: spaces must not count.
		var b bytes.Buffer
		if json.Compact(&b, raw) == nil {
			raw = b.Bytes()
		}
	}
	if _, err := k.decode(&s.objects, raw); err != nil {
		s.brokenObject(k.Resource, p, err)
		return
	}
	s.noteTimes(raw)
	s.seen++
}

func (s *source) addOther(raw []byte, p peek) {
	if p.APIVersion == "" || p.Metadata.Name == "" {
		return // {"kind": …} of some other tool, a kubeconfig, a Kustomization
	}
	u := &unstructured.Unstructured{}
	err := utiljson.Unmarshal(raw, &u.Object) // keeps integers, as the API machinery does
	if err == nil && u.Object == nil {
		err = errors.New("not an object")
	}
	if err != nil {
		s.brokenObject(strings.ToLower(p.Kind), p, err)
		return
	}
	// Items of a typed list do not repeat their kind.
	u.SetAPIVersion(p.APIVersion)
	u.SetKind(p.Kind)
	s.objects.AddOther(u)
	s.noteTimes(raw)
	s.seen++
}

func (s *source) brokenObject(resource string, p peek, err error) {
	s.gap(Gap{Resource: resource, Namespace: p.Metadata.Namespace, Name: p.Metadata.Name, Reason: GapBroken, Detail: detail(err)})
}

// finish turns what was gathered into a snapshot.
func (s *source) finish() (*Snapshot, error) {
	if s.seen == 0 && s.bundle == nil && len(s.logs) == 0 {
		for _, g := range s.gaps { // the only file was damaged: say how
			if g.Reason == GapBroken || g.Reason == GapTruncated {
				return nil, &DecodeError{File: s.name, Err: fmt.Errorf("nothing readable in it: %s %s", g.Name, g.Detail)}
			}
		}
		return nil, &DecodeError{File: s.name, Err: ErrNoObjects}
	}
	home := s.homeNamespace()
	for _, k := range Kinds {
		if k.Namespaced {
			k.tidy(&s.objects, home)
		} else {
			k.tidy(&s.objects, "")
		}
	}
	s.objects.tidyRest()
	snap := &Snapshot{TakenAt: s.newest.UTC(), Origin: Origin{Kind: "files", Name: s.name}, Objects: s.objects, Logs: tidyLogs(s.logs), Gaps: s.gaps}
	if s.bundle != nil {
		s.bundle.apply(snap)
	} else {
		snap.Gaps = append(snap.Gaps, partialGaps(&snap.Objects)...)
	}
	return snap, nil
}

// homeNamespace is where objects without a namespace belong: the namespace of
// all others when there is only one, else default, as kubectl apply would.
func (s *source) homeNamespace() string {
	home := ""
	for _, k := range Kinds {
		if !k.Namespaced {
			continue
		}
		mixed := false
		k.each(&s.objects, func(id identity) {
			if id.namespace == "" || id.namespace == home {
				return
			}
			mixed = mixed || home != ""
			home = id.namespace
		})
		if mixed {
			return "default"
		}
	}
	return cmp.Or(home, "default")
}

func tidyLogs(logs []LogTail) []LogTail {
	if len(logs) == 0 {
		return nil
	}
	slices.SortStableFunc(logs, compareLogs)
	return slices.CompactFunc(logs, func(a, b LogTail) bool { return compareLogs(a, b) == 0 })
}

func compareLogs(a, b LogTail) int {
	previous := 0
	if a.Previous != b.Previous {
		previous = 1
		if a.Previous {
			previous = -1
		}
	}
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Container, b.Container), previous)
}

// toJSON converts one YAML document.
func toJSON(doc []byte) (out []byte, err error) {
	// The YAML library promises errors, not panics; a promise is not enough for
	// input from anywhere.
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("not YAML: %v", r)
		}
	}()
	if err := checkAliases(doc); err != nil {
		return nil, err
	}
	return yaml.YAMLToJSON(doc)
}
