package snapshot

import (
	"errors"
	"fmt"
)

// Limits bound what a decode may use. A zero field means its default.
type Limits struct {
	// Total is the number of bytes read after decompression (512 MiB).
	Total int64
	// File is the number of bytes of one file (64 MiB).
	File int64
	// Files is the number of files of an archive or directory (100,000).
	Files int
	// Depth is how deep directories may nest (24).
	Depth int
}

func (l Limits) withDefaults() Limits {
	if l.Total <= 0 {
		l.Total = 512 << 20
	}
	if l.File <= 0 {
		l.File = 64 << 20
	}
	if l.Files <= 0 {
		l.Files = 100_000
	}
	if l.Depth <= 0 {
		l.Depth = 24
	}
	return l
}

// Errors that a DecodeError wraps.
var (
	// ErrTooLarge means that the input passes one of the Limits.
	ErrTooLarge = errors.New("too large")
	// ErrNoObjects means that the input holds nothing of Kubernetes.
	ErrNoObjects = errors.New("no Kubernetes objects in it")
)

// DecodeError says which file, and which line of it, could not be read.
type DecodeError struct {
	File string
	// Line counts from 1; 0 when no line is to blame.
	Line int
	Err  error
}

func (e *DecodeError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.File, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }
