package snapshot

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// Encode writes the snapshot as a bundle: a tar.gz of plain YAML and JSON that
// reads without unjam.
//
//	version.yaml                        when, from where, by which unjam
//	gaps.yaml                           what could not be read
//	cluster-resources/RESOURCE/NS.json  a List per kind and namespace
//	cluster-resources/RESOURCE.json     the same for cluster-scoped kinds
//	neighbours.json                     pods of other namespaces, cut down
//	custom-resources/KIND.GROUP.json    objects of other kinds
//	shapes/secrets/NS.yaml              outlines, never values; configmaps too
//	logs/NS/POD/CONTAINER.log           log tails; .previous.log as well
//
// Every string is redacted on the way out, managed fields and the copy that
// kubectl apply keeps are left out, and the bytes depend on the snapshot and
// tool alone. The snapshot is not changed.
func Encode(w io.Writer, s *Snapshot, tool string) error {
	gz, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	b := &bundleWriter{tar: tar.NewWriter(gz), at: s.TakenAt.UTC().Truncate(time.Second)}
	b.version(s, tool)
	b.gaps(s.Gaps)
	for _, k := range Kinds {
		b.kind(k, &s.Objects)
	}
	b.neighbours(s.Objects.Neighbours)
	b.others(s)
	b.shapes(&s.Objects)
	b.logs(s.Logs)
	if b.err != nil {
		return b.err
	}
	if err := b.tar.Close(); err != nil {
		return err
	}
	return gz.Close()
}

// bundleWriter writes files until the first error.
type bundleWriter struct {
	tar *tar.Writer
	at  time.Time
	err error
}

func (b *bundleWriter) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *bundleWriter) file(name string, data []byte) {
	if b.err != nil {
		return
	}
	h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
	if b.at.Unix() > 0 {
		h.ModTime = b.at
	}
	if b.err = b.tar.WriteHeader(h); b.err == nil {
		_, b.err = b.tar.Write(data)
	}
}

func (b *bundleWriter) yaml(name string, v any) {
	if b.err != nil {
		return
	}
	data, err := yaml.Marshal(v)
	if err != nil {
		b.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	b.file(name, data)
}

func (b *bundleWriter) version(s *Snapshot, tool string) {
	doc := bundleDoc{APIVersion: ownVersion, Kind: "Bundle", TakenAt: s.TakenAt.UTC(), Origin: s.Origin, Tool: tool}
	doc.Origin.Name = Redact(doc.Origin.Name)
	for _, k := range Kinds {
		doc.Resources = append(doc.Resources, k.Resource)
	}
	b.yaml("version.yaml", doc)
}

// shapeList is a List of our own documents.
type shapeList[T any] struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Items      []T    `json:"items"`
}

func (b *bundleWriter) gaps(gaps []Gap) {
	if len(gaps) == 0 {
		return
	}
	out := slices.Clone(gaps)
	for i := range out {
		out[i].Detail = Redact(out[i].Detail)
	}
	b.yaml("gaps.yaml", shapeList[Gap]{ownVersion, "GapList", out})
}

// kind writes the objects of one kind, one file for each namespace.
func (b *bundleWriter) kind(k *Kind, o *Objects) {
	objects := k.Objects(o)
	byNamespace(objects, func(x Object) string { return x.GetNamespace() }, func(ns string, part []Object) {
		items := make([]any, 0, len(part))
		for _, x := range part {
			item, err := cleanObject(x)
			if err != nil {
				b.fail(fmt.Errorf("%s %s: %w", k.Resource, x.GetName(), err))
				return
			}
			item["apiVersion"], item["kind"] = k.GroupVersion().String(), k.Kind
			items = append(items, item)
		}
		name := "cluster-resources/" + k.Resource
		if ns != "" {
			name += "/" + ns
		}
		b.list(name+".json", items)
	})
}

