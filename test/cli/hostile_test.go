package cli_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// hostile makes an input that nobody should send: "hostile KIND FILE".
func hostile(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: hostile kind file")
	}
	make, ok := hostileFiles[args[0]]
	if !ok {
		ts.Fatalf("unknown kind %s", args[0])
	}
	data, err := make()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

var hostileFiles = map[string]func() ([]byte, error){
	"truncated-tgz": func() ([]byte, error) {
		b, err := tgz(entry{"cluster-resources/pods/shop.json", strings.Repeat(`{"apiVersion":"v1","kind":"Pod"}`, 2000)})
		return b[:len(b)/2], err
	},
	"traversal-tgz": func() ([]byte, error) {
		return tgz(entry{"../../etc/pods.yaml", onePod}, entry{"/etc/pods.yaml", onePod}, entry{`a\..\..\pods.yaml`, onePod})
	},
	"gzip-bomb": func() ([]byte, error) { return zeros(80 << 20) },
	"tar-bomb": func() ([]byte, error) {
		var many []entry
		for i := range 101_000 {
			many = append(many, entry{fmt.Sprintf("%d.yaml", i), ""})
		}
		return tgz(many...)
	},
	"zip-bomb": func() ([]byte, error) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i := range 2 {
			w, err := z.Create(fmt.Sprintf("%d.yaml", i))
			if err != nil {
				return nil, err
			}
			if _, err := io.CopyN(w, blank{}, 70<<20); err != nil {
				return nil, err
			}
		}
		err := z.Close()
		return b.Bytes(), err
	},
	"alias-bomb": func() ([]byte, error) {
		var b strings.Builder
		b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
		for i := 1; i < 12; i++ {
			fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
		}
		return []byte(b.String() + "kind: Pod\napiVersion: v1\nmetadata: {name: x}\n"), nil
	},
	"deep-json": func() ([]byte, error) { return []byte(strings.Repeat("[", 200_000)), nil },
	"deep-yaml": func() ([]byte, error) { return []byte("a: " + strings.Repeat("[", 200_000)), nil },
	"random": func() ([]byte, error) {
		return []byte("\x7fELF\x02\x01\x00\xff\xfe\x00" + strings.Repeat("\x00\xc3\x28", 10_000)), nil
	},
	"empty":      func() ([]byte, error) { return nil, nil },
	"no-objects": func() ([]byte, error) { return []byte("replicas: 3\nimage: web\n"), nil },
}

const onePod = "apiVersion: v1\nkind: Pod\nmetadata: {name: outside, namespace: shop}\n"

type entry struct{ name, data string }

func tgz(files ...entry) ([]byte, error) {
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	tw := tar.NewWriter(gz)
	for _, f := range files {
		if err := tw.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(tw, f.data); err != nil {
			return nil, err
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	err := gz.Close()
	return b.Bytes(), err
}

// zeros is n blanks, compressed.
func zeros(n int64) ([]byte, error) {
	var b bytes.Buffer
	gz, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(gz, blank{}, n); err != nil {
		return nil, err
	}
	err = gz.Close()
	return b.Bytes(), err
}

// blank reads as blanks without end.
type blank struct{}

var page = bytes.Repeat([]byte{' '}, 32<<10)

func (blank) Read(p []byte) (int, error) { return copy(p, page), nil }

// refused runs unjam on an input that must be refused in one line and at once:
// "refused FILE".
func refused(ts *testscript.TestScript, _ bool, args []string) {
	start := time.Now()
	err := ts.Exec("unjam", "why", "--from", args[0])
	took := time.Since(start)
	out, line := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	switch {
	case err == nil || err.Error() != "exit status 2":
		ts.Fatalf("%s: %v, want exit status 2\n%s%s", args[0], err, out, line)
	case out != "":
		ts.Fatalf("%s: standard output is not empty:\n%s", args[0], out)
	case strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "unjam: ") || !strings.Contains(line, args[0]) || len(line) > 500:
		ts.Fatalf("%s: want one line that names the file, got:\n%s", args[0], line)
	case took > refuseWithin:
		ts.Fatalf("%s: took %s", args[0], took)
	}
	ts.Logf("%s: %s: %s", args[0], took.Round(time.Millisecond), line)
}

// refuseWithin is far above what a refusal takes, so that a busy machine does
// not fail it, and far below what swallowing the input would take.
const refuseWithin = 20 * time.Second
