package pullerror

import (
	"runtime"
	"syscall"
	"time"
)

// spent is the processor time that f takes on its own thread: what other
// programs do meanwhile does not count.
func spent(f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadTime()
	f()
	return threadTime() - start
}

func threadTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		panic(err) // the kernel has known it since 2.6.26
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
