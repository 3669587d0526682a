package cause

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	helpers "k8s.io/component-helpers/resource"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/pattern"
)

// quotaItem is one resource a quota refused: what the pod asked for, what was
// used and what is allowed.
type quotaItem struct {
	Key                   string
	Requested, Used, Hard resource.Quantity
}

// Free is what is left; it may be negative when the limit was lowered.
func (i quotaItem) Free() resource.Quantity {
	free := i.Hard.DeepCopy()
	free.Sub(i.Used)
	return free
}

// Short reports that one more pod does not fit.
func (i quotaItem) Short() bool {
	free := i.Free()
	return free.Cmp(i.Requested) < 0
}

// quotaView is a refusal by a quota together with what its object says now.
type quotaView struct {
	Name   string
	Items  []quotaItem // as the object says now, else as the refusal said
	Object *corev1.ResourceQuota
	// Gone is true when the quotas of the namespace were read and this one is
	// not among them.
	Gone bool
}

// exceededQuota reads the text of apiserver
// pkg/admission/plugin/resourcequota/controller.go; only the keys that were
// exceeded are printed.
var exceededQuota = pattern.New(`exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: ([^|\]]+)`)

// readQuota reads the numbers of the refusal and brings them up to date from
// the ResourceQuota object where it was seen.
func readQuota(f *facts.Facts, w *facts.Workload, message string) (quotaView, bool) {
	m := exceededQuota.FindStringSubmatch(message)
	if m == nil {
		return quotaView{}, false
	}
	v := quotaView{Name: m[1]}
	used, hard := quantities(m[3]), quantities(m[4])
	for _, pair := range strings.Split(m[2], ",") {
		key, amount, _ := strings.Cut(pair, "=")
		q, err := resource.ParseQuantity(amount)
		if err != nil {
			continue
		}
		v.Items = append(v.Items, quotaItem{Key: key, Requested: q, Used: used[key], Hard: hard[key]})
	}
	if len(v.Items) == 0 {
		return quotaView{}, false
	}
	v.Object = resourceQuota(f, w.Namespace, v.Name)
	v.Gone = v.Object == nil && f.Snap.Covers("resourcequotas", w.Namespace)
	if v.Object != nil {
		for i := range v.Items {
			v.Items[i].refresh(v.Object)
		}
	}
	return v, true
}

func (i *quotaItem) refresh(q *corev1.ResourceQuota) {
	key := corev1.ResourceName(i.Key)
	hard, ok := q.Status.Hard[key]
	if spec, set := q.Spec.Hard[key]; set && !ok {
		hard, ok = spec, true
	}
	used, seen := q.Status.Used[key]
	if ok && seen {
		i.Hard, i.Used = hard, used
	}
}

// Tightest is the first item that has no room for one pod, else the first.
func (v quotaView) Tightest() quotaItem {
	for _, i := range v.Items {
		if i.Short() {
			return i
		}
	}
	return v.Items[0]
}

// Room reports that one more pod fits into every refused resource by now.
func (v quotaView) Room() bool {
	for _, i := range v.Items {
		if i.Short() {
			return false
		}
	}
	return true
}

func (v quotaView) receipts(namespace string) []Evidence {
	if v.Object == nil {
		return nil
	}
	var out []Evidence
	for _, i := range v.Items {
		out = append(out, Evidence{Text: "what the quota counts now", Receipt: facts.Receipt{Kind: "ResourceQuota", Namespace: namespace, Name: v.Name,
			Field: "status.used[" + i.Key + "]", Text: i.Used.String() + " of " + i.Hard.String()}})
	}
	return out
}

func quantities(list string) map[string]resource.Quantity {
	out := map[string]resource.Quantity{}
	for _, pair := range strings.Split(list, ",") {
		key, amount, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if q, err := resource.ParseQuantity(strings.TrimSpace(amount)); err == nil {
			out[key] = q
		}
	}
	return out
}

func resourceQuota(f *facts.Facts, namespace, name string) *corev1.ResourceQuota {
	for _, q := range f.Snap.Objects.ResourceQuotas {
		if q.Namespace == namespace && q.Name == name {
			return q
		}
	}
	return nil
}

// quotaUse is what one pod is charged for a key of a quota (kubernetes
// pkg/quota/v1/evaluator/core/pods.go).
func quotaUse(pod *corev1.Pod, key string) resource.Quantity {
	name, limit := strings.CutPrefix(key, "limits.")
	name = strings.TrimPrefix(name, "requests.")
	switch {
	case name == "pods" || name == "count/pods":
		return *resource.NewQuantity(1, resource.DecimalSI)
	case limit:
		return helpers.PodLimits(pod, helpers.PodResourcesOptions{})[corev1.ResourceName(name)]
	}
	return helpers.PodRequests(pod, helpers.PodResourcesOptions{})[corev1.ResourceName(name)]
}

// quantityTimes is q·n.
func quantityTimes(q resource.Quantity, n int32) resource.Quantity {
	out := q.DeepCopy()
	out.Mul(int64(n))
	return out
}

// words renders the numbers of one item.
func (i quotaItem) words() string {
	free := i.Free()
	if free.Sign() < 0 {
		free = resource.Quantity{}
	}
	if strings.HasSuffix(i.Key, "pods") {
		return i.Used.String() + " of " + i.Hard.String() + " pods are used"
	}
	return "each new pod needs " + i.Key + " " + i.Requested.String() + " and " + free.String() + " of " + i.Hard.String() + " is free"
}

// quotaVars fill the playbook: the quota, its tightest resource, and the limit
// that would let the missing pods in.
func (v quotaView) vars(vars map[string]string, item quotaItem, needed resource.Quantity) {
	vars["quota"], vars["resource"] = v.Name, item.Key
	vars["hard"], vars["used"], vars["requested"], vars["neededHard"] = item.Hard.String(), item.Used.String(), item.Requested.String(), needed.String()
}

// countPods renders a count of pods.
func countPods(n int32) string { return strconv.Itoa(int(n)) + plural(n, " pod", " pods") }

func largerQuantity(a, b resource.Quantity) resource.Quantity {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}
