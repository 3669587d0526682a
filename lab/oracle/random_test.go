package oracle_test

import (
	"fmt"
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/unjam-dev/unjam/lab/oracle"
)

// maker draws clusters and pods from small sets of values, so that rules meet.
type maker struct {
	*rand.Rand
	next int
}

func newMaker(seed uint64) *maker { return &maker{Rand: rand.New(rand.NewPCG(seed, 1))} }

// chance is true in n of 100 draws.
func (m *maker) chance(n int) bool { return m.IntN(100) < n }

func (m *maker) one(list ...string) string { return list[m.IntN(len(list))] }

func (m *maker) quantity(list ...string) resource.Quantity { return resource.MustParse(m.one(list...)) }

var namespaces = []string{"shop", "ops", "lab"}

func (m *maker) node(i int) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%02d", i), Labels: map[string]string{}}}
	n.Labels[corev1.LabelHostname] = n.Name
	if m.chance(85) {
		n.Labels[corev1.LabelTopologyZone] = m.one("a", "b", "c")
	}
	if m.chance(30) {
		n.Labels[corev1.LabelTopologyRegion] = m.one("r1", "r2")
	}
	if m.chance(15) {
		n.Labels[corev1.LabelFailureDomainBetaZone] = m.one("a", "b")
	}
	if m.chance(60) {
		n.Labels["disk"] = m.one("ssd", "hdd")
	}
	if m.chance(50) {
		n.Labels["gen"] = m.one("1", "2", "7", "x")
	}
	n.Status.Allocatable = corev1.ResourceList{"cpu": m.quantity("2", "4", "3500m"), "memory": m.quantity("4Gi", "8Gi", "8Gi"), "pods": m.quantity("3", "12", "110", "110"), "ephemeral-storage": m.quantity("10Gi", "40Gi")}
	if m.chance(5) {
		delete(n.Status.Allocatable, "pods")
	}
	if m.chance(25) {
		n.Status.Allocatable["example.com/gpu"] = m.quantity("1", "2")
	}
	if m.chance(25) {
		n.Status.Allocatable["hugepages-2Mi"] = m.quantity("8Mi", "64Mi")
	}
	for m.chance(20) {
		n.Spec.Taints = append(n.Spec.Taints, m.taint())
	}
	switch {
	case m.chance(8):
		n.Spec.Unschedulable = true
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	case m.chance(3):
		n.Spec.Unschedulable = true
	case m.chance(3):
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	}
	return n
}

func (m *maker) taint() corev1.Taint {
	return corev1.Taint{Key: m.one("dedicated", "gpu", corev1.TaintNodeNotReady), Value: m.one("", "db", "7"),
		Effect: corev1.TaintEffect(m.one("NoSchedule", "NoSchedule", "NoExecute", "PreferNoSchedule"))}
}

func (m *maker) toleration() corev1.Toleration {
	t := corev1.Toleration{Key: m.one("dedicated", "gpu", corev1.TaintNodeNotReady, corev1.TaintNodeUnschedulable, ""), Effect: corev1.TaintEffect(m.one("", "NoSchedule", "NoExecute"))}
	switch t.Operator = corev1.TolerationOperator(m.one("Exists", "Exists", "Equal", "", "Lt", "Gt")); t.Operator {
	case "Exists":
	case "Lt", "Gt":
		t.Value = m.one("5", "9", "07", "x")
	default:
		t.Value = m.one("", "db", "7")
	}
	if t.Key == "" {
		t.Operator, t.Value = "Exists", ""
	}
	return t
}

func (m *maker) selector() *metav1.LabelSelector {
	switch m.IntN(10) {
	case 0:
		return nil
	case 1:
		return &metav1.LabelSelector{}
	case 2:
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: m.one("app", "tier"), Operator: metav1.LabelSelectorOperator(m.one("Exists", "DoesNotExist"))}}}
	case 3:
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: metav1.LabelSelectorOperator(m.one("In", "NotIn")), Values: []string{"web", "db"}}}}
	}
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": m.one("web", "db", "cache")}}
}

