package capture

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

const (
	mimeProtobuf = "application/vnd.kubernetes.protobuf"
	mimeJSON     = "application/json"
)

// client makes typed REST calls for any row of the table of kinds, over one
// counted HTTP client.
type client struct {
	cfg  *rest.Config
	http *http.Client
	meter
	// buffers hold the bodies of answers, one after the other.
	buffers sync.Pool

	mu sync.Mutex
	by map[schema.GroupVersion]*rest.RESTClient
}

func newClient(cfg *rest.Config) (*client, error) {
	cfg = rest.CopyConfig(cfg)
	// The number of calls is bounded by design; a limiter on our side would
	// only add waiting. The server's own flow control still applies.
	cfg.QPS, cfg.RateLimiter = -1, nil
	cfg.Timeout = 0 // each call has its own
	cfg.ContentType, cfg.AcceptContentTypes = mimeProtobuf, mimeProtobuf+","+mimeJSON
	cfg.NegotiatedSerializer = codecs.WithoutConversion()
	if cfg.UserAgent == "" {
		cfg.UserAgent = "unjam"
	}
	cl := &client{cfg: cfg, by: map[schema.GroupVersion]*rest.RESTClient{}}
	cfg.Wrap(cl.wrap)
	h, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("cluster configuration: %w", err)
	}
	cl.http = h
	if _, err := cl.rest(schema.GroupVersion{Version: "v1"}); err != nil {
		return nil, fmt.Errorf("cluster configuration: %w", err)
	}
	return cl, nil
}

func (c *client) rest(gv schema.GroupVersion) (*rest.RESTClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.by[gv]; r != nil {
		return r, nil
	}
	cfg := *c.cfg
	cfg.GroupVersion, cfg.APIPath = &gv, "/apis"
	if gv.Group == "" {
		cfg.APIPath = "/api"
	}
	r, err := rest.RESTClientForConfigAndClient(&cfg, c.http)
	if err != nil {
		return nil, err
	}
	c.by[gv] = r
	return r, nil
}

// page reads one page of a list into list.
func (c *client) page(ctx context.Context, k *snapshot.Kind, namespace string, opt metav1.ListOptions, list runtime.Object) error {
	r, err := c.rest(k.GroupVersion())
	if err != nil {
		return err
	}
	return r.Get().NamespaceIfScoped(namespace, namespace != "").Resource(k.Resource).VersionedParams(&opt, metav1.ParameterCodec).Do(ctx).Into(list)
}

func (c *client) get(ctx context.Context, k *snapshot.Kind, namespace, name string, into runtime.Object) error {
	r, err := c.rest(k.GroupVersion())
	if err != nil {
		return err
	}
	return r.Get().NamespaceIfScoped(namespace, namespace != "").Resource(k.Resource).Name(name).Do(ctx).Into(into)
}

// raw reads a path as bytes with the given Accept header.
func (c *client) raw(ctx context.Context, path, accept string, params map[string]string) ([]byte, error) {
	r, err := c.rest(schema.GroupVersion{Version: "v1"})
	if err != nil {
		return nil, err
	}
	req := r.Get().AbsPath(path).SetHeader("Accept", accept)
	for name, value := range params {
		req = req.Param(name, value)
	}
	return req.Do(ctx).Raw()
}

// Stats count what a capture cost.
type Stats struct {
	// Requests are the HTTP requests sent, retries included.
	Requests int
	// Bytes are the bytes of answer bodies, after decompression.
	Bytes int64
	// Duration is the time from start to end.
	Duration time.Duration
	// Calls counts the requests by "VERB resource".
	Calls map[string]int
}

// metadataPage reads one page of the metadata of objects, which the server
// cuts out of them: values never travel.
func (c *client) metadataPage(ctx context.Context, k *snapshot.Kind, opt metav1.ListOptions, list *metav1.PartialObjectMetadataList) error {
	r, err := c.rest(k.GroupVersion())
	if err != nil {
		return err
	}
	raw, err := r.Get().Resource(k.Resource).VersionedParams(&opt, metav1.ParameterCodec).
		SetHeader("Accept", mimeProtobuf+";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"+mimeJSON+";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").
		Do(ctx).Raw()
	if err != nil {
		return err
	}
	_, _, err = metadataCodecs.UniversalDeserializer().Decode(raw, nil, list)
	return err
}

// metadataCodecs know the metadata-only list, which the scheme of typed
// clients does not.
var metadataCodecs = func() serializer.CodecFactory {
	s := runtime.NewScheme()
	metav1.AddMetaToScheme(s)
	return serializer.NewCodecFactory(s)
}()
