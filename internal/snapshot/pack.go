package snapshot

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Every object has its metadata in field 1; those with a spec and a status have
// them in 2 and 3.
const (
	fieldMeta   = 1
	fieldSpec   = 2
	fieldStatus = 3
)

// protobufObject is an object with its generated decoder.
type protobufObject interface {
	Object
	Unmarshal([]byte) error
	GetObjectMeta() metav1.Object
}

// packer decodes objects of one list with what they share.
type packer struct {
	*Shared
	buf  scratch
	rest []byte
}

// plain decodes an object: its metadata shared, the rest its own.
func (k *packer) plain(raw []byte, p protobufObject) error {
	rest := k.rest[:0]
	err := fields(raw, func(f wireField) error {
		if f.num == fieldMeta {
			return k.objectMeta(f.value, p)
		}
		rest = append(rest, f.raw...)
		return nil
	})
	k.rest = rest
	if err != nil {
		return err
	}
	return p.Unmarshal(rest)
}

func (k *packer) objectMeta(raw []byte, p protobufObject) error {
	if m, ok := p.GetObjectMeta().(*metav1.ObjectMeta); ok {
		return k.meta(raw, m, &k.buf)
	}
	return errWire
}

// unmarshaler is a part of an object.
type unmarshaler interface{ Unmarshal([]byte) error }

// templated decodes an object whose spec holds a pod template in field num: a
// Deployment and its ReplicaSet hold the same one.
func (k *packer) templated(raw []byte, p protobufObject, spec unmarshaler, num int, t *corev1.PodTemplateSpec) error {
	rest := k.rest[:0]
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case fieldMeta:
			return k.objectMeta(f.value, p)
		case fieldSpec:
			return k.spec(f.value, spec, num, t)
		}
		rest = append(rest, f.raw...)
		return nil
	})
	k.rest = rest
	if err != nil {
		return err
	}
	return p.Unmarshal(rest)
}

func (k *packer) spec(raw []byte, spec unmarshaler, num int, t *corev1.PodTemplateSpec) error {
	var own []byte
	err := fields(raw, func(f wireField) error {
		if f.num != num {
			own = append(own, f.raw...)
			return nil
		}
		return fields(f.value, func(f wireField) error {
			switch f.num {
			case fieldMeta:
				return k.meta(f.value, &t.ObjectMeta, &k.buf)
			case fieldSpec:
				return k.podSpec(f.value, &t.Spec, &k.buf, false)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return spec.Unmarshal(own)
}

// read decodes one object, sharing what its kind has to share.
func (k *packer) read(raw []byte, p protobufObject) error {
	switch x := p.(type) {
	case *corev1.Pod:
		return k.pod(raw, x)
	case *corev1.Node:
		return k.node(raw, x)
	case *corev1.Event:
		return k.event(raw, x)
	case *appsv1.Deployment:
		return k.templated(raw, x, &x.Spec, 3, &x.Spec.Template)
	case *appsv1.ReplicaSet:
		return k.templated(raw, x, &x.Spec, 3, &x.Spec.Template)
	case *appsv1.StatefulSet:
		return k.templated(raw, x, &x.Spec, 3, &x.Spec.Template)
	case *appsv1.DaemonSet:
		return k.templated(raw, x, &x.Spec, 2, &x.Spec.Template)
	case *batchv1.Job:
		return k.templated(raw, x, &x.Spec, 6, &x.Spec.Template)
	}
	return k.plain(raw, p)
}

// event decodes an event, whose words repeat.
func (k *packer) event(raw []byte, e *corev1.Event) error {
	if err := k.plain(raw, e); err != nil {
		return err
	}
	for _, x := range []*string{&e.InvolvedObject.Kind, &e.InvolvedObject.Namespace, &e.InvolvedObject.Name, (*string)(&e.InvolvedObject.UID), &e.InvolvedObject.APIVersion,
		&e.InvolvedObject.FieldPath, &e.Reason, &e.Message, &e.Source.Component, &e.Source.Host, &e.Type, &e.Action, &e.ReportingController, &e.ReportingInstance} {
		k.string(x)
	}
	return nil
}

// Fields of NodeStatus. A kubelet lists the fifty largest images of its store,
// the same on many nodes, and nodes come in few sizes.
const (
	nodeCapacity    = 1
	nodeAllocatable = 2
	nodeImages      = 8
)

func (k *packer) node(raw []byte, n *corev1.Node) error {
	var own, room []byte
	rest := k.rest[:0]
	status := func(f wireField) error {
		switch f.num {
		case nodeImages:
			image, err := part(k.Shared, k.images, f.value)
			if err == nil {
				n.Status.Images = append(n.Status.Images, *image)
			}
			return err
		case nodeCapacity, nodeAllocatable:
			room = append(room, f.raw...)
		default:
			own = append(own, f.raw...)
		}
		return nil
	}
	err := fields(raw, func(f wireField) error {
		switch f.num {
		case fieldMeta:
			return k.objectMeta(f.value, n)
		case fieldStatus:
			return fields(f.value, status)
		}
		rest = append(rest, f.raw...)
		return nil
	})
	k.rest = rest
	if err != nil {
		return err
	}
	n.Status.Images = slices.Clone(n.Status.Images)
	sizes, err := part(k.Shared, k.nodes, room)
	if err != nil {
		return err
	}
	n.Status.Capacity, n.Status.Allocatable = sizes.Capacity, sizes.Allocatable
	if err := n.Status.Unmarshal(own); err != nil {
		return err
	}
	for i := range n.Status.Conditions {
		c := &n.Status.Conditions[i]
		k.string((*string)(&c.Type))
		k.string(&c.Reason)
		k.string(&c.Message)
	}
	i := &n.Status.NodeInfo
	for _, x := range []*string{&i.KernelVersion, &i.OSImage, &i.ContainerRuntimeVersion, &i.KubeletVersion, &i.KubeProxyVersion, &i.OperatingSystem, &i.Architecture} {
		k.string(x)
	}
	return n.Unmarshal(rest)
}
