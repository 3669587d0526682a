package facts

import (
	"strings"

	"github.com/distribution/reference"
)

// Image is an image reference read as the kubelet reads it
// (pkg/util/parsers): Docker Hub when no registry is named, "latest" when
// neither tag nor digest is.
type Image struct {
	// Registry is the host, with the port when one is written; "docker.io" for
	// Docker Hub.
	Registry string
	// Repository is the path below the registry, "library/nginx" for "nginx".
	Repository string
	// Tag is empty when only a digest is given.
	Tag, Digest string
	// Named is true when the reference itself names a registry.
	Named bool
}

// ParseImage reads an image reference; ok is false when the kubelet would
// refuse it as malformed.
func ParseImage(s string) (img Image, ok bool) {
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		return Image{}, false
	}
	img = Image{Registry: reference.Domain(named), Repository: reference.Path(named)}
	if d, ok := named.(reference.Digested); ok {
		img.Digest = d.Digest().String()
	}
	if t, ok := named.(reference.Tagged); ok {
		img.Tag = t.Tag()
	} else if img.Digest == "" {
		img.Tag = "latest"
	}
	first, _, slash := strings.Cut(s, "/")
	img.Named = slash && (strings.ContainsAny(first, ".:") || first == "localhost")
	return img, true
}

// Name is registry/repository.
func (i Image) Name() string { return i.Registry + "/" + i.Repository }

// String is the full normalised reference.
func (i Image) String() string {
	s := i.Name()
	if i.Tag != "" {
		s += ":" + i.Tag
	}
	if i.Digest != "" {
		s += "@" + i.Digest
	}
	return s
}
