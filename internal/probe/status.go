package probe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// statusFault judges a status that does not depend on the image: the cause,
// and what the registry said about it. sent tells whether a credential was.
func (s *session) statusFault(a *answer, sent bool) (cause, what string) {
	switch {
	case a.status == http.StatusTooManyRequests:
		what = s.said(a)
		if after := a.header.Get("Retry-After"); after != "" {
			what += ", asks to come back after " + s.word(after)
			if _, err := strconv.Atoi(after); err == nil {
				what += " s"
			}
		}
		return s.limitCause(sent), what
	case a.status >= 500:
		return "registry-5xx", s.said(a)
	case a.status == http.StatusForbidden:
		return "forbidden-403", s.said(a)
	}
	return "", s.said(a)
}

// limitCause names the limit of the registry in question.
func (s *session) limitCause(sent bool) string {
	switch {
	case s.registry == "docker.io" && sent:
		return "rate-limit-dockerhub-authenticated"
	case s.registry == "docker.io":
		return "rate-limit-dockerhub-anonymous"
	case s.registry == "public.ecr.aws":
		return "rate-limit-ecr-public"
	}
	return "rate-limit-other"
}

// registryError is one error of an answer (OCI distribution specification,
// "Error codes").
type registryError struct{ Code, Message string }

// errorOf is the first error of an answer's body, empty when it has none.
func errorOf(a *answer) registryError {
	if a == nil || len(a.body) == 0 {
		return registryError{}
	}
	var doc struct {
		Errors []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
		Details string `json:"details"` // Docker Hub's token service
	}
	if json.Unmarshal(a.body, &doc) != nil {
		return registryError{}
	}
	if len(doc.Errors) > 0 {
		return registryError{doc.Errors[0].Code, doc.Errors[0].Message}
	}
	return registryError{Message: doc.Details}
}

// said quotes the registry's own message.
func (s *session) said(a *answer) string {
	e := errorOf(a)
	text := strings.TrimSpace(e.Code + ": " + e.Message)
	text = strings.Trim(text, ": ")
	if text == "" {
		return ""
	}
	return fmt.Sprintf(", saying %q", s.word(text))
}

// lower is what an answer can be recognised by.
func lower(a *answer) string {
	if a == nil {
		return ""
	}
	return strings.ToLower(string(a.body))
}
