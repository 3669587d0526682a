// Package load fills a lab with a fleet: thousands of nodes' worth of pods that
// run, and a few that do not, put straight into etcd in the form in which an
// API server stores them. Through the API the same would take an hour and would
// measure the server. No controller may run that would act on half of a fleet.
package load

import (
	"context"
	"fmt"
	"path"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// object is any API object.
type object interface {
	runtime.Object
	metav1.Object
	Marshal() ([]byte, error)
}

// Store writes objects into etcd below the API server's prefix.
type Store struct {
	client *clientv3.Client
}

// NewStore connects to etcd.
func NewStore(endpoint string) (*Store, error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, MaxCallSendMsgSize: 8 << 20})
	if err != nil {
		return nil, err
	}
	return &Store{c}, nil
}

// Close ends the connection.
func (s *Store) Close() error { return s.client.Close() }

// Bounds of one transaction: etcd takes 128 operations and 1.5 MiB by default.
const (
	maxOps   = 100
	maxBytes = 1 << 20
	writers  = 4
)

// Put writes objects of one resource, in no order.
func (s *Store) Put(ctx context.Context, resource string, objects []record) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	var ops []clientv3.Op
	size := 0
	flush := func() {
		batch := ops
		ops, size = nil, 0
		g.Go(func() error {
			_, err := s.client.Txn(ctx).Then(batch...).Commit()
			return err
		})
	}
	for _, o := range objects {
		data, err := o.stored()
		if err != nil {
			return fmt.Errorf("%s/%s: %w", o.namespace, o.name, err)
		}
		if len(ops) == maxOps || size+len(data) > maxBytes {
			flush()
		}
		ops = append(ops, clientv3.OpPut(path.Join("/registry", resource, o.namespace, o.name), string(data)))
		size += len(data)
	}
	if len(ops) > 0 {
		flush()
	}
	return g.Wait()
}

// record is an object in protobuf, which takes a tenth of the memory of the
// object.
type record struct {
	kind            schema.GroupVersionKind
	namespace, name string
	raw             []byte
}

// encode makes a record; the objects of this package always encode.
func encode(o object) record {
	kinds, _, err := scheme.Scheme.ObjectKinds(o)
	if err == nil {
		var raw []byte
		if raw, err = o.Marshal(); err == nil {
			return record{kinds[0], o.GetNamespace(), o.GetName(), raw}
		}
	}
	panic(err)
}

// stored is the object as the API server stores it.
func (r record) stored() ([]byte, error) { return envelope(r.kind, r.raw) }

// envelope puts the magic number and the type before an object in protobuf.
func envelope(kind schema.GroupVersionKind, raw []byte) ([]byte, error) {
	u := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind}, Raw: raw}
	data, err := u.Marshal()
	return append([]byte("k8s\x00"), data...), err
}