func (m *maker) topology() string {
	return m.one(corev1.LabelHostname, corev1.LabelHostname, corev1.LabelTopologyZone, corev1.LabelTopologyZone, "disk", "rack")
}

func (m *maker) term() corev1.PodAffinityTerm {
	t := corev1.PodAffinityTerm{TopologyKey: m.topology(), LabelSelector: m.selector()}
	switch m.IntN(8) {
	case 0:
		t.Namespaces = []string{m.one(namespaces...)}
	case 1:
		t.NamespaceSelector = &metav1.LabelSelector{}
	case 2:
		t.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": m.one("red", "blue")}}
	case 3:
		t.Namespaces, t.NamespaceSelector = []string{"lab"}, &metav1.LabelSelector{MatchLabels: map[string]string{"team": "red"}}
	}
	// The API server folds these keys into the selector; requires one.
	if t.LabelSelector != nil {
		switch {
		case m.chance(10):
			t.MatchLabelKeys = []string{"tier"}
		case m.chance(10):
			t.MismatchLabelKeys = []string{"tier"}
		}
	}
	return t
}

func (m *maker) requirement() corev1.NodeSelectorRequirement {
	r := corev1.NodeSelectorRequirement{Key: m.one("disk", "gen", corev1.LabelTopologyZone, "rack"), Operator: corev1.NodeSelectorOperator(m.one("In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"))}
	switch r.Operator {
	case "In", "NotIn":
		r.Values = []string{m.one("ssd", "hdd", "1", "a"), m.one("b", "7")}
	case "Gt", "Lt":
		r.Key, r.Values = "gen", []string{m.one("1", "3")}
	}
	return r
}

func (m *maker) nodeTerms() *corev1.NodeSelector {
	s := &corev1.NodeSelector{}
	for range 1 + m.IntN(2) {
		t := corev1.NodeSelectorTerm{}
		for range m.IntN(3) {
			t.MatchExpressions = append(t.MatchExpressions, m.requirement())
		}
		if m.chance(20) {
			t.MatchFields = []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOperator(m.one("In", "In", "NotIn")), Values: []string{m.one("n00", "n01", "n02", "gone")}}}
		}
		s.NodeSelectorTerms = append(s.NodeSelectorTerms, t)
	}
	return s
}

func (m *maker) requests(scale []string) corev1.ResourceList {
	out := corev1.ResourceList{}
	if m.chance(70) {
		out["cpu"] = m.quantity(scale...)
	}
	if m.chance(50) {
		out["memory"] = m.quantity("100Mi", "1Gi", "3Gi", "0")
	}
	if m.chance(10) {
		out["ephemeral-storage"] = m.quantity("1Gi", "9Gi", "20Gi")
	}
	if m.chance(8) {
		out["example.com/gpu"] = m.quantity("1", "1", "2")
	}
	if m.chance(6) {
		out["hugepages-2Mi"] = m.quantity("2Mi", "16Mi", "128Mi")
	}
	return out
}

func (m *maker) container(name string, scale []string) corev1.Container {
	c := corev1.Container{Name: name, Image: "x", Resources: corev1.ResourceRequirements{Requests: m.requests(scale)}}
	if m.chance(8) {
		c.Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: int32(8080 + m.IntN(2)), Protocol: corev1.Protocol(m.one("TCP", "UDP", "")), HostIP: m.one("", "", "0.0.0.0", "127.0.0.1", "10.0.0.1")}}
	}
	return c
}

