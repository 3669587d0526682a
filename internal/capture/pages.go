package capture

import (
	"bytes"
	"context"
	"io"
	"iter"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// answer is one page of a list.
type answer struct {
	kind *snapshot.Kind
	// page is set for an answer in protobuf of a kind that decodes item by item;
	// list for any other.
	page *snapshot.Page
	list runtime.Object
	// restart is true when the pages before are void.
	restart bool
	err     error
	body    *bytes.Buffer
}

// into moves what the answer holds into o.
func (a answer) into(c *capture, o *snapshot.Objects) error {
	if a.page != nil {
		return a.kind.TakePage(o, c.shared, *a.page)
	}
	a.kind.Take(o, a.list)
	return nil
}

// answers reads a list page by page. While the caller takes one page the next is
// on its way. The last answer may be an error.
func (c *capture) answers(ctx context.Context, k *snapshot.Kind, namespace, selector string) iter.Seq[answer] {
	return func(yield func(answer) bool) {
		ctx, cancel := context.WithCancel(ctx)
		ch, enough := make(chan answer), make(chan struct{})
		go func() {
			defer close(ch)
			c.readPages(ctx, k, namespace, selector, ch, enough)
		}()
		defer func() {
			close(enough)
			cancel()
			for range ch { // the reader ends before the caller goes on
			}
		}()
		for a := range ch {
			more := yield(a)
			if a.body != nil {
				c.client.buffers.Put(a.body)
			}
			if !more {
				return
			}
		}
	}
}

func (c *capture) readPages(ctx context.Context, k *snapshot.Kind, namespace, selector string, out chan<- answer, enough <-chan struct{}) {
	opt := metav1.ListOptions{Limit: c.opt.PageSize, FieldSelector: selector}
	restarted := false
	for {
		a, next := c.readPage(ctx, k, namespace, opt)
		if apierrors.IsResourceExpired(a.err) && opt.Continue != "" && !restarted {
			// The list outlived the server's history: take it in one piece.
			restarted = true
			opt.Continue, opt.Limit = "", 0
			continue
		}
		a.restart = restarted && opt.Continue == ""
		select {
		case out <- a:
		case <-enough:
			return
		}
		if opt.Continue = next; next == "" {
			return
		}
	}
}

// readPage makes one list call and returns the token of the next.
func (c *capture) readPage(ctx context.Context, k *snapshot.Kind, namespace string, opt metav1.ListOptions) (answer, string) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.ListTimeout)
	defer cancel()
	a := answer{kind: k}
	if a.body, a.err = c.client.body(ctx, k, namespace, opt); a.err != nil {
		return a, ""
	}
	if k.TakePage != nil {
		if page, err := snapshot.ReadPage(a.body.Bytes()); err == nil {
			a.page = &page
			return a, page.Continue
		}
	}
	a.list = k.NewList()
	if _, _, a.err = codecs.UniversalDeserializer().Decode(a.body.Bytes(), nil, a.list); a.err != nil {
		return a, ""
	}
	m, err := meta.ListAccessor(a.list)
	if err != nil {
		a.err = err
		return a, ""
	}
	return a, m.GetContinue()
}

// body reads the answer to a list call into a buffer that the caller gives
// back to c.buffers.
func (c *client) body(ctx context.Context, k *snapshot.Kind, namespace string, opt metav1.ListOptions) (*bytes.Buffer, error) {
	r, err := c.rest(k.GroupVersion())
	if err != nil {
		return nil, err
	}
	stream, err := r.Get().NamespaceIfScoped(namespace, namespace != "").Resource(k.Resource).VersionedParams(&opt, metav1.ParameterCodec).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	buf, ok := c.buffers.Get().(*bytes.Buffer)
	if !ok {
		buf = &bytes.Buffer{}
	}
	buf.Reset()
	if _, err := io.Copy(buf, stream); err != nil {
		c.buffers.Put(buf)
		return nil, err
	}
	return buf, nil
}
