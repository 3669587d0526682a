package cause_test

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/unjam-dev/unjam/internal/cause"
	"github.com/unjam-dev/unjam/internal/snapshot/snaptest"
)

// open begins a pull of the image on the node, age ago.
func open(b *snaptest.Builder, name, image, node string, age time.Duration) *snaptest.Pod {
	return b.Deployment(name, image, 1).Pod(node).Event("Normal", "Pulling", fmt.Sprintf("Pulling image %q", image), age, age, 1)
}

// pulled is a healthy pod that pulled its image, ending ago.
func pulled(b *snaptest.Builder, name, image, node, took, total string, bytes int64, ago time.Duration) {
	b.Deployment(name, image, 1).Healthy().Pod(node).Ready().
		Event("Normal", "Pulled", fmt.Sprintf("Successfully pulled image %q in %s (%s including waiting). Image size: %d bytes.", image, took, total, bytes), ago, ago, 1)
}

// opens is a workload "web" whose pull is under way for age.
func opens(age time.Duration, more ...func(*snaptest.Builder)) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		for _, f := range more {
			f(b)
		}
		open(b, "web", lab, "n1", age)
	}
}

// ahead is a healthy workload but for a pull on n1 that began earlier. It is
// young enough to be no finding itself.
func ahead(name string, age time.Duration) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) { open(b, name, "registry.lab:5000/big/"+name+":v1", "n1", age) }
}

// parallel shows two pulls that overlapped on n1.
func parallel(b *snaptest.Builder) {
	pulled(b, "done1", "registry.lab:5000/done/one:v1", "n1", "30s", "30s", 900<<20, 3*time.Minute)
	pulled(b, "done2", "registry.lab:5000/done/two:v1", "n1", "40s", "40s", 900<<20, 170*time.Second)
}

// stampede is a workload on n nodes that began to pull at once; the first bad
// of them are turned away.
func stampede(n, bad int) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		s := b.Deployment("web", lab, int32(n))
		for i := range n {
			node := fmt.Sprintf("n%d", i)
			b.Node(node)
			p := s.Pod(node)
			if i < bad {
				p.PullFails(status(lab, manV, "503 Service Unavailable"))
				continue
			}
			p.Ready().Event("Normal", "Pulling", fmt.Sprintf("Pulling image %q", lab), 4*time.Minute, 4*time.Minute, 1)
		}
		for range s.Deployment.Status.Conditions {
			s.Deployment.Status.ReadyReplicas = int32(n - bad)
		}
	}
}

// kept is a network error for an image that the node holds.
func kept(policy corev1.PullPolicy, present bool, text string) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		if present {
			holds("n1", "registry.lab:5000/shop/web@"+layer, lab)(b)
		}
		b.Deployment("web", lab, 1, func(s *corev1.PodSpec) { s.Containers[0].ImagePullPolicy = policy }).Pod("n1").PullFails(text)
	}
}

