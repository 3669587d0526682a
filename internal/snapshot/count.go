package snapshot

// Len is the number of objects of all kinds.
func (o *Objects) Len() int {
	n := len(o.Others)
	for _, k := range Kinds {
		k.each(o, func(identity) { n++ })
	}
	return n
}
