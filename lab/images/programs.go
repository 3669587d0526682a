package images

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// LoadPrograms reads the binaries testapp and pause from dir. A missing testapp
// is compiled from source when module is the directory of the lab's module; a
// missing pause is replaced by testapp, which can pause too.
func LoadPrograms(ctx context.Context, dir, module string) (Programs, error) {
	app, err := os.ReadFile(filepath.Join(dir, "testapp"))
	if errors.Is(err, fs.ErrNotExist) && module != "" {
		if err := compile(ctx, dir, module); err != nil {
			return Programs{}, err
		}
		app, err = os.ReadFile(filepath.Join(dir, "testapp"))
	}
	if err != nil {
		return Programs{}, fmt.Errorf("read test application: %w", err)
	}
	pause, err := os.ReadFile(filepath.Join(dir, "pause"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Programs{}, fmt.Errorf("read pause program: %w", err)
	}
	return Programs{App: app, Pause: pause, Foreign: ForeignELF()}, nil
}

func compile(ctx context.Context, dir, module string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	out, err := filepath.Abs(filepath.Join(dir, "testapp"))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./cmd/testapp")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile testapp: %w\n%s", err, text)
	}
	return nil
}

// ForeignELF is the smallest file that the kernel takes for a program of
// another processor: an ELF header alone. Running it fails with "exec format
// error", which is all that a scenario needs.
func ForeignELF() []byte {
	const (
		machineAArch64 = 183
		machineX8664   = 62
	)
	machine := byte(machineAArch64)
	if foreign() == "amd64" {
		machine = machineX8664
	}
	h := make([]byte, 4096)
	copy(h, "\x7fELF\x02\x01\x01") // 64 bits, little endian, version 1
	h[16] = 2                      // executable
	h[18] = machine
	h[20] = 1  // version
	h[52] = 64 // header size
	h[54] = 56 // size of a program header
	h[32] = 64 // program headers begin after this one
	return h
}
