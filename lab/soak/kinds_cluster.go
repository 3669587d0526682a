package soak

import (
	"fmt"
	"maps"
	"time"
)

// clusterKinds wait for something in the cluster that comes by itself.
func clusterKinds() []kind {
	room := []string{"insufficient-cpu", "ca-scaleup-in-progress", "node-affinity-mismatch"}
	return []kind{
		// The autoscaler says that a node comes; no node of the pool is there yet.
		{name: "scale-up-from-zero", class: Heals, weight: 5, causes: room, make: func(d *draw) play {
			w := workload("deployment", "web", 1+d.IntN(3), pod(container(goodImage), onPool(d.ns)))
			p := play{start: []object{w}, workloads: []string{id(w)}, steps: []step{announce(d, d.seconds(8, 14)), join(d, d.seconds(25, 100))}}
			d.leased = append(d.leased, leaveNodes(d))
			return p
		}},
		// The same, where the pool's first node is full.
		{name: "scale-up-late", class: Heals, weight: 5, causes: room, make: func(d *draw) play {
			w := workload("deployment", "web", 2+d.IntN(2), pod(request(container(goodImage), "1500m"), onPool(d.ns)))
			if err := d.env.addNode(d.ns+"-0", d.ns, "2", false); err != nil {
				panic(err)
			}
			d.leased = append(d.leased, leaveNodes(d))
			return play{start: []object{w}, workloads: []string{id(w)}, steps: []step{announce(d, d.seconds(8, 14)), join(d, d.seconds(25, 100))}}
		}},
		// A Job of the pool ends and leaves its room.
		{name: "room-freed-by-job", class: Heals, weight: 4, causes: room, make: func(d *draw) play {
			w := workload("deployment", "web", 1, pod(request(container(goodImage), "1500m"), nil))
			hold := workload("job", "batch", 1, pod(request(container(goodImage, "-exit", "0", "-exit-after", seconds(d.seconds(30, 90))), "1500m"), nil))
			// Both on one real node that takes only one of them at a time.
			return onFullNode(d, w, hold)
		}},
		// A Job gives its share of the quota back when it ends.
		{name: "quota-freed-by-job", class: Heals, weight: 6, causes: []string{"quota-exceeded"}, make: func(d *draw) play {
			hold := workload("job", "batch", 1, pod(container(goodImage, "-exit", "0", "-exit-after", seconds(d.seconds(25, 90))), nil))
			w := workload(oneOf(d, "deployment", "deployment", "statefulset"), "web", 2, pod(container(goodImage), nil))
			return play{before: []object{podQuota(2), hold}, start: []object{w}, workloads: []string{id(w)}}
		}},
		{name: "webhook-down", class: Heals, weight: 5, causes: []string{"webhook-no-endpoints", "webhook-timeout"}, make: func(d *draw) play {
			return webhookPlay(d, "down-tls")
		}},
		{name: "webhook-silent", class: Heals, weight: 3, causes: []string{"webhook-timeout"}, make: func(d *draw) play {
			return webhookPlay(d, "tls-handshake-timeout")
		}},
		{name: "volume-late", class: Heals, weight: 5, causes: []string{"unbound-immediate-pvc", "provisioning-failed", "volume-wait-silent"}, make: func(d *draw) play {
			p := volumePlay(d, "soak.example/slow-provisioner", "Immediate")
			return p
		}},
	}
}

func request(c object, cpu string) object {
	c["resources"] = object{"requests": object{"cpu": cpu}}
	return c
}

func announce(d *draw, after time.Duration) step {
	ns := d.ns
	return step{after, "scale-up announced", func(e *Env) error { return e.announceScaleUp(ns) }}
}

func join(d *draw, after time.Duration) step {
	ns := d.ns
	return step{after, "nodes joined", func(e *Env) error {
		for i := range 2 {
			if err := e.addNode(fmt.Sprintf("%s-%d", ns, i+1), ns, "8", false); err != nil {
				return err
			}
		}
		return nil
	}}
}

func leaveNodes(d *draw) func() {
	e, ns := d.env, d.ns
	return func() {
		ctx, cancel := patient()
		defer cancel()
		_ = e.removeNodes(ctx, ns)
	}
}

