package fit

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// Options are the objects beside nodes and pods that checks read.
type Options struct {
	PVCs           []*corev1.PersistentVolumeClaim
	PVs            []*corev1.PersistentVolume
	StorageClasses []*storagev1.StorageClass
	CSINodes       []*storagev1.CSINode
	Attachments    []*storagev1.VolumeAttachment
	CSIDrivers     []*storagev1.CSIDriver
	Capacities     []*storagev1.CSIStorageCapacity
	Namespaces     []*corev1.Namespace
	// Seen tells whether all objects of a resource in a namespace were seen, so
	// that what is missing does not exist. Nil stands for always.
	Seen func(resource, namespace string) bool
	// Partial is true when there are nodes or pods that were not seen. What is
	// proved with those seen then still holds, but nothing is known to fit.
	Partial bool
}

// Cluster is the state checks are computed against. It is built at no cost and
// indexes itself at the first question; it may be asked from several goroutines.
type Cluster struct {
	nodes []*corev1.Node
	pods  []*corev1.Pod
	opt   Options

	once   sync.Once
	states []*nodeState
	byName map[string]*nodeState
	// anti are the pods on nodes that have required anti-affinity.
	anti []placed
	pvcs map[objectName]*corev1.PersistentVolumeClaim
	pvs  map[string]*corev1.PersistentVolume
	csi  map[string]*storagev1.CSINode
	ns   map[string]*corev1.Namespace
	// classes are storage classes by name, byClass the volumes of each.
	classes  map[string]*storagev1.StorageClass
	byClass  map[string][]*corev1.PersistentVolume
	attached map[attachment][]string
	// nominated are unbound pods by the node they were promised.
	nominated map[string][]*corev1.Pod

	mu        sync.Mutex
	evals     map[any]*Evaluation // by identity
	explained map[any]*Explanation
}

type objectName struct{ namespace, name string }

// nodeState is one node with what its pods take.
type nodeState struct {
	node  *corev1.Node
	alloc amounts
	used  amounts
	pods  []*corev1.Pod
	ports []usedPort
}

type usedPort struct {
	port hostPort
	pod  *corev1.Pod
}

// placed is a pod that keeps others away from its node's domains.
type placed struct {
	pod   *corev1.Pod
	node  *corev1.Node
	terms []term // required anti-affinity
}

// NewCluster takes nodes and pods. It copies and computes nothing.
func NewCluster(nodes []*corev1.Node, pods []*corev1.Pod, opt Options) *Cluster {
	return &Cluster{nodes: nodes, pods: pods, opt: opt}
}

// Nodes is the number of nodes seen.
func (c *Cluster) Nodes() int { return len(c.nodes) }

// Complete is true when nodes were seen and nothing is known to be missing, so
// that "it fits" can be told at all.
func (c *Cluster) Complete() bool { return len(c.nodes) > 0 && !c.opt.Partial }

// Decides is true when, for this pod, a node that fails no check would take it.
// Devices that come by resource claim cannot be told from the objects read.
func (c *Cluster) Decides(pod *corev1.Pod) bool {
	return c.Complete() && len(pod.Spec.ResourceClaims) == 0
}

func (c *Cluster) seen(resource, namespace string) bool {
	return c.opt.Seen == nil || c.opt.Seen(resource, namespace)
}

func (c *Cluster) index() {
	c.once.Do(func() {
		c.byName = make(map[string]*nodeState, len(c.nodes))
		for _, n := range c.nodes {
			s := &nodeState{node: n, alloc: amounts{}, used: amounts{}}
			s.alloc.add(n.Status.Allocatable)
			c.states = append(c.states, s)
			c.byName[n.Name] = s
		}
		c.nominated = map[string][]*corev1.Pod{}
		asked := sums{}
		for _, p := range c.pods {
			c.place(p, asked)
		}
		c.pvcs = make(map[objectName]*corev1.PersistentVolumeClaim, len(c.opt.PVCs))
		for _, x := range c.opt.PVCs {
			c.pvcs[objectName{x.Namespace, x.Name}] = x
		}
		c.byClass = map[string][]*corev1.PersistentVolume{}
		c.pvs = make(map[string]*corev1.PersistentVolume, len(c.opt.PVs))
		for _, x := range c.opt.PVs {
			c.pvs[x.Name] = x
			class, old := x.Annotations[corev1.BetaStorageClassAnnotation]
			if !old {
				class = x.Spec.StorageClassName
			}
			c.byClass[class] = append(c.byClass[class], x)
		}
		c.classes = make(map[string]*storagev1.StorageClass, len(c.opt.StorageClasses))
		for _, x := range c.opt.StorageClasses {
			c.classes[x.Name] = x
		}
		c.indexAttached()
		c.csi = make(map[string]*storagev1.CSINode, len(c.opt.CSINodes))
		for _, x := range c.opt.CSINodes {
			c.csi[x.Name] = x
		}
		c.ns = make(map[string]*corev1.Namespace, len(c.opt.Namespaces))
		for _, x := range c.opt.Namespaces {
			c.ns[x.Name] = x
		}
		c.evals, c.explained = map[any]*Evaluation{}, map[any]*Explanation{}
	})
}

// place counts a pod on its node. Terminating pods count until they are gone,
// static pods count like any other; finished ones do not.
func (c *Cluster) place(p *corev1.Pod, asked sums) {
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return
	}
	if p.Spec.NodeName == "" {
		if n := p.Status.NominatedNodeName; n != "" && p.DeletionTimestamp == nil {
			c.nominated[n] = append(c.nominated[n], p)
		}
		return
	}
	s := c.byName[p.Spec.NodeName]
	if s == nil {
		return
	}
	s.pods = append(s.pods, p)
	for name, n := range asked.of(p) {
		s.used[name] += n
	}
	for _, port := range hostPorts(p) {
		s.ports = append(s.ports, usedPort{port, p})
	}
	if a := p.Spec.Affinity; a != nil && a.PodAntiAffinity != nil && len(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
		c.anti = append(c.anti, placed{p, s.node, antiTerms(p)})
	}
}
