package properties

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// TestHealthyNeighboursChangeNothing adds workloads that run well in other
// namespaces, with images of their own, and where no pod waits for a node also
// a node.
func TestHealthyNeighboursChangeNothing(t *testing.T) {
	guests := []*scene{sceneOf(t, "ok"), sceneOf(t, "init-and-sidecar"), sceneOf(t, "secure-registry"), sceneOf(t, "restarted-once")}
	for _, s := range scenes(t) {
		more := copyOf(s.snap)
		for i, g := range guests {
			addGuest(more, g.snap, fmt.Sprintf("guest-%d", i))
		}
		if !placesPods(s) && len(more.Objects.Nodes) > 0 {
			n := more.Objects.Nodes[0].DeepCopy()
			n.Name, n.UID = "node-of-guests", "node-of-guests"
			n.Labels["kubernetes.io/hostname"] = n.Name
			more.Objects.Nodes = append(more.Objects.Nodes, n)
		}
		v, err := s.judge(more)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got, want := answer(v), answer(s.base); got != want {
			t.Errorf("%s: with healthy neighbours %s, want %s", s.name, got, want)
		}
		if s.base.Primary != nil && v.Primary != nil && v.Primary.Confidence != s.base.Primary.Confidence {
			t.Errorf("%s: with healthy neighbours %s, want %s", s.name, v.Primary.Confidence, s.base.Primary.Confidence)
		}
	}
}

// placesPods reports whether one more node could rightly change the answer.
func placesPods(s *scene) bool {
	return len(s.snap.Objects.DaemonSets) > 0 || slices.ContainsFunc(s.snap.Objects.Pods, func(p *corev1.Pod) bool { return p.Spec.NodeName == "" }) ||
		s.family == "scheduling" || s.family == "volumes"
}

// addGuest copies the workload of a recording into another namespace under
// other UIDs and image names.
func addGuest(to, from *snapshot.Snapshot, namespace string) {
	move := func(o metav1.Object) {
		o.SetNamespace(namespace)
		o.SetUID(rename(o.GetUID(), namespace))
		refs := o.GetOwnerReferences()
		for i := range refs {
			refs[i].UID = rename(refs[i].UID, namespace)
		}
		o.SetOwnerReferences(refs)
	}
	home := from.Origin.Namespace
	for _, d := range from.Objects.Deployments {
		if d.Namespace == home {
			d = d.DeepCopy()
			move(d)
			ownImages(&d.Spec.Template.Spec)
			to.Objects.Deployments = append(to.Objects.Deployments, d)
		}
	}
	for _, r := range from.Objects.ReplicaSets {
		if r.Namespace == home {
			r = r.DeepCopy()
			move(r)
			ownImages(&r.Spec.Template.Spec)
			to.Objects.ReplicaSets = append(to.Objects.ReplicaSets, r)
		}
	}
	for _, p := range from.Objects.Pods {
		if p.Namespace == home {
			p = p.DeepCopy()
			move(p)
			ownImages(&p.Spec)
			for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
				for i := range list {
					list[i].Image = ownImage(list[i].Image)
				}
			}
			to.Objects.Pods = append(to.Objects.Pods, p)
		}
	}
	for _, e := range from.Objects.Events {
		if e.Namespace == home {
			e = e.DeepCopy()
			move(e)
			e.InvolvedObject.Namespace = namespace
			e.InvolvedObject.UID = rename(e.InvolvedObject.UID, namespace)
			e.Message = strings.ReplaceAll(e.Message, ".lab:", ".guests.example:")
			to.Objects.Events = append(to.Objects.Events, e)
		}
	}
	for _, a := range from.Objects.ServiceAccounts {
		if a.Namespace == home {
			a = a.DeepCopy()
			move(a)
			to.Objects.ServiceAccounts = append(to.Objects.ServiceAccounts, a)
		}
	}
	to.Objects.Namespaces = append(to.Objects.Namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}})
}

func rename(uid types.UID, suffix string) types.UID {
	if uid == "" {
		return ""
	}
	return uid + types.UID("-"+suffix)
}

func ownImages(s *corev1.PodSpec) {
	for _, list := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range list {
			list[i].Image = ownImage(list[i].Image)
		}
	}
}

func ownImage(image string) string { return strings.ReplaceAll(image, ".lab:", ".guests.example:") }
