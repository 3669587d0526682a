// Package images builds the lab's test images in memory and stores them in a
// registry that runs in the same process.
package images

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Spec describes one test image.
type Spec struct {
	// Repository and Tags are its names.
	Repository string
	Tags       []string
	// Pause images run the pause program instead of the test application.
	Pause bool
	// Arch is the architecture it claims, the machine's own when empty.
	Arch string
	// Index wraps it in an index with this one platform.
	Index bool
	// Ballast adds a layer of that many bytes that do not compress and that no
	// other image shares, so that a node has to fetch it.
	Ballast int
	// Env of the image.
	Env []string
	// User is the user it runs as, root when empty.
	User string
}

// Catalogue lists the images that scenarios may name. Every repository that a
// fault concerns has a layer of its own: a layer that a node already holds is
// not fetched again and would hide the fault.
var Catalogue = []Spec{
	{Repository: "pause", Tags: []string{"3.10"}, Pause: true},
	{Repository: "shop/web", Tags: []string{"v1", "v2", "v3"}},
	{Repository: "shop/api", Tags: []string{"v1"}},
	{Repository: "shop/nonroot", Tags: []string{"v1"}, User: "65532:65532"},
	{Repository: "shop/named-user", Tags: []string{"v1"}, User: "app"},
	{Repository: "private/web", Tags: []string{"v1", "v2"}},
	{Repository: "private/right", Tags: []string{"v1"}},
	{Repository: "shop/quick", Tags: []string{"v1"}, Ballast: 4 << 10},
	{Repository: "shop/corrupt", Tags: []string{"v1"}, Ballast: 8 << 10},
	{Repository: "shop/trunc", Tags: []string{"v1"}, Ballast: 8 << 10},
	{Repository: "shop/slow", Tags: []string{"v1"}, Ballast: 1 << 20},
	{Repository: "shop/slow2", Tags: []string{"v1"}, Ballast: 1 << 20},
	{Repository: "shop/very-slow", Tags: []string{"v1"}, Ballast: 24 << 20},
	{Repository: "shop/drip", Tags: []string{"v1"}, Ballast: 16 << 10},
	{Repository: "shop/gone", Tags: []string{"v1"}, Ballast: 8 << 10},
	{Repository: "shop/cdn", Tags: []string{"v1"}, Ballast: 8 << 10},
	{Repository: "shop/cdn-denied", Tags: []string{"v1"}, Ballast: 8 << 10},
	{Repository: "shop/arm64", Tags: []string{"v1"}, Arch: foreign()},
	{Repository: "shop/arm64", Tags: []string{"index"}, Arch: foreign(), Index: true},
}

// foreign is an architecture that this machine is not.
func foreign() string {
	if runtime.GOARCH == "arm64" {
		return "amd64"
	}
	return "arm64"
}

// Programs are the static binaries that images run.
type Programs struct {
	App, Pause []byte
	// Foreign is what an image of another architecture holds; it must not run here.
	Foreign []byte
}

// Shared returns the digests of the layers that most images have in common.
func (p Programs) Shared() ([]string, error) {
	var out []string
	for file, content := range map[string][]byte{"app": p.App, "pause": p.Pause} {
		if content == nil {
			continue
		}
		layer, err := fileLayer(file, content)
		if err != nil {
			return nil, err
		}
		digest, err := layer.Digest()
		if err != nil {
			return nil, err
		}
		out = append(out, digest.String())
	}
	return out, nil
}

// Push builds the images and stores them behind handler, without a network.
func Push(handler http.Handler, specs []Spec, p Programs) error {
	direct := remote.WithTransport(inProcess{handler})
	for _, s := range specs {
		img, err := build(s, p)
		if err != nil {
			return fmt.Errorf("image %s: %w", s.Repository, err)
		}
		for _, tag := range s.Tags {
			ref, err := name.NewTag("registry.lab:5000/"+s.Repository+":"+tag, name.Insecure)
			if err != nil {
				return err
			}
			if tag != s.Tags[0] {
				// Tags of one repository differ, as releases do.
				if img, err = mutate.Config(img, labelled(img, tag)); err != nil {
					return err
				}
			}
			if s.Index {
				platform := &v1.Platform{OS: "linux", Architecture: s.Arch}
				index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: platform}})
				err = remote.WriteIndex(ref, index, direct)
			} else {
				err = remote.Write(ref, img, direct)
			}
			if err != nil {
				return fmt.Errorf("push %s: %w", ref, err)
			}
		}
	}
	return nil
}

func labelled(img v1.Image, tag string) v1.Config {
	var c v1.Config
	if f, err := img.ConfigFile(); err == nil {
		c = *f.Config.DeepCopy()
	}
	if c.Labels == nil {
		c.Labels = map[string]string{}
	}
	c.Labels["org.opencontainers.image.version"] = tag
	return c
}

func build(s Spec, p Programs) (v1.Image, error) {
	program, entry := p.App, []string{"/app"}
	switch {
	case s.Pause && p.Pause != nil:
		program, entry = p.Pause, []string{"/pause"}
	case s.Pause:
		entry = []string{"/app", "pause"}
	case s.Arch != "" && s.Arch != runtime.GOARCH:
		program = p.Foreign
	}
	layer, err := fileLayer(entry[0][1:], program)
	if err != nil {
		return nil, err
	}
	layers := []v1.Layer{layer}
	if s.Ballast > 0 {
		ballast, err := fileLayer("ballast", noise(s.Repository, s.Ballast))
		if err != nil {
			return nil, err
		}
		// Ballast first: what fails must not depend on the program's layer.
		layers = []v1.Layer{ballast, layer}
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.AppendLayers(img, layers...); err != nil {
		return nil, err
	}
	f, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	f = f.DeepCopy()
	f.OS, f.Architecture = "linux", runtime.GOARCH
	if s.Arch != "" {
		f.Architecture = s.Arch
	}
	f.Config = v1.Config{Entrypoint: entry, Env: append([]string{"PATH=/"}, s.Env...), User: s.User,
		Labels: map[string]string{"org.opencontainers.image.title": s.Repository}}
	return mutate.ConfigFile(img, f)
}

// fileLayer is an uncompressed layer with one executable file.
func fileLayer(file string, content []byte) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	h := &tar.Header{Name: file, Mode: 0o755, Size: int64(len(content)), ModTime: time.Unix(1_700_000_000, 0), Format: tar.FormatPAX}
	if err := w.WriteHeader(h); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return static.NewLayer(b.Bytes(), types.OCIUncompressedLayer), nil
}

// noise returns bytes that do not compress, the same for the same name.
func noise(name string, n int) []byte {
	var seed [32]byte
	copy(seed[:], name)
	out := make([]byte, n)
	_, _ = io.ReadFull(rand.NewChaCha8(seed), out)
	return out
}

// inProcess is a transport that calls a handler directly.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	t.handler.ServeHTTP(rec, r)
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}
