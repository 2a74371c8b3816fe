package config

import (
	"maps"
	"path"
	"slices"
	"strings"

	"ntl-setup/cmd/internal/strictyaml"
)

// checkPatterns checks that each pattern of --only and --skip is about a link of
// the file: one that fits nothing is a slip, and with --skip it would leave out
// nothing.
func (p *parsed) checkPatterns(f Flags) error {
	all := p.pairs()
	for _, given := range []struct {
		flag     string
		patterns []string
	}{{"--only", f.Only}, {"--skip", f.Skip}} {
		for _, pattern := range given.patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				return wrong("%s: the pattern %q cannot be understood", given.flag, pattern).
					WithHint("* ? and [a-z] stand for other characters; a link is called client/hsm")
			}
			if slices.ContainsFunc(all, func(one pair) bool { return one.matches([]string{pattern}, true) }) {
				continue
			}
			return wrong("%s %q fits no link of %s", given.flag, pattern, p.name).
				WithHint("%sa pattern fits a link by client/hsm, its client, a group of it, its HSM, or its name there; links are %s", nearby(all, pattern), someIDs(all))
		}
	}
	return nil
}

// texts are what patterns may fit of a link: client/hsm, also with a group in the
// place of the client, and each of the names in it.
func (p pair) texts() []string {
	all := []string{p.id(), p.client, p.hsm, p.name}
	for _, group := range p.groups {
		all = append(all, group, group+"/"+p.hsm)
	}
	return all
}

// nearby asks for the names that a pattern nearly fits.
func nearby(all []pair, pattern string) string {
	near := map[string]bool{}
	for _, one := range all {
		for _, text := range one.texts() {
			if strictyaml.Near(text, pattern) {
				near[text] = true
			}
		}
	}
	if len(near) == 0 {
		return ""
	}
	names := slices.Sorted(maps.Keys(near))
	return "did you mean " + strings.Join(names[:min(len(names), 3)], ", ") + "? "
}