// onFullNode runs a rollout and a Job on one real node of two CPUs, of which
// each asks for most.
func onFullNode(d *draw, w, hold object) play {
	node := <-d.env.nodes
	e := d.env
	d.leased = append(d.leased, func() { e.nodes <- node })
	for _, o := range []object{w, hold} {
		maps.Copy(o["spec"].(object)["template"].(object)["spec"].(object), onCutNode(node))
	}
	return play{before: []object{hold}, start: []object{w}, workloads: []string{id(w)}}
}

// webhookPlay has an admission webhook in the way of pods, which a spare port
// serves and a fault takes away.
func webhookPlay(d *draw, like string) play {
	s := d.tlsPort()
	if err := d.env.setFault(s.name, like, 0); err != nil {
		panic(err)
	}
	d.leased = append([]func(){func() { _ = d.env.setFault(s.name, "", 0) }}, d.leased...)
	hook := object{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": object{"name": d.ns},
		"webhooks": []any{object{"name": "policy.example.com", "admissionReviewVersions": []any{"v1"}, "sideEffects": "None", "timeoutSeconds": 3, "failurePolicy": "Fail",
			"clientConfig":      object{"url": "https://10.77.0.1:" + portOf(s.host) + "/allow", "caBundle": d.env.ca},
			"namespaceSelector": object{"matchLabels": object{"kubernetes.io/metadata.name": d.ns}},
			"rules":             []any{object{"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE"}, "resources": []any{"pods"}}}}}}
	w := anyWorkload(d, pod(container(goodImage), nil))
	e, ns := d.env, d.ns
	d.leased = append(d.leased, func() {
		ctx, cancel := patient()
		defer cancel()
		_ = e.removeWebhook(ctx, ns)
	})
	return play{before: []object{hook}, start: []object{w}, workloads: []string{id(w)}, steps: []step{lift(d.faultTime(), s)}}
}

