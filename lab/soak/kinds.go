package soak

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Kinds lists every kind, those of one class together.
func Kinds() []kind {
	return slices.Concat(registryKinds(), startKinds(), slowKinds(), clusterKinds(), nodeKinds(), actedKinds())
}

// KindNames lists their names.
func KindNames() []string {
	var out []string
	for _, k := range Kinds() {
		out = append(out, k.name)
	}
	return out
}

// anyWorkload is mostly a Deployment, as in life, now and then another kind.
func anyWorkload(d *draw, spec object) object {
	switch n := d.IntN(20); {
	case n < 13:
		return workload("deployment", "web", 1+d.IntN(3), spec)
	case n < 16:
		return workload("statefulset", "db", 1+d.IntN(2), spec)
	case n < 18:
		return workload("daemonset", "agent", 0, spec)
	}
	return workload("job", "migrate", 1, jobSpec(spec))
}

// jobSpec makes the container end, as a Job's must.
func jobSpec(spec object) object {
	c := spec["containers"].([]any)[0].(object)
	c["args"] = append(c["args"].([]any), "-exit", "0", "-exit-after", "3s")
	delete(c, "readinessProbe")
	return spec
}

// lift is the step that ends a fault.
func lift(after time.Duration, s spare) step {
	return step{after, "fault lifted", func(e *Env) error { return e.setFault(s.name, "", 0) }}
}

// pullFault is a rollout whose registry plays a fault for a while. Every other
// one is an update of a workload that runs.
func pullFault(name, like string, weight int, causes []string, lease func(d *draw) spare) kind {
	return kind{name: name, class: Heals, weight: weight, causes: causes, make: func(d *draw) play {
		s := lease(d)
		p := pullPlay(d, s, like, d.faultTime(), 64<<10)
		return p
	}}
}

func pullPlay(d *draw, s spare, like string, long time.Duration, ballast int) play {
	image, err := d.faultyImage(s, like, ballast)
	if err != nil {
		panic(err) // the lab's fault control is gone: play reports it
	}
	w := anyWorkload(d, pod(container(image), nil))
	p := play{start: []object{w}, workloads: []string{id(w)}, steps: []step{lift(long, s)}}
	if kind := w["kind"]; (kind == "Deployment" || kind == "StatefulSet") && d.IntN(2) == 0 {
		n := w["spec"].(object)["replicas"].(int)
		p.before = []object{workload(map[any]string{"Deployment": "deployment", "StatefulSet": "statefulset"}[kind], w["metadata"].(object)["name"].(string), n, pod(container(goodImage), nil))}
	}
	return p
}

// faultyImage is a new image behind a spare that plays a fault from now on.
func (d *draw) faultyImage(s spare, like string, ballast int) (string, error) {
	image, err := d.image(s.host, "v1", ballast)
	if err != nil {
		return "", err
	}
	d.leased = append([]func(){func() { _ = d.env.setFault(s.name, "", 0) }}, d.leased...)
	return image, d.env.setFault(s.name, like, 0)
}

// registryKinds are faults on the way to an image.
func registryKinds() []kind {
	plain, tls, names := (*draw).plainPort, (*draw).tlsPort, (*draw).hostName
	return []kind{
		pullFault("registry-refused", "tcp-refused", 10, []string{"tcp-refused"}, plain),
		pullFault("registry-drops-packets", "tcp-timeout", 7, []string{"tcp-timeout"}, plain),
		pullFault("registry-resets", "tcp-reset", 5, []string{"tcp-reset", "mid-transfer-eof"}, plain),
		pullFault("registry-silent", "no-answer", 5, []string{"response-header-timeout"}, plain),
		pullFault("registry-500", "http-500", 6, []string{"registry-5xx"}, plain),
		pullFault("registry-502", "http-502", 4, []string{"registry-5xx"}, plain),
		pullFault("registry-503", "http-503", 8, []string{"registry-5xx"}, plain),
		pullFault("registry-429", "http-429", 8, []string{"rate-limit-other"}, plain),
		pullFault("token-endpoint-500", "token-endpoint-500", 5, []string{"token-endpoint-failed"}, plain),
		pullFault("tls-handshake-silent", "tls-handshake-timeout", 5, []string{"tls-handshake-timeout"}, tls),
		pullFault("dns-servfail", "dns-servfail", 5, []string{"dns-servfail"}, names),
		pullFault("dns-no-answer", "dns-timeout", 5, []string{"dns-timeout"}, names),
		pullFault("dns-nxdomain", "dns-moving", 5, []string{"dns-nxdomain"}, names),
		pullFault("blob-truncated", "truncated", 4, []string{"mid-transfer-eof"}, plain),
		pullFault("blob-host-blocked", "blob-host-blocked", 4, []string{"blob-cdn-blocked"}, plain),
		pullFault("blob-drip", "drip", 4, []string{"pull-hangs-drip", "slow-transfer"}, plain),
	}
}

