package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"github.com/unjam-dev/unjam/internal/facts"
	"github.com/unjam-dev/unjam/internal/fit"
)

// claimTrouble is the newest event that says why a claim has no volume.
func claimTrouble(f *facts.Facts, namespace, name string, claim *corev1.PersistentVolumeClaim) *facts.Event {
	if claim != nil && claim.Status.Phase == corev1.ClaimBound {
		return nil
	}
	events := f.EventsOf("PersistentVolumeClaim", namespace, name, "")
	if claim != nil {
		events = f.EventsOf("PersistentVolumeClaim", namespace, name, claim.UID)
	}
	for _, e := range slices.Backward(events) {
		switch e.Reason {
		case "ProvisioningFailed", "FailedBinding":
			return e
		case "ProvisioningSucceeded", "Provisioning":
			return nil
		}
	}
	return nil
}

// class finds the StorageClass a claim asks for. known is false when it cannot
// be told whether the class exists.
func class(f *facts.Facts, claim *corev1.PersistentVolumeClaim) (name string, sc *storagev1.StorageClass, known bool) {
	if claim == nil {
		return "", nil, false
	}
	if claim.Spec.StorageClassName != nil {
		name = *claim.Spec.StorageClassName
	} else {
		name = claim.Annotations[corev1.BetaStorageClassAnnotation]
	}
	for _, x := range f.Snap.Objects.StorageClasses {
		if x.Name == name {
			return name, x, true
		}
	}
	return name, nil, f.Snap.Covers("storageclasses", "")
}

func classNames(f *facts.Facts) string {
	set := map[string]bool{}
	for _, x := range f.Snap.Objects.StorageClasses {
		set[x.Name] = true
	}
	if len(set) == 0 {
		return "there is none"
	}
	return plural(int32(len(set)), "there is ", "there are ") + shortList(set)
}

func provisioningFailed(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	seen := map[string]int{}
	for _, p := range w.Pods {
		if p.Phase != facts.PhaseSchedule || p.Scheduling == nil {
			continue
		}
		for _, name := range fit.ClaimNames(p.Obj) {
			claim, _ := f.PVC(p.Obj.Namespace, name)
			e := claimTrouble(f, p.Obj.Namespace, name, claim)
			if e == nil || classTrouble(e) {
				continue // a class that is not there is unboundPVC's
			}
			if i, ok := seen[name]; ok {
				out[i].touch(p, nil)
				continue
			}
			seen[name] = len(out)
			out = append(out, provisioningFinding(f, w, p, name, claim, e))
		}
	}
	return out
}

func provisioningFinding(f *facts.Facts, w *facts.Workload, p *facts.Pod, name string, claim *corev1.PersistentVolumeClaim, e *facts.Event) Finding {
	fd := unplacedFinding(f, w, "provisioning-failed", []*facts.Pod{p})
	fd.Explains = []string{"unbound-immediate-pvc", "volume-bind-timeout", "scheduler-not-processing"}
	fd.Vars["claim"] = name
	fd.Since, fd.Last, fd.Attempts = e.First, e.Last, int(e.Count)
	fd.Evidence = append([]Evidence{{"no volume was made for the claim", e.Receipt()}}, fd.Evidence...)
	cls, _, known := class(f, claim)
	set(fd.Vars, "class", cls)
	if strings.Contains(e.Message, "no storage class is set") {
		fd.Class = Terminal
		fd.Summary = fmt.Sprintf("claim %s of %s names no storage class, there is no default and no volume matches it", name, w.Name)
		if known {
			fd.Summary += "; " + classNames(f)
		}
		set(fd.Vars, "noclass", "yes")
		return fd
	}
	fd.Summary = fmt.Sprintf("no volume could be made for claim %s of %s: %s", name, w.Name, oneLine(rpcText(e.Message), 200))
	for _, code := range []string{"InvalidArgument", "ResourceExhausted", "PermissionDenied", "Unauthenticated"} {
		if strings.Contains(e.Message, code) {
			fd.Class = Terminal
		}
	}
	if cls != "" {
		fd.Key = "storage class " + cls
	}
	return fd
}

// classTrouble tells the volume controller's word that the class of a claim
// does not exist from a provisioner's that it could not make a volume.
func classTrouble(e *facts.Event) bool {
	return strings.Contains(e.Message, "storageclass") && strings.Contains(e.Message, "not found")
}

