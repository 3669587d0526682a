package probe

import (
	"context"
	"fmt"
	"time"
)

// credentials says with what the registry will be asked, before it is.
func credentials(_ context.Context, s *session) result {
	for _, n := range s.req.As.Notes {
		if n.Blocks {
			return fail(n.Cause, n.Source+" "+n.Text+"; the kubelet refuses every pull of a pod that names it")
		}
	}
	list := s.req.As.Credentials
	if len(list) == 0 {
		for _, n := range s.req.As.Notes {
			if n.Cause != "" {
				return warn(n.Cause, n.Source+" "+n.Text+"; asking anonymously")
			}
		}
		return ok("none: asking anonymously")
	}
	for _, c := range list {
		if end := c.Shape.Expires; !end.IsZero() && end.Before(s.place.Now()) {
			return warn("", fmt.Sprintf("%s: the token of %s expired %s ago, at %s", c.Source, c.Shape.User, span(s.place.Now().Sub(end)), date(end)))
		}
		if c.Shape.TrailingNewline {
			return warn("", c.Source+": the password ends in a line break")
		}
	}
	c := list[0]
	detail := fmt.Sprintf("%s of %s", plural(len(list), "credential", "credentials"), c.Source)
	if c.Shape.User != "" {
		detail += ", user " + c.Shape.User
	}
	if end := c.Shape.Expires; !end.IsZero() {
		left := end.Sub(s.place.Now())
		detail += fmt.Sprintf(", valid for %s", span(left))
		if left < 24*time.Hour {
			return warn("", detail)
		}
	}
	return ok(detail)
}
