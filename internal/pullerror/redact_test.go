package pullerror

import (
	"fmt"
	"strings"
	"testing"
)

// TestNoSecretPasses holds that nothing that gives access reaches any field.
func TestNoSecretPasses(t *testing.T) {
	const secret = "S3CR3Tvalue0123456789"
	for _, text := range []string{
		`failed to do request: Get "https://b.s3.amazonaws.com/x?X-Amz-Credential=` + secret + `&X-Amz-Signature=` + secret + `": EOF`,
		`unexpected status code https://b.blob.core.windows.net/x?se=2025&sig=` + secret + `: 403 Forbidden`,
		`Get "https://production.cloudflare.docker.com/registry-v2/x?verify=` + secret + `": dial tcp 1.2.3.4:443: i/o timeout`,
		`Get "https://user:` + secret + `@registry.example.com/v2/": EOF`,
		"Get \"https://cdn.example.com/x?Expires=1&\n    Signature=" + secret + `": EOF`,
		`Get "https://auth.example.com/token?account=` + secret + `&scope=repository%3Aa%3Apull&service=x": EOF`,
		`decoding bearer token (last URL "https://a.example/token", body start "{\"token\":\"` + secret + `\",\"expires_in\":300}"): EOF`,
		`server said Authorization: Bearer ` + secret + secret,
		`server said Authorization: Basic ` + secret + secret + `==`,
		`token eyJhbGciOiJIUzI1NiJ9.` + secret + `.` + secret + ` refused`,
		`server said AUTHORIZATION: BEARER ` + secret + secret,
		`server said authorization: bAsIc ` + secret + secret,
		`body start "{\"TOKEN\":\"` + secret + `\"}": EOF`,
		`body start {"Access_Token": "` + secret + `"}: EOF`,
		`token EYJhbGciOiJIUzI1NiJ9.` + secret + `.` + secret + ` refused`,
		`<ERROR><STRINGTOSIGN>` + secret + `</STRINGTOSIGN></ERROR>`,
		`<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>` + secret + `</AWSAccessKeyId><StringToSign>` + secret + `</StringToSign></Error>`,
		`[failed to resolve reference "a": Get "https://a/x?sig=` + secret + `": EOF, failed to resolve reference "b": Get "https://b/x?sig=` + secret + `": EOF]`,
		`(Mirrors also failed: [m/x: Get "https://m/x?sig=` + secret + `": EOF]): r/x: Get "https://r/x?sig=` + secret + `": EOF`,
	} {
		e := Parse(text, "")
		if all := fmt.Sprintf("%+v", e); strings.Contains(all, secret) {
			t.Errorf("secret passes: %s", all)
		}
	}
}

// TestRedactKeepsMeaning holds that what the diagnosis needs survives.
func TestRedactKeepsMeaning(t *testing.T) {
	e := Parse(`failed to fetch oauth token: unexpected status from GET request to https://auth.example.com/token?account=me&scope=repository%3Aa%2Fb%3Apull&service=s: 401 Unauthorized`, "registry.example.com/a/b:v1")
	if want := "https://auth.example.com/token?scope=repository%3Aa%2Fb%3Apull&service=s"; e.URL != want {
		t.Errorf("url %q, want %q", e.URL, want)
	}
	if e.Target != TargetToken || e.Status != 401 {
		t.Errorf("target %q status %d", e.Target, e.Status)
	}
	e = Parse(`failed to do request: Head "http://10.0.0.9:5000/v2/a/manifests/v1?ns=docker.io": EOF`, "a:v1")
	if e.MirrorOf != "docker.io" || e.Target != TargetMirror || !strings.Contains(e.Text, "?ns=docker.io") {
		t.Errorf("mirror of %q, target %q, text %q", e.MirrorOf, e.Target, e.Text)
	}
}
