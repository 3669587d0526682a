package facts

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/pullerror"
)

// peers answers "does it work elsewhere?" about images, repositories and
// registries in constant time, whatever the number of pods.
type peers struct {
	parsed map[string]parsedImage // by the image as written
	// uses, repositories and registries group the containers of bound pods by
	// the image, the repository and the registry.
	uses         map[string]*imageUse
	repositories map[string][]*imageUse
	registries   map[string][]*imageUse
	// failing counts what fails, per registry and kind of error.
	failing map[failKey]*PullFailures
	// onNode is the same per node and kind.
	onNode map[failKey]*PullFailures
	// stored are the images that nodes say they hold, per repository and tag;
	// read only when some pull fails.
	stored map[string]map[string]StoredImage
}

type parsedImage struct {
	Image
	use *imageUse
}

// imageUse is one image, under one or more spellings, with the containers of
// bound pods that use it, in the order of the pods.
type imageUse struct {
	tag, digest string
	containers  []*Container
	ran         *Container // the last that has run it
}

// Keys under which answers about peers are remembered: most are never asked for.
type (
	ranKey    string // image
	tagsKey   string // repository
	pulledKey string // registry
	nodesKey  struct{}
)

// StoredImage is an image in a node's own store.
type StoredImage struct {
	Node string
	// Loaded is true when the store knows no registry digest for it: the image
	// was built or imported there, not pulled.
	Loaded bool
	// Name is the name in status.images.
	Name string
}

type failKey struct {
	of   string // registry or node
	kind pullerror.Kind
}

// PullFailures are the pulls that fail alike, over the whole snapshot. The
// maps are sets.
type PullFailures struct {
	Nodes, Repositories, Registries map[string]bool
	// Example is one of the failing containers.
	Example *Container
}

func (f *Facts) indexPeers() {
	p := &peers{parsed: map[string]parsedImage{}, uses: map[string]*imageUse{}, repositories: map[string][]*imageUse{}, registries: map[string][]*imageUse{},
		failing: map[failKey]*PullFailures{}, onNode: map[failKey]*PullFailures{}}
	f.peers = p
	var place int32
	var img parsedImage
	written, first := "", true
	for _, pod := range f.Pods {
		if pod.NodeName() == "" {
			continue
		}
		for _, c := range pod.Containers {
			if first || c.Image != written {
				first, written, img = false, c.Image, p.parse(c.Image)
			}
			if img.Registry == "" {
				continue
			}
			place++
			c.place = place
			img.use.containers = append(img.use.containers, c)
			switch {
			case c.failsToPull():
				p.addFailure(c, img.Image)
			case c.hasRun():
				img.use.ran = c
			}
		}
	}
	if len(p.failing) > 0 {
		f.indexStored()
	}
}

func (p *peers) parse(image string) parsedImage {
	if done, ok := p.parsed[image]; ok {
		return done
	}
	img, _ := ParseImage(image)
	out := parsedImage{Image: img}
	if img.Registry != "" {
		full, name := img.String(), img.Name()
		if out.use = p.uses[full]; out.use == nil {
			out.use = &imageUse{tag: img.Tag, digest: img.Digest}
			p.uses[full] = out.use
			p.repositories[name] = append(p.repositories[name], out.use)
			p.registries[img.Registry] = append(p.registries[img.Registry], out.use)
		}
	}
	p.parsed[image] = out
	return out
}

func (c *Container) failsToPull() bool { return c.Pull != nil && c.Pull.State == PullFailing }

// hasRun is true when the container's image is known to have run on its node.
func (c *Container) hasRun() bool {
	return !c.failsToPull() && (c.Running != nil || len(c.Deaths) > 0)
}

// ran holds one container per node that has run the image.
func (f *Facts) ran(img Image) map[string]*Container {
	return Once(f, ranKey(img.String()), func() map[string]*Container {
		out := map[string]*Container{}
		if u := f.peers.uses[img.String()]; u != nil {
			for _, c := range u.containers {
				if c.hasRun() {
					out[c.Pod.NodeName()] = c
				}
			}
		}
		return out
	})
}

