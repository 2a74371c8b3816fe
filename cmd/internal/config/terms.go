package config

import (
	"regexp"
	"strings"
)

// fileKey is what a link of a file has in place of a flag.
type fileKey struct{ section, key string }

// The sections of a file that keys are in.
const (
	clientSection = "clients"
	hsmSection    = "hsms"
	linkSection   = "links"
)

// fileKeys are the flags that -f excludes, with what stands in the file instead.
func fileKeys() map[string]fileKey {
	return map[string]fileKey{
		"--client":          {clientSection, "host"},
		"--client-address":  {clientSection, "address"},
		"--client-host-key": {clientSection, "host_key"},
		"--name":            {clientSection, "name"},
		"--map-host-ip":     {clientSection, "map_host_ip"},
		"--hsm":             {hsmSection, "host"},
		"--hsm-address":     {hsmSection, "address"},
		"--hsm-host-key":    {hsmSection, "host_key"},
		"--hsm-certificate": {hsmSection, "certificate"},
		"--partition":       {linkSection, "partition"},
	}
}

// sharedKeys are the flags that say beside -f what the clients of the file do not
// say themselves.
func sharedKeys() map[string]string {
	return map[string]string{
		"--client-kind": "kind", "--client-config-path": "config_path", "--client-root": "root",
		"--sudo-password-file": "sudo_password_file",
	}
}

// someFlag finds a flag as people write it, and the value that is proposed for
// it where a sentence or part of one ends with both, behind a colon.
var someFlag = regexp.MustCompile(`(: )?(--[a-z][a-z-]*[a-z])(?:( [A-Za-z0-9._:][A-Za-z0-9._:-]*)($|[;,]))?`)

// called is a text in which the flags of the table are called by name.
func called(text string, name func(fileKey) string) string {
	keys := fileKeys()
	return someFlag.ReplaceAllStringFunc(text, func(found string) string {
		part := someFlag.FindStringSubmatch(found)
		colon, flag, value, end := part[1], part[2], part[3], part[4]
		key, known := keys[flag]
		if !known {
			return found
		}
		if colon != "" && value != "" {
			value = ":" + value
		}
		return colon + name(key) + value + end
	})
}

// bare is a text that stands beside its place in the file: keys alone.
func bare(text string) string {
	text = called(text, func(k fileKey) string { return k.key })
	for flag, key := range sharedKeys() {
		text = strings.ReplaceAll(text, flag, key)
	}
	return text
}

// InFile is a text about the link, such as a hint, in the terms of the file that
// the link comes from: the flags that -f excludes are called by the keys that
// stand in their place. Without a file the text stays as it is.
func (l Link) InFile(text string) string {
	client, hsm, fromFile := strings.Cut(l.ID, "/")
	if !fromFile || !strings.Contains(text, "--") {
		return text
	}
	return called(text, func(k fileKey) string {
		switch k.section {
		case clientSection:
			return k.section + "." + client + "." + k.key
		case hsmSection:
			return k.section + "." + hsm + "." + k.key
		}
		return "the link's " + k.key
	})
}

// keyOf is the path of the first key that a text about a link names by its flag.
// A flag that may stand beside -f counts only where the file has its key.
func (p *parsed) keyOf(one pair, text string) (path string, known bool) {
	excluded, shared := fileKeys(), sharedKeys()
	for _, found := range someFlag.FindAllStringSubmatch(text, -1) {
		if key, is := excluded[found[2]]; is {
			switch key.section {
			case clientSection:
				return clientSection + "." + one.client + "." + key.key, true
			case hsmSection:
				return hsmSection + "." + one.hsm + "." + key.key, true
			}
			return one.path + "." + key.key, true
		}
		if key, is := shared[found[2]]; is {
			path = p.own(clientSection+"."+one.client, key)
			_, known = p.places[path]
			return path, known
		}
	}
	return "", false
}