// startKinds are programs that fail at first and then start.
func startKinds() []kind {
	return []kind{
		{name: "dependency-late", class: Heals, weight: 8, causes: []string{"dependency-unavailable"}, accepted: []string{"crashloop-app-error"}, make: func(d *draw) play {
			s := d.plainPort()
			return dependencyPlay(d, s, anyWorkload(d, pod(readiness(container(goodImage, "-need-host", s.ip())), nil)))
		}},
		{name: "init-waits", class: Heals, weight: 6, causes: []string{"init-container-waiting"}, make: func(d *draw) play {
			s := d.plainPort()
			spec := pod(container(goodImage), object{"initContainers": []any{object{"name": "wait", "image": goodImage, "args": []any{"wait", s.ip()}}}})
			return dependencyPlay(d, s, anyWorkload(d, spec))
		}},
		{name: "init-fails-then-passes", class: Heals, weight: 4, causes: []string{"init-container-failing", "dependency-unavailable"}, make: func(d *draw) play {
			s := d.plainPort()
			spec := pod(container(goodImage), object{"initContainers": []any{object{"name": "migrate", "image": goodImage,
				"args": []any{"-need-host", s.ip(), "-exit", "0"}}}})
			return dependencyPlay(d, s, anyWorkload(d, spec))
		}},
		{name: "crashes-then-runs", class: Heals, weight: 8, causes: []string{"crashloop-app-error"}, make: func(d *draw) play {
			c, extra := volume(readiness(container(goodImage, "-count-file", "/data/starts", "-fail-times", fmt.Sprint(1+d.IntN(3)))))
			w := workload("deployment", "web", 1+d.IntN(2), pod(c, extra))
			return play{start: []object{w}, workloads: []string{id(w)}}
		}},
		{name: "killed-once-while-cold", class: Heals, weight: 4, causes: []string{"liveness-kill"}, accepted: []string{"slow-start"}, make: func(d *draw) play {
			c, extra := volume(container(goodImage, "-count-file", "/data/starts", "-slow-once", "90s"))
			c["livenessProbe"] = object{"httpGet": httpGet("/healthz"), "periodSeconds": 5, "failureThreshold": 3, "initialDelaySeconds": 5}
			c["readinessProbe"] = object{"httpGet": httpGet("/healthz"), "periodSeconds": 3}
			w := workload("deployment", "web", 1, pod(c, extra))
			return play{start: []object{w}, workloads: []string{id(w)}}
		}},
		{name: "job-retries", class: Heals, weight: 4, causes: []string{"dependency-unavailable", "job-backoff", "crashloop-app-error"}, make: func(d *draw) play {
			s := d.plainPort()
			w := workload("job", "migrate", 1, pod(container(goodImage, "-need-host", s.ip(), "-exit", "0"), nil))
			return dependencyPlay(d, s, w)
		}},
		{name: "deadline-short", class: Deadline, weight: 4, make: func(d *draw) play {
			s := d.plainPort()
			image, err := d.faultyImage(s, "http-503", 0)
			if err != nil {
				panic(err)
			}
			w := with(workload("deployment", "web", 1, pod(container(image), nil)), "progressDeadlineSeconds", 20)
			return play{start: []object{w}, workloads: []string{id(w)}, steps: []step{lift(d.seconds(40, 60), s)}}
		}},
	}
}

// dependencyPlay has a dependency that nothing listens for at first.
func dependencyPlay(d *draw, s spare, w object) play {
	if err := d.env.setFault(s.name, "tcp-refused", 0); err != nil {
		panic(err)
	}
	d.leased = append([]func(){func() { _ = d.env.setFault(s.name, "", 0) }}, d.leased...)
	return play{start: []object{w}, workloads: []string{id(w)}, steps: []step{lift(d.faultTime(), s)}}
}