// pod draws a pod; scale holds what its containers may ask of CPU, and rules is
// how likely each rule is, of 100.
func (m *maker) pod(prefix string, scale []string, rules int) *corev1.Pod {
	m.next++
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: m.one(namespaces...), Name: fmt.Sprintf("%s%04d", prefix, m.next), Labels: map[string]string{}}}
	p.UID = types.UID(p.Namespace + "/" + p.Name)
	if m.chance(85) {
		p.Labels["app"] = m.one("web", "db", "cache")
	}
	if m.chance(40) {
		p.Labels["tier"] = m.one("1", "2")
	}
	prio := int32(m.IntN(3) * 10)
	p.Spec.Priority = &prio
	for i := range 1 + m.IntN(2) {
		p.Spec.Containers = append(p.Spec.Containers, m.container(fmt.Sprint("c", i), scale))
	}
	for i := range m.IntN(3) {
		c := m.container(fmt.Sprint("i", i), scale)
		if m.chance(50) {
			always := corev1.ContainerRestartPolicyAlways
			c.RestartPolicy = &always
		}
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
	}
	if m.chance(8) {
		p.Spec.Overhead = corev1.ResourceList{"cpu": resource.MustParse("250m"), "memory": resource.MustParse("64Mi")}
	}
	if m.chance(8) {
		p.Spec.Resources = &corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": m.quantity("1", "3"), "memory": m.quantity("1Gi", "5Gi")}}
	}
	m.rules(p, rules)
	return p
}

func (m *maker) rules(p *corev1.Pod, rules int) {
	if m.chance(rules / 2) {
		p.Spec.NodeSelector = map[string]string{m.one("disk", corev1.LabelTopologyZone): m.one("ssd", "a", "b")}
	}
	for m.chance(rules) {
		p.Spec.Tolerations = append(p.Spec.Tolerations, m.toleration())
	}
	a := &corev1.Affinity{}
	if m.chance(rules / 2) {
		a.NodeAffinity = &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: m.nodeTerms()}
		p.Spec.Affinity = a
	}
	if m.chance(rules / 2) {
		a.PodAffinity = &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{m.term()}}
		if m.chance(20) {
			a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution = append(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution, m.term())
		}
		p.Spec.Affinity = a
	}
	if m.chance(rules / 2) {
		a.PodAntiAffinity = &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{m.term()}}
		p.Spec.Affinity = a
	}
	for m.chance(rules / 2) {
		c := corev1.TopologySpreadConstraint{MaxSkew: int32(1 + m.IntN(2)), TopologyKey: m.topology(), LabelSelector: m.selector(), WhenUnsatisfiable: corev1.UnsatisfiableConstraintAction(m.one("DoNotSchedule", "DoNotSchedule", "ScheduleAnyway"))}
		if m.chance(25) && c.WhenUnsatisfiable == corev1.DoNotSchedule {
			d := int32(1 + m.IntN(5))
			c.MinDomains = &d
		}
		if m.chance(30) {
			x := corev1.NodeInclusionPolicy(m.one("Honor", "Ignore"))
			c.NodeAffinityPolicy = &x
		}
		if m.chance(30) {
			x := corev1.NodeInclusionPolicy(m.one("Honor", "Ignore"))
			c.NodeTaintsPolicy = &x
		}
		if m.chance(20) && c.LabelSelector != nil {
			c.MatchLabelKeys = []string{"tier"}
		}
		p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, c)
	}
}

// served is the pod as the API server would have stored it: the label keys of
// its affinity terms are folded into their selectors.
func served(p *corev1.Pod) *corev1.Pod {
	p = p.DeepCopy()
	fold := func(list []corev1.PodAffinityTerm) {
		for i := range list {
			t := &list[i]
			add := func(keys []string, op metav1.LabelSelectorOperator) {
				for _, k := range keys {
					if v, ok := p.Labels[k]; ok {
						t.LabelSelector.MatchExpressions = append(t.LabelSelector.MatchExpressions, metav1.LabelSelectorRequirement{Key: k, Operator: op, Values: []string{v}})
					}
				}
			}
			add(t.MatchLabelKeys, metav1.LabelSelectorOpIn)
			add(t.MismatchLabelKeys, metav1.LabelSelectorOpNotIn)
		}
	}
	if a := p.Spec.Affinity; a != nil {
		if a.PodAffinity != nil {
			fold(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
		}
		if a.PodAntiAffinity != nil {
			fold(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
		}
	}
	return p
}

// resized gives a bound pod the status of an in-place resize under way.
func (m *maker) resized(p *corev1.Pod) {
	for _, c := range p.Spec.Containers {
		s := corev1.ContainerStatus{Name: c.Name, AllocatedResources: m.requests([]string{"100m", "1", "2"})}
		s.Resources = &corev1.ResourceRequirements{Requests: m.requests([]string{"100m", "1", "2"})}
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, s)
	}
	if m.chance(40) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: m.one(corev1.PodReasonInfeasible, corev1.PodReasonDeferred)})
	}
}

