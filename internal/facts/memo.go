package facts

import "sync"

// memo remembers what is derived from facts, so that causes which share a
// reading do it once. It changes no answer: the facts never change.
type memo struct {
	mu   sync.Mutex
	done map[any]any
}

// Once returns the value made for the key, making it at the first call. make
// must depend on the facts and the key alone, and must not call Once with the
// same key. It is safe for concurrent use; two callers at once may both make.
func Once[K comparable, V any](f *Facts, key K, make func() V) V {
	f.memo.mu.Lock()
	v, ok := f.memo.done[key]
	f.memo.mu.Unlock()
	if ok {
		return v.(V)
	}
	made := make()
	f.memo.mu.Lock()
	defer f.memo.mu.Unlock()
	if f.memo.done == nil {
		f.memo.done = map[any]any{}
	}
	f.memo.done[key] = made
	return made
}
