package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// basicAuth wants the lab's user and password on every request.
func basicAuth(_ *State, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != User || password != Password {
			w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// expiredToken behaves like a registry whose short-lived password has run out:
// without a credential it asks for one, with any it answers 403.
func expiredToken(*State, http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			return
		}
		refuse(w, http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
	})
}

// bearerAuth is token authentication: /token hands out tokens, everything else
// wants one. Repositories under private/ need the credential, others do not.
func bearerAuth(_ *State, next http.Handler) http.Handler {
	return bearer(next, func(r *http.Request) string { return "http://" + r.Host + "/token" }, issueToken)
}

func tokenEndpointFails(_ *State, next http.Handler) http.Handler {
	return bearer(next, func(r *http.Request) string { return "http://" + r.Host + "/token" },
		func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusInternalServerError, "UNKNOWN", "token service failed")
		})
}

func tokenRealmUnknown(_ *State, next http.Handler) http.Handler {
	return bearer(next, func(*http.Request) string { return "https://auth.does-not-exist.example/token" }, issueToken)
}

func bearer(next http.Handler, realm func(*http.Request) string, token http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			token(w, r)
			return
		}
		scope := scopeOf(r.URL.Path)
		challenge := fmt.Sprintf(`Bearer realm=%q,service="lab"`, realm(r))
		if scope != "" {
			challenge += fmt.Sprintf(`,scope=%q`, scope)
		}
		granted, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer lab:")
		if !ok {
			w.Header().Set("WWW-Authenticate", challenge)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			return
		}
		if scope != "" && granted != "all" && strings.HasPrefix(scope, "repository:private/") {
			w.Header().Set("WWW-Authenticate", challenge+`,error="insufficient_scope"`)
			refuse(w, http.StatusUnauthorized, "DENIED", "requested access to the resource is denied")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func issueToken(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		// Clients then fall back to the older GET form of the token request.
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	token := "lab:public"
	if user, password, ok := r.BasicAuth(); ok {
		if user != User || password != Password {
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
			return
		}
		token = "lab:all"
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 300})
}

// scopeOf is the scope a token needs for a path, empty for the version check.
func scopeOf(path string) string {
	rest := strings.TrimPrefix(path, "/v2/")
	for _, part := range []string{"/manifests/", "/blobs/", "/tags/"} {
		if i := strings.LastIndex(rest, part); i > 0 {
			return "repository:" + rest[:i] + ":pull"
		}
	}
	return ""
}
