package sshconfig

import (
	"fmt"
	"slices"
	"strings"
)

// wildcard reports whether a pattern with * and ? is a whole text. What a * takes
// is only ever reconsidered for the last one, so that the time stays short.
func wildcard(pattern, text string) bool {
	p, star, taken := 0, -1, 0 // the last * and how far it has come
	for t := 0; t < len(text); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			taken++
			p, t = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// anyOf reports whether one of the patterns matches and no negated one does.
func anyOf(patterns []string, text string) bool {
	found := false
	for _, p := range patterns {
		p, negated := strings.CutPrefix(p, "!")
		switch {
		case !wildcard(p, text):
		case negated:
			return false
		default:
			found = true
		}
	}
	return found
}

// verdict is whether a block applies.
type verdict struct {
	applies bool
	// unknown is the criterion that cannot be told here, where all the others
	// hold; empty: there is none.
	unknown string
}

// matchLine judges the criteria of a Match line. What stands after a criterion
// that fails is still checked for its form.
func (e *evaluator) matchLine(args []string) (verdict, error) {
	v := verdict{applies: true}
	for i := 0; i < len(args); i++ {
		criterion, value, joined := strings.Cut(args[i], "=")
		criterion, negated := strings.CutPrefix(strings.ToLower(criterion), "!")
		switch criterion {
		case "all":
			if negated || len(args) > 1 && !slices.Contains([]string{"canonical", "final"}, strings.ToLower(args[0])) || i+1 < len(args) {
				return v, fmt.Errorf("%q cannot stand beside others", "all")
			}
			continue
		case "canonical", "final":
			// There is one pass here, and it is the first.
			if !negated {
				v.unknown = criterion
			}
			continue
		}
		if !joined {
			if i++; i == len(args) {
				return v, fmt.Errorf("%q lacks its value", criterion)
			}
			value = args[i]
		}
		holds, known := e.criterion(criterion, value)
		switch {
		case !known && !slices.Contains(strings.Fields(untold), criterion):
			return v, fmt.Errorf("no such criterion: %q", criterion)
		case !known:
			v.unknown = criterion
		case holds == negated:
			v.applies = false
		}
	}
	if !v.applies {
		v.unknown = ""
	}
	return v, nil
}

// untold are criteria that OpenSSH has and that cannot be told here.
const untold = "exec localnetwork tagged sessiontype command version"

// criterion judges one criterion by what was read until now, as OpenSSH does.
func (e *evaluator) criterion(name, value string) (holds, known bool) {
	patterns := strings.Split(value, ",")
	// Host names have no case, and the patterns have none either then.
	lower := strings.Split(strings.ToLower(value), ",")
	switch name {
	case "host":
		return anyOf(lower, strings.ToLower(e.hostName())), true
	case "originalhost":
		return anyOf(lower, strings.ToLower(e.query.Host)), true
	case "user":
		return anyOf(patterns, e.user()), true
	case "localuser":
		return anyOf(patterns, e.query.Local), true
	}
	return false, false
}
