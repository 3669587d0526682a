package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/unjam-dev/unjam/internal/snapshot"
)

// UnreachableError means that the API server did not answer.
type UnreachableError struct {
	// Host is the server's address.
	Host string
	Err  error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("cannot reach the cluster at %s: %v", e.Host, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// LoginError means that the API server answered and refused the caller: its
// credentials are not accepted, or it may read nothing at all.
type LoginError struct {
	Host string
	// Forbidden is true when the credentials are good but give no right.
	Forbidden bool
	// Everywhere is true when all namespaces were asked for: a right to one may
	// exist.
	Everywhere bool
	Err        error
}

func (e *LoginError) Error() string {
	if e.Forbidden && e.Everywhere {
		return fmt.Sprintf("the cluster at %s lets this user read nothing of all namespaces; name one with -n: %v", e.Host, e.Err)
	}
	if e.Forbidden {
		return fmt.Sprintf("the cluster at %s lets this user read nothing: %v", e.Host, e.Err)
	}
	return fmt.Sprintf("the cluster at %s does not accept the credentials: %v", e.Host, e.Err)
}

func (e *LoginError) Unwrap() error { return e.Err }

func isNotFound(err error) bool { return apierrors.IsNotFound(err) }

// gapOf turns the error of a call into a gap that says what would close it.
func gapOf(k *snapshot.Kind, verb, namespace, name string, err error) snapshot.Gap {
	g := snapshot.Gap{Resource: k.Resource, Namespace: namespace, Name: name, Reason: reasonOf(err), Detail: oneLine(err)}
	switch g.Reason {
	case snapshot.GapForbidden:
		g.Settle = fmt.Sprintf("grant the right to %s %s%s", verb, k.FullResource(), in(namespace))
	case snapshot.GapTimeout:
		g.Settle = "try again with a longer --request-timeout"
	case snapshot.GapFailed, snapshot.GapTruncated:
		g.Settle = fmt.Sprintf("see whether `kubectl get %s%s` works, then try again", k.FullResource(), flag(namespace, k.Namespaced))
	}
	return g
}

func in(namespace string) string {
	if namespace == "" {
		return " in the whole cluster"
	}
	return " in namespace " + namespace
}

func flag(namespace string, namespaced bool) string {
	switch {
	case !namespaced:
		return ""
	case namespace == "":
		return " -A"
	}
	return " -n " + namespace
}

func reasonOf(err error) snapshot.GapReason {
	var partial partialError
	var netErr net.Error
	switch {
	case errors.As(err, &partial):
		return snapshot.GapTruncated
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return snapshot.GapForbidden
	case apierrors.IsNotFound(err):
		return snapshot.GapNotServed
	case errors.Is(err, context.DeadlineExceeded), apierrors.IsTimeout(err), apierrors.IsServerTimeout(err), errors.As(err, &netErr) && netErr.Timeout():
		return snapshot.GapTimeout
	}
	return snapshot.GapFailed
}

// oneLine is an error without line breaks, secrets and endless length.
func oneLine(err error) string {
	text := snapshot.Redact(strings.Join(strings.Fields(err.Error()), " "))
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}

// refused is the error of a capture that could read nothing.
func (c *capture) refused() error {
	var first error
	for _, err := range c.first {
		if apierrors.IsForbidden(err) {
			return &LoginError{Host: c.client.cfg.Host, Forbidden: true, Everywhere: c.opt.Namespace == "", Err: err}
		}
		if first == nil || apierrors.IsUnauthorized(err) {
			first = err
		}
	}
	return c.serverError(first)
}

// serverError sorts the error of a call without which nothing can be read.
func (c *capture) serverError(err error) error {
	host := c.client.cfg.Host
	var status apierrors.APIStatus
	switch {
	case apierrors.IsUnauthorized(err):
		return &LoginError{Host: host, Err: err}
	case errors.As(err, &status) && status.Status().Code != 0 && status.Status().Code < 500:
		return &LoginError{Host: host, Forbidden: true, Err: err}
	}
	// "Get \"https://…/version\": dial tcp …" says the address twice.
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	return &UnreachableError{Host: host, Err: err}
}
