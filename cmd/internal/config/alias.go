package config

import (
	"path"
	"strings"
)

// aliased reports whether an OpenSSH client configuration maps a host to
// another name. Only Host and HostName are understood; a Match block counts as
// not matching, and files that it includes are not read. That is enough for its
// one use: to notice that the word after --hsm may mean nothing elsewhere.
func aliased(config, host string) bool {
	applies := true // lines before the first Host are for every host
	for line := range strings.Lines(config) {
		key, value := directive(line)
		switch key {
		case "host":
			applies = matches(strings.Fields(value), host)
		case "match":
			applies = false
		case "hostname":
			if !applies {
				continue
			}
			// The first value wins, as in OpenSSH.
			name := strings.ReplaceAll(strings.Trim(value, `"`), "%h", host)
			return !strings.EqualFold(name, host)
		}
	}
	return false
}

// directive splits "Key value", "Key=value" and "Key = value".
func directive(line string) (key, value string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	i := strings.IndexAny(line, " \t=")
	if i < 0 {
		return "", ""
	}
	value = strings.TrimLeft(line[i:], " \t")
	value = strings.TrimPrefix(value, "=")
	return strings.ToLower(line[:i]), strings.TrimSpace(value)
}

// matches is OpenSSH's rule: one pattern must match, and no negated one.
func matches(patterns []string, host string) bool {
	found := false
	for _, p := range patterns {
		p, negated := strings.CutPrefix(strings.Trim(p, `"`), "!")
		// path.Match has the same * and ?; a "[" in a pattern is no host name.
		ok, err := path.Match(strings.ToLower(p), strings.ToLower(host))
		switch {
		case err != nil || !ok:
		case negated:
			return false
		default:
			found = true
		}
	}
	return found
}
