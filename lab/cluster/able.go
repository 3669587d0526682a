package cluster

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Capabilities (capability.h) that a lab needs: namespaces and mounts, and networks.
const (
	capNetAdmin = 12
	capSysAdmin = 21
)

// Able says why this machine cannot run such nodes; nil when it can. The error
// wraps ErrUnable and fits on one line.
func Able(kind NodeKind) error {
	if runtime.GOOS != "linux" {
		return unable("the lab needs Linux")
	}
	if os.Getuid() != 0 {
		if kind == Real {
			return unable("real nodes need root")
		}
		b, err := os.ReadFile("/proc/sys/user/max_user_namespaces")
		if err == nil && strings.TrimSpace(string(b)) == "0" {
			return unable("user namespaces are switched off, and this is not root")
		}
		return nil
	}
	caps, err := effective()
	if err != nil {
		return unable(err.Error())
	}
	if caps&(1<<capSysAdmin) == 0 || caps&(1<<capNetAdmin) == 0 {
		return unable("root here lacks CAP_SYS_ADMIN or CAP_NET_ADMIN, so it cannot make namespaces")
	}
	if kind != Real {
		return nil
	}
	list, err := hierarchies()
	if err != nil || len(list) == 0 {
		return unable("no cgroup file system is mounted")
	}
	for _, h := range list {
		probe := h.mount + "/unjam-lab-probe"
		if err := os.Mkdir(probe, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return unable("cgroups cannot be made: " + err.Error())
		}
		// Another lab that starts now may have removed it.
		_ = os.Remove(probe)
	}
	return nil
}

func unable(why string) error { return fmt.Errorf("%w: %s", ErrUnable, why) }

// effective returns this process's effective capabilities (proc(5), CapEff).
func effective() (uint64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			return strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		}
	}
	return 0, errors.New("/proc/self/status has no CapEff")
}
