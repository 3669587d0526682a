package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/unjam-dev/unjam/lab/dns"
	"github.com/unjam-dev/unjam/lab/registry"
	"github.com/unjam-dev/unjam/lab/scenario"
)

// Env is the lab that plays run on.
type Env struct {
	// Unjam is the program that is judged, Kubeconfig the cluster it reads.
	Unjam, Kubeconfig string
	// FaultControl is the base URL of labfaults' control endpoint.
	FaultControl string
	// CutNodes are real nodes whose power may be cut, by Power.
	CutNodes []string
	Power    func(node, act string) error
	// Parallel, Spacing and Poll: plays at a time, time between two starts, and
	// between two judgements of the whole cluster.
	Parallel      int
	Spacing, Poll time.Duration
	// Limit ends the wait for a rollout that does not complete.
	Limit time.Duration
	// Dir receives bundles of false dooms.
	Dir string
	// Progress is told of each rollout as it ends.
	Progress func(Record)

	cluster *scenario.Cluster
	kube    kubernetes.Interface
	ca      string
	plain   chan int
	tls     chan int
	names   chan int
	nodes   chan string

	mu          sync.Mutex
	running     map[string]*track // by namespace
	judgements  int
	judging     time.Duration
	judgeErrors []string
}

// Open connects and fills the pools.
func (e *Env) Open(ctx context.Context) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", e.Kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.WarningHandler = -1, rest.NoWarnings{}
	if e.kube, err = kubernetes.NewForConfig(cfg); err != nil {
		return err
	}
	if e.cluster, err = scenario.Connect(e.Kubeconfig); err != nil {
		return err
	}
	if e.ca, err = scenario.NewFaults(e.FaultControl).CABundle(ctx); err != nil {
		return err
	}
	e.plain, e.tls, e.names, e.nodes = pool(registry.SparePlain), pool(registry.SpareTLS), pool(dns.Spare), make(chan string, len(e.CutNodes))
	for _, n := range e.CutNodes {
		e.nodes <- n
		patch := fmt.Sprintf(`{"metadata":{"labels":{%q:"true"}}}`, cutLabel)
		if _, err := e.kube.CoreV1().Nodes().Patch(ctx, n, "application/merge-patch+json", []byte(patch), metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	if err := e.cluster.Taint(ctx, e.CutNodes, cutLabel+"=true:NoSchedule", true); err != nil {
		return err
	}
	e.running = map[string]*track{}
	return nil
}

func pool(n int) chan int {
	c := make(chan int, n)
	for i := range n {
		c <- i
	}
	return c
}

// spare is a registry of the play's own.
type spare struct{ name, host string }

// ip is the spare's address for pods, whose name server does not know the lab.
func (s spare) ip() string { return "10.77.0.1:" + portOf(s.host) }

// image is a new repository there that no node holds, with a layer of that size.
func (d *draw) image(host, tag string, ballast int) (string, error) {
	repository := fmt.Sprintf("%s/r%d", d.ns, d.Uint32())
	return host + "/" + repository + ":" + tag, d.env.push(repository, tag, ballast)
}

func (d *draw) plainPort() spare {
	i := <-d.env.plain
	d.leased = append(d.leased, func() { d.env.plain <- i })
	return spare{fmt.Sprintf("spare-%d", i), fmt.Sprintf("registry.lab:%d", 5100+i)}
}

func (d *draw) tlsPort() spare {
	i := <-d.env.tls
	d.leased = append(d.leased, func() { d.env.tls <- i })
	return spare{fmt.Sprintf("spare-tls-%d", i), fmt.Sprintf("spare.lab:%d", 5200+i)}
}

func (d *draw) hostName() spare {
	i := <-d.env.names
	d.leased = append(d.leased, func() { d.env.names <- i })
	return spare{fmt.Sprintf("dns-spare-%d", i), dns.SpareName(i) + ":5000"}
}

// setFault makes a spare play a fault, or with "" none.
func (e *Env) setFault(name, like string, rate int) error {
	return e.control("/faults/"+name, map[string]any{"on": like != "", "like": like, "bytesPerSecond": rate})
}

func (e *Env) push(repository, tag string, ballast int) error {
	return e.control("/images", map[string]any{"Repository": repository, "Tags": []string{tag}, "Ballast": ballast})
}

func (e *Env) control(path string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 20 * time.Second}
	r, err := client.Post(e.FaultControl+path, "application/json", bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(r.Body, 1<<10))
		return fmt.Errorf("fault control %s: %s", path, text)
	}
	return nil
}