var pullQueueCases = []testCase{
	{code: "backoff-wait", name: "no cause left", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", lab, 1).Pod("n1").Waiting("ImagePullBackOff", `Back-off pulling image "`+lab+`"`)
	}},
	{code: "backoff-wait", name: "unknown words", build: pull(lab, resolving(lab, "the gremlins are at it again"))},
	not("backoff-wait", "cause in the message", "tag-not-found", lab, missing),
	{code: "not-pulling-yet", name: "nothing announced", build: func(b *snaptest.Builder) {
		b.Node("n1")
		b.Deployment("web", lab, 1).Pod("n1")
	}},
	{code: "not-pulling-yet", name: "pull under way", near: true, build: opens(15 * time.Second)},
	fires("pull-qps-exceeded", "kubelet", lab, "pull QPS exceeded"),
	not("pull-qps-exceeded", "registry's 429", "rate-limit-other", lab, status(lab, manV, "429 Too Many Requests")),
	fires("ingest-locked", "locked", lab, "rpc error: code = Unavailable desc = "+unpacking("failed to copy: ref layer-"+layer+" locked for 31m0s (since 2026-01-02 09:30:00): unavailable")),
	not("ingest-locked", "registry", "registry-5xx", lab, status(lab, manV, "503 Service Unavailable")),
	leans("pull-progress-timeout", "cancelled", lab, "rpc error: code = Canceled desc = "+unpacking("context canceled")),
	not("pull-progress-timeout", "runtime gone", "runtime-restarted-mid-pull", lab, "rpc error: code = Unavailable desc = error reading from server: EOF"),
	{code: "pull-hangs-drip", name: "40 minutes", confidence: cause.Likely, build: opens(40 * time.Minute)},
	{code: "pull-hangs-drip", name: "two minutes", near: true, build: opens(2 * time.Minute)},
	{code: "serial-pull-queue", name: "behind a longer pull", confidence: cause.Likely, build: opens(40*time.Second, ahead("big", 55*time.Second))},
	{code: "serial-pull-queue", name: "alone", near: true, build: opens(40 * time.Second)},
	{code: "serial-pull-queue", name: "another pull went through meanwhile", near: true, build: opens(40*time.Second, ahead("big", 55*time.Second), func(b *snaptest.Builder) {
		pulled(b, "done", "registry.lab:5000/done/one:v1", "n1", "83ms", "83ms", 5<<20, 20*time.Second)
	})},
	{code: "serial-pull-queue", name: "another pull went through before", confidence: cause.Likely, build: opens(40*time.Second, ahead("big", 55*time.Second), func(b *snaptest.Builder) {
		pulled(b, "done", "registry.lab:5000/done/one:v1", "n1", "83ms", "83ms", 5<<20, 90*time.Second)
	})},
	{code: "serial-pull-queue", name: "on another node", near: true, build: opens(40*time.Second, func(b *snaptest.Builder) { open(b, "big", "registry.lab:5000/big/x:v1", "n2", 55*time.Second) })},
	{code: "parallel-cap-queue", name: "pulls overlapped before", confidence: cause.Likely, build: opens(40*time.Second, parallel, ahead("big", 55*time.Second), ahead("big2", 50*time.Second))},
	{code: "parallel-cap-queue", name: "a later pull went through", near: true, build: opens(40*time.Second, parallel, ahead("big", 55*time.Second), ahead("big2", 50*time.Second), func(b *snaptest.Builder) {
		pulled(b, "late", "registry.lab:5000/done/late:v1", "n1", "83ms", "83ms", 5<<20, 10*time.Second)
	})},
	{code: "parallel-cap-queue", name: "one at a time", near: true, want: []string{"serial-pull-queue"}, build: opens(40*time.Second, ahead("big", 55*time.Second), ahead("big2", 50*time.Second))},
	{code: "slow-transfer", name: "registry slow before", confidence: cause.Likely, build: opens(5*time.Minute, func(b *snaptest.Builder) {
		pulled(b, "other", "registry.lab:5000/shop/other:v1", "n1", "1m40s", "1m40s", 50<<20, 10*time.Minute)
	})},
	{code: "slow-transfer", name: "registry fast before", near: true, build: opens(5*time.Minute, func(b *snaptest.Builder) {
		pulled(b, "other", "registry.lab:5000/shop/other:v1", "n1", "2s", "2s", 50<<20, 10*time.Minute)
	})},
	{code: "slow-unpack", name: "slow for every registry, fast on another node", confidence: cause.Likely, build: fleet(50<<20, true)},
	{code: "slow-unpack", name: "slow from one registry", near: true, want: []string{"slow-transfer"}, build: opens(5*time.Minute, func(b *snaptest.Builder) {
		pulled(b, "other", "registry.lab:5000/shop/other:v1", "n1", "1m40s", "1m40s", 50<<20, 10*time.Minute)
	})},
	{code: "image-too-large", name: "4 GiB elsewhere", confidence: cause.Likely, build: fleet(4<<30, false)},
	{code: "image-too-large", name: "small elsewhere", near: true, build: fleet(50<<20, false)},
	{code: "thundering-herd", name: "two of eight turned away", confidence: cause.Likely, want: []string{"registry-5xx", "thundering-herd"}, build: stampede(8, 2)},
	{code: "thundering-herd", name: "outage", near: true, want: []string{"registry-5xx"}, build: stampede(8, 8)},
	{code: "policy-always-needs-registry", name: "copy on the node", confidence: cause.Likely, want: []string{"policy-always-needs-registry", "tcp-timeout"}, build: kept(corev1.PullAlways, true, labFails(timedOut))},
	{code: "policy-always-needs-registry", name: "no copy", near: true, want: []string{"tcp-timeout"}, build: kept(corev1.PullAlways, false, labFails(timedOut))},
	{code: "credential-recheck-repull", name: "copy on the node", confidence: cause.Likely, want: []string{"credential-recheck-repull", "tcp-timeout"}, build: kept(corev1.PullIfNotPresent, true, labFails(timedOut))},
	{code: "credential-recheck-repull", name: "refusal explains it", want: []string{"private-or-nonexistent"}, build: kept(corev1.PullIfNotPresent, true, resolving(lab, noBasic))},
	{code: "credential-recheck-repull", name: "no copy", near: true, want: []string{"tcp-timeout"}, build: kept(corev1.PullIfNotPresent, false, labFails(timedOut))},
}

// fleet is one workload on two nodes: n2 pulled the image within 20 s, n1 is
// still at it. With slow, n1 was slow for two other registries too.
func fleet(bytes int64, slow bool) func(*snaptest.Builder) {
	return func(b *snaptest.Builder) {
		b.Node("n1")
		b.Node("n2")
		took := "20s"
		if bytes < 1<<30 {
			took = "2s"
		}
		if slow {
			pulled(b, "other", "registry.lab:5000/shop/other:v1", "n1", "1m40s", "1m40s", 50<<20, 10*time.Minute)
			pulled(b, "other2", "quay.io/shop/other:v1", "n1", "1m40s", "1m40s", 50<<20, 8*time.Minute)
		}
		s := b.Deployment("web", lab, 2)
		s.Pod("n2").Ready().Event("Normal", "Pulled", fmt.Sprintf("Successfully pulled image %q in %s (%s including waiting). Image size: %d bytes.", lab, took, took, bytes), 4*time.Minute, 4*time.Minute, 1)
		s.Pod("n1").Event("Normal", "Pulling", fmt.Sprintf("Pulling image %q", lab), 5*time.Minute, 5*time.Minute, 1)
	}
}
