// Command labraw lists resources of a cluster page by page in protobuf, without
// decoding more than where the next page starts, and prints the time, the
// requests and the bytes that took. It is the yardstick for programs that read
// the same kinds: nothing that reads a cluster can be faster.
//
//	labraw PATH...      such as /api/v1/namespaces/shop/pods
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// pageSize and parallel are those of `unjam why`.
const (
	pageSize = "500"
	parallel = 8
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "labraw:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, paths []string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	config.QPS = -1
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	start := time.Now()
	var requests, bytes atomic.Int64
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	errs := make(chan error, len(paths))
	for _, path := range paths {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs <- list(ctx, client.Discovery().RESTClient(), path, &requests, &bytes)
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	fmt.Printf("%d API requests, %d bytes, %s\n", requests.Load(), bytes.Load(), time.Since(start).Round(time.Millisecond))
	return nil
}

func list(ctx context.Context, client rest.Interface, path string, requests, bytes *atomic.Int64) error {
	next := ""
	for {
		body, err := client.Get().AbsPath(path).Param("limit", pageSize).Param("continue", next).Do(ctx).Raw()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		requests.Add(1)
		bytes.Add(int64(len(body)))
		if next, err = continueOf(body); err != nil || next == "" {
			return err
		}
	}
}

// continueOf reads the list's metadata and passes over its items: the message
// after the magic number and the type is runtime.Unknown, and field 1 of every
// list is its ListMeta.
func continueOf(body []byte) (string, error) {
	const magic = 4
	if len(body) < magic {
		return "", fmt.Errorf("answer of %d bytes", len(body))
	}
	var outer runtime.Unknown
	if err := outer.Unmarshal(body[magic:]); err != nil {
		return "", err
	}
	raw := outer.Raw
	if len(raw) < 2 || raw[0] != 1<<3|2 {
		return "", nil // no metadata
	}
	size, shift, i := 0, 0, 1
	for ; i < len(raw) && i < 6; i++ {
		size |= int(raw[i]&0x7f) << shift
		if shift += 7; raw[i] < 0x80 {
			i++
			break
		}
	}
	if i+size > len(raw) {
		return "", fmt.Errorf("metadata of %d bytes in an answer of %d", size, len(raw))
	}
	var meta metav1.ListMeta
	if err := meta.Unmarshal(raw[i : i+size]); err != nil {
		return "", err
	}
	return meta.Continue, nil
}
