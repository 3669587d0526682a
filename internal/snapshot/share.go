package snapshot

import (
	"encoding/binary"
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

	mu         sync.Mutex
	specs      map[partKey]*corev1.PodSpec
	containers map[partKey]*corev1.Container
	metas      map[partKey]*metav1.ObjectMeta
	statuses   map[partKey]*corev1.ContainerStatus
	states     map[partKey]*corev1.ContainerState
	nodes      map[partKey]*corev1.NodeStatus
	images     map[partKey]*corev1.ContainerImage
	strings    map[string]string
	worded     map[*metav1.ObjectMeta]bool
}

// partKey stands for the bytes of a part. 128 bits, seeded anew each time,
// make two parts with one key too unlikely to happen, by chance or by intent.
type partKey [2]uint64

// NewShared makes an empty one; it belongs to one capture.
func NewShared() *Shared {
	return &Shared{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, specs: map[partKey]*corev1.PodSpec{}, containers: map[partKey]*corev1.Container{},
		metas: map[partKey]*metav1.ObjectMeta{}, statuses: map[partKey]*corev1.ContainerStatus{}, states: map[partKey]*corev1.ContainerState{}, nodes: map[partKey]*corev1.NodeStatus{}, images: map[partKey]*corev1.ContainerImage{}, strings: map[string]string{}, worded: map[*metav1.ObjectMeta]bool{}}
}

func (s *Shared) key(raw []byte) partKey {
	return partKey{maphash.Bytes(s.seeds[0], raw), maphash.Bytes(s.seeds[1], raw)}
}

// message is a generated protobuf type.
type message[T any] interface {
	*T
	Unmarshal([]byte) error
}

// part decodes a part of a message, or returns the one decoded before.
func part[T any, P message[T]](s *Shared, known map[partKey]*T, raw []byte) (*T, error) {
	k := s.key(raw)
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
		s.words(m)
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

// words keeps the keys and values of labels and annotations once; the same ones
// stand in many maps. It does so at the first sight of a map.
func (s *Shared) words(m *metav1.ObjectMeta) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.worded[m] {
		return
	}
	s.worded[m] = true
	for _, words := range []*map[string]string{&m.Labels, &m.Annotations} {
		if *words == nil {
			continue
		}
		once := make(map[string]string, len(*words))
		for key, value := range *words {
			once[s.once(key)] = s.once(value)
		}
		*words = once
	}
}

func (s *Shared) once(x string) string {
	if old, ok := s.strings[x]; ok {
		return old
	}
	s.strings[x] = x
	return x
}

// isLastApplied reads the key of a map entry, its field 1.
func isLastApplied(entry []byte) bool {
	f, _, err := nextField(entry)
	return err == nil && f.num == 1 && string(f.value) == lastApplied
}

// Fields of PodSpec.
const (
	specVolumes    = 1
	specContainers = 2
	specNodeName   = 10
	specHostname   = 16
	specAffinity   = 18 // a DaemonSet's pods name their node here
	specInits      = 20
)

// podSpec decodes the spec of a pod or template in parts: containers and volumes
// are the same in a Deployment, its newest ReplicaSet and all its pods, most of
// the rest is the same in half the cluster. bare leaves out the volume of the
// service account's token, which admission gives each pod under a random name.
func (s *Shared) podSpec(raw []byte, into *corev1.PodSpec, buf *scratch, bare bool) error {
	same, volumes, affinity, containers := buf.a[:0], buf.b[:0], buf.c[:0], buf.own[:0]
	var node, host []byte
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case specNodeName:
			node = f.value
		case specHostname:
			host = f.value
		case specVolumes:
			if !bare || !isToken(f.value) {
				volumes = append(volumes, f.raw...)
			}
		case specAffinity:
			affinity = append(affinity, f.raw...)
		case specContainers, specInits:
			if !bare {
				containers = append(containers, f.raw...)
				return nil
			}
			var err error
			containers, err = appendBare(containers, f)
			return err
		default:
			same = append(same, f.raw...)
		}
		return nil
	})
	buf.a, buf.b, buf.c, buf.own = same, volumes, affinity, containers
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
	if len(containers) > 0 {
		if p, err = s.containerLists(containers); err != nil {
			return err
		}
		into.Containers, into.InitContainers = p.Containers, p.InitContainers
	}
	into.NodeName, into.Hostname = s.bytes(node), string(host)
	return nil
}