// readClassTrouble fills a finding from such an event.
func readClassTrouble(f *facts.Facts, w *facts.Workload, fd *Finding, name, cls string, sc *storagev1.StorageClass, e *facts.Event) {
	fd.Class, fd.Confidence = Terminal, Certain
	fd.Since, fd.Last, fd.Attempts = e.First, e.Last, int(e.Count)
	fd.Evidence = append([]Evidence{{"why the claim has no volume", e.Receipt()}}, fd.Evidence...)
	cls = cmp.Or(cls, quoted(e.Message))
	set(fd.Vars, "class", cls)
	fd.Summary = fmt.Sprintf("claim %s of %s asks for storage class %s, which does not exist", name, w.Name, cls)
	fd.Key = "storage class " + cls
	set(fd.Vars, "noclass", "yes")
	if f.Snap.Covers("storageclasses", "") {
		fd.Summary += "; " + classNames(f)
	}
	if sc != nil {
		fd.Class = Waiting
		fd.Summary = fmt.Sprintf("storage class %s, which claim %s of %s was missing, exists now; the claim should be tried again", cls, name, w.Name)
	}
}

// rpcText drops the wrapping before the driver's own words.
func rpcText(m string) string {
	if i := strings.LastIndex(m, " desc = "); i >= 0 {
		return m[i+len(" desc = "):]
	}
	if i := strings.Index(m, "rpc error: "); i >= 0 {
		return m[i:]
	}
	return m
}

// quoted is the first text in double quotes.
func quoted(m string) string {
	if i := strings.IndexByte(m, '"'); i >= 0 {
		if j := strings.IndexByte(m[i+1:], '"'); j >= 0 {
			return m[i+1 : i+1+j]
		}
	}
	return ""
}

// unboundPVC is the scheduler's word that a claim has no volume, with what the
// claim itself says. A claim that waits for its first consumer never gets here:
// the scheduler says so only of claims that are bound at once.
func unboundPVC(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, pl := range placements(f, w) {
		if pl.code != "unbound-immediate-pvc" {
			continue
		}
		fd := placementFinding(f, w, pl)
		p := pl.pods[0]
		pending, bound := 0, 0
		for _, name := range fit.ClaimNames(p.Obj) {
			claim, _ := f.PVC(p.Obj.Namespace, name)
			e := claimTrouble(f, p.Obj.Namespace, name, claim)
			if claim == nil {
				if e != nil && classTrouble(e) {
					readClassTrouble(f, w, &fd, name, "", nil, e)
					fd.Vars["claim"] = name
				}
				continue
			}
			if claim.Status.Phase == corev1.ClaimBound {
				bound++
				continue
			}
			if pending++; pending > 1 {
				continue
			}
			fd.Vars["claim"] = name
			cls, sc, known := class(f, claim)
			set(fd.Vars, "class", cls)
			fd.Evidence = append(fd.Evidence, Evidence{"the claim has no volume", facts.Receipt{Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: name, Field: "status.phase", Text: string(claim.Status.Phase), Time: f.Now}})
			switch {
			case e != nil && classTrouble(e):
				readClassTrouble(f, w, &fd, name, cls, sc, e)
			case sc == nil && known && cls != "":
				fd.Class = Terminal
				set(fd.Vars, "noclass", "yes")
				fd.Summary = fmt.Sprintf("claim %s of %s asks for storage class %s, which does not exist; %s", name, w.Name, cls, classNames(f))
			case sc != nil && sc.Provisioner == "kubernetes.io/no-provisioner":
				fd.Class = Terminal
				fd.Summary = fmt.Sprintf("claim %s of %s waits for a volume of class %s, which makes none by itself, and no free volume matches", name, w.Name, cls)
			case sc != nil:
				fd.Summary = fmt.Sprintf("claim %s of %s has no volume yet; %s of class %s has not made one", name, w.Name, sc.Provisioner, cls)
				fd.Key = "storage class " + cls
			default:
				fd.Summary = fmt.Sprintf("claim %s of %s is not bound to a volume", name, w.Name)
			}
		}
		if pending == 0 && bound > 0 && bound == len(fit.ClaimNames(p.Obj)) {
			fd.Class = Waiting
			fd.Summary = fmt.Sprintf("the claims of %s are bound by now, the scheduler should retry within five minutes", w.Name)
		}
		out = append(out, fd)
	}
	return out
}

func pvcNotFound(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, pl := range placements(f, w) {
		if pl.code != "pvc-not-found" {
			continue
		}
		fd := placementFinding(f, w, pl)
		p := pl.pods[0]
		name := quoted(pl.reason.Text)
		fd.Vars["claim"] = name
		if strings.Contains(pl.reason.Text, "ephemeral volume controller") {
			fd.Class = SelfHealing
			fd.Summary = fmt.Sprintf("claim %s of %s has not been made by the ephemeral volume controller yet", name, w.Name)
			out = append(out, fd)
			continue
		}
		fd.Summary = fmt.Sprintf("%s mounts claim %s, which does not exist in %s", w.Name, name, w.Namespace)
		claim, known := f.PVC(p.Obj.Namespace, name)
		switch {
		case claim != nil:
			fd.Class = Waiting
			fd.Summary = fmt.Sprintf("claim %s, which %s was missing, exists by now; the scheduler should retry within five minutes", name, w.Name)
		case known:
			names := map[string]bool{}
			for _, c := range f.Snap.Objects.PVCs {
				if c.Namespace == p.Obj.Namespace {
					names[c.Name] = true
				}
			}
			if len(names) > 0 {
				fd.Summary += plural(int32(len(names)), "; there is ", "; there are ") + shortList(names)
			}
		}
		out = append(out, fd)
	}
	return out
}

