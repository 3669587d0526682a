package snapshot

import (
	"fmt"
	"regexp"

	yamlv3 "go.yaml.in/yaml/v3"
)

// maxExpanded is how many bytes of scalars a YAML document may stand for once
// its aliases are followed.
const maxExpanded = 64 << 20

var (
	anchorSign = regexp.MustCompile(`(?m)(?:^|[\s,\[{:-])&[^\s&]`)
	aliasSign  = regexp.MustCompile(`(?m)(?:^|[\s,\[{:-])\*[^\s*]`)
)

// checkAliases refuses a document whose aliases would blow it up. kubectl
// never writes aliases, so the closer look is taken only where the text has
// the signs of both an anchor and an alias.
func checkAliases(doc []byte) error {
	if !anchorSign.Match(doc) || !aliasSign.Match(doc) {
		return nil
	}
	var root yamlv3.Node
	if yamlv3.Unmarshal(doc, &root) != nil {
		return nil // the real decode reports it better
	}
	sizes := make(map[*yamlv3.Node]int64)
	if expandedSize(&root, sizes) > maxExpanded {
		return fmt.Errorf("%w: its aliases expand to more than %d MiB", ErrTooLarge, maxExpanded>>20)
	}
	return nil
}

// expandedSize adds up the scalars under a node, aliases followed. A node met
// again while it is being measured (a cycle) counts as over the limit.
func expandedSize(n *yamlv3.Node, sizes map[*yamlv3.Node]int64) int64 {
	if size, ok := sizes[n]; ok {
		return size
	}
	sizes[n] = maxExpanded + 1
	size := int64(len(n.Value)) + 1
	if n.Alias != nil {
		size = expandedSize(n.Alias, sizes)
	}
	for _, c := range n.Content {
		size = min(size+expandedSize(c, sizes), maxExpanded+1)
	}
	sizes[n] = size
	return size
}
