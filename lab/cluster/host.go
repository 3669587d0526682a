package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// spec is what the processes of a lab are told.
type spec struct {
	Options
	Bin binaries `json:"bin"`
	// HostPort and FaultsPort are the forwarded ports on 127.0.0.1.
	HostPort   int `json:"hostPort"`
	FaultsPort int `json:"faultsPort"`
}

func readSpec(dir string) (spec, error) {
	var s spec
	b, err := os.ReadFile(layout(dir).path("spec.json"))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

// process is a PID that is not mistaken for a later process of the same number.
type process struct {
	PID int `json:"pid"`
	// Start is the start time in clock ticks after boot (proc(5), field 22 of stat).
	Start string `json:"start"`
}

func identify(pid int) process { return process{pid, startTime(pid)} }

func (p process) alive() bool { return p.PID > 0 && p.Start != "" && startTime(p.PID) == p.Start }

// startTime is empty for a process that is gone or only waits to be reaped.
func startTime(pid int) string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	// The command in parentheses may itself hold spaces and parentheses.
	_, rest, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}

// running is what host.json records of a lab.
type running struct {
	Host process `json:"host"`
	Init process `json:"init"`
}

func readRunning(d layout) running {
	var r running
	if b, err := os.ReadFile(d.path("host.json")); err == nil {
		// A damaged file means: nothing known to run.
		_ = json.Unmarshal(b, &r)
	}
	return r
}

// Host is the lab's one process outside its namespaces: it starts the inside and
// carries connections to it. File descriptors 3 and 4 are the listening sockets
// for the API server and for the fault control.
func Host(dir string) error {
	// The kernel sends the parent-death signal when the starting thread ends.
	runtime.LockOSThread()
	s, err := readSpec(dir)
	if err != nil {
		return err
	}
	d := layout(dir)
	init, err := startInit(d, s)
	if err != nil {
		return err
	}
	b, err := json.Marshal(running{Host: identify(os.Getpid()), Init: identify(init.Process.Pid)})
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.path("host.json"), b, 0o600); err != nil {
		init.Process.Kill()
		return err
	}
	for fd, sock := range map[int]string{3: "api.sock", 4: "faults.sock"} {
		l, err := net.FileListener(os.NewFile(uintptr(fd), sock))
		if err != nil {
			init.Process.Kill()
			return fmt.Errorf("descriptor %d: %w", fd, err)
		}
		go forward(l, "unix", d.path(sock))
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-stop
		// Its end is the end of its PID namespace: nothing inside survives it.
		init.Process.Kill()
	}()
	if err := init.Wait(); err != nil {
		return fmt.Errorf("the lab's inside ended: %w", err)
	}
	return nil
}

func startInit(d layout, s spec) (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe", "init", "--dir", string(d))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
	}
	if os.Getuid() != 0 {
		// Root inside is the user outside: enough for a network of its own and for
		// the kubelet, which opens /dev/kmsg.
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	// The inside ends when this pipe closes: a second leash beside the signal.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return cmd, cmd.Start()
}

// forward carries each connection to the target until one side closes.
func forward(l net.Listener, network, target string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			out, err := net.DialTimeout(network, target, 5*time.Second)
			if err != nil {
				in.Close()
				return
			}
			var wg sync.WaitGroup
			for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
				wg.Go(func() {
					io.Copy(way[0], way[1])
					if half, ok := way[0].(interface{ CloseWrite() error }); ok {
						half.CloseWrite()
					}
				})
			}
			wg.Wait()
			in.Close()
			out.Close()
		}()
	}
}