func (b *bundleWriter) neighbours(pods []*corev1.Pod) {
	if pods == nil {
		return // not read, which is not the same as none
	}
	items := make([]any, 0, len(pods))
	for _, p := range pods {
		item, err := cleanObject(p)
		if err != nil {
			b.fail(fmt.Errorf("neighbour %s: %w", p.Name, err))
			return
		}
		items = append(items, item)
	}
	b.listOf("neighbours.json", ownVersion, "NeighbourPodList", items)
}

func (b *bundleWriter) others(s *Snapshot) {
	byKind := map[string][]any{}
	var order []string
	for _, u := range s.Objects.Others {
		item, err := cleanObject(u)
		if err != nil {
			b.fail(fmt.Errorf("%s %s: %w", u.GetKind(), u.GetName(), err))
			return
		}
		group, _, _ := strings.Cut(u.GetAPIVersion(), "/")
		name := fileWord(u.GetKind()) + "." + fileWord(group)
		if byKind[name] == nil {
			order = append(order, name)
		}
		byKind[name] = append(byKind[name], item)
	}
	slices.Sort(order)
	for _, name := range order {
		b.list("custom-resources/"+name+".json", byKind[name])
	}
}

// list writes a List as kubectl prints one. Map keys come out sorted, so the
// bytes are stable.
func (b *bundleWriter) list(name string, items []any) { b.listOf(name, "v1", "List", items) }

func (b *bundleWriter) listOf(name, apiVersion, kind string, items []any) {
	if b.err != nil {
		return
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // for the reader's sake
	enc.SetIndent("", " ")
	if err := enc.Encode(map[string]any{"apiVersion": apiVersion, "kind": kind, "items": items}); err != nil {
		b.fail(fmt.Errorf("%s: %w", name, err))
		return
	}
	b.file(name, buf.Bytes())
}

func (b *bundleWriter) shapes(o *Objects) {
	byNamespace(o.Secrets, func(s *SecretShape) string { return s.Namespace }, func(ns string, part []*SecretShape) {
		b.yaml("shapes/secrets/"+cmp.Or(ns, "_")+".yaml", shapeList[*SecretShape]{ownVersion, "SecretShapeList", part})
	})
	byNamespace(o.ConfigMaps, func(c *ConfigMapShape) string { return c.Namespace }, func(ns string, part []*ConfigMapShape) {
		b.yaml("shapes/configmaps/"+cmp.Or(ns, "_")+".yaml", shapeList[*ConfigMapShape]{ownVersion, "ConfigMapShapeList", part})
	})
}

func (b *bundleWriter) logs(logs []LogTail) {
	sorted := slices.Clone(logs)
	slices.SortStableFunc(sorted, compareLogs)
	for _, l := range sorted {
		name := "logs/" + fileWord(l.Namespace) + "/" + fileWord(l.Pod) + "/" + fileWord(l.Container)
		if l.Previous {
			name += ".previous"
		}
		b.file(name+".log", []byte(Redact(strings.Join(l.Lines, "\n"))+"\n"))
	}
}

// byNamespace calls f with the objects of each namespace, in order.
func byNamespace[T any](list []T, namespace func(T) string, f func(string, []T)) {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b T) int { return cmp.Compare(namespace(a), namespace(b)) })
	for len(sorted) > 0 {
		ns, n := namespace(sorted[0]), 1
		for n < len(sorted) && namespace(sorted[n]) == ns {
			n++
		}
		f(fileWord(ns), sorted[:n])
		sorted = sorted[n:]
	}
}

// fileWord makes a path segment of a name that may come from anywhere.
func fileWord(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
	if s == "." || s == ".." {
		return strings.Repeat("_", len(s))
	}
	return s
}

// cleanObject is an object as a JSON tree, redacted and trimmed.
func cleanObject(x any) (map[string]any, error) {
	raw, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // 64-bit integers must not pass through float64
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	if meta, ok := tree["metadata"].(map[string]any); ok {
		delete(meta, "managedFields")
		if a, ok := meta["annotations"].(map[string]any); ok {
			delete(a, lastApplied)
			if len(a) == 0 {
				delete(meta, "annotations")
			}
		}
	}
	redactTree(tree, "")
	return tree, nil
}
