package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
)

// blind names, for a resource that may not be read, three stalled scenarios
// whose judgement would look at it.
var blind = map[string][]string{
	"secrets": {"auth-basic-wrong-secret", "pull-secret-wrong-host", "missing-secret-env"},
	"nodes":   {"cpu-too-large", "node-selector", "missing-tag"},
	"events":  {"missing-tag", "readiness-fail", "quota-exceeded"},
}

// rights checks that who may not read secrets, nodes or events gets an answer
// with a gap that names them, and never hears that a stall is healthy.
func rights(ctx context.Context, l lab) (err error) {
	const namespace = "labcheck-rights"
	core := l.client.CoreV1()
	if _, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, core.Namespaces().Delete(context.WithoutCancel(ctx), namespace, metav1.DeleteOptions{}))
	}()
	var errs []error
	for resource, scenarios := range blind {
		user, remove, err := l.readerWithout(ctx, namespace, resource)
		if err != nil {
			return err
		}
		errs = append(errs, l.asReader(ctx, user, resource, scenarios), remove(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
}

func (l lab) asReader(ctx context.Context, user, resource string, scenarios []string) error {
	var errs []error
	for _, s := range scenarios {
		a, err := l.unjam.why(ctx, "deployment/web", "-n", s, "--as", user)
		if err != nil {
			errs = append(errs, fmt.Errorf("without %s: %w", resource, err))
			continue
		}
		named := slices.ContainsFunc(a.report.Gaps, func(g gap) bool {
			return g.Resource == resource && g.Reason == "forbidden" && strings.Contains(g.Settle, resource)
		})
		switch {
		case len(a.report.Verdicts) != 1:
			errs = append(errs, fmt.Errorf("without %s: %d verdicts on %s", resource, len(a.report.Verdicts), s))
		case a.report.Verdicts[0].State == "healthy" || a.code == 0:
			errs = append(errs, fmt.Errorf("without %s: %v, exit code %d", resource, a.report.Verdicts[0], a.code))
		case !named:
			errs = append(errs, fmt.Errorf("without %s: no gap on %s names it", resource, s))
		default:
			fmt.Printf("without %s: %v, gap named\n", resource, a.report.Verdicts[0])
		}
	}
	return errors.Join(errs...)
}

// readerWithout makes a ServiceAccount that may read all resources of the
// cluster but one, and returns its user name.
func (l lab) readerWithout(ctx context.Context, namespace, resource string) (user string, remove func(context.Context) error, err error) {
	lists, err := discovery.ServerPreferredResources(l.client.Discovery())
	if err != nil {
		return "", nil, err
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "labcheck-no-" + resource}}
	for _, list := range lists {
		group, _, ok := strings.Cut(list.GroupVersion, "/")
		if !ok {
			group = "" // the core group has only a version
		}
		rule := rbacv1.PolicyRule{APIGroups: []string{group}, Verbs: []string{"get", "list", "watch"}}
		for _, r := range list.APIResources {
			if r.Name != resource {
				rule.Resources = append(rule.Resources, r.Name)
			}
		}
		if group == "" {
			rule.Resources = append(rule.Resources, "pods/log")
		}
		if len(rule.Resources) > 0 {
			role.Rules = append(role.Rules, rule)
		}
	}
	name := "no-" + resource
	if _, err := l.client.CoreV1().ServiceAccounts(namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		return "", nil, err
	}
	rbac := l.client.RbacV1()
	if _, err := rbac.ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return "", nil, err
	}
	if _, err := rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}},
	}, metav1.CreateOptions{}); err != nil {
		return "", nil, err
	}
	return "system:serviceaccount:" + namespace + ":" + name, func(ctx context.Context) error {
		return errors.Join(rbac.ClusterRoleBindings().Delete(ctx, role.Name, metav1.DeleteOptions{}),
			rbac.ClusterRoles().Delete(ctx, role.Name, metav1.DeleteOptions{}))
	}, nil
}
