package soak

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

const (
	goodImage = "registry.lab:5000/shop/web:v1"
	// simTaint keeps ordinary pods off simulated nodes.
	simTaint = "kwok.x-k8s.io/node"
	// cutLabel marks the nodes whose power the soak may cut; a taint of the same
	// name keeps other rollouts off them.
	cutLabel = "soak.unjam.dev/cut"
)

// container is a container of the test application.
func container(image string, args ...string) object {
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a
	}
	return object{"name": "app", "image": image, "args": list}
}

// pod wraps a container in a pod specification; extra fields win.
func pod(c object, extra object) object {
	out := object{"terminationGracePeriodSeconds": 1, "containers": []any{c}}
	maps.Copy(out, extra)
	return out
}

// workload makes a workload of a kind with n pods. Names are unique per play.
func workload(kind, name string, n int, spec object) object {
	labels := object{"app": name}
	template := object{"metadata": object{"labels": labels}, "spec": spec}
	selector := object{"matchLabels": labels}
	u := object{"metadata": object{"name": name, "labels": labels}}
	switch kind {
	case "deployment":
		u["apiVersion"], u["kind"] = "apps/v1", "Deployment"
		u["spec"] = object{"replicas": n, "selector": selector, "template": template}
	case "statefulset":
		u["apiVersion"], u["kind"] = "apps/v1", "StatefulSet"
		u["spec"] = object{"replicas": n, "serviceName": name, "selector": selector, "template": template}
	case "daemonset":
		u["apiVersion"], u["kind"] = "apps/v1", "DaemonSet"
		u["spec"] = object{"selector": selector, "template": template}
	case "job":
		spec["restartPolicy"] = "Never"
		u["apiVersion"], u["kind"] = "batch/v1", "Job"
		u["spec"] = object{"completions": n, "parallelism": n, "backoffLimit": 6, "template": template}
	}
	return u
}

// with sets a field below spec.
func with(u object, field string, value any) object {
	u["spec"].(object)[field] = value
	return u
}

// id is how targets write a workload.
func id(u object) string {
	return strings.ToLower(u["kind"].(string)) + "/" + u["metadata"].(object)["name"].(string)
}

func httpGet(path string) object { return object{"path": path, "port": 8080} }

// readiness adds a readiness probe on /healthz.
func readiness(c object) object {
	c["readinessProbe"] = object{"httpGet": httpGet("/healthz"), "periodSeconds": 5}
	return c
}

// volume adds an emptyDir, which outlives its containers.
func volume(c object) (object, object) {
	c["volumeMounts"] = []any{object{"name": "data", "mountPath": "/data"}}
	return c, object{"volumes": []any{object{"name": "data", "emptyDir": object{}}}}
}

func configMap(name string) object {
	return object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": name}, "data": object{"key": "value"}}
}

func secret(name string) object {
	return object{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": name}, "stringData": object{"key": "value"}}
}

func podQuota(n int) object {
	return object{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": object{"name": "pods"}, "spec": object{"hard": object{"pods": fmt.Sprint(n)}}}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// onPool sends pods to simulated nodes of a pool of the play's own.
func onPool(pool string) object {
	return object{"nodeSelector": object{"pool": pool}, "tolerations": []any{object{"key": simTaint, "operator": "Exists"}}}
}

// onCutNode sends pods to one of the nodes whose power is cut.
func onCutNode(node string) object {
	return object{"nodeSelector": object{"kubernetes.io/hostname": node}, "tolerations": []any{object{"key": cutLabel, "operator": "Exists"}}}
}

// simNode is a node that kwok keeps.
func simNode(name, pool, cpu string, unschedulable bool) object {
	room := object{"cpu": cpu, "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"}
	return object{"apiVersion": "v1", "kind": "Node",
		"metadata": object{"name": name, "annotations": object{"kwok.x-k8s.io/node": "fake"},
			"labels": object{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "pool": pool, "type": "kwok"}},
		"spec":   object{"unschedulable": unschedulable, "taints": []any{object{"key": simTaint, "value": "fake", "effect": "NoSchedule"}}},
		"status": object{"allocatable": room, "capacity": room}}
}
