package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Position is a place in the text; both count from 1, columns in characters.
type Position struct{ Line, Column int }

// Mistake is one thing that is wrong, and where.
type Mistake struct {
	Position
	// Path is what could not be read: "links[2].hsm". For a key that is not known
	// and nearly another it is that of the other, for a merge key it ends in "<<".
	// Empty: the document as a whole.
	Path string
	Text string
}

// Places tells where each value stood, by its path ("clients.web1.host").
type Places map[string]Position

// At is the place of a path, or of the nearest thing around it.
func (p Places) At(path string) Position {
	for {
		if at, ok := p[path]; ok || path == "" {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// maxCopies bounds the values that aliases make: they could multiply without end.
const maxCopies = 200_000

// Decode reads one document into the value that into points to. What is right
// beside mistakes is filled in. Mistakes come in the order of the text.
func Decode(text []byte, into any) (Places, []Mistake) {
	d := &decoder{text: text, places: Places{"": {1, 1}}, left: maxCopies}
	if d.unreadable() {
		return d.places, d.mistakes
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		d.wrong("", Position{1, 1}, "the file is empty")
		return d.places, d.mistakes
	case err != nil:
		d.syntax(err)
		return d.places, d.mistakes
	}
	d.value(doc.Content[0], reflect.ValueOf(into).Elem(), "")
	var second yaml.Node
	switch err := dec.Decode(&second); {
	case err == nil:
		d.wrong("---", Position{second.Line, second.Column}, "a second document begins here; there can be one alone")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	slices.SortStableFunc(d.mistakes, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d.places, d.mistakes
}

type decoder struct {
	text     []byte
	places   Places
	mistakes []Mistake
	within   int // aliases that are being followed
	left     int // values that aliases may still make
}

func (d *decoder) wrong(path string, at Position, format string, args ...any) {
	d.mistakes = append(d.mistakes, Mistake{at, path, fmt.Sprintf(format, args...)})
}

func place(n *yaml.Node) Position { return Position{n.Line, n.Column} }

// value reads a node into v, which can be set.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	d.places[path] = place(n)
	if n.Kind == yaml.AliasNode {
		d.within++
		defer func() { d.within-- }()
		n = n.Alias // which is no alias itself
	}
	if d.within > 0 {
		if d.left--; d.left < 0 {
			if d.left == -1 {
				d.wrong("", d.places[path], "the aliases (*name) make more than %d values", maxCopies)
			}
			return
		}
	}
	switch {
	case n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str":
		d.wrong(path, place(n), "tags are not taken, and %s stands here", short(n.Tag))
		return
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		d.wrong(path, place(n), "%s has no value", named(path))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

// entries are the keys and values of a mapping, or nil where it is none.
func (d *decoder) entries(n *yaml.Node, path string, each func(key string, k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(path, place(n), "%s wants keys with values, and %s stands here", named(path), form(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
			d.wrong(join(path, "?"), place(k), "a key is a word, and %s stands here", form(k))
			continue
		case k.Tag == "!!merge":
			d.wrong(join(path, "<<"), place(k), "merge keys (<<) are not taken; what several entries share belongs in defaults")
			continue
		case seen[k.Value] > 0:
			d.wrong(join(path, k.Value), place(k), "%s stands in line %d already", k.Value, seen[k.Value])
			continue
		}
		seen[k.Value] = k.Line
		if k.Tag != "!!str" {
			d.wrong(join(path, k.Value), place(k), "a key is a text, and YAML takes %s for %s; put it in quotes", short(k.Value), taken(k.Tag))
			continue
		}
		each(k.Value, k, v)
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	fields := map[string]reflect.Value{}
	collect(v, fields)
	d.entries(n, path, func(key string, k, value *yaml.Node) {
		field, known := fields[key]
		if !known {
			meant, words := suggestion(key, fields)
			if has(n, meant) {
				meant = key
			}
			d.wrong(join(path, meant), place(k), "unknown key %s%s", short(key), words)
			return
		}
		d.value(value, field, join(path, key))
	})
}

// collect finds a struct's fields by their keys.
func collect(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && key == "":
			collect(v.Field(i), into)
		case f.IsExported() && key != "" && key != "-":
			into[key] = v.Field(i)
		}
	}
}

// has reports whether a mapping has a key.
func has(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// suggestion is the nearest key that there is, or else the key itself, and what
// to say.
func suggestion(key string, fields map[string]reflect.Value) (meant, words string) {
	known := slices.Sorted(maps.Keys(fields))
	for _, name := range known {
		if Near(key, name) {
			return name, "; did you mean " + name + "?"
		}
	}
	return key, "; there are " + strings.Join(known, ", ")
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	d.entries(n, path, func(key string, _, value *yaml.Node) {
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(value, e, join(path, key))
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), e)
	})
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string) {
	items := []*yaml.Node{n}
	words := v.Type().Elem().Kind() == reflect.String
	switch {
	case n.Kind == yaml.SequenceNode:
		items = n.Content
	case !words || n.Kind == yaml.MappingNode:
		d.wrong(path, place(n), "%s wants a list, and %s stands here", named(path), form(n))
		return
	}
	if len(items) == 0 {
		d.wrong(path, place(n), "%s is empty", named(path))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	seen := map[string]bool{}
	for i, item := range items {
		at := path + "[" + strconv.Itoa(i) + "]"
		d.value(item, v.Index(i), at)
		if word := v.Index(i); words && word.String() != "" {
			if seen[word.String()] {
				d.wrong(at, place(item), "%s stands twice in this list", short(word.String()))
			}
			seen[word.String()] = true
		}
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(path, place(n), "%s wants one value, and %s stands here", named(path), form(n))
		return
	}
	switch v.Kind() {
	case reflect.String:
		switch {
		case n.Tag != "!!str":
			// The value is not shown: it might be a secret at the wrong place.
			d.wrong(path, place(n), "%s is a text, and YAML takes what stands here for %s; put it in quotes", called(path), taken(n.Tag))
		case n.Value == "":
			d.wrong(path, place(n), "%s is empty", called(path))
		}
		v.SetString(n.Value)
	case reflect.Bool:
		if n.Tag != "!!bool" {
			d.wrong(path, place(n), "%s wants true or false, and %q stands here", named(path), short(n.Value))
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		// 022 is 18 to some readers, and 22 to others.
		number, err := strconv.Atoi(n.Value)
		if n.Tag != "!!int" || err != nil || strconv.Itoa(number) != n.Value {
			d.wrong(path, place(n), "%s wants a whole number in plain digits, without quotes, and %q stands here", named(path), short(n.Value))
			return
		}
		v.SetInt(int64(number))
	default:
		panic("strictyaml: no rule for " + v.Type().String())
	}
}