// apply applies objects in a namespace.
func (e *Env) apply(ctx context.Context, ns string, objs ...object) error {
	var list []*unstructured.Unstructured
	for _, o := range objs {
		// Through JSON, so that numbers have the types that unstructured wants.
		b, err := json.Marshal(o)
		if err != nil {
			return err
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(b); err != nil {
			return err
		}
		switch u.GetKind() {
		case "Namespace", "Node", "PersistentVolume", "StorageClass", "ValidatingWebhookConfiguration":
		default:
			u.SetNamespace(ns)
		}
		list = append(list, u)
	}
	return e.cluster.Apply(ctx, list)
}

// addNode makes a simulated node. Its status is written apart, as the API wants.
func (e *Env) addNode(name, pool, cpu string, unschedulable bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	b, err := json.Marshal(simNode(name, pool, cpu, unschedulable))
	if err != nil {
		return err
	}
	var n corev1.Node
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	_, err = e.kube.CoreV1().Nodes().Create(ctx, &n, metav1.CreateOptions{})
	return err
}

// announceScaleUp says of every pending pod of a namespace what the cluster
// autoscaler says when it adds a node for it.
func (e *Env) announceScaleUp(ns string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	pods, err := e.kube.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	now := metav1.Now()
	for _, p := range pods.Items {
		if p.Spec.NodeName != "" {
			continue
		}
		ev := &corev1.Event{ObjectMeta: metav1.ObjectMeta{GenerateName: p.Name + ".", Namespace: ns},
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: ns, Name: p.Name, UID: p.UID, APIVersion: "v1"},
			Reason:         "TriggeredScaleUp", Message: "pod triggered scale-up: [{pool-" + ns + " 1->2 (max: 5)}]", Type: "Normal",
			Source: corev1.EventSource{Component: "cluster-autoscaler"}, FirstTimestamp: now, LastTimestamp: now, Count: 1}
		if _, err := e.kube.CoreV1().Events(ns).Create(ctx, ev, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// playAutoscaler holds the cluster autoscaler's lease, as it does while it runs:
// the scale-ups that plays announce are its own.
func (e *Env) playAutoscaler(ctx context.Context) {
	const name = "cluster-autoscaler"
	leases := e.kube.CoordinationV1().Leases("kube-system")
	holder, seconds := "soak", int32(15)
	for ctx.Err() == nil {
		now := metav1.NowMicro()
		l, err := leases.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			l.Spec.RenewTime = &now
			_, err = leases.Update(ctx, l, metav1.UpdateOptions{})
		} else {
			_, err = leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name},
				Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now}}, metav1.CreateOptions{})
		}
		if err != nil && ctx.Err() == nil {
			e.mu.Lock()
			e.judgeErrors = append(e.judgeErrors, "autoscaler's lease: "+err.Error())
			e.mu.Unlock()
		}
		pause(ctx, 5*time.Second)
	}
	ctx, cancel := patient()
	defer cancel()
	_ = leases.Delete(ctx, name, metav1.DeleteOptions{})
}

func (e *Env) removeNodes(ctx context.Context, pool string) error {
	return e.kube.CoreV1().Nodes().DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "pool=" + pool})
}

func portOf(hostPort string) string {
	_, port, _ := net.SplitHostPort(hostPort)
	return port
}
