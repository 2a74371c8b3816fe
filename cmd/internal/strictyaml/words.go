package strictyaml

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// join is the path of a key below another.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// named is how a message calls the value of a path: by its last key.
func named(path string) string {
	if path == "" {
		return "the file"
	}
	return path[strings.LastIndexByte(path, '.')+1:]
}

// form is what kind of thing a node is, in words.
func form(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a set of keys"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(short(n.Value))
	}
}

// short is the beginning of a value: it might be a whole file.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// near reports whether one edit makes one word of the other, case aside.
func near(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return i == len(a) || a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

// lineOf finds the place in the words of an error of the parser.
var lineOf = regexp.MustCompile(`^(?:yaml: )?(?:[a-z ]*error[a-z ]*: ?)?line (\d+)(?:, column (\d+))?: `)

// syntax tells what the parser could not read.
func (d *decoder) syntax(err error) {
	var load *yaml.LoadErrors
	text, at := err.Error(), Position{1, 1}
	if errors.As(err, &load) && len(load.Errors) > 0 {
		text = load.Errors[0].Error()
	}
	if m := lineOf.FindStringSubmatch(text); m != nil {
		at.Line, _ = strconv.Atoi(m[1])   // digits
		at.Column, _ = strconv.Atoi(m[2]) // digits or nothing
		at.Column = max(at.Column, 1)
		text = text[len(m[0]):]
	}
	d.wrong("", at, "this is not YAML: %s", strings.TrimPrefix(text, "yaml: "))
}