// volumePlay waits for a claim to be bound. A step makes the volume, as the
// provisioner does.
func volumePlay(d *draw, provisioner, mode string) play {
	class := object{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": object{"name": d.ns}, "provisioner": provisioner, "volumeBindingMode": mode}
	claim := object{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": object{"name": "data"},
		"spec": object{"accessModes": []any{"ReadWriteOnce"}, "storageClassName": d.ns, "resources": object{"requests": object{"storage": "1Gi"}}}}
	c := container(goodImage)
	c["volumeMounts"] = []any{object{"name": "data", "mountPath": "/data"}}
	w := workload("deployment", "web", 1, pod(c, object{"volumes": []any{object{"name": "data", "persistentVolumeClaim": object{"claimName": "data"}}}}))
	volume := object{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": object{"name": d.ns},
		"spec": object{"accessModes": []any{"ReadWriteOnce"}, "storageClassName": d.ns, "capacity": object{"storage": "1Gi"}, "persistentVolumeReclaimPolicy": "Retain",
			"claimRef": object{"namespace": d.ns, "name": "data"}, "hostPath": object{"path": "/run/soak-" + d.ns, "type": "DirectoryOrCreate"}}}
	e, ns := d.env, d.ns
	d.leased = append(d.leased, func() {
		ctx, cancel := patient()
		defer cancel()
		_ = e.removeVolume(ctx, ns)
	})
	return play{before: []object{class, claim}, start: []object{w}, workloads: []string{id(w)}, steps: []step{applies(d, d.seconds(10, 90), "volume made", volume)}}
}

// applies is a step that applies objects.
func applies(d *draw, after time.Duration, what string, objs ...object) step {
	ns := d.ns
	return step{after, what, func(e *Env) error {
		ctx, cancel := patient()
		defer cancel()
		return e.apply(ctx, ns, objs...)
	}}
}

// nodeKinds cut the power of a node under a handful of rollouts.
func nodeKinds() []kind {
	causes := []string{"node-notready-unknown", "nodelost-ready-false", "node-rebooted"}
	cut := func(name string, from, to int) kind {
		return kind{name: name, class: Node, weight: 2, causes: causes, accepted: []string{"readiness-conn-refused", "readiness-http-status", "slow-start", "daemonset-dead-node-budget", "container-status-unknown"}, make: func(d *draw) play {
			node := <-d.env.nodes
			e := d.env
			d.leased = append(d.leased, func() { _ = e.Power(node, "start"); e.nodes <- node })
			on := onCutNode(node)
			p := play{}
			for i := range 5 {
				c := readiness(container(goodImage, "-ready-after", seconds(d.seconds(5, 25))))
				w := workload(oneOf(d, "deployment", "deployment", "statefulset"), fmt.Sprintf("web-%d", i), 1+d.IntN(2), pod(c, on))
				p.start, p.workloads = append(p.start, w), append(p.workloads, id(w))
			}
			off := d.seconds(2, 12)
			p.steps = []step{
				{off, node + " lost power", func(e *Env) error { return e.Power(node, "stop") }},
				{off + d.seconds(from, to), node + " is back", func(e *Env) error { return e.Power(node, "start") }},
			}
			return p
		}}
	}
	return []kind{cut("power-cut-short", 10, 30), cut("power-cut-long", 55, 110)}
}

// actedKinds wait for somebody.
func actedKinds() []kind {
	acted := func(name string, weight int, causes []string, make func(d *draw) play) kind {
		return kind{name: name, class: Acted, weight: weight, causes: causes, make: make}
	}
	late := func(w object, steps ...step) play {
		return play{start: []object{w}, workloads: []string{id(w)}, steps: steps}
	}
	return []kind{
		acted("configmap-late", 4, []string{"configmap-missing-env", "config-volume-missing"}, func(d *draw) play {
			c, extra := container(goodImage), object(nil)
			if d.IntN(2) == 0 {
				c["envFrom"] = []any{object{"configMapRef": object{"name": "settings"}}}
			} else {
				c["volumeMounts"] = []any{object{"name": "settings", "mountPath": "/settings"}}
				extra = object{"volumes": []any{object{"name": "settings", "configMap": object{"name": "settings"}}}}
			}
			return late(anyWorkload(d, pod(c, extra)), applies(d, d.seconds(5, 60), "ConfigMap created", configMap("settings")))
		}),
		acted("secret-late", 4, []string{"secret-missing-env", "config-volume-missing"}, func(d *draw) play {
			c := container(goodImage)
			c["envFrom"] = []any{object{"secretRef": object{"name": "login"}}}
			return late(anyWorkload(d, pod(c, nil)), applies(d, d.seconds(5, 60), "Secret created", secret("login")))
		}),
		acted("serviceaccount-late", 3, []string{"serviceaccount-missing"}, func(d *draw) play {
			w := anyWorkload(d, pod(container(goodImage), object{"serviceAccountName": "robot"}))
			return late(w, applies(d, d.seconds(5, 60), "ServiceAccount created", object{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": object{"name": "robot"}}))
		}),
		acted("quota-raised", 4, []string{"quota-exceeded"}, func(d *draw) play {
			w := workload(oneOf(d, "deployment", "statefulset"), "web", 2, pod(container(goodImage), nil))
			p := late(w, applies(d, d.seconds(5, 60), "quota raised", podQuota(5)))
			p.before = []object{podQuota(1)}
			return p
		}),
		acted("uncordoned", 4, []string{"node-unschedulable"}, func(d *draw) play {
			if err := d.env.addNode(d.ns+"-0", d.ns, "8", true); err != nil {
				panic(err)
			}
			d.leased = append(d.leased, leaveNodes(d))
			ns := d.ns
			w := workload("deployment", "web", 1+d.IntN(3), pod(container(goodImage), onPool(d.ns)))
			return late(w, step{d.seconds(10, 90), "node uncordoned", func(e *Env) error {
				ctx, cancel := patient()
				defer cancel()
				return e.cluster.Cordon(ctx, []string{ns + "-0"}, false)
			}})
		}),
		acted("image-pushed-late", 4, []string{"tag-not-found", "repo-not-found"}, func(d *draw) play {
			repository := fmt.Sprintf("%s/late%d", d.ns, d.Uint32())
			w := anyWorkload(d, pod(container("registry.lab:5000/"+repository+":v1"), nil))
			return late(w, step{d.seconds(10, 70), "image pushed", func(e *Env) error { return e.push(repository, "v1", 0) }})
		}),
		acted("certificate-renewed", 3, []string{"tls-expired"}, func(d *draw) play {
			p := pullPlay(d, d.tlsPort(), "tls-expired", d.seconds(10, 80), 0)
			return p
		}),
		// Every node gets the same wrong bytes: somebody has to purge the cache.
		acted("cache-purged", 4, []string{"digest-mismatch"}, func(d *draw) play {
			return pullPlay(d, d.plainPort(), "corrupt", d.seconds(10, 80), 64<<10)
		}),
		acted("blob-restored", 2, []string{"layer-blob-missing"}, func(d *draw) play {
			return pullPlay(d, d.plainPort(), "blob-missing", d.seconds(10, 80), 64<<10)
		}),
	}
}