// pulled holds the newest successful pull from the registry per node.
func (f *Facts) pulled(registry string) map[string]*Event {
	return Once(f, pulledKey(registry), func() map[string]*Event {
		type best struct {
			event *Event
			place int32
		}
		newest := map[string]best{}
		for _, u := range f.peers.registries[registry] {
			for _, c := range u.containers {
				e := lastPullEvent(c)
				if e == nil || e.Reason != "Pulled" || !strings.HasPrefix(e.Message, "Successfully pulled") {
					continue
				}
				node := c.Pod.NodeName()
				if old := newest[node]; old.event == nil || e.Last.After(old.event.Last) || e.Last.Equal(old.event.Last) && c.place < old.place {
					newest[node] = best{e, c.place}
				}
			}
		}
		out := make(map[string]*Event, len(newest))
		for node, b := range newest {
			out[node] = b.event
		}
		return out
	})
}

// indexStored reads what nodes hold. Names repeat over nodes, so each is parsed
// once.
func (f *Facts) indexStored() {
	p := f.peers
	p.stored = map[string]map[string]StoredImage{}
	seen, loaded := map[string]bool{}, map[string]bool{}
	for _, n := range f.Snap.Objects.Nodes {
		for _, entry := range n.Status.Images {
			pulled := false
			for _, name := range entry.Names {
				pulled = pulled || strings.Contains(name, "@")
			}
			for _, name := range entry.Names {
				// A pulled copy is the better witness and replaces a loaded one.
				if strings.Contains(name, "@") || seen[name] || !pulled && loaded[name] {
					continue
				}
				if pulled {
					seen[name] = true
				} else {
					loaded[name] = true
				}
				if img, ok := ParseImage(name); ok {
					put(p.stored, img.Name(), img.Tag, StoredImage{Node: n.Name, Loaded: !pulled, Name: name})
				}
			}
		}
	}
}

// Stored are the tags of the image's repository that nodes say they hold.
func (f *Facts) Stored(img Image) map[string]StoredImage { return f.peers.stored[img.Name()] }

func put[T any](m map[string]map[string]T, a, b string, v T) {
	if m[a] == nil {
		m[a] = map[string]T{}
	}
	m[a][b] = v
}

func (p *peers) addFailure(c *Container, img Image) {
	node, kind := c.Pod.NodeName(), c.Pull.Err.Kind
	count(p.failing, failKey{img.Registry, kind}, c, img)
	count(p.onNode, failKey{node, kind}, c, img)
}

func count(m map[failKey]*PullFailures, k failKey, c *Container, img Image) {
	x := m[k]
	if x == nil {
		x = &PullFailures{Nodes: map[string]bool{}, Repositories: map[string]bool{}, Registries: map[string]bool{}, Example: c}
		m[k] = x
	}
	x.Nodes[c.Pod.NodeName()], x.Repositories[img.Name()], x.Registries[img.Registry] = true, true, true
}

// Image parses an image reference, remembering the answer; the zero value when
// it is malformed.
func (f *Facts) Image(s string) Image {
	if img, ok := f.peers.parsed[s]; ok {
		return img.Image
	}
	img, _ := ParseImage(s)
	return img
}

// Ran returns a container that has run the image on the node, nil when none is
// known. An empty node means any.
func (f *Facts) Ran(img Image, node string) *Container {
	byNode := f.ran(img)
	if node != "" {
		return byNode[node]
	}
	for _, n := range slices.Sorted(maps.Keys(byNode)) {
		return byNode[n]
	}
	return nil
}

// RanElsewhere returns a container that has run the image on a node other than
// those named.
func (f *Facts) RanElsewhere(img Image, nodes []string) *Container {
	byNode := f.ran(img)
	for _, n := range slices.Sorted(maps.Keys(byNode)) {
		if !slices.Contains(nodes, n) {
			return byNode[n]
		}
	}
	return nil
}

