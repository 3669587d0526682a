package snapshot

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is any API object of a typed slice.
type Object interface {
	runtime.Object
	metav1.Object
}

// Store moves the objects of one kind in and out of its slice in Objects.
type Store struct {
	// NewList makes an empty list of the kind, for a client to decode into.
	NewList func() runtime.Object
	// Take moves the items of such a list into Objects, trimmed. It returns how
	// many there were.
	Take func(*Objects, runtime.Object) int
	// TakePage does the same with a page in protobuf, decoding one item after the
	// other; nil for the kinds kept as shapes. Pods that run well come out slim.
	TakePage func(*Objects, *Shared, Page) error
	// Len is how many objects are held, and Truncate drops all but the first n,
	// for a reader that must start again.
	Len      func(*Objects) int
	Truncate func(o *Objects, n int)
	// Objects are the objects held; nil for the kinds kept as shapes.
	Objects func(*Objects) []Object

	decode func(*Objects, []byte) (identity, error)
	tidy   func(o *Objects, home string)
	each   func(o *Objects, yield func(identity))
}

// identity is what tells two copies of an object apart, and which is newer.
type identity struct {
	namespace, name, uid, version string
	created                       time.Time
}

func identityOf(o metav1.Object) identity {
	return identity{o.GetNamespace(), o.GetName(), string(o.GetUID()), o.GetResourceVersion(), o.GetCreationTimestamp().Time}
}

// newer reports whether b should replace a, both of one kind, namespace and
// name. A live object (it has a UID) beats a manifest; a later life beats an
// earlier one; within one life the higher resource version wins.
func (a identity) newer(b identity) bool {
	if (a.uid == "") != (b.uid == "") {
		return b.uid != ""
	}
	if a.uid != b.uid {
		return !b.created.Before(a.created)
	}
	av, errA := strconv.ParseUint(a.version, 10, 64)
	bv, errB := strconv.ParseUint(b.version, 10, 64)
	return errA != nil || errB != nil || bv >= av
}

