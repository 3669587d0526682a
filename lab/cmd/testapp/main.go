// Command testapp is the only program in the lab's test images. Its flags make
// it serve, crash, leak, hang or wait, so that scenarios need no shell.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "exit": // exit CODE: for probes and hooks
			os.Exit(exitCode(os.Args[2:]))
		case "sleep": // sleep DURATION: for probes and hooks that take long
			os.Exit(sleep(os.Args[2:]))
		case "wait": // wait HOST:PORT: for init containers
			os.Exit(await(os.Args[2:]))
		case "pause":
			pause()
			return
		}
	}
	o := parse(os.Args[1:])
	os.Exit(o.run(os.Stdout, os.Stderr))
}

type options struct {
	addr        string
	print       string
	needEnv     string
	needHost    string
	listenAfter time.Duration
	readyAfter  time.Duration
	flap        time.Duration
	notReady    bool
	stallHealth bool
	exitAfter   time.Duration
	exit        int
	memory      int
	ignoreTerm  bool
	death       string
	countFile   string
	failTimes   int
	slowOnce    time.Duration
}

func parse(args []string) options {
	var o options
	f := flag.NewFlagSet("testapp", flag.ExitOnError)
	// One line: log tails are short and must hold the error above it.
	f.Usage = func() { fmt.Fprintln(f.Output(), "usage: testapp [flags]") }
	f.StringVar(&o.addr, "addr", ":8080", "address to serve on; empty serves nothing")
	f.StringVar(&o.print, "print", "", "line to write to standard error at start")
	f.StringVar(&o.needEnv, "need-env", "", "exit 1 unless this variable is set")
	f.StringVar(&o.needHost, "need-host", "", "exit 1 unless this host:port accepts a connection")
	f.DurationVar(&o.listenAfter, "listen-after", 0, "wait before serving")
	f.DurationVar(&o.readyAfter, "ready-after", 0, "answer /healthz with 503 for this long")
	f.DurationVar(&o.flap, "flap", 0, "turn /healthz on and off with this period")
	f.BoolVar(&o.notReady, "not-ready", false, "answer /healthz with 503 for ever")
	f.BoolVar(&o.stallHealth, "stall-health", false, "never answer /healthz")
	f.DurationVar(&o.exitAfter, "exit-after", 0, "exit after this long")
	f.IntVar(&o.exit, "exit", -1, "exit code; at once unless -exit-after is set")
	f.IntVar(&o.memory, "memory", 0, "MiB to allocate and touch, 10 MiB every 50 ms")
	f.BoolVar(&o.ignoreTerm, "ignore-term", false, "ignore SIGTERM")
	f.StringVar(&o.death, "die", "", "exit as if by signal: segv, abrt, kill, term")
	f.StringVar(&o.countFile, "count-file", "", "file that counts the starts, on a volume that outlives the container")
	f.IntVar(&o.failTimes, "fail-times", 0, "exit 1 at the first so many starts")
	f.DurationVar(&o.slowOnce, "slow-once", 0, "wait before serving, at the first start only")
	_ = f.Parse(args)
	return o
}

