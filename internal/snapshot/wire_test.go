package snapshot

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func wireList(t testing.TB, list interface{ Marshal() ([]byte, error) }) []byte {
	raw, err := list.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	// runtime.Unknown: field 2 is the object.
	out := append([]byte(protobufMagic), fieldUnknownRaw<<3|2)
	for n := len(raw); ; n >>= 7 {
		if n < 0x80 {
			out = append(out, byte(n))
			break
		}
		out = append(out, byte(n)|0x80)
	}
	return append(out, raw...)
}

// TestPodsOfAnOwnerShare holds that what pods of one owner have in common is
// kept once, and that a pod in trouble is kept whole.
func TestPodsOfAnOwnerShare(t *testing.T) {
	var list corev1.PodList
	for _, suffix := range []string{"abcde", "fghij", "klmno"} {
		p := corev1.Pod{}
		p.Namespace, p.Name, p.UID = "shop", "web-"+suffix, "u"
		p.Labels = map[string]string{"app": "web"}
		p.Annotations = map[string]string{lastApplied: "{}"}
		p.Spec = corev1.PodSpec{NodeName: "n-" + suffix, Volumes: []corev1.Volume{{Name: "config"}, {Name: tokenVolume + suffix}},
			Containers: []corev1.Container{{Name: "app", Image: "web:v1", VolumeMounts: []corev1.VolumeMount{{Name: "config"}, {Name: tokenVolume + suffix, MountPath: "/var"}}}}}
		p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", Conditions: []corev1.PodCondition{{Type: "PodScheduled", Status: "True"}, {Type: "Ready", Status: "True"}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, Image: "web:v1", ContainerID: "containerd://1", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}}
		list.Items = append(list.Items, p)
	}
	list.Items[2].Status.ContainerStatuses[0].RestartCount = 1
	list.Continue = "more"
	page, err := ReadPage(wireList(t, &list))
	if err != nil || page.Len() != 3 || page.Continue != "more" {
		t.Fatal(page, err)
	}
	var o Objects
	if err := KindOfResource("pods").TakePage(&o, NewShared(), page); err != nil {
		t.Fatal(err)
	}
	a, b, sick := o.Pods[0], o.Pods[1], o.Pods[2]
	if &a.Spec.Containers[0] != &b.Spec.Containers[0] || &a.Spec.Volumes[0] != &b.Spec.Volumes[0] {
		t.Error("two pods of one owner keep their containers or volumes twice")
	}
	if a.Spec.NodeName != "n-abcde" || b.Spec.NodeName != "n-fghij" || a.Name != "web-abcde" {
		t.Errorf("what is a pod's own got lost: %+v", a)
	}
	if len(a.Spec.Volumes) != 1 || len(a.Spec.Containers[0].VolumeMounts) != 1 {
		t.Errorf("not the token's volume alone went: %+v", a.Spec)
	}
	if len(a.Status.Conditions) != 1 || a.Status.PodIP != "" || a.Annotations != nil {
		t.Errorf("not slim: %+v", a.Status)
	}
	if sick.Spec.Volumes[1].Name != tokenVolume+"klmno" || len(sick.Status.Conditions) != 2 || sick.Status.ContainerStatuses[0].ContainerID == "" {
		t.Errorf("a pod that restarted is not kept whole: %+v", sick)
	}
}

// TestQuiet names what keeps a pod from being slimmed.
func TestQuiet(t *testing.T) {
	well := func() *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: "Ready", Status: "True"}},
			ContainerStatuses: []corev1.ContainerStatus{{Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}}}
	}
	if !quiet(well()) {
		t.Fatal("a pod that runs well is not quiet")
	}
	for name, change := range map[string]func(*corev1.PodStatus){
		"pending":        func(s *corev1.PodStatus) { s.Phase = corev1.PodPending },
		"not ready":      func(s *corev1.PodStatus) { s.Conditions[0].Status = "False" },
		"readiness text": func(s *corev1.PodStatus) { s.Conditions[0].Message = "x" },
		"own condition": func(s *corev1.PodStatus) {
			s.Conditions = append(s.Conditions, corev1.PodCondition{Type: "x/y", Status: "True"})
		},
		"disruption": func(s *corev1.PodStatus) {
			s.Conditions = append(s.Conditions, corev1.PodCondition{Type: "DisruptionTarget", Status: "True"})
		},
		"restarted": func(s *corev1.PodStatus) { s.ContainerStatuses[0].RestartCount = 1 },
		"died before": func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{}
		},
		"waits": func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}
		},
		"container unready": func(s *corev1.PodStatus) { s.ContainerStatuses[0].Ready = false },
		"init failed": func(s *corev1.PodStatus) {
			s.InitContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}}}}
		},
		"debugged": func(s *corev1.PodStatus) { s.EphemeralContainerStatuses = []corev1.ContainerStatus{{}} },
		"resize":   func(s *corev1.PodStatus) { s.Resize = "Infeasible" },
		"message":  func(s *corev1.PodStatus) { s.Message = "x" },
		"no word":  func(s *corev1.PodStatus) { s.ContainerStatuses = nil },
	} {
		p := well()
		change(&p.Status)
		if quiet(p) {
			t.Errorf("%s: quiet", name)
		}
	}
}

// FuzzTakePage holds that no answer of a server makes it panic.
func FuzzTakePage(f *testing.F) {
	p := corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	p.Name, p.Labels = "web", map[string]string{"a": "b"}
	p.Spec.Volumes = []corev1.Volume{{Name: tokenVolume + "abcde"}}
	f.Add(wireList(f, &corev1.PodList{Items: []corev1.Pod{p, p}}), 2)
	f.Add(wireList(f, &corev1.NodeList{Items: []corev1.Node{{Status: corev1.NodeStatus{Images: []corev1.ContainerImage{{Names: []string{"a"}}}}}}}), 1)
	f.Add([]byte(protobufMagic+"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0)
	f.Fuzz(func(t *testing.T, body []byte, kind int) {
		k := Kinds[uint(kind)%uint(len(Kinds))]
		page, err := ReadPage(body)
		if err != nil || k.TakePage == nil {
			return
		}
		var o Objects
		_ = k.TakePage(&o, NewShared(), page)
		k.tidy(&o, "")
	})
}
