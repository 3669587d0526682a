package cause

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/unjam-dev/unjam/internal/facts"
)

// budget is how many pods a rolling update may add and take away, resolved as
// the deployment controller does it (kubernetes
// pkg/controller/deployment/util/deployment_util.go, ResolveFenceposts): surge
// rounds up, unavailable rounds down, and both zero means one unavailable.
type budget struct {
	Surge, Unavailable int32
	// Declared are the two settings as written, defaults filled in.
	DeclaredSurge, DeclaredUnavailable string
}

// rollingBudget is the budget of a Deployment that rolls; ok is false for
// other kinds and for the strategy Recreate.
func rollingBudget(w *facts.Workload) (budget, bool) {
	if w.Deployment == nil || w.Deployment.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return budget{}, false
	}
	surge, unavailable := intstr.FromString("25%"), intstr.FromString("25%")
	if r := w.Deployment.Spec.Strategy.RollingUpdate; r != nil {
		if r.MaxSurge != nil {
			surge = *r.MaxSurge
		}
		if r.MaxUnavailable != nil {
			unavailable = *r.MaxUnavailable
		}
	}
	b := budget{DeclaredSurge: surge.String(), DeclaredUnavailable: unavailable.String()}
	s, err1 := intstr.GetScaledValueFromIntOrPercent(&surge, int(w.Desired), true)
	u, err2 := intstr.GetScaledValueFromIntOrPercent(&unavailable, int(w.Desired), false)
	if err1 != nil || err2 != nil {
		return budget{}, false
	}
	b.Surge, b.Unavailable = int32(s), int32(min(u, int(w.Desired)))
	if b.Surge == 0 && b.Unavailable == 0 {
		b.Unavailable = 1
	}
	return b, true
}

// unavailableWords says how many pods may be missing and why.
func (b budget) unavailableWords(replicas int32) string {
	if !strings.HasSuffix(b.DeclaredUnavailable, "%") {
		return "maxUnavailable is " + b.DeclaredUnavailable
	}
	return fmt.Sprintf("maxUnavailable %s of %s rounds down to %d", b.DeclaredUnavailable, countPods(replicas), b.Unavailable)
}

// strategyVars fill the playbook steps that roll without surge and back.
func strategyVars(vars map[string]string, b budget, unavailable string) {
	vars["maxSurge"], vars["maxUnavailable"], vars["newMaxUnavailable"] = b.DeclaredSurge, b.DeclaredUnavailable, unavailable
}

// rolledOut reports that the controller counts everything asked for as there,
// so that by-design waiting and effects have nothing to explain.
func rolledOut(w *facts.Workload) bool {
	if w.Job != nil {
		return w.Condition("Complete").Status == "True"
	}
	return w.ObservedGeneration >= w.Generation && w.Updated >= w.Desired && w.Available >= w.Desired && len(livePods(w.OldPods())) == 0
}
