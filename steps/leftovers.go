package steps

import (
	"path"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
)

// handover is the file by which vtl is given the HSM's certificate. It lives
// for one act; where that was cut off, the next run clears it away.
func handover(link Link, l Layout) string {
	return path.Join(l.Trust, handoverPrefix+link.HSMAddress+"-"+link.Stamp+handoverSuffix)
}

const handoverPrefix, handoverSuffix = ".ntl-setup-", ".pem"

// leftovers are the handovers of runs that were cut off. Only names that this
// program could have given count: the rest of a name becomes part of a path.
func leftovers(l Layout, facts transport.Facts) []string {
	var left []string
	for _, name := range facts[transport.Dir(l.Trust)].Names {
		ours := strings.HasPrefix(name, handoverPrefix) && strings.HasSuffix(name, handoverSuffix)
		if ours && vtl.CheckName(name) == nil {
			left = append(left, path.Join(l.Trust, name))
		}
	}
	return left
}

// tidying lists what is to be cleared away.
func (c *clientFacts) tidying() []orchestrator.Change {
	var changes []orchestrator.Change
	for _, file := range c.leftovers {
		changes = append(changes, orchestrator.Change{Field: file, Have: "left by a run that was cut off", Want: "gone"})
	}
	return changes
}

// tidy clears it away.
func (c *clientFacts) tidy() []transport.Action {
	var actions []transport.Action
	for _, file := range c.leftovers {
		actions = append(actions, transport.Remove(file))
	}
	return actions
}
