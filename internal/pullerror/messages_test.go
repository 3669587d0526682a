package pullerror

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// message is one case of testdata/*.txt: a line of expectations that starts
// with "=", then the message up to an empty line. Lines that start with "#"
// are comments. In a message, "\n" stands for a newline.
type message struct {
	where string // file:line
	want  map[string]string
	text  string
}

func (m message) image() string { return m.want["image"] }

func messages(t testing.TB) []message {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no test messages:", err)
	}
	var all []message
	for _, name := range files {
		all = append(all, readMessages(t, name)...)
	}
	return all
}

func readMessages(t testing.TB, name string) []message {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []message
	var cur *message
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		line := in.Text()
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "= "):
			all = append(all, message{where: name + ":" + strconv.Itoa(n), want: expectations(t, name, n, line[2:])})
			cur = &all[len(all)-1]
		case line == "":
			cur = nil
		case cur == nil:
			t.Fatalf("%s:%d: text without expectations", name, n)
		default:
			if cur.text != "" {
				cur.text += "\n"
			}
			cur.text += line
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func expectations(t testing.TB, name string, n int, line string) map[string]string {
	want := map[string]string{}
	for _, f := range strings.Fields(line) {
		k, v, ok := strings.Cut(f, "=")
		if !ok {
			t.Fatalf("%s:%d: %q is not key=value", name, n, f)
		}
		want[k] = v
	}
	if _, ok := want["kind"]; !ok {
		t.Fatalf("%s:%d: no kind", name, n)
	}
	return want
}

// read gives the fields of an error that cases may name.
func read(e Error) map[string]string {
	status := ""
	if e.Status != 0 {
		status = strconv.Itoa(e.Status)
	}
	sandbox := ""
	if e.Sandbox {
		sandbox = "yes"
	}
	elements := ""
	if len(e.Elements) > 0 {
		elements = strconv.Itoa(len(e.Elements))
	}
	return map[string]string{
		"kind": string(e.Kind), "stage": string(e.Stage), "status": status, "code": e.Code, "wrapper": e.Wrapper,
		"method": e.Method, "url": e.URL, "host": e.URLHost, "imagehost": e.ImageHost, "target": string(e.Target), "mirrorof": e.MirrorOf,
		"dial": e.Dial, "resolver": e.Resolver, "lookup": e.Lookup, "digest": e.Digest, "wantdigest": e.WantDigest,
		"cred": string(e.Credential), "server": strings.ReplaceAll(e.ServerCode, " ", "_"), "runtime": string(e.Runtime),
		"platform": e.Platform, "sandbox": sandbox, "elements": elements,
	}
}

// unknownWord stands for an empty value in a case.
const unknownWord = "-"

func TestMessages(t *testing.T) {
	all := messages(t)
	kinds := map[Kind]bool{}
	for _, m := range all {
		e := Parse(m.text, m.image())
		kinds[e.Kind] = true
		got := read(e)
		for k, want := range m.want {
			if k == "image" {
				continue
			}
			if want == unknownWord {
				want = ""
			}
			have, ok := got[k]
			if !ok {
				t.Fatalf("%s: no field %q", m.where, k)
			}
			if have != want {
				t.Errorf("%s: %s = %q, want %q\n\t%s\n\tinner: %s", m.where, k, have, want, m.text, e.Text)
			}
		}
	}
	t.Logf("%d messages, %d kinds", len(all), len(kinds))
}