var small, large = []string{"100m", "250m", "500m"}, []string{"0", "100m", "500m", "1", "1500m", "3", "9"}

// cluster draws nodes with pods on them; with volumes, also claims and what
// belongs to them.
func (m *maker) cluster(volumes bool) oracle.Cluster {
	var c oracle.Cluster
	for i := range 1 + m.IntN(9) {
		c.Nodes = append(c.Nodes, m.node(i))
	}
	for i, ns := range namespaces {
		c.Others = append(c.Others, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{"team": []string{"red", "blue", "blue"}[i]}}})
	}
	var claims []string
	if volumes {
		claims = m.storage(&c)
	}
	for _, n := range c.Nodes {
		for range m.IntN(6) {
			p := m.pod("on", small, 12)
			p.Spec.NodeName = n.Name
			if m.chance(15) {
				now := metav1.Now()
				p.DeletionTimestamp = &now
			}
			if m.chance(15) {
				m.resized(p)
			}
			if volumes {
				m.mount(p, claims, 30)
			}
			c.Pods = append(c.Pods, p)
		}
	}
	return c
}

// mount gives the pod claims and old kinds of volumes.
func (m *maker) mount(p *corev1.Pod, claims []string, n int) {
	for m.chance(n) {
		v := corev1.Volume{Name: fmt.Sprint("v", len(p.Spec.Volumes))}
		switch m.IntN(12) {
		case 0:
			v.GCEPersistentDisk = &corev1.GCEPersistentDiskVolumeSource{PDName: m.one("d1", "d2"), ReadOnly: m.chance(50)}
		case 1:
			v.RBD = &corev1.RBDVolumeSource{CephMonitors: []string{m.one("m1", "m2"), "m3"}, RBDImage: m.one("i1", "i2"), RBDPool: "rbd", ReadOnly: m.chance(50)}
		case 2:
			v.ISCSI = &corev1.ISCSIVolumeSource{IQN: m.one("q1", "q2"), ReadOnly: m.chance(50)}
		case 3:
			v.AWSElasticBlockStore = &corev1.AWSElasticBlockStoreVolumeSource{VolumeID: m.one("e1", "e2")}
		default:
			v.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: m.one(claims...)}
		}
		p.Spec.Volumes = append(p.Spec.Volumes, v)
	}
}

const driver = "csi.example.com"

// storage draws classes, claims in every namespace, volumes and CSI nodes.
func (m *maker) storage(c *oracle.Cluster) []string {
	wait, now := storagev1.VolumeBindingWaitForFirstConsumer, storagev1.VolumeBindingImmediate
	class := func(name, provisioner string, mode *storagev1.VolumeBindingMode) *storagev1.StorageClass {
		return &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: provisioner, VolumeBindingMode: mode}
	}
	zonal := class("zonal", driver, &wait)
	zonal.AllowedTopologies = []corev1.TopologySelectorTerm{{MatchLabelExpressions: []corev1.TopologySelectorLabelRequirement{{Key: corev1.LabelTopologyZone, Values: []string{"a", "b"}}}}}
	pool := class("pool", "pool.example.com", &wait)
	yes := true
	c.Others = append(c.Others, class("now", driver, &now), class("wait", driver, &wait), class("local", "kubernetes.io/no-provisioner", &wait), zonal, pool,
		&storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "pool.example.com"}, Spec: storagev1.CSIDriverSpec{StorageCapacity: &yes}})
	names := []string{"missing"}
	for i := range 9 {
		names = append(names, fmt.Sprint("claim", i))
		for _, ns := range namespaces {
			m.claim(c, ns, fmt.Sprint("claim", i))
		}
	}
	for i := range 3 {
		pv := m.volume(fmt.Sprint("spare", i), "local")
		pv.Status.Phase = corev1.PersistentVolumePhase(m.one("Available", "Available", "Released"))
		c.Others = append(c.Others, pv)
	}
	for _, n := range c.Nodes {
		if m.chance(60) {
			limit := int32(m.IntN(4))
			c.Others = append(c.Others, &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: n.Name}, Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{Name: driver, NodeID: n.Name, Allocatable: &storagev1.VolumeNodeResources{Count: &limit}}}}})
		}
		if m.chance(20) {
			pv := fmt.Sprintf("pv-%s-claim%d", m.one(namespaces...), m.IntN(9))
			c.Others = append(c.Others, &storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "va-" + n.Name}, Spec: storagev1.VolumeAttachmentSpec{Attacher: driver, NodeName: n.Name, Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &pv}}})
		}
		if m.chance(40) {
			q := m.quantity("1Gi", "5Gi", "50Gi")
			c.Others = append(c.Others, &storagev1.CSIStorageCapacity{ObjectMeta: metav1.ObjectMeta{Name: "cap-" + n.Name, Namespace: "ops"}, StorageClassName: "pool", Capacity: &q, NodeTopology: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelHostname: n.Name}}})
		}
	}
	return names
}

