package images

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestPush(t *testing.T) {
	store := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	p := Programs{App: []byte("app"), Foreign: ForeignELF()}
	if err := Push(store, Catalogue, p); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(store)
	defer srv.Close()
	ref := func(s string) name.Reference {
		r, err := name.ParseReference(strings.TrimPrefix(srv.URL, "http://") + "/" + s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	digests := map[string]string{}
	layers := map[string]string{}
	for _, s := range Catalogue {
		for _, tag := range s.Tags {
			d, err := remote.Head(ref(s.Repository + ":" + tag))
			if err != nil {
				t.Errorf("%s:%s: %v", s.Repository, tag, err)
				continue
			}
			if other, ok := digests[d.Digest.String()]; ok {
				t.Errorf("%s:%s is the same image as %s", s.Repository, tag, other)
			}
			digests[d.Digest.String()] = s.Repository + ":" + tag
		}
		if s.Ballast == 0 {
			continue
		}
		img, err := remote.Image(ref(s.Repository + ":" + s.Tags[0]))
		if err != nil {
			t.Fatal(err)
		}
		ls, err := img.Layers()
		if err != nil {
			t.Fatal(err)
		}
		digest, err := ls[0].Digest()
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := layers[digest.String()]; ok {
			t.Errorf("%s shares its ballast with %s", s.Repository, other)
		}
		layers[digest.String()] = s.Repository
	}
	index, err := remote.Index(ref("shop/arm64:index"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Manifests) != 1 || m.Manifests[0].Platform.Architecture == runtime.GOARCH {
		t.Errorf("the index offers %+v", m.Manifests)
	}
}

// TestForeignELF runs the file: the kernel must refuse its format, not find it damaged.
func TestForeignELF(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux to run an ELF file")
	}
	path := t.TempDir() + "/app"
	if err := os.WriteFile(path, ForeignELF(), 0o755); err != nil {
		t.Fatal(err)
	}
	err := exec.Command(path).Run()
	if err == nil || !strings.Contains(err.Error(), "exec format error") {
		t.Errorf("got %v, want exec format error", err)
	}
}

func TestSharedLayerIsInImages(t *testing.T) {
	p := Programs{App: []byte("app")}
	shared, err := p.Shared()
	if err != nil {
		t.Fatal(err)
	}
	img, err := build(Spec{Repository: "shop/web", Tags: []string{"v1"}}, p)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(shared) != 1 || !bytes.Contains(raw, []byte(shared[0])) {
		t.Errorf("%v is not in %s", shared, raw)
	}
}