func pvcLost(f *facts.Facts, w *facts.Workload) []Finding {
	var out []Finding
	for _, pl := range placements(f, w) {
		if pl.code != "pvc-lost-or-deleting" {
			continue
		}
		fd := placementFinding(f, w, pl)
		p := pl.pods[0]
		for _, name := range fit.ClaimNames(p.Obj) {
			claim, _ := f.PVC(p.Obj.Namespace, name)
			if claim == nil {
				continue
			}
			r := facts.Receipt{Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: name}
			switch {
			case claim.DeletionTimestamp != nil:
				fd.Vars["claim"] = name
				r.Field, r.Text, r.Time = "metadata.deletionTimestamp", claim.DeletionTimestamp.String(), claim.DeletionTimestamp.Time
				fd.Summary = fmt.Sprintf("claim %s of %s is being deleted", name, w.Name)
				fd.Evidence = append(fd.Evidence, Evidence{"the claim is on its way out", r})
			case claim.Status.Phase == corev1.ClaimLost:
				fd.Vars["claim"] = name
				r.Field, r.Text, r.Time = "status.phase", "Lost", f.Now
				fd.Summary = fmt.Sprintf("claim %s of %s has lost its volume %s", name, w.Name, claim.Spec.VolumeName)
				fd.Evidence = append(fd.Evidence, Evidence{"the volume of the claim does not exist", r})
			}
		}
		set(fd.Vars, "claim", quoted(pl.reason.Text))
		out = append(out, fd)
	}
	return out
}

// noVolumeMatches adds which claim it is and what its class does about it.
func noVolumeMatches(f *facts.Facts, w *facts.Workload) []Finding {
	out := unplacedAs("pv-no-match")(f, w)
	for i := range out {
		fd := &out[i]
		p := f.PodByName(w.Namespace, fd.Vars["pod"])
		if p == nil {
			continue
		}
		for _, name := range fit.ClaimNames(p.Obj) {
			claim, _ := f.PVC(w.Namespace, name)
			if claim == nil || claim.Status.Phase == corev1.ClaimBound {
				continue
			}
			fd.Vars["claim"] = name
			fd.Summary = fmt.Sprintf("no node has or can get a volume for claim %s of %s", name, w.Name)
			cls, sc, _ := class(f, claim)
			set(fd.Vars, "class", cls)
			if sc != nil && sc.Provisioner == "kubernetes.io/no-provisioner" {
				fd.Summary += fmt.Sprintf(": class %s makes none, and no free one matches", cls)
			} else if cls != "" {
				fd.Summary += " of class " + cls
			}
			fd.Evidence = append(fd.Evidence, Evidence{"the claim has no volume", facts.Receipt{Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: name, Field: "status.phase", Text: string(claim.Status.Phase), Time: f.Now}})
			break
		}
	}
	return out
}

func volumeBindTimeout(f *facts.Facts, w *facts.Workload) []Finding {
	pods := schedulerErrors(w, volumeBinding)
	if len(pods) == 0 {
		return nil
	}
	fd := unplacedFinding(f, w, "volume-bind-timeout", pods)
	if names := fit.ClaimNames(pods[0].Obj); len(names) > 0 {
		fd.Vars["claim"] = names[0]
	}
	fd.Summary = fmt.Sprintf("%s had a node, but its volume was not ready in time: %s", w.Name, oneLine(pods[0].Scheduling.Message, 160))
	return []Finding{fd}
}

// claimRefused is the API server's "no" to a claim of a StatefulSet, which comes
// before its pod is made.
func claimRefused(f *facts.Facts, w *facts.Workload) []Finding {
	if w.StatefulSet == nil && w.Kind != "StatefulSet" {
		return nil
	}
	r, ok := currentRefusal(w)
	if !ok {
		return nil
	}
	m := r.Message
	deleting := strings.Contains(m, "is being deleted") && strings.Contains(m, "pvc ")
	if !deleting && !strings.HasPrefix(m, "create Claim ") && !strings.Contains(m, "failed to create PVC") && !strings.HasPrefix(m, `persistentvolumeclaims "`) {
		return nil
	}
	what := m
	if i := strings.Index(m, "failed error: "); i >= 0 {
		what = m[i+len("failed error: "):]
	}
	fd := r.finding(w, "statefulset-pvc-create-failed", "a claim of "+w.Name+" was refused: "+oneLine(what, 160))
	fd.Explains = []string{"quota-exceeded"}
	if deleting {
		fd.Class = SelfHealing
		fd.Summary = "a claim of " + w.Name + " is still being deleted: " + r.state(w)
	}
	return []Finding{fd}
}