// trim drops what no judgement uses and what is large: managed fields, the
// copy of the whole object that kubectl apply keeps, the type that the slice
// already tells, and the identity of machines.
func trim(o Object) {
	o.SetManagedFields(nil)
	o.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	trimAnnotations(o)
	if n, ok := o.(*corev1.Node); ok {
		// Numbers that tell a machine from all others and nothing about its health.
		n.Status.NodeInfo.MachineID, n.Status.NodeInfo.SystemUUID = "", ""
	}
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

func trimAnnotations(o metav1.Object) {
	a := o.GetAnnotations()
	if _, ok := a[lastApplied]; !ok {
		return
	}
	delete(a, lastApplied)
	if len(a) == 0 {
		a = nil
	}
	o.SetAnnotations(a)
}

// typed is the store of a kind kept whole.
func typed[T any, P interface {
	*T
	protobufObject
}, L any, PL interface {
	*L
	runtime.Object
}](field func(*Objects) *[]P, items func(PL) []T) Store {
	return Store{
		NewList: func() runtime.Object { return PL(new(L)) },
		Take: func(o *Objects, list runtime.Object) int {
			l, ok := list.(PL)
			if !ok {
				return 0
			}
			all := items(l)
			dst := slices.Grow(*field(o), len(all))
			for i := range all {
				p := P(&all[i])
				trim(p)
				dst = append(dst, p)
			}
			*field(o) = dst
			return len(all)
		},
		TakePage: func(o *Objects, s *Shared, page Page) error {
			// One block for a page wastes least, but stays whole while one of its
			// objects does; Slim lets go of most events.
			var block []T
			if _, single := any((*T)(nil)).(*corev1.Event); !single {
				block = make([]T, len(page.items))
			}
			dst := slices.Grow(*field(o), len(page.items))
			k := packer{Shared: s}
			var err error
			for i, raw := range page.items {
				p := P(nil)
				if block != nil {
					p = &block[i]
				} else {
					p = new(T)
				}
				if err = k.read(raw, p); err != nil {
					break
				}
				trim(p)
				dst = append(dst, p)
			}
			*field(o) = dst
			return err
		},
		Len:      func(o *Objects) int { return len(*field(o)) },
		Truncate: func(o *Objects, n int) { *field(o) = (*field(o))[:n] },
		Objects: func(o *Objects) []Object {
			out := make([]Object, len(*field(o)))
			for i, p := range *field(o) {
				out[i] = p
			}
			return out
		},
		decode: func(o *Objects, raw []byte) (identity, error) {
			p := P(new(T))
			if err := json.Unmarshal(raw, p); err != nil {
				return identityOf(p), err
			}
			trim(p)
			*field(o) = append(*field(o), p)
			return identityOf(p), nil
		},
		tidy: func(o *Objects, home string) {
			if home != "" {
				for _, p := range *field(o) {
					if p.GetNamespace() == "" {
						p.SetNamespace(home)
					}
				}
			}
			*field(o) = tidy(*field(o), func(p P) identity { return identityOf(p) })
		},
		each: func(o *Objects, yield func(identity)) {
			for _, p := range *field(o) {
				yield(identityOf(p))
			}
		},
	}
}

// shape is a kind of which only the outline is kept.
type shape interface {
	identity() identity
	setNamespace(string)
}

// shaped is the store of a kind whose values are dropped as soon as an object
// is decoded. fallback, if any, reads what it can of an object that does not
// decode.
func shaped[T any, P interface {
	*T
	Object
}, S shape, L any, PL interface {
	*L
	runtime.Object
}](field func(*Objects) *[]S, of func(P) S, fallback func([]byte) (S, bool), items func(PL) []T) Store {
	return Store{
		NewList: func() runtime.Object { return PL(new(L)) },
		Take: func(o *Objects, list runtime.Object) int {
			l, ok := list.(PL)
			if !ok {
				return 0
			}
			all := items(l)
			for i := range all {
				*field(o) = append(*field(o), of(P(&all[i])))
			}
			clear(all)
			return len(all)
		},
		Len:      func(o *Objects) int { return len(*field(o)) },
		Truncate: func(o *Objects, n int) { *field(o) = (*field(o))[:n] },
		Objects:  func(*Objects) []Object { return nil },
		decode: func(o *Objects, raw []byte) (identity, error) {
			p := P(new(T))
			if err := json.Unmarshal(raw, p); err != nil {
				if fallback != nil {
					if s, ok := fallback(raw); ok {
						*field(o) = append(*field(o), s)
						return s.identity(), nil
					}
				}
				return identityOf(p), err
			}
			s := of(p)
			*field(o) = append(*field(o), s)
			return s.identity(), nil
		},
		tidy: func(o *Objects, home string) {
			if home != "" {
				for _, s := range *field(o) {
					if s.identity().namespace == "" {
						s.setNamespace(home)
					}
				}
			}
			*field(o) = tidy(*field(o), func(s S) identity { return s.identity() })
		},
		each: func(o *Objects, yield func(identity)) {
			for _, s := range *field(o) {
				yield(s.identity())
			}
		},
	}
}

// tidy sorts by namespace and name and keeps the newest copy of each object.
func tidy[E any](list []E, id func(E) identity) []E {
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b E) int {
		x, y := id(a), id(b)
		return cmp.Or(cmp.Compare(x.namespace, y.namespace), cmp.Compare(x.name, y.name))
	})
	out := list[:1]
	for _, e := range list[1:] {
		last, this := id(out[len(out)-1]), id(e)
		switch {
		case last.namespace != this.namespace || last.name != this.name || this.name == "":
			out = append(out, e)
		case last.newer(this):
			out[len(out)-1] = e
		}
	}
	clear(list[len(out):])
	return out
}

// Tidy puts objects and logs in order and keeps one copy of each: the live
// one, the latest. Decode does it by itself; a capture calls it once at the end.
func (s *Snapshot) Tidy() {
	for _, k := range Kinds {
		k.tidy(&s.Objects, "")
	}
	s.Objects.tidyRest()
	s.Logs = tidyLogs(s.Logs)
}

// AddOther adds an object of a kind without a typed slice, trimmed.
func (o *Objects) AddOther(u *unstructured.Unstructured) {
	u.SetManagedFields(nil)
	trimAnnotations(u)
	o.Others = append(o.Others, u)
}

func (o *Objects) tidyRest() {
	if len(o.Neighbours) > 0 { // none is not the same as not read
		o.Neighbours = tidy(o.Neighbours, func(p *corev1.Pod) identity { return identityOf(p) })
	}
	if len(o.Others) == 0 {
		return
	}
	byKind := slices.Clone(o.Others)
	slices.SortStableFunc(byKind, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetAPIVersion(), b.GetAPIVersion()), cmp.Compare(a.GetKind(), b.GetKind()))
	})
	var out []*unstructured.Unstructured
	for len(byKind) > 0 {
		n := 1
		for n < len(byKind) && byKind[n].GetKind() == byKind[0].GetKind() && byKind[n].GetAPIVersion() == byKind[0].GetAPIVersion() {
			n++
		}
		out = append(out, tidy(byKind[:n:n], func(u *unstructured.Unstructured) identity { return identityOf(u) })...)
		byKind = byKind[n:]
	}
	o.Others = out
}
