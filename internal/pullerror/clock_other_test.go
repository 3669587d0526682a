//go:build !linux

package pullerror

import "time"

// spent is the time that f takes; only Linux tells the time of one thread.
func spent(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
