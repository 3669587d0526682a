package snapshot

import (
	"hash/maphash"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Shared holds the parts that many objects of one capture have in common, so
// that each is decoded and kept once: the containers of all pods of a
// ReplicaSet, labels, owners, image names. Parts are known by their bytes on the
// wire. What it hands out is shared and must not be changed, which holds for
// a snapshot anyway. It may be used from several goroutines.
type Shared struct {
	seeds [2]maphash.Seed

	mu       sync.Mutex
	specs    map[partKey]*corev1.PodSpec
	metas    map[partKey]*metav1.ObjectMeta
	statuses map[partKey]*corev1.ContainerStatus
	images   map[partKey]*corev1.ContainerImage
	strings  map[string]string
}

// partKey stands for the bytes of a part. 128 bits, seeded anew each time,
// make two parts with one key too unlikely to happen, by chance or by intent.
type partKey [2]uint64

// NewShared makes an empty one; it belongs to one capture.
func NewShared() *Shared {
	return &Shared{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, specs: map[partKey]*corev1.PodSpec{}, metas: map[partKey]*metav1.ObjectMeta{},
		statuses: map[partKey]*corev1.ContainerStatus{}, images: map[partKey]*corev1.ContainerImage{}, strings: map[string]string{}}
}

// message is a generated protobuf type.
type message[T any] interface {
	*T
	Unmarshal([]byte) error
}

// part decodes a part of a message, or returns the one decoded before.
func part[T any, P message[T]](s *Shared, known map[partKey]*T, raw []byte) (*T, error) {
	k := partKey{maphash.Bytes(s.seeds[0], raw), maphash.Bytes(s.seeds[1], raw)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := known[k]; v != nil {
		return v, nil
	}
	v := P(new(T))
	if err := v.Unmarshal(raw); err != nil {
		return nil, err
	}
	known[k] = v
	return v, nil
}

// string keeps one copy of equal strings.
func (s *Shared) string(x *string) {
	if *x == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.strings[*x]; ok {
		*x = old
		return
	}
	s.strings[*x] = *x
}

// bytes is the string of some bytes, kept once.
func (s *Shared) bytes(b []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.strings[string(b)]; ok { // no copy to look it up
		return old
	}
	x := string(b)
	s.strings[x] = x
	return x
}

// Fields of ObjectMeta (k8s.io/apimachinery pkg/apis/meta/v1/generated.proto).
const (
	metaGenerateName = 2
	metaNamespace    = 3
	metaLabels       = 11
	metaAnnotations  = 12
	metaOwners       = 13
	metaManaged      = 17
)

// scratch are buffers in which the fields of one part are gathered.
type scratch struct {
	own, a, b, c []byte
}

// meta decodes the metadata of an object, without what trim drops.
func (s *Shared) meta(raw []byte, into *metav1.ObjectMeta, buf *scratch) error {
	own, labels, notes, owners := buf.own[:0], buf.a[:0], buf.b[:0], buf.c[:0]
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case metaManaged:
		case metaNamespace:
			into.Namespace = s.bytes(f.value)
		case metaGenerateName:
			into.GenerateName = s.bytes(f.value)
		case metaLabels:
			labels = append(labels, f.raw...)
		case metaOwners:
			owners = append(owners, f.raw...)
		case metaAnnotations:
			if !isLastApplied(f.value) {
				notes = append(notes, f.raw...)
			}
		default:
			own = append(own, f.raw...)
		}
		return nil
	})
	buf.own, buf.a, buf.b, buf.c = own, labels, notes, owners
	if err != nil {
		return err
	}
	if err := into.Unmarshal(own); err != nil {
		return err
	}
	for _, raw := range [][]byte{labels, notes, owners} {
		if len(raw) == 0 {
			continue
		}
		m, err := part(s, s.metas, raw)
		if err != nil {
			return err
		}
		switch {
		case m.Labels != nil:
			into.Labels = m.Labels
		case m.Annotations != nil:
			into.Annotations = m.Annotations
		default:
			into.OwnerReferences = m.OwnerReferences
		}
	}
	return nil
}

// isLastApplied reads the key of a map entry, its field 1.
func isLastApplied(entry []byte) bool {
	f, _, err := nextField(entry)
	return err == nil && f.num == 1 && string(f.value) == lastApplied
}

// Fields of PodSpec that differ between the pods of one owner, or may.
const (
	specVolumes  = 1
	specNodeName = 10
	specHostname = 16
	specAffinity = 18 // a DaemonSet's pods name their node here
)

// podSpec decodes the spec of a pod or template.
func (s *Shared) podSpec(raw []byte, into *corev1.PodSpec, buf *scratch) error {
	same, volumes, affinity := buf.a[:0], buf.b[:0], buf.c[:0]
	var node, host []byte
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case specNodeName:
			node = f.value
		case specHostname:
			host = f.value
		case specVolumes:
			volumes = append(volumes, f.raw...)
		case specAffinity:
			affinity = append(affinity, f.raw...)
		default:
			same = append(same, f.raw...)
		}
		return nil
	})
	buf.a, buf.b, buf.c = same, volumes, affinity
	if err != nil {
		return err
	}
	p, err := part(s, s.specs, same)
	if err != nil {
		return err
	}
	*into = *p
	if len(volumes) > 0 {
		if p, err = part(s, s.specs, volumes); err != nil {
			return err
		}
		into.Volumes = p.Volumes
	}
	if len(affinity) > 0 {
		if p, err = part(s, s.specs, affinity); err != nil {
			return err
		}
		into.Affinity = p.Affinity
	}
	into.NodeName, into.Hostname = s.bytes(node), string(host)
	return nil
}
