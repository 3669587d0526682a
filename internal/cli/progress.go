package cli

import (
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/term"
)

// progress shows on standard error that something is going on, once it takes
// longer than a second and only on a terminal outside CI. The returned function
// ends it and clears the line.
func (a *app) progress(what string) func() {
	f, ok := a.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || slices.Contains(a.env, "CI=true") {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	start := time.Now()
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		shown := false
		for {
			select {
			case <-stop:
				if shown {
					fmt.Fprint(f, "\r\x1b[K")
				}
				return
			case <-tick.C:
				fmt.Fprintf(f, "\r\x1b[K%s, %ds…", what, int(time.Since(start).Seconds()))
				shown = true
			}
		}
	}()
	return func() { close(stop); <-stopped }
}