func (m *maker) volume(name, class string) *corev1.PersistentVolume {
	pv := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	pv.Spec.StorageClassName = class
	pv.Spec.Capacity = corev1.ResourceList{"storage": m.quantity("1Gi", "5Gi", "20Gi")}
	pv.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	if m.chance(60) {
		pv.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: m.one(driver, driver, "other.example.com"), VolumeHandle: name}
	} else {
		pv.Spec.Local = &corev1.LocalVolumeSource{Path: "/x"}
	}
	if m.chance(50) {
		r := corev1.NodeSelectorRequirement{Key: m.one(corev1.LabelHostname, corev1.LabelTopologyZone), Operator: "In", Values: []string{m.one("n00", "a"), m.one("n01", "b")}}
		pv.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{r}}}}}
	}
	if m.chance(30) {
		pv.Labels[m.one(corev1.LabelTopologyZone, corev1.LabelFailureDomainBetaZone, corev1.LabelTopologyRegion)] = m.one("a", "b", "a__c", "r1")
	}
	return pv
}

func (m *maker) claim(c *oracle.Cluster, ns, name string) {
	pvc := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, UID: types.UID(ns + name), Annotations: map[string]string{}}}
	class := m.one("now", "wait", "wait", "local", "zonal", "pool")
	pvc.Spec.StorageClassName = &class
	pvc.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.PersistentVolumeAccessMode(m.one("ReadWriteOnce", "ReadWriteOnce", "ReadWriteOncePod"))}
	pvc.Spec.Resources.Requests = corev1.ResourceList{"storage": m.quantity("1Gi", "4Gi", "10Gi")}
	pvc.Status.Phase = corev1.ClaimPending
	var pv runtime.Object
	switch m.IntN(10) {
	case 0: // left unbound
	case 1:
		if m.chance(30) {
			pvc.Annotations["volume.kubernetes.io/selected-node"] = m.one("n00", "n01")
		}
	case 2: // lost, or bound to a volume that is not there
		pvc.Spec.VolumeName, pvc.Status.Phase = "gone", corev1.PersistentVolumeClaimPhase(m.one("Lost", "Bound"))
		pvc.Annotations["pv.kubernetes.io/bind-completed"] = "yes"
	case 3:
		pvc.Spec.VolumeName = "pv-" + ns + "-" + name // promised, not bound
		pv = m.volume(pvc.Spec.VolumeName, class)
	default:
		pvc.Spec.VolumeName, pvc.Status.Phase = "pv-"+ns+"-"+name, corev1.ClaimBound
		pvc.Annotations["pv.kubernetes.io/bind-completed"] = "yes"
		v := m.volume(pvc.Spec.VolumeName, class)
		v.Spec.ClaimRef = &corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: ns, Name: name, UID: pvc.UID}
		v.Status.Phase = corev1.VolumeBound
		pv = v
	}
	if m.chance(4) {
		now := metav1.Now()
		pvc.DeletionTimestamp = &now
	}
	c.Others = append(c.Others, pvc)
	if pv != nil {
		c.Others = append(c.Others, pv)
	}
}
