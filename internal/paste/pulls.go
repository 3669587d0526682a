package paste

import (
	"slices"
	"strconv"
	"strings"

	"github.com/unjam-dev/unjam/internal/pattern"
	"github.com/unjam-dev/unjam/internal/pullerror"
)

// shared are kinds of errors that programs other than image pulls print too. A
// text of such a kind is about a pull only when something else in it says so.
var shared = []pullerror.Kind{pullerror.Unknown, pullerror.NotFound, pullerror.Unauthorized, pullerror.Forbidden, pullerror.ServerError, pullerror.HTTPStatus,
	pullerror.RateLimited, pullerror.DNSNotFound, pullerror.DNSServfail, pullerror.DNSTimeout, pullerror.DNSRefused, pullerror.TCPRefused, pullerror.TCPTimeout,
	pullerror.TCPReset, pullerror.NoRoute, pullerror.HandshakeTime, pullerror.HeaderTimeout, pullerror.RequestTimeout, pullerror.TransferEOF, pullerror.ProxyDown,
	pullerror.ProxyDenied, pullerror.ProxyConfig, pullerror.Cancelled, pullerror.TLSUnknownCA, pullerror.TLSExpired, pullerror.TLSNotYetValid,
	pullerror.TLSValidity, pullerror.TLSName, pullerror.TLSCNOnly, pullerror.HTTPResponse, pullerror.HTTPToHTTPS, pullerror.TLSHandshake, pullerror.DiskFull,
	pullerror.InodesFull, pullerror.QuotaExceeded, pullerror.ReadOnlyFS, pullerror.IOError, pullerror.Evicted, pullerror.ImageGC, pullerror.NameReserved,
	pullerror.ExecFormat, pullerror.RuntimeDown, pullerror.RuntimeRestarted, pullerror.SecretMissing, pullerror.CorruptTar}

// saysPull are the words of a pull that failed, where the error itself is not
// known. Sentences that only speak of pulls do not hold them.
var saysPull = pattern.New(`(?i)fail(?:ed|ing) to pull|back-off pulling|PullImage|^(?:Error: )?(?:ErrImagePull|ImagePullBackOff)\b|with (?:ErrImagePull|ImagePullBackOff)`)

// context are words that put an error into a pull.
var context = []string{"/v2/", "registry", "manifest", "blob", "image", "snapshot", "layer", "containerd.sock", "crio.sock", "docker.sock", "docker.io", "ghcr.io", "gcr.io",
	"quay.io", "amazonaws.com/", "azurecr.io", "/token?", "starport-layer", "cloudflarestorage", "failed to copy:", "content descriptor", "error response from daemon"}

// pullish tells whether a bare message is about an image pull.
func pullish(text string) bool {
	if pullerror.Looks(text) {
		return true
	}
	if len(text) > 8<<10 {
		return false
	}
	kind := pullerror.Parse(text, "").Kind
	if !slices.Contains(shared, kind) {
		return true
	}
	if kind == pullerror.Unknown {
		return false
	}
	lower := strings.ToLower(text)
	return slices.ContainsFunc(context, func(w string) bool { return strings.Contains(lower, w) })
}

// assume takes the first message that fits a pull, among other things, as one.
func (d *draft) assume() bool {
	for i, s := range d.said {
		if i < 1000 && s.Kind == "" && !s.Logged && len(s.Text) < 2<<10 && pullerror.Parse(s.Text, "").Kind != pullerror.Unknown {
			d.pullFailure(objectRef{kind: "Pod"}, s.Text)
			return true
		}
	}
	return false
}

var (
	requestURL = pattern.New(`https?://([a-zA-Z0-9.-]+(?::\d+)?)/v2/([a-z0-9._/-]+)/(manifests|blobs)/([A-Za-z0-9_][A-Za-z0-9._-]*(?::[a-f0-9]+)?)(?:\?ns=([a-z0-9.:-]+))?`)
	// The image itself comes after the errors of its mirrors.
	behindMirrors = pattern.New(`\(Mirrors also failed: \[.*\]\): ([a-z0-9][\w./:@-]*): `)
	notFoundOf    = pattern.New(`^([a-z0-9][a-z0-9.-]*\.[a-z]{2,}(?::\d+)?/[a-z0-9._/-]+(?::[\w.-]+)?(?:@sha256:[a-f0-9]+)?): not found`)
)

// imageIn is the image a message is about: the one it quotes, else the one of
// the request it shows; "" when it shows none.
func imageIn(text string) string {
	if m := behindMirrors.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if image := pullerror.ImageIn(text); image != "" && !strings.Contains(image, "...") {
		return image
	}
	if m := notFoundOf.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	m := requestURL.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	host := m[1]
	if m[5] != "" {
		host = m[5]
	}
	if host == "registry-1.docker.io" || host == "index.docker.io" {
		host = "docker.io"
	}
	image := host + "/" + m[2]
	switch {
	case m[3] == "manifests" && strings.Contains(m[4], ":"):
		image += "@" + m[4]
	case m[3] == "manifests":
		image += ":" + m[4]
	}
	return image
}

// pullFailure records a bare message as the kubelet's event about it.
func (d *draft) pullFailure(ref objectRef, text string) {
	reason, message := "Failed", text
	switch {
	case strings.HasPrefix(text, "Back-off pulling"):
		reason = "BackOff"
	case strings.HasPrefix(text, "Failed to pull image"), strings.HasPrefix(text, "Error: "):
	default:
		message = "Failed to pull image " + strconv.Quote(imageIn(text)) + ": " + text
	}
	d.event(line{ref: ref, typ: "Warning", reason: reason, message: message, last: -1, first: -1})
}