// TagsRun are the tags and digests of the image's repository that have run in
// the cluster, each with one container as witness.
func (f *Facts) TagsRun(img Image) map[string]*Container {
	return Once(f, tagsKey(img.Name()), func() map[string]*Container {
		out := map[string]*Container{}
		for _, u := range f.peers.repositories[img.Name()] {
			for _, tag := range []string{u.tag, u.digest} {
				if u.ran != nil && tag != "" && (out[tag] == nil || out[tag].place < u.ran.place) {
					out[tag] = u.ran
				}
			}
		}
		return out
	})
}

// LastPulled is the newest successful pull from the registry on the node, nil
// when none is known.
func (f *Facts) LastPulled(registry, node string) *Event { return f.pulled(registry)[node] }

// PulledElsewhere is a successful pull from the registry on a node that is not
// among those named, the newest one.
func (f *Facts) PulledElsewhere(registry string, nodes []string) (node string, e *Event) {
	byNode := f.pulled(registry)
	for _, n := range slices.Sorted(maps.Keys(byNode)) {
		if x := byNode[n]; !slices.Contains(nodes, n) && (e == nil || x.Last.After(e.Last)) {
			node, e = n, x
		}
	}
	return node, e
}

// OnSameNode are the pods bound to the pod's node, itself among them.
func (f *Facts) OnSameNode(p *Pod) []*Pod { return f.PodsOn(p.NodeName()) }

// PodsOn are the pods bound to a node.
func (f *Facts) PodsOn(node string) []*Pod {
	if node == "" {
		return nil
	}
	return Once(f, nodesKey{}, func() map[string][]*Pod {
		count := make(map[string]int, len(f.nodes))
		for _, p := range f.Pods {
			count[p.NodeName()]++
		}
		out := make(map[string][]*Pod, len(count))
		for _, p := range f.Pods {
			list := out[p.NodeName()]
			if list == nil {
				list = make([]*Pod, 0, count[p.NodeName()])
			}
			out[p.NodeName()] = append(list, p)
		}
		return out
	})[node]
}

// FailingAt are the pulls from the registry that fail with the kind of error.
func (f *Facts) FailingAt(registry string, kind pullerror.Kind) *PullFailures {
	return f.peers.failing[failKey{registry, kind}]
}

// FailingOn are the pulls on the node that fail with the kind of error.
func (f *Facts) FailingOn(node string, kind pullerror.Kind) *PullFailures {
	return f.peers.onNode[failKey{node, kind}]
}

// OnNode reports whether the node says that it holds the image. known is false
// when its list cannot tell: the kubelet reports its 50 largest images only
// (nodeStatusMaxImages).
func OnNode(n *corev1.Node, img Image) (present, known bool) {
	if n == nil {
		return false, false
	}
	for _, entry := range n.Status.Images {
		for _, name := range entry.Names {
			if sameImage(name, img) {
				return true, true
			}
		}
	}
	return false, len(n.Status.Images) > 0 && len(n.Status.Images) < 50
}

func sameImage(name string, img Image) bool {
	if !strings.HasSuffix(name, ":"+img.Tag) && (img.Digest == "" || !strings.HasSuffix(name, img.Digest)) {
		return false
	}
	other, ok := ParseImage(name)
	if !ok || other.Name() != img.Name() {
		return false
	}
	if img.Digest != "" {
		return other.Digest == img.Digest
	}
	return other.Tag == img.Tag
}

type createdIn struct{}

// CreatedIn are the newest creations of a pod in the namespace, one of each
// controller, oldest first.
func (f *Facts) CreatedIn(namespace string) []*Event {
	return Once(f, createdIn{}, func() map[string][]*Event {
		out := map[string][]*Event{}
		for k, list := range f.eventsName {
			for _, e := range slices.Backward(list) {
				if e.Reason == "SuccessfulCreate" {
					out[k.namespace] = append(out[k.namespace], e)
					break
				}
			}
		}
		for _, list := range out {
			sortEvents(list)
		}
		return out
	})[namespace]
}
