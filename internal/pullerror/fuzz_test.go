package pullerror

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzParse holds that no text makes Parse panic, that the inner text is stable,
// that aggregates stay small and that no secret of a signed URL passes.
func FuzzParse(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(m.text, m.image())
	}
	f.Fuzz(func(t *testing.T, text, image string) {
		if len(text) > 1<<14 {
			return
		}
		e := Parse(text, image)
		if len(e.Elements) > maxElements+1 {
			t.Fatalf("%d elements", len(e.Elements))
		}
		if utf8.ValidString(text) && !utf8.ValidString(e.Text) {
			t.Fatalf("broken text %q", e.Text)
		}
		again := Parse(e.Text, image)
		if again.Text != e.Text && len(e.Elements) == 0 && !strings.ContainsAny(text, `\"[(`) {
			t.Fatalf("%q becomes %q", e.Text, again.Text)
		}
		ImageIn(text)
		Looks(text)
	})
}

// TestLinear holds that hostile text costs time in proportion to its length.
func TestLinear(t *testing.T) {
	pieces := map[string]string{
		"wrappers":   `Failed to pull image "x": `,
		"rpc":        "rpc error: code = Unknown desc = ",
		"quotes":     `"a b" "`,
		"escapes":    `\\\"`,
		"urls":       "https://a/b?c=d&e=f ",
		"aggregate":  ", rpc error: code = X desc = y",
		"mirrors":    "(Mirrors also failed: [a: b]): c: ",
		"start":      `failed to "StartContainer" for "c" with ErrImagePull: "`,
		"log":        ` err="x `,
		"lookup":     "lookup a on b: ",
		"denied":     "denied denied: ",
		"digits":     " 401 403",
		"dial":       "dial tcp a->b ",
		"digest":     "expected sha256:ab ",
		"anchor":     "Failed to pull image \" rpc error: code = ",
		"reading":    "reading manifest ",
		"pairs":      "sig=a token=b ",
		"jwt":        "eyJaaaaaaaaaaaa.",
		"brackets":   "[",
		"open quote": `"`,
	}
	for name, piece := range pieces {
		for _, prefix := range []string{"", "[rpc error: code = ", `Back-off pulling image "x": ErrImagePull: `} {
			small, big := time.Hour, time.Hour
			// 32 times the text; quadratic growth would cost 1024 times.
			for try := 0; try == 0 || (try < 12 && big > 250*small && big > 50*time.Millisecond); try++ {
				small = min(small, cost(prefix+strings.Repeat(piece, 4<<10/len(piece))))
				big = min(big, cost(prefix+strings.Repeat(piece, 128<<10/len(piece))))
			}
			if testing.Verbose() {
				t.Logf("%-10s %8v %8v", name, small, big)
			}
			if big > 250*small && big > 50*time.Millisecond {
				t.Errorf("%s: %v for 4 KiB, %v for 128 KiB", name, small, big)
			}
		}
	}
}

func cost(text string) time.Duration {
	return spent(func() { Parse(text, "") })
}
