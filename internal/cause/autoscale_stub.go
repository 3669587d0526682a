package cause

import "github.com/unjam-dev/unjam/internal/facts"

func scaleUp(p *facts.Pod) (*facts.Event, bool) { return nil, false }
