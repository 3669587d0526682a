package pullerror

import (
	"strconv"
	"strings"
	"testing"
)

// variants are the ways in which one message reaches a reader.
func variants(text, image string) map[string]string {
	quotedText := strconv.Quote(text)
	quotedText = quotedText[1 : len(quotedText)-1]
	v := map[string]string{
		"rpc":         "rpc error: code = Unknown desc = " + text,
		"indented":    "    " + strings.ReplaceAll(text, "\n", "\n    "),
		"wrapped":     wrap(text, 60),
		"combined":    "(combined from similar events): " + text,
		"escaped":     strings.ReplaceAll(text, `"`, `\"`),
		"klog":        `E1122 10:17:49.123456    1234 pod_workers.go:1298] "Error syncing pod, skipping" err="` + quotedText + `" pod="shop/web-0" podUID="91d8c9f5-844c-4725-b53b-68f3b27dffb3"`,
		"logrus":      `time="2025-01-02T10:00:00Z" level=error msg="pull failed" error="` + quotedText + `"`,
		"start":       `failed to "StartContainer" for "web" with ErrImagePull: "` + quotedText + `"`,
		"start-plain": `Error syncing pod, skipping: failed to "StartContainer" for "web" with ErrImagePull: "` + text + `"`,
		"crlf":        strings.ReplaceAll(text, "\n", "\r\n") + "\r\n",
		"one-of-one":  "[" + `failed to "StartContainer" for "web" with ErrImagePull: "` + quotedText + `"` + "]",
	}
	if image != "" && !strings.HasPrefix(text, "[") {
		v["failed"] = `Failed to pull image "` + image + `": ` + text
		v["back-off"] = `Back-off pulling image "` + image + `": ErrImagePull: ` + text
	}
	return v
}

// wrap breaks lines at spaces, as a terminal or a chat does.
func wrap(s string, width int) string {
	var b strings.Builder
	n := 0
	for i, w := range strings.Split(s, " ") {
		switch {
		case i == 0:
		case n+len(w) > width:
			b.WriteString("\n          ")
			n = 0
		default:
			b.WriteByte(' ')
		}
		b.WriteString(w)
		n += len(w) + 1
	}
	return b.String()
}

// TestVariants holds that wrapping, indenting and escaping change nothing.
func TestVariants(t *testing.T) {
	for _, m := range messages(t) {
		want := Parse(m.text, m.image())
		if want.Kind == BackOffOnly || want.Kind == Unknown {
			continue // a wrapper around a state or unknown words may add a kind
		}
		for name, text := range variants(m.text, m.image()) {
			if logLine := strings.Contains(m.text, `="`); logLine && name != "indented" && name != "wrapped" && name != "crlf" {
				continue // a log line inside a log line
			}
			got := Parse(text, m.image())
			if got.Kind != want.Kind || got.Status != want.Status || got.URL != want.URL || got.Credential != want.Credential {
				t.Errorf("%s: %s: kind %q status %d url %q, want %q %d %q\n\t%s\n\tinner: %s",
					m.where, name, got.Kind, got.Status, got.URL, want.Kind, want.Status, want.URL, text, got.Text)
			}
		}
	}
}

// TestTextIsInnermost holds that parsing the inner text again keeps it.
func TestTextIsInnermost(t *testing.T) {
	for _, m := range messages(t) {
		e := Parse(m.text, m.image())
		again := Parse(e.Text, m.image())
		if again.Text != e.Text {
			t.Errorf("%s: %q becomes %q", m.where, e.Text, again.Text)
		}
		if again.Kind != e.Kind && e.Kind != Unknown && e.Kind != InspectFailed && e.Kind != SandboxImage && e.Kind != RegistryDown && e.Kind != DigestMissing {
			t.Errorf("%s: inner text is %q, whole is %q\n\t%s", m.where, again.Kind, e.Kind, e.Text)
		}
	}
}
