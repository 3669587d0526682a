package snapshot

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Decode reads a snapshot from one stream: a bundle (tar, tar.gz or zip), or
// YAML or JSON as `kubectl get -o yaml|json` and `kubectl cluster-info dump`
// print it, compressed or not. name is the file name, for messages only; the
// content decides.
//
// A source that does not say when it was taken counts as taken at the newest
// time found in its objects. A source that does not list its gaps is partial:
// a kind counts as read in a namespace when at least one object of it is
// there, and every other kind is a gap. So pods without events leave a gap for
// events, and the absence of a Secret proves nothing unless other Secrets of
// the namespace are in the source.
//
// The input is not trusted. Errors are *DecodeError; nothing panics. One
// object or one file of many that cannot be read becomes a gap.
func Decode(name string, r io.Reader, lim Limits) (*Snapshot, error) {
	lim = lim.withDefaults()
	s := newSource(name, lim)
	br := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := br.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		gz, err := gzip.NewReader(br)
		if err != nil {
			return nil, &DecodeError{File: name, Err: fmt.Errorf("not a gzip file: %w", err)}
		}
		br = bufio.NewReaderSize(gz, 64<<10)
	}
	head, err := br.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &DecodeError{File: name, Err: readFault(err)}
	}
	switch {
	case len(head) >= 4 && string(head[:4]) == "PK\x03\x04":
		err = s.addZip(br)
	case isTar(head):
		err = s.addTar(br)
	default:
		err = s.addOnly(br)
	}
	if err != nil {
		return nil, err
	}
	return s.finish()
}

// DecodeFS reads a directory: an unpacked bundle, a `kubectl cluster-info
// dump`, a troubleshoot bundle, or any collection of YAML and JSON files. name
// is the directory's name, for messages only. Links are not followed.
func DecodeFS(fsys fs.FS, name string, lim Limits) (*Snapshot, error) {
	s := newSource(name, lim.withDefaults())
	if err := s.addFS(fsys); err != nil {
		return nil, err
	}
	return s.finish()
}

func isTar(head []byte) bool {
	return len(head) >= 262 && string(head[257:262]) == "ustar"
}

// readFault puts what a damaged archive reports into plain words.
func readFault(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the file is cut short: %w", err)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, tar.ErrHeader), errors.Is(err, zip.ErrFormat):
		return fmt.Errorf("the archive is damaged: %w", err)
	}
	return err
}

// addOnly reads a stream that is one file.
func (s *source) addOnly(r io.Reader) error {
	data, err := s.read(r)
	if err != nil {
		return &DecodeError{File: s.name, Err: readFault(err)}
	}
	return s.addDocuments(s.name, data)
}

func (s *source) addTar(r io.Reader) error {
	tr := tar.NewReader(&countingReader{r: r, source: s})
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &DecodeError{File: s.name, Err: readFault(err)}
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := s.addFile(h.Name, h.Size, tr); err != nil {
			return err
		}
	}
}

func (s *source) addZip(r io.Reader) error {
	data, err := s.read(r)
	if err != nil {
		return &DecodeError{File: s.name, Err: readFault(err)}
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return &DecodeError{File: s.name, Err: readFault(err)}
	}
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			continue
		}
		rc, err := f.Open()
		if err != nil {
			s.broken(f.Name, readFault(err))
			continue
		}
		err = s.addFile(f.Name, int64(min(f.UncompressedSize64, 1<<62)), rc)
		rc.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *source) addFS(fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && p == ".":
			return &DecodeError{File: s.name, Err: err}
		case err != nil:
			s.broken(p, err)
			return nil
		case d.IsDir():
			if strings.Count(p, "/") >= s.lim.Depth || p != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || !wanted(p):
			return nil
		}
		f, err := fsys.Open(p)
		if err != nil {
			s.broken(p, err)
			return nil
		}
		defer f.Close()
		size := int64(0)
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		return s.addFile(p, size, f)
	})
}

// wanted reports whether a file of an archive or directory can hold objects or
// logs, by its name.
func wanted(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".yaml", ".yml", ".json", ".log":
		return true
	case ".txt":
		return path.Base(p) == "logs.txt"
	}
	return false
}

// addFile reads one file of many. Only a broken limit is an error: a file that
// cannot be read or decoded is a gap.
func (s *source) addFile(name string, size int64, r io.Reader) error {
	s.files++
	if s.files > s.lim.Files {
		return &DecodeError{File: s.name, Err: fmt.Errorf("%w: more than %d files", ErrTooLarge, s.lim.Files)}
	}
	p, ok := cleanPath(name)
	if !ok || !wanted(p) {
		return nil
	}
	if size > s.lim.File {
		s.gap(Gap{Resource: anyResource, Name: p, Reason: GapTruncated, Detail: fmt.Sprintf("the file has %d bytes, more than the %d that are read", size, s.lim.File)})
		return nil
	}
	data, err := s.read(r)
	switch {
	case s.total > s.lim.Total:
		return &DecodeError{File: s.name, Err: err}
	case err != nil:
		s.broken(p, readFault(err))
		return nil
	}
	if place, ok := logPlace(p); ok {
		s.addLog(place, data)
		return nil
	}
	if ext := path.Ext(p); ext == ".log" || ext == ".txt" {
		s.takeDumpLogs(data)
		return nil
	}
	var de *DecodeError
	if err := s.addDocuments(p, data); errors.As(err, &de) {
		s.gap(Gap{Resource: anyResource, Name: p, Reason: GapBroken, Detail: detail(de)})
	}
	return nil
}

// read reads a file within the limits.
func (s *source) read(r io.Reader) ([]byte, error) {
	rest := s.lim.Total - s.total
	limit := min(s.lim.File, rest)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(data)) > limit {
		s.total += limit + 1
		if limit == s.lim.File {
			return nil, fmt.Errorf("%w: more than %d MiB in one file", ErrTooLarge, s.lim.File>>20)
		}
		return nil, fmt.Errorf("%w: more than %d MiB in all", ErrTooLarge, s.lim.Total>>20)
	}
	s.total += int64(len(data))
	return data, err
}

// countingReader stops an archive whose skipped parts alone pass the limit.
type countingReader struct {
	r      io.Reader
	n      int64
	source *source
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.n > 2*c.source.lim.Total {
		return n, fmt.Errorf("%w: more than %d MiB in all", ErrTooLarge, c.source.lim.Total>>20)
	}
	return n, err
}