// slowKinds have nothing wrong with them.
func slowKinds() []kind {
	slow := func(name string, weight int, accepted []string, make func(d *draw) play) kind {
		return kind{name: name, class: Slow, weight: weight, accepted: accepted, make: make}
	}
	single := func(w object) play { return play{start: []object{w}, workloads: []string{id(w)}} }
	return []kind{
		slow("slow-pull", 8, []string{"slow-transfer", "image-too-large", "not-pulling-yet", "serial-pull-queue", "slow-but-progressing", "thundering-herd"}, func(d *draw) play {
			s := d.plainPort()
			long := d.seconds(20, 240)
			size := 2 << 20
			image, err := d.image(s.host, "v1", size)
			if err == nil {
				err = d.env.setFault(s.name, "slow", int(float64(size)/long.Seconds()))
			}
			if err != nil {
				panic(err)
			}
			d.leased = append([]func(){func() { _ = d.env.setFault(s.name, "", 0) }}, d.leased...)
			return single(anyWorkload(d, pod(container(image), nil)))
		}),
		slow("slow-readiness", 8, []string{"readiness-http-status", "readiness-conn-refused", "slow-start", "slow-but-progressing"}, func(d *draw) play {
			c := readiness(container(goodImage, oneOf(d, "-ready-after", "-listen-after"), seconds(d.seconds(20, 110))))
			return single(workload(oneOf(d, "deployment", "deployment", "statefulset", "daemonset"), "web", 1+d.IntN(2), pod(c, nil)))
		}),
		slow("slow-startup-probe", 6, []string{"slow-start", "readiness-conn-refused", "startup-probe-failed", "slow-but-progressing"}, func(d *draw) play {
			c := readiness(container(goodImage, "-listen-after", seconds(d.seconds(20, 180))))
			c["startupProbe"] = object{"httpGet": httpGet("/healthz"), "periodSeconds": 5, "failureThreshold": 60}
			return single(workload(oneOf(d, "deployment", "deployment", "statefulset"), "web", 1+d.IntN(2), pod(c, nil)))
		}),
		slow("slow-init", 4, []string{"init-container-waiting", "slow-but-progressing"}, func(d *draw) play {
			init := object{"name": "warm", "image": goodImage, "args": []any{"sleep", seconds(d.seconds(20, 200))}}
			return single(anyWorkload(d, pod(container(goodImage), object{"initContainers": []any{init}})))
		}),
		slow("min-ready", 3, []string{"min-ready-seconds", "slow-but-progressing"}, func(d *draw) play {
			return single(with(workload("deployment", "web", 2, pod(readiness(container(goodImage)), nil)), "minReadySeconds", 20+d.IntN(40)))
		}),
		slow("ordered-statefulset", 4, []string{"statefulset-ordered-wait", "readiness-http-status", "readiness-conn-refused", "slow-start", "slow-but-progressing"}, func(d *draw) play {
			c := readiness(container(goodImage, "-ready-after", seconds(d.seconds(10, 30))))
			return single(workload("statefulset", "db", 3, pod(c, nil)))
		}),
		slow("long-job", 3, []string{"slow-but-progressing"}, func(d *draw) play {
			return single(workload("job", "migrate", 1, pod(container(goodImage, "-exit", "0", "-exit-after", seconds(d.seconds(30, 150))), nil)))
		}),
		slow("old-pods-linger", 6, []string{"recreate-waits-old-pods", "old-pod-grace", "sigterm-ignored", "slow-but-progressing"}, func(d *draw) play {
			kind := oneOf(d, "deployment", "deployment", "statefulset", "recreate")
			grace := object{"terminationGracePeriodSeconds": 20 + d.IntN(50)}
			build := func(args ...string) object {
				w := workload(map[string]string{"recreate": "deployment"}[kind], "web", 2, pod(container(goodImage, args...), grace))
				if kind != "recreate" {
					w = workload(kind, "web", 2, pod(container(goodImage, args...), grace))
				}
				switch kind {
				case "recreate":
					with(w, "strategy", object{"type": "Recreate"})
				case "deployment":
					with(w, "strategy", object{"rollingUpdate": object{"maxSurge": 0, "maxUnavailable": 1}})
				}
				return w
			}
			after := build("-print", "v2")
			return play{before: []object{build("-ignore-term")}, start: []object{after}, workloads: []string{id(after)}}
		}),
		slow("slow-poststart", 2, []string{"slow-start", "poststart-hook", "slow-but-progressing"}, func(d *draw) play {
			c := container(goodImage)
			c["lifecycle"] = object{"postStart": object{"exec": object{"command": []any{"/app", "sleep", seconds(d.seconds(15, 60))}}}}
			return single(workload("deployment", "web", 1, pod(c, nil)))
		}),
	}
}

// patient is the context of steps.
func patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 30*time.Second)
}
