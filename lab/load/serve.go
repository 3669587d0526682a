package load

import (
	"encoding/json"
	"net/http"
	"path"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Serve answers lists of the fleet in protobuf, page by page, out of memory. It
// stands in for an API server where only the reader is to be measured: it
// costs next to nothing, so that a reader looks as slow as it can beside it.
func (f *Fleet) Serve() http.Handler {
	lists := map[string][]record{"nodes": f.Nodes, "leases": f.Leases, "namespaces": f.Namespaces, "deployments": f.Deployments, "replicasets": f.ReplicaSets, "pods": f.Pods, "events": f.Events}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resource := path.Base(r.URL.Path)
		switch resource {
		case "version":
			json.NewEncoder(w).Encode(map[string]string{"gitVersion": "v1.37.1"})
			return
		case "apis":
			json.NewEncoder(w).Encode(map[string]any{"kind": "APIGroupDiscoveryList", "items": []any{}})
			return
		case "log":
			return
		}
		records := lists[resource]
		if resource == "leases" && path.Base(path.Dir(r.URL.Path)) != "kube-node-lease" {
			records = nil
		}
		start, _ := strconv.Atoi(r.URL.Query().Get("continue"))
		end := len(records)
		if limit, _ := strconv.Atoi(r.URL.Query().Get("limit")); limit > 0 {
			end = min(end, start+limit)
		}
		meta := metav1.ListMeta{ResourceVersion: "1"}
		if end < len(records) {
			meta.Continue = strconv.Itoa(end)
		}
		head, err := meta.Marshal()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		raw := field(nil, 1, head)
		kind := schema.GroupVersionKind{Version: "v1", Kind: "List"}
		for _, o := range records[start:end] {
			kind = o.kind
			kind.Kind += "List"
			raw = field(raw, 2, o.raw)
		}
		body, err := envelope(kind, raw)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
		w.Write(body)
	})
}

// field appends a length-delimited protobuf field.
func field(to []byte, num int, value []byte) []byte {
	to = append(to, byte(num<<3|2))
	n := len(value)
	for ; n >= 0x80; n >>= 7 {
		to = append(to, byte(n)|0x80)
	}
	return append(append(to, byte(n)), value...)
}
