package capture

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// apiServer answers like an API server: typed lists in mimeProtobuf, pages,
// metadata only, errors as Status.
type apiServer struct {
	t testing.TB
	*httptest.Server

	mu      sync.Mutex
	objects map[string][]snapshot.Object // by resource
	fail    map[string]int               // path → HTTP status
	hang    map[string]bool              // path → no answer until the caller leaves
	expire  map[string]bool              // path → 410 for a continue token
	text    map[string]string            // path → body of a log or raw document
	seen    []string                     // "path?query" of each request
	accept  map[string]string            // path → Accept header
}

func newServer(t testing.TB) *apiServer {
	s := &apiServer{t: t, objects: map[string][]snapshot.Object{}, fail: map[string]int{}, hang: map[string]bool{}, expire: map[string]bool{},
		text:   map[string]string{"/version": `{"gitVersion":"v1.37.1"}`, "/apis": `{"kind":"APIGroupDiscoveryList","items":[]}`},
		accept: map[string]string{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *apiServer) config() *rest.Config { return &rest.Config{Host: s.URL} }

func (s *apiServer) add(resource string, objects ...snapshot.Object) {
	s.objects[resource] = append(s.objects[resource], objects...)
}

// requests are the paths asked for that contain part.
func (s *apiServer) requests(part string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, r := range s.seen {
		if strings.Contains(r, part) {
			out = append(out, r)
		}
	}
	return out
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	s.mu.Lock()
	s.seen = append(s.seen, path+"?"+r.URL.RawQuery)
	s.accept[path] = r.Header.Get("Accept")
	s.mu.Unlock()
	if s.hang[path] {
		<-r.Context().Done()
		return
	}
	if code := s.fail[path]; code != 0 {
		s.status(w, code, http.StatusText(code))
		return
	}
	if text, ok := s.text[path]; ok {
		fmt.Fprint(w, text)
		return
	}
	seg := strings.Split(strings.Trim(path, "/"), "/")
	if seg[0] == "apis" {
		seg = seg[3:]
	} else {
		seg = seg[2:]
	}
	namespace := ""
	if len(seg) >= 3 && seg[0] == "namespaces" {
		namespace, seg = seg[1], seg[2:]
	}
	k := snapshot.KindOfResource(seg[0])
	if k == nil {
		s.status(w, 404, "the server could not find the requested resource")
		return
	}
	var match []runtime.Object
	for _, o := range s.objects[k.Resource] {
		if namespace == "" || o.GetNamespace() == namespace {
			if len(seg) == 2 && o.GetName() == seg[1] {
				s.write(w, r, o)
				return
			}
			match = append(match, o)
		}
	}
	if len(seg) == 2 {
		s.status(w, 404, "not found")
		return
	}
	s.list(w, r, k, match)
}

func (s *apiServer) list(w http.ResponseWriter, r *http.Request, k *snapshot.Kind, match []runtime.Object) {
	start, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	if start > 0 && s.expire[r.URL.Path] {
		s.status(w, 410, "The provided continue parameter is too old")
		return
	}
	end := len(match)
	token := ""
	if limit > 0 && start+limit < end {
		end = start + limit
		token = strconv.Itoa(end)
	}
	if strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList") {
		list := &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"}}
		for _, o := range match[start:end] {
			m := o.(metav1.Object)
			list.Items = append(list.Items, metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: m.GetNamespace(), Name: m.GetName(), UID: m.GetUID(), ResourceVersion: m.GetResourceVersion()}})
		}
		list.Continue = token
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(list); err != nil {
			s.t.Error(err)
		}
		return
	}
	list := k.NewList()
	if err := meta.SetList(list, match[start:end]); err != nil {
		s.t.Error(err)
	}
	m, _ := meta.ListAccessor(list)
	m.SetContinue(token)
	s.write(w, r, list)
}

func (s *apiServer) write(w http.ResponseWriter, r *http.Request, o runtime.Object) {
	if !strings.HasPrefix(r.Header.Get("Accept"), mimeProtobuf) {
		s.t.Errorf("%s asks for %q", r.URL.Path, r.Header.Get("Accept"))
	}
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mimeProtobuf)
	gvks, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		s.t.Error(err)
		return
	}
	data, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, gvks[0].GroupVersion()), o)
	if err != nil {
		s.t.Error(err)
		return
	}
	w.Header().Set("Content-Type", mimeProtobuf)
	if _, err := w.Write(data); err != nil {
		s.t.Error(err)
	}
}

func (s *apiServer) status(w http.ResponseWriter, code int, message string) {
	reason := map[int]metav1.StatusReason{401: metav1.StatusReasonUnauthorized, 403: metav1.StatusReasonForbidden, 404: metav1.StatusReasonNotFound, 410: metav1.StatusReasonExpired}[code]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Code: int32(code), Reason: reason, Message: message})
}