// containerLists decodes the containers and init containers of a spec.
func (s *Shared) containerLists(raw []byte) (*corev1.PodSpec, error) {
	k := s.key(raw)
	s.mu.Lock()
	known := s.specs[k]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	p := &corev1.PodSpec{}
	n, inits := 0, 0
	count := func(f wireField) error {
		if f.num == specInits {
			inits++
		} else {
			n++
		}
		return nil
	}
	if err := fields(raw, count); err != nil {
		return nil, err
	}
	p.Containers = make([]corev1.Container, 0, n)
	if inits > 0 {
		p.InitContainers = make([]corev1.Container, 0, inits)
	}
	err := fields(raw, func(f wireField) error {
		list := &p.Containers
		if f.num == specInits {
			list = &p.InitContainers
		}
		c, err := s.container(f.value)
		*list = append(*list, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.specs[k] = p
	s.mu.Unlock()
	return p, nil
}

// Fields of Container.
const (
	containerName      = 1
	containerImage     = 2
	containerEnv       = 7
	containerResources = 8
	containerMount     = 9
	containerEnvFrom   = 19
)

// container decodes one container in parts: a new revision often changes the
// image alone, and a few sizes of resources serve all.
func (s *Shared) container(raw []byte) (corev1.Container, error) {
	var rest, env, resources, mounts []byte
	var name, image string
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case containerName:
			name = s.bytes(f.value)
		case containerImage:
			image = s.bytes(f.value)
		case containerEnv, containerEnvFrom:
			env = append(env, f.raw...)
		case containerResources:
			resources = append(resources, f.raw...)
		case containerMount:
			mounts = append(mounts, f.raw...)
		default:
			rest = append(rest, f.raw...)
		}
		return nil
	})
	if err != nil {
		return corev1.Container{}, err
	}
	p, err := part(s, s.containers, rest)
	if err != nil {
		return corev1.Container{}, err
	}
	c := *p
	c.Name, c.Image = name, image
	for _, raw := range [][]byte{env, resources, mounts} {
		if len(raw) == 0 {
			continue
		}
		p, err := part(s, s.containers, raw)
		switch {
		case err != nil:
			return c, err
		case p.Env != nil || p.EnvFrom != nil:
			c.Env, c.EnvFrom = p.Env, p.EnvFrom
		case p.VolumeMounts != nil:
			c.VolumeMounts = p.VolumeMounts
		default:
			c.Resources = p.Resources
		}
	}
	return c, nil
}

// tokenVolume begins the name of the volume that admission adds for the token of
// the service account (plugin/pkg/admission/serviceaccount); five random
// letters follow.
const (
	tokenVolume     = "kube-api-access-"
	tokenVolumeSize = len(tokenVolume) + 5
)

// isToken reads the name of a volume or mount, field 1 of both.
func isToken(msg []byte) bool {
	f, _, err := nextField(msg)
	return err == nil && f.num == 1 && len(f.value) == tokenVolumeSize && string(f.value[:len(tokenVolume)]) == tokenVolume
}

// appendBare appends the field of a container without its mount of the token.
func appendBare(to []byte, f wireField) ([]byte, error) {
	body := make([]byte, 0, len(f.value))
	err := fields(f.value, func(x wireField) error {
		if x.num != containerMount || !isToken(x.value) {
			body = append(body, x.raw...)
		}
		return nil
	})
	to = binary.AppendUvarint(to, uint64(f.num)<<3|2)
	to = binary.AppendUvarint(to, uint64(len(body)))
	return append(to, body...), err
}