func (o options) run(stdout, stderr io.Writer) int {
	started := time.Now()
	if o.print != "" {
		fmt.Fprintln(stderr, o.print)
	}
	if o.needEnv != "" && os.Getenv(o.needEnv) == "" {
		fmt.Fprintf(stderr, "fatal: environment variable %s is not set\n", o.needEnv)
		return 1
	}
	if o.countFile != "" {
		n := start(o.countFile)
		if n <= o.failTimes {
			fmt.Fprintln(stderr, "fatal: cannot start: warm-up is not complete")
			return 1
		}
		if n == 1 {
			o.listenAfter = max(o.listenAfter, o.slowOnce)
		}
	}
	if o.needHost != "" {
		c, err := net.DialTimeout("tcp", o.needHost, 3*time.Second)
		if err != nil {
			fmt.Fprintf(stderr, "fatal: cannot reach dependency %s: %v\n", o.needHost, err)
			return 1
		}
		_ = c.Close()
	}
	term := make(chan os.Signal, 1)
	if o.ignoreTerm {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signal.Notify(term, syscall.SIGTERM, syscall.SIGINT)
	}
	if o.memory > 0 {
		go hog(o.memory)
	}
	go o.serve(started, stdout, stderr)
	var exit <-chan time.Time
	if o.exit >= 0 || o.exitAfter > 0 || o.death != "" {
		exit = time.After(o.exitAfter)
	}
	select {
	case <-exit:
		if o.death != "" {
			die(o.death)
		}
		fmt.Fprintf(stderr, "fatal: stopping with exit code %d as told\n", max(o.exit, 0))
		return max(o.exit, 0)
	case s := <-term:
		fmt.Fprintf(stdout, "stopping on signal %v\n", s)
		return 0
	}
}

func (o options) serve(started time.Time, stdout, stderr io.Writer) {
	if o.addr == "" {
		return
	}
	time.Sleep(o.listenAfter)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "testapp") })
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		if o.stallHealth {
			<-r.Context().Done()
			return
		}
		if !o.ready(time.Since(started)) {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	fmt.Fprintf(stdout, "serving on %s\n", o.addr)
	if err := http.ListenAndServe(o.addr, mux); err != nil {
		fmt.Fprintf(stderr, "fatal: %v\n", err)
		os.Exit(1)
	}
}

func (o options) ready(age time.Duration) bool {
	switch {
	case o.notReady, age < o.readyAfter:
		return false
	case o.flap > 0:
		return (age/o.flap)%2 == 0
	}
	return true
}

// held keeps the allocated memory reachable.
var held atomic.Pointer[[][]byte]

func hog(mib int) {
	var blocks [][]byte
	for done := 0; done < mib; done += 10 {
		b := make([]byte, 10<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		blocks = append(blocks, b)
		held.Store(&blocks)
		time.Sleep(50 * time.Millisecond)
	}
}

// die ends the process with the exit code that a signal gives. The first
// process of a container cannot send itself a deadly signal, and Go's runtime
// turns SIGSEGV and SIGABRT into exit code 2, so the code alone stands in.
func die(name string) {
	code := map[string]int{"abrt": 134, "kill": 137, "segv": 139, "term": 143}[name]
	if code == 0 {
		fmt.Fprintf(os.Stderr, "testapp: unknown -die %q\n", name)
		code = 2
	}
	os.Exit(code)
}

func exitCode(args []string) int {
	if len(args) == 1 {
		if n, err := strconv.Atoi(args[0]); err == nil {
			return n
		}
	}
	fmt.Fprintln(os.Stderr, "usage: testapp exit CODE")
	return 2
}

func sleep(args []string) int {
	if len(args) == 1 {
		if d, err := time.ParseDuration(args[0]); err == nil {
			time.Sleep(d)
			return 0
		}
	}
	fmt.Fprintln(os.Stderr, "usage: testapp sleep DURATION")
	return 2
}

// start counts this start in a file and returns its number.
func start(file string) int {
	b, _ := os.ReadFile(file)
	n, _ := strconv.Atoi(string(b))
	if err := os.WriteFile(file, []byte(strconv.Itoa(n+1)), 0o644); err != nil {
		fmt.Fprintf(os.Stderr, "testapp: %v\n", err)
		os.Exit(2)
	}
	return n + 1
}

// await returns when host:port accepts a connection.
func await(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: testapp wait HOST:PORT")
		return 2
	}
	for {
		c, err := net.DialTimeout("tcp", args[0], 3*time.Second)
		if err == nil {
			_ = c.Close()
			return 0
		}
		fmt.Printf("waiting for %s: %v\n", args[0], err)
		time.Sleep(2 * time.Second)
	}
}

// pause reaps children until it is told to stop, as a pod's first process must.
func pause() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for {
			var status syscall.WaitStatus
			if pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
