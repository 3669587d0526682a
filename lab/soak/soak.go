// Package soak plays rollouts that look doomed early and then complete by
// themselves, or are merely slow, and records what unjam says of each from its
// first second to its last. A rollout that is called stalled and then completes
// although nobody changed anything is a false doom.
package soak

import (
	"math/rand/v2"
	"time"
)

// Class says what ends a rollout's trouble, and so what a stall means.
type Class string

// The classes.
const (
	// Heals: a fault outside ends without anybody's act. Stalled is a false doom.
	Heals Class = "heals"
	// Slow: nothing is wrong, it takes its time. Stalled is a false doom.
	Slow Class = "slow"
	// Node: a node goes and comes back. Stalled is a false doom.
	Node Class = "node"
	// Deadline: it heals, but after the progress deadline that its owner set, by
	// which the owner calls it failed.
	Deadline Class = "own deadline passed"
	// Acted: only somebody's act ends it. Stalled is right until then.
	Acted Class = "somebody acted"
)

// doomed reports whether stalled is wrong in a rollout that completes.
func (c Class) doomed() bool { return c == Heals || c == Slow || c == Node }

// kind is one way for a rollout to look doomed.
type kind struct {
	name  string
	class Class
	// weight is how many of 200 rollouts are of this kind.
	weight int
	// causes are the true primary causes while the trouble lasts. Without one,
	// the right answer is no primary cause or one of the accepted ones.
	causes, accepted []string
	// make builds a play. It may lease ports, so it runs when the play starts.
	make func(d *draw) play
}

// play is what happens in one namespace.
type play struct {
	// before is applied and must be complete before the rollout starts.
	before []object
	// start is applied at time zero; workloads are kind/name, judged each.
	start     []object
	workloads []string
	// steps happen at their times after zero. The last one ends the trouble.
	steps []step
	// wait waits for something before time zero, for example for a free node.
	done func()
}

type step struct {
	after time.Duration
	what  string
	do    func(e *Env) error
}

// object is a manifest.
type object = map[string]any

// draw is a play's source of chance and of things that no other play may touch.
type draw struct {
	*rand.Rand
	env *Env
	ns  string
	// leased are given back when the play is over.
	leased []func()
}

// seconds draws a duration.
func (d *draw) seconds(from, to int) time.Duration {
	return time.Duration(from)*time.Second + time.Duration(d.Int64N(int64(to-from)*int64(time.Second)+1))
}

// oneOf draws one of several.
func oneOf[T any](d *draw, list ...T) T { return list[d.IntN(len(list))] }

// faultTime is how long an outside fault lasts.
func (d *draw) faultTime() time.Duration { return d.seconds(5, 90) }

// Plan is the list of plays of a run: each kind as often as its weight says,
// in an order that the seed decides.
func Plan(seed uint64, rollouts int, only func(name string) bool) []Planned {
	r := rand.New(rand.NewPCG(seed, 0))
	total := 0
	var kinds []kind
	for _, k := range Kinds() {
		if only == nil || only(k.name) {
			kinds = append(kinds, k)
			total += k.weight
		}
	}
	var out []Planned
	for _, k := range kinds {
		n := max(1, (k.weight*rollouts+total/2)/total)
		for range n {
			out = append(out, Planned{kind: k})
		}
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	for i := range out {
		out[i].ID = i + 1
		out[i].seed = [2]uint64{seed, uint64(i + 1)}
	}
	return out
}

// Planned is one play of a plan.
type Planned struct {
	ID   int
	kind kind
	seed [2]uint64
}

// Kind is the name of the play's kind.
func (p Planned) Kind() string { return p.kind.name }
